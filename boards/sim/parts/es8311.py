"""ES8311 codec behind I2C as registers (user guide rev 1.11, reset values from its register
descriptions) and what it does to the sound, together with the ES7210 that its board has as ADC.

The line is wired to MIC1P/MIC1N and the headset to OUTP/OUTN, one output with two ends; the
ES7210's model says the rest.
"""

from parts.levels import ForbiddenError, decibels, gain, silence, summed
from parts.registers import RegisterFile

_RESET = {
    0x00: 0x1F, 0x03: 0x10, 0x04: 0x10, 0x06: 0x03, 0x08: 0xFF, 0x0C: 0x20, 0x0D: 0xFC,
    0x0E: 0x6A, 0x10: 0x13, 0x11: 0x7C, 0x12: 0x02, 0x13: 0x40, 0x14: 0x10, 0x16: 0x04,
    0x1B: 0x0C, 0x1C: 0x4C, 0x37: 0x08, 0xFD: 0x83, 0xFE: 0x11, 0xFF: 0x01,
}  # fmt: skip
_COUNT = 0x100
_LAST = 0x46  # above are only the chip's id and version
_ANALOGUE = 0x0D  # powers; what is written there without MCLK does nothing (seen by M5Unified)
SOCKETS = {"headset": ("OUT",), "line_out": ()}
ADDRESS = 0x18


class ES8311(RegisterFile):
    """`adc`: the ES7210's model; `sockets`: {sink: pins that it carries}. `clock()` says whether
    MCLK runs; the fault "no_mclk": never.
    `deaf`: register 0x0D does not even keep what is written without MCLK, as nobody tells which.
    """

    def __init__(self, adc, sockets=SOCKETS):
        self.clock = None  # as if it always ran
        self.deaf = False
        self.adc = adc
        self.sockets = sockets
        self.power()

    def power(self):
        super().power()
        self.registers = bytearray(_RESET.get(index, 0) for index in range(_COUNT))
        self._analogue = self.registers[_ANALOGUE]  # as it works

    def _stands(self, register):
        return register == _ANALOGUE and not self._clocked()

    def _take(self, register, value):
        if register >= _LAST or (self.deaf and self._stands(register)):
            return
        if register == _ANALOGUE and self._clocked():
            self._analogue = value
        changed = self.registers[register] ^ value
        powered = not self.registers[0x12] & 0x02 or not self.registers[0x0E] & 0x60
        works = self._clocked() and self._running(self._analogue, 0x20, 0xCC)
        if 0x02 <= register <= 0x05 and changed and powered and works:
            raise ForbiddenError("ES8311 %02x=%02x: a divider changes as a converter runs" % (
                register, value
            ))  # fmt: skip
        self.registers[register] = value

    def _clocked(self):
        return self.fault != "no_mclk" and (self.clock is None or self.clock())

    # ------------------------------------------------------------------ sound

    def paths(self):
        """{sink: {source: linear gain}} as both chips work now: without MCLK, silence."""
        outputs = self._levels(self._analogue if self._clocked() else None)
        found = {sink: summed(outputs, pins) for sink, pins in self.sockets.items()}
        found["adc_left"], found["adc_right"] = left, right = silence(), silence()
        left["microphone"] = self.adc.channel(1)
        right["line"] = self.adc.channel(2)
        return found

    def outputs(self):
        """{output pin: {source: dB}} as the registers say now, None for silence; MCLK is taken to
        run.
        """
        levels = self._levels(self.registers[_ANALOGUE])
        return {pin: decibels(sources) for pin, sources in levels.items()}

    def _levels(self, analogue):
        sources = silence()
        if analogue is not None:
            looped = self.registers[0x44] & 0x80  # ADC to DAC, in place of what I2S brings
            level = self._output(analogue) * (self._input(analogue) if looped else 1)
            sources["line" if looped else "dac"] = level
        return {"OUT": sources}

    def rate_hz(self, mclk_hz):
        """Sample rate at 256 fs (registers 1 and 2); 0 without a clock."""
        r = self.registers
        if not r[0x01] & 0x20:
            return 0
        return mclk_hz / ((r[0x02] >> 5) + 1) * (1 << (r[0x02] >> 3 & 3)) / 256

    def _running(self, analogue, clocks, power):
        """State machine on, nothing in reset (0x00); these clocks (0x01) and references (0x0D)."""
        r = self.registers
        return r[0x00] & 0x9F == 0x80 and r[0x01] & clocks == clocks and not analogue & power

    def _input(self, analogue):
        """ADC: source and PGA (0x14), powers (0x0E), scale (0x16), volume (0x17)."""
        r = self.registers
        connected = r[0x14] & 0x70 == 0x10 and not r[0x0E] & 0x60
        if not connected or not self._running(analogue, 0x2A, 0xF4) or not analogue & 0x03:
            return 0.0
        steps = min(r[0x14] & 0x0F, 10)
        return gain(3 * steps + 6 * (r[0x16] & 0x07) + (r[0x17] - 0xBF) / 2)

    def _output(self, analogue):
        """DAC: power (0x12), headset driver (0x13), mutes (0x31), volume (0x32)."""
        r = self.registers
        connected = not r[0x12] & 0x02 and r[0x13] & 0x10 and not r[0x31] & 0x60
        if not connected or not self._running(analogue, 0x25, 0xCC) or not analogue & 0x03:
            return 0.0
        return gain((r[0x32] - 0xBF) / 2)

    def dump(self):
        registers = self.registers[:_LAST].hex()
        return {"paths": self.paths(), "outputs": self.outputs(), "registers": registers}


def made(nets, options, attach):
    """`adc_address` of the options: where its second chip answers."""
    from parts import es7210  # where a board has it

    adc = es7210.made(nets, options, attach)
    attach(options.get("adc_address", es7210.ADDRESS), adc)
    return ES8311(adc)
