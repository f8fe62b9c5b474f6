"""ES8388 codec as a register file behind I2C (datasheet §6: registers 0 to 52, auto-increment).

Reset values and bits after the datasheet's register map. `outputs()` says what the registers let
out at each pin, and `paths()` what a board's sockets carry of it.
"""

import wire
from parts.levels import ForbiddenError, add, decibels, gain, silence, summed
from parts.registers import RegisterFile

_RESET = {
    0x00: 0x06, 0x01: 0x5C, 0x02: 0xC3, 0x03: 0xFC, 0x04: 0xC0, 0x08: 0x80, 0x0C: 0x00,
    0x0D: 0x06, 0x0E: 0x30, 0x0F: 0x20, 0x10: 0xC0, 0x11: 0xC0, 0x12: 0x38, 0x13: 0xB0,
    0x14: 0x32, 0x15: 0x06, 0x17: 0x00, 0x18: 0x06, 0x19: 0x22, 0x1A: 0xC0, 0x1B: 0xC0,
    0x1C: 0x08, 0x1E: 0x1F, 0x1F: 0xF7, 0x20: 0xFD, 0x21: 0xFF, 0x22: 0x1F, 0x23: 0xF7,
    0x24: 0xFD, 0x25: 0xFF, 0x27: 0x38, 0x28: 0x28, 0x29: 0x28, 0x2A: 0x38,
}  # fmt: skip
_LAST = 0x34
INPUTS = {"LIN1": "microphone", "LIN2": "line", "RIN2": "line"}
MONO_PLUG = {"LIN1": "microphone", "LIN2": "line"}  # in the line-in socket: its ring is grounded
SOCKETS = {"headset": ("LOUT1", "ROUT1"), "line_out": ("LOUT2",)}
_OUTPUTS = (  # pin, its mixer's side, its volume's register, its bit of register 4
    ("LOUT1", 0, 0x2E, 0x20),
    ("ROUT1", 1, 0x2F, 0x10),
    ("LOUT2", 0, 0x30, 0x08),
    ("ROUT2", 1, 0x31, 0x04),
)
# ms until VMID's capacitor is charged, for VMIDSEL 1 to 3: 100 at 5 kΩ as Linux' es8328 waits for
# it, and as much longer at 50 and 500 kΩ
_CHARGE_MS = (None, 1_000, 10_000, 100)
# what the state machines take over when they start: clocks and formats (user guide, esp-adf's
# es8388_start)
_CLOCKING = (0x08, 0x0C, 0x0D, 0x17, 0x18, 0x2B)
ADDRESS = 0x10


