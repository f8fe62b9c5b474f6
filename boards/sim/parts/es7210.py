"""ES7210, four microphone ADCs behind I2C, as registers (reset values as in Linux' es7210; 0x01
as chips were seen to hold it) and what the first two channels make of the sound.

MIC1 is wired to the microphone, MIC2 to the line; SDOUT1 carries them left and right.
"""

from parts.registers import RegisterFile

_RESET = {
    0x00: 0x32, 0x01: 0x20, 0x02: 0x02, 0x03: 0x04, 0x04: 0x01, 0x07: 0x20, 0x08: 0x10,
    0x09: 0x40, 0x0A: 0x40, 0x0D: 0x09, 0x18: 0xF7, 0x19: 0xF7, 0x1B: 0xBF, 0x1C: 0xBF,
    0x1D: 0xBF, 0x1E: 0xBF, 0x20: 0x26, 0x21: 0x26, 0x22: 0x06, 0x23: 0x26, 0x3D: 0x72,
    0x3E: 0x10, 0x40: 0x80, 0x41: 0x71, 0x42: 0x71, 0x4B: 0xFF, 0x4C: 0xFF,
}  # fmt: skip
_COUNT = 0x4D
_GAINS_DB = (0, 3, 6, 9, 12, 15, 18, 21, 24, 27, 30, 33, 34.5, 36, 37.5, 37.5)
ADDRESS = 0x40


class ES7210(RegisterFile):
    def __init__(self):
        self.power()

    def power(self):
        super().power()
        self._reset()

    def _reset(self):
        self.registers = bytearray(_RESET.get(index, 0) for index in range(_COUNT))

    def _take(self, register, value):
        if register == 0 and value & 0x04:  # register reset
            self._reset()
        if register < _COUNT and register not in (0x3D, 0x3E, 0x3F):
            self.registers[register] = value

    def channel(self, number):
        """Linear gain of MIC1 or MIC2 in its slot of SDOUT1, by powers, clocks, gain and mute."""
        r = self.registers
        running = r[0x00] & 0x13 == 0x01  # state machine on, ADC 1 and 2 and digital not in reset
        if not running or r[0x01] & 0x0B or r[0x06] & 0x07 or r[0x40] & 0x80 or r[0x4B]:
            return 0.0
        amplifier = r[0x42 + number]
        muted = r[0x15] & number  # bit 0 and bit 1
        if not amplifier & 0x10 or r[0x46 + number] & 0x80 or muted or r[0x12] & 0x03:
            return 0.0
        digital = (r[0x1F - number] - 0xBF) / 2  # 0x1E and 0x1D
        return 10 ** ((_GAINS_DB[amplifier & 0x0F] + digital) / 20)

    def dump(self):
        return {"registers": self.registers.hex()}


def made(nets, options, attach):
    return ES7210()
