"""WM8960 codec as 56 registers of nine bits that can only be written (Wolfson, Production Data
rev 4.2, § Control interface and § Register map), and what they do to the sound.

Wired as `drivers/wm8960.py` says: microphone on LINPUT1 and RINPUT3, line on LINPUT3 and RINPUT2,
headset on HP_L, line-out on HP_R. Not modelled: ALC, 3D, companding, jack detection.
"""

import wire
from parts.levels import ForbiddenError, add, decibels, gain, silence, summed
from parts.registers import Chip

_RESET = {
    0x00: 0x097, 0x01: 0x097, 0x05: 0x008, 0x07: 0x00A, 0x08: 0x1C0, 0x0A: 0x0FF, 0x0B: 0x0FF,
    0x11: 0x07B, 0x12: 0x100, 0x13: 0x032, 0x15: 0x0C3, 0x16: 0x0C3, 0x17: 0x1C0, 0x20: 0x100,
    0x21: 0x100, 0x22: 0x050, 0x25: 0x050, 0x2A: 0x040, 0x2D: 0x050, 0x2E: 0x050, 0x30: 0x002,
    0x31: 0x037, 0x33: 0x080, 0x34: 0x008, 0x35: 0x031, 0x36: 0x026, 0x37: 0x0E9,
}  # fmt: skip
_COUNT = 0x38
# volumes of two sides with an update bit each: inputs, headphones, DACs, ADCs, speakers
_PAIRS = ((0x00, 0x01), (0x02, 0x03), (0x0A, 0x0B), (0x15, 0x16), (0x28, 0x29))
_DIVIDERS = (1, 1.5, 2, 3, 4, 5.5, 6, None)  # table 39
INPUTS = {
    "LINPUT1": "microphone", "LINPUT3": "line", "RINPUT2": "line", "RINPUT3": "microphone",
}  # fmt: skip
SOCKETS = {"headset": ("HP_L",), "line_out": ("HP_R",)}
_OUTPUTS = (  # pin, its mixer's side, its volume's register, its bits of R26 and R49
    ("HP_L", 0, 0x02, 0x40, 0),
    ("HP_R", 1, 0x03, 0x20, 0),
    ("SPK_L", 0, 0x28, 0x10, 0x40),
    ("SPK_R", 1, 0x29, 0x08, 0x80),
)
_CHARGE_MS = 100  # of VMID's capacitor, before VREF: Linux' wm8960_set_bias_level_out3
_LOCK_MS = 250  # of the PLL, before it is chosen: Linux' wm8960_set_pll
_SPEAKER_BOOST_DB = (0, 2.1, 2.9, 3.6, 4.5, 5.1, 5.1, 5.1)  # of R51, AC gain
ADDRESS = 0x1A


