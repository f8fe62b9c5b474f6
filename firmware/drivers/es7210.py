"""ES7210, four ADCs for microphones (Everest), its control side on I2C: the microphone on MIC1 is
left, the line on MIC2 is right. MIC3 and MIC4 are off: SDOUT2, or TDM, is nothing that
`machine.I2S` reads. Values as esp_codec_dev sets them for a slave of 16 kHz and 16 bits.

`Registers` is for Everest's other chips too. `drivers/es8311.py` is the codec that needs both.
"""

from lib.errors import PartError
from micropython import const

_CLOCK_DIVIDER = const(0x02)
_MIC1 = const(0x43)  # selected bit 4, 3 dB a step
_SELECTED = const(0x10)
_POWER12 = const(0x4B)
_GAINS_DB = (0, 3, 6, 9, 12, 15, 18, 21, 24, 27, 30, 33, 34.5, 36, 37.5)

# MCLK → 512 fs for the modulators: DLL bypassed bit 7, doubled bit 6, divider
_CLOCKS = {4_096_000: 0xC1, 12_288_000: 0xC3, 16_384_000: 0x82}

# register, value; the microphones are not selected yet
_INIT = (
    b"\x00\xff\x00\x41"  # all reset, registers too; then the state machine runs, as a slave
    b"\x01\x3f"  # clocks off while setting up
    b"\x09\x30\x0a\x30"  # times of start-up
    b"\x23\x2a\x22\x0a\x21\x2a\x20\x0a"  # high-pass filters
    b"\x08\x10"  # slave, single speed
    b"\x40\x43"  # analogue part on, 3.3 V, VMID
    b"\x41\x70\x42\x70"  # microphone bias 2.87 V
    b"\x07\x20"  # oversampling 32
    b"\x11\x60\x12\x00"  # I2S, 16 bits; SDOUT1 carries 1 and 2
    b"\x43\x00\x44\x10\x45\x00\x46\x00"  # MIC2, the line, at 0 dB
    b"\x4c\xff\x49\xff\x4a\xff"  # MIC3, MIC4 off
    b"\x14\x00\x15\x00"  # no digital mute
)
_POWER = {
    "on": b"\x01\x34\x06\x00\x40\x43\x47\x08\x48\x08\x4b\x00\x00\x71\x00\x41",
    "standby": b"\x4b\xff",  # bias, ADCs and amplifiers 1 and 2 off, references stay
    "off": b"\x4b\xff\x47\xff\x48\xff\x40\xc0\x01\x7f\x06\x07",
}


class Registers:
    """Registers of eight bits on I2C, and what was written to them."""

    def __init__(self, i2c, address):
        self._i2c = i2c
        self._address = address
        self.written = {}

    def write(self, register, value):
        self.written[register] = value
        try:
            self._i2c.writeto_mem(self._address, register, bytes((value,)))
        except OSError:
            raise PartError("codec") from None

    def table(self, pairs):
        for at in range(0, len(pairs), 2):
            self.write(pairs[at], pairs[at + 1])

    def differs(self):
        """{register: what the chip holds}. Raises OSError when it does not answer."""
        found = {}
        for register, value in self.written.items():
            held = self._i2c.readfrom_mem(self._address, register, 1)[0]
            if held != value:
                found[register] = held
        return found

    def hex(self):
        """Register and value, two digits each, in their order."""
        return " ".join("%02x%02x" % pair for pair in sorted(self.written.items()))


class ES7210(Registers):
    """Gains of the microphone; a part of the codec, so it has no role of its own."""

    def __init__(self, i2c, *, address=0x40, mclk_hz=4_096_000):
        super().__init__(i2c, address)
        self._divider = _CLOCKS[mclk_hz]
        self._steps = 0

    def start(self):
        self.written = {}
        self.table(_INIT)
        self.write(_CLOCK_DIVIDER, self._divider)

    def set_gain(self, db):
        """The step at or below `db` becomes the gain once `listen(True)`; returns it."""
        self._steps = 0
        while self._steps < len(_GAINS_DB) - 1 and _GAINS_DB[self._steps + 1] <= db:
            self._steps += 1
        return _GAINS_DB[self._steps]

    def listen(self, on):
        """Connect the microphone, or take it off its amplifier."""
        self.write(_MIC1, _SELECTED | self._steps if on else 0)

    def power(self, state):
        self.table(_POWER[state])