class ES8388(RegisterFile):
    """`inputs`: {pin: source} as the board is wired; `sockets`: {sink: pins that it carries}.
    The fault "no_mclk" the converters stand still, as while `clock()` says that it does not run.
    """

    def __init__(self, inputs=INPUTS, sockets=SOCKETS):
        self.inputs = inputs
        self.sockets = sockets
        self.clock = None  # as if it always ran
        self.late_ms = 0  # after power came, until it answers
        self.registers = bytearray(_LAST + 1)
        self.steps = (-45, 1.5)  # of OUT1 and OUT2: disputed, see the driver
        self.power()

    def power(self):
        self._charged = 0.0  # VMID's capacitor, of 1
        self._born = self._since = wire.now()
        self.registers[0x00] = 0
        self._reset()
        super().power()

    def _reset(self):
        self._charged = self._charge()
        self._since = wire.now()
        self._stale = False  # clocks changed since the state machines were held in reset
        for index in range(_LAST + 1):
            self.registers[index] = _RESET.get(index, 0)

    def present(self):
        return super().present() and wire.now() - self._born >= self.late_ms

    def _take(self, register, value):
        if register == 0 and value & 0x80:  # CHIPCONTROL1 bit 7: reset all registers
            self._reset()
        elif register <= _LAST:
            self._set(register, value)

    def _set(self, register, value):
        why = self.fault != "bit" and self._forbidden(register, value)
        if why:
            raise ForbiddenError("ES8388 %02x=%02x: %s" % (register, value, why))
        if register == 0x00:
            self._charged = self._charge()
            self._since = wire.now()
        reset = self.registers[0x02] & 0x30 == 0x30
        if register in _CLOCKING and value != self.registers[register] and not reset:
            self._stale = True
        self.registers[register] = value
        if self.registers[0x02] & 0x30 == 0x30:
            self._stale = False

    def _charge(self):
        """How far VMID's capacitor is (§6.1, register 0, VMIDSEL and EnRef); without them it
        empties, at once as far as anybody may rely on it.
        """
        whole = _CHARGE_MS[self.registers[0x00] & 0x03]
        if whole is None or not self.registers[0x00] & 0x04:
            return 0.0
        return min(self._charged + (wire.now() - self._since) / whole, 1.0)

    def _forbidden(self, register, value):
        """Why this may not be written now, or None."""
        r = self.registers
        changed = r[register] ^ value
        if register in _CLOCKING and changed and r[0x02] & 0xC0 != 0xC0:
            return "clocks or formats change while the converters run"
        if register == 0x02 and value & 0xC0 != 0xC0 and self._stale:
            return "the state machines start with other clocks and no reset"
        if register == 0x04 and changed & value & 0x3C and self._charge() < 1:
            return "an output before VMID is charged"
        return None

    # ------------------------------------------------------------------ sound

    def paths(self):
        """{sink: {source: linear gain}} as the chip works now: without MCLK no converter does."""
        outputs = self._levels()
        found = {sink: summed(outputs, pins) for sink, pins in self.sockets.items()}
        found["adc_left"], found["adc_right"] = self._converted(0), self._converted(1)
        if not self._clocked():
            for sink in self.sockets:
                found[sink]["dac"] = 0.0
            found["adc_left"], found["adc_right"] = silence(), silence()
        return found

    def _clocked(self):
        return self.fault != "no_mclk" and (self.clock is None or self.clock())

    def outputs(self):
        """{output pin: {source: dB}} as the registers say now, None for silence."""
        return {pin: decibels(sources) for pin, sources in self._levels().items()}

    def _levels(self):
        found = {}
        for pin, side, volume, power in _OUTPUTS:
            level = self._amplifier(volume, power)
            found[pin] = {source: mixed * level for source, mixed in self._mixed(side).items()}
        return found

    def _wired(self, side, number):
        """What comes in at LIN1, LIN2 (side 0), RIN1 or RIN2; None when nothing is wired there."""
        return self.inputs.get("LR"[side] + "IN" + "12"[number])

    def _analogue(self):
        """VMID, bias generator and analogue part are on (§6.1, registers 0 and 1)."""
        return bool(self.registers[0x00] & 0x03) and not self.registers[0x01] & 0x0C

    def _amplifier(self, register, power):
        """LOUT1 … ROUT2: register 4 powers them; their steps go up to 0x21."""
        if not self.registers[0x04] & power or not self._analogue():
            return 0.0
        least, step = self.steps
        return gain(least + step * min(self.registers[register] & 0x3F, 0x21))

    def _mixed(self, side):
        """What one output mixer carries (§6.3, registers 0x26, 0x27, 0x2A)."""
        r = self.registers
        sources = silence()
        mixer = r[(0x27, 0x2A)[side]]
        if mixer & 0x40:
            choice = r[0x26] >> (3, 0)[side] & 0x07
            level = gain(6 - 3 * (mixer >> 3 & 0x07))
            if choice < 2:
                add(sources, self._wired(side, choice), level)
            elif choice == 3:
                for source, amplified in self._amplified(side).items():
                    sources[source] += amplified * level
        if mixer & 0x80:
            sources["dac"] += self._spoken(side)
        return sources

    def _amplified(self, side):
        """A side's input behind its amplifier (§6.2, registers 9 and 0x0A)."""
        r = self.registers
        sources = silence()
        choice = r[0x0A] >> (6, 4)[side] & 0x03
        if choice < 2 and self._analogue() and not r[0x03] & (0x80, 0x40)[side]:
            steps = min(r[0x09] >> (4, 0)[side] & 0x0F, 8)
            add(sources, self._wired(side, choice), gain(3 * steps))
        return sources

    def _spoken(self, side):
        """The DAC of a side: power, clocks, mute, attenuation (registers 2, 4, 0x19 to 0x1B)."""
        r = self.registers
        off = r[0x02] & 0x55 or r[0x04] & (0x80, 0x40)[side] or r[0x19] & 0x04
        if off or not self._analogue():
            return 0.0
        both = r[0x19] & 0x08  # the left side's register is for both
        return gain(-min(r[0x1A if both else 0x1A + side], 0xC0) / 2)

    def _converted(self, side):
        """What the ADC makes of a side (registers 2, 3, 0x0F to 0x11)."""
        r = self.registers
        sources = self._amplified(side)
        off = r[0x02] & 0xAA or r[0x03] & (0x24, 0x14)[side] or r[0x0F] & 0x04
        both = r[0x0F] & 0x08
        level = 0.0 if off else gain(-min(r[0x10 if both else 0x10 + side], 0xC0) / 2)
        return {source: amplified * level for source, amplified in sources.items()}

    def dump(self):
        return {
            "paths": self.paths(), "outputs": self.outputs(), "registers": self.registers.hex(),
        }  # fmt: skip


def made(nets, options, attach):
    return ES8388()