class WM8960(Chip):
    """`inputs`: {pin: source} as the board is wired; `sockets`: {sink: pins that it carries}."""

    def __init__(self, inputs=INPUTS, sockets=SOCKETS):
        self.inputs = inputs
        self.sockets = sockets
        self.power()

    def power(self):
        super().power()
        self._reset()

    def _reset(self):
        self.registers = [_RESET.get(index, 0) for index in range(_COUNT)]
        self._taken = self.registers[:]  # volumes as they work; a written one may wait
        self._vmid_since = self._pll_since = wire.now()

    def write(self, data):
        if not self._acknowledges(True):
            return None
        if len(data) == 2:
            if self.watch:
                self.watch()
            value = (data[0] & 1) << 8 | data[1]
            self._write(data[0] >> 1, value ^ 0x02 if self.fault == "bit" else value)
        return len(data)

    def read(self, count):
        self._acknowledges()
        return None  # the device address with the read bit is not acknowledged

    def _write(self, register, value):
        if register == 0x0F:  # § Register map, R15: any value resets all
            self._reset()
        elif register < _COUNT:
            why = self.fault != "bit" and self._forbidden(register, value)
            if why:
                raise ForbiddenError("WM8960 R%d=%03x: %s" % (register, value, why))
            before, self.registers[register] = self.registers[register], value
            if register == 0x19 and not before & 0x180:
                self._vmid_since = wire.now()
            if register == 0x1A and not before & 0x01:
                self._pll_since = wire.now()
            for pair in _PAIRS:
                if register in pair:
                    self._take(pair, register, value)

    def _forbidden(self, register, value):
        """Why this may not be written now, or None (§ Clocking, § PLL, § Register map)."""
        r, now = self.registers, wire.now()
        changed = r[register] ^ value
        rises = changed & value
        adc, dac = r[0x19] & 0x0C, r[0x1A] & 0x180
        locked = r[0x1A] & 0x01 and now - self._pll_since >= _LOCK_MS
        charged = r[0x19] & 0x180 and now - self._vmid_since >= _CHARGE_MS
        if register == 0x04 and changed & 0x1FE and (adc or dac):
            return "a divider changes while a converter runs"
        if register == 0x04 and rises & 0x01 and not locked:
            return "the PLL is chosen before it has locked"
        if register == 0x09 and changed & 0x40 and adc:
            return "the pin ADCLRC changes while an ADC runs"
        if register == 0x19 and rises & 0x40 and not charged:
            return "VREF before VMID is charged"
        if register == 0x1A and changed & 0x01 and r[0x04] & 0x01:
            return "the PLL is switched while it is the clock"
        if 0x34 <= register <= 0x37 and changed and r[0x1A] & 0x01:
            return "the PLL's figures change while it runs"
        return None

    def _take(self, pair, register, value):
        """Bit 8 takes over both sides; an input is muted without it, never unmuted."""
        if value & 0x100:
            for side in pair:
                self._taken[side] = self.registers[side]
        elif register < 0x02 and value & 0x80:
            self._taken[register] |= 0x80

    # ------------------------------------------------------------------ sound

    def paths(self):
        """{sink: {source: linear gain}} as the registers say now."""
        outputs = self._levels()
        found = {sink: summed(outputs, pins) for sink, pins in self.sockets.items()}
        found["adc_left"], found["adc_right"] = self._converted(0), self._converted(1)
        return found

    def outputs(self):
        """{output pin: {source: dB}} as the registers say now, None for silence."""
        return {pin: decibels(sources) for pin, sources in self._levels().items()}

    def _levels(self):
        mixed = (self._mixed(0), self._mixed(1))
        found = {}
        for pin, side, volume, power, speaker in _OUTPUTS:
            level = self._amplifier(volume, power, speaker)
            found[pin] = {source: value * level for source, value in mixed[side].items()}
        return found

    def _wired(self, side, number):
        """What comes in at LINPUT1 (side 0) to RINPUT3; None when nothing is wired there."""
        return self.inputs.get("LR"[side] + "INPUT" + str(number))

    def rate_hz(self, mclk_hz):
        """The DAC's sample rate; 0 without a clock (R4, R26, R52 to R55; § Clocking)."""
        r = self.registers
        clock = mclk_hz
        if r[0x04] & 0x01:
            k = (r[0x35] & 0xFF) << 16 | (r[0x36] & 0xFF) << 8 | r[0x37] & 0xFF
            ratio = (r[0x34] & 0x0F) + (k / (1 << 24) if r[0x34] & 0x20 else 0)
            clock = mclk_hz / (2 if r[0x34] & 0x10 else 1) * ratio / 4 if self._clocked() else 0
        divider = _DIVIDERS[r[0x04] >> 3 & 7]
        return clock / (2 if r[0x04] >> 1 & 3 == 2 else 1) / 256 / divider if divider else 0

    def _clocked(self):
        return not self.registers[0x04] & 0x01 or bool(self.registers[0x1A] & 0x01)

    def _biased(self):
        """VMID and VREF (R25)."""
        return bool(self.registers[0x19] & 0x180) and bool(self.registers[0x19] & 0x40)

    def _boosted(self, side):
        """What a side's boost mixer carries (R25, R32, R33, R43, R44, R47; tables 3 to 6)."""
        r = self.registers
        sources = silence()
        if not self._biased() or not r[0x19] & (0x20, 0x10)[side]:
            return sources
        path, pga = r[0x20 + side], self._taken[side]
        if path & 0x108 == 0x108 and r[0x2F] & (0x20, 0x10)[side] and not pga & 0x80:
            boost = (0, 13, 20, 29)[path >> 4 & 3]
            add(sources, self._wired(side, 1), gain(((pga & 0x3F) - 0x17) * 0.75 + boost))
        for pin, shift in ((1, 1), (2, 4)):
            step = r[0x2B + side] >> shift & 7
            if step:
                add(sources, self._wired(side, pin + 1), gain(3 * step - 15))
        return sources

    def _converted(self, side):
        """What a side's ADC makes of it (R21, R22, R25)."""
        step = self._taken[0x15 + side] & 0xFF
        running = self.registers[0x19] & (0x08, 0x04)[side] and step and self._clocked()
        level = gain((step - 0xC3) / 2) if running else 0.0
        return {source: boosted * level for source, boosted in self._boosted(side).items()}

    def _spoken(self, side):
        """A side's DAC (R5, R10, R11, R26; table 15)."""
        r = self.registers
        step = self._taken[0x0A + side] & 0xFF
        if r[0x05] & 0x08 or not r[0x1A] & (0x100, 0x80)[side] or not step or not self._clocked():
            return 0.0
        return gain((step - 0xFF) / 2 - (6 if r[0x05] & 0x80 else 0))

    def _amplifier(self, volume, power, speaker):
        """A headphone or speaker output (R2, R3, R26, R40, R41; of speakers R49 and R51 too)."""
        r = self.registers
        step = self._taken[volume] & 0x7F
        if not r[0x1A] & power or not self._biased() or step < 0x30:
            return 0.0
        if speaker and not r[0x31] & speaker:
            return 0.0
        boost = _SPEAKER_BOOST_DB[r[0x33] & 7] if speaker else 0
        return gain(step - 0x79 + boost)

    def _mixed(self, side):
        """What a side's output mixer carries (R34, R37, R45 to R47)."""
        r = self.registers
        sources = silence()
        if not r[0x2F] & (0x08, 0x04)[side]:
            return sources
        mixer, bypass = r[(0x22, 0x25)[side]], r[0x2D + side]
        if mixer & 0x100:
            sources["dac"] = self._spoken(side)
        if mixer & 0x80:
            add(sources, self._wired(side, 3), gain(-3 * (mixer >> 4 & 7)))
        if bypass & 0x80:
            for source, boosted in self._boosted(side).items():
                add(sources, source, boosted * gain(-3 * (bypass >> 4 & 7)))
        return sources

    def dump(self):
        registers = "".join("%03x" % r for r in self.registers)
        return {"paths": self.paths(), "outputs": self.outputs(), "registers": registers}


def made(nets, options, attach):
    return WM8960()
