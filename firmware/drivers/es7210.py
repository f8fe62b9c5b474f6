"""ES7210, four ADCs for microphones (Everest), its control side on I2C: the microphone on MIC1 is
left, the line on MIC2 is right. MIC3 and MIC4 are off: SDOUT2, or TDM, is nothing that
`machine.I2S` reads.

`Registers` is for Everest's other chips too. `drivers/es8311.py` is the codec that needs both, and
sets both up.
"""

from lib.errors import PartError
from micropython import const

_MIC1 = const(0x43)  # selected bit 4, 3 dB a step
_SELECTED = const(0x10)
_GAINS_DB = const((0, 3, 6, 9, 12, 15, 18, 21, 24, 27, 30, 33, 34.5, 36, 37.5))


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


class ES7210(Registers):
    """Gains of the microphone; a part of the codec, so it has no role of its own."""

    _steps = 0

    def set_gain(self, db):
        """The step at or below `db` becomes the gain once `listen(True)`; returns it."""
        self._steps = 0
        while self._steps < len(_GAINS_DB) - 1 and _GAINS_DB[self._steps + 1] <= db:
            self._steps += 1
        return _GAINS_DB[self._steps]

    def listen(self, on):
        """Connect the microphone, or take it off its amplifier."""
        self.write(_MIC1, _SELECTED | self._steps if on else 0)
