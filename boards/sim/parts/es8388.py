"""ES8388 codec as a register file behind I2C (datasheet §6: registers 0 to 52, auto-increment).

Reset values after the datasheet's register map; `heard()` says what the registers do to the ear.
"""

_RESET = {
    0x00: 0x06, 0x01: 0x5C, 0x02: 0xC3, 0x03: 0xFC, 0x04: 0xC0, 0x08: 0x80, 0x0C: 0x00,
    0x0D: 0x06, 0x0E: 0x30, 0x0F: 0x20, 0x10: 0xC0, 0x11: 0xC0, 0x12: 0x38, 0x13: 0xB0,
    0x14: 0x32, 0x15: 0x06, 0x17: 0x00, 0x18: 0x06, 0x19: 0x22, 0x1A: 0xC0, 0x1B: 0xC0,
    0x1C: 0x08, 0x1E: 0x1F, 0x1F: 0xF7, 0x20: 0xFD, 0x21: 0xFF, 0x22: 0x1F, 0x23: 0xF7,
    0x24: 0xFD, 0x25: 0xFF, 0x27: 0x38, 0x28: 0x28, 0x29: 0x28, 0x2A: 0x38,
}  # fmt: skip
_LAST = 0x34


class ES8388:
    def __init__(self):
        self.registers = bytearray(_LAST + 1)
        self.power()

    def power(self):
        for index in range(_LAST + 1):
            self.registers[index] = _RESET.get(index, 0)
        self._at = 0
        self.fault = None

    def present(self):
        return self.fault != "nack"

    def write(self, data):
        if self.fault == "nack":
            return None
        if data:
            self._at = data[0]
        for byte in data[1:]:
            if self._at == 0 and byte & 0x80:  # CHIPCONTROL1 bit 7: reset all registers
                self.power()
            elif self._at <= _LAST:
                self.registers[self._at] = byte
            self._at += 1
        return len(data)

    def read(self, count):
        if self.fault == "nack":
            return None
        data = bytes(self.registers[self._at : self._at + count])
        self._at += count
        return data + b"\0" * (count - len(data))

    def heard(self):
        """What reaches the headset: powered outputs, DAC mute (0x19 bit 2), attenuation in dB."""
        r = self.registers
        powered = not r[0x04] & 0xC0 and bool(r[0x04] & 0x3C)
        return {
            "powered": powered,
            "muted": bool(r[0x19] & 0x04),
            "microphone_muted": bool(r[0x0F] & 0x04),
            "dac_db": -r[0x1A] / 2,
            "output_step": max(r[0x2E], r[0x30]),
        }

    def dump(self):
        answer = self.heard()
        answer["registers"] = self.registers.hex()
        return answer
