"""ES8311 mono codec (Everest) with an ES7210 as the microphone's ADC, as on ESP32-S3-Korvo-2, on
their I2C side; the interface of a codec stands in `drivers/es8388.py`.

Wiring: microphone to MIC1 of the ES7210, line to its MIC2, headset to OUTP/OUTN of the ES8311. No
analogue path leads there: where the line is wired to MIC1P/MIC1N too, it can go through ADC and
DAC («ADC data can be routed to DAC», user guide rev 1.11, register 0x44 bit 7). That is a switch
and no mixer, so the line is off while a tone plays; `line_in` is False unless the board says that
a line is there. No sidetone, and no output for the microphone: those raise PartError(…, "absent").
"""

from drivers.es7210 import ES7210, Registers
from lib.errors import PartError
from lib.once import once
from micropython import const

_DAC_VOLUME = const(0x32)  # 0.5 dB a step, 0 = −95.5 dB, 0xBF = 0 dB
_DAC_SOURCE = const(0x44)
_ADC_TO_DAC = const(0x80)
_FILTER = const(0x08)  # of I2C, against noise
_LEAST_DB = const(-95.5)
_VOLUME_MOST = const(0xFF)
_PERCENT = const(0.25)  # dB

_SETUP = const("drivers.es8311_setup")


class ES8311(Registers):
    """`mclk_hz`: 4.096, 12.288 or 16.384 MHz, of one source with BCLK, to both chips.

    `line_in`: the headset begins with the line, not with tones.
    """

    absent = ("set_sidetone", "microphone_to_line", "mix")

    def __init__(
        self, i2c, *, address=0x18, adc_address=0x40, limit_db=0, mclk_hz=4_096_000, volume=76,
        microphone_gain_db=24, line_in=False,
    ):  # fmt: skip
        super().__init__(i2c, address)
        self._adc = ES7210(i2c, adc_address)
        self._mclk_hz = mclk_hz
        self.limit_db = limit_db
        self.volume = volume
        self.microphone_gain_db = microphone_gain_db
        self.muted = False
        self.sidetone = 0
        self.line_in = line_in
        self.line_out = False
        self.state = "on"
        self.start()

    def start(self):
        """Silence, all registers of both chips, then the output."""
        once(_SETUP, "start", self)

    # ------------------------------------------------------------------ levels

    @property
    def volume_db(self):
        return self.written.get(_DAC_VOLUME, 0) / 2 + _LEAST_DB

    def set_volume(self, percent):
        """Line or tones: one of them is at the DAC, so each may have the whole limit."""
        self.volume = max(0, min(percent, 100))
        steps = int((self.limit_db - (100 - self.volume) * _PERCENT - _LEAST_DB) * 2)
        self.write(_DAC_VOLUME, max(0, min(steps, _VOLUME_MOST)))

    def set_microphone_gain(self, db):
        self.microphone_gain_db = self._adc.set_gain(db)
        self._adc.listen(not self.muted)

    def set_sidetone(self, percent):
        if percent > 0:
            raise PartError("codec", "absent", "this codec has no sidetone")

    # ------------------------------------------------------------------ paths

    def mute(self, on):
        """Take the microphone off its amplifier."""
        self.muted = bool(on)
        self._adc.listen(not on)

    def line_to_headset(self, on):
        self.line_in = bool(on)
        self.write(_DAC_SOURCE, _FILTER | (_ADC_TO_DAC if on else 0))

    def microphone_to_line(self, on):
        if on:
            raise PartError("codec", "absent", "this codec has no output for the line")

    def power(self, state):
        """Raises KeyError for what is no state."""
        once(_SETUP, "power", self, state)

    def dump(self):
        return once(_SETUP, "dump", self)

    def selftest(self):
        return once(_SETUP, "differs", self) == {}
