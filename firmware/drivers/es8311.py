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
from micropython import const

_PRESCALER = const(0x02)
_DAC_MUTE = const(0x31)
_DAC_VOLUME = const(0x32)  # 0.5 dB a step, 0 = −95.5 dB, 0xBF = 0 dB
_DAC_SOURCE = const(0x44)
_MUTED = const(0x60)  # modulator and demodulator
_ADC_TO_DAC = const(0x80)
_FILTER = const(0x08)  # of I2C, against noise
_LEAST_DB = -95.5
_VOLUME_MOST = const(0xFF)
_PERCENT = 0.25  # dB

# MCLK → register 2 for 256 fs at 16 kHz: divider − 1 in bits 7:5, times 2ⁿ in bits 4:3
_CLOCKS = {4_096_000: 0x00, 12_288_000: 0x40, 16_384_000: 0x60}

# register, value: a slave at 256 fs, 16 bits, as in esp_codec_dev where nothing else is said
_INIT = (
    b"\x44\x08\x44\x08"  # twice: after power-on the first write may be lost
    b"\x31\x60\x32\x00"  # DAC muted, then down, whatever the chip was doing
    b"\x00\x1f"  # digital blocks and clock manager reset
    b"\x45\x00"  # no pull-ups of its own
    b"\x01\x30"  # clocks of the interface only
    b"\x03\x10\x04\x20\x05\x00"  # oversampling of ADC and DAC, clocks not divided
    b"\x06\x03\x07\x10\x08\xff"  # dividers, for a master only; ASDOUT off: the ES7210 talks
    b"\x09\x0c\x0a\x0c"  # I2S, 16 bits, both ways
    b"\x0b\x00\x0c\x00\x10\x1f\x11\x7f"  # bias currents
    b"\x00\x80"  # state machine runs, slave
    b"\x01\x3f"  # MCLK from its pin, all clocks
    b"\x13\x10"  # the output drives a headset
    b"\x14\x10"  # line on MIC1P/MIC1N, PGA 0 dB
    b"\x15\x00\x16\x20"  # ADC: no ramp, digital scale 0 dB
    b"\x17\xbf"  # ADC volume 0 dB
    b"\x18\x00"  # no ALC: it would turn the caller up by itself
    b"\x1b\x0a\x1c\x6a"  # ADC: high-pass filter, no equalizer
    b"\x34\x00"  # DAC: no range compression, which has a gain of its own
    b"\x37\x08"  # DAC: no ramp, no equalizer
)
_POWER = {
    "on": b"\x0d\x01\x0e\x02\x12\x00",  # references, ADC and its PGA, DAC
    "standby": b"\x31\x60\x12\x02\x0e\x62",  # mute; DAC, PGA and modulator off
    "off": b"\x31\x60\x12\x02\x0e\xff\x0d\xfc\x01\x00",  # references and clocks too
}


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
        self._adc = ES7210(i2c, address=adc_address, mclk_hz=mclk_hz)
        self._prescaler = _CLOCKS[mclk_hz]
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
        self.written = {}
        self.table(_INIT)
        self.write(_PRESCALER, self._prescaler)
        self._adc.start()
        self.set_microphone_gain(self.microphone_gain_db)
        self.line_to_headset(self.line_in)
        self.set_volume(self.volume)
        self._enter()

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
        _POWER[state]
        asleep = self.state == "off"
        self.state = state
        if asleep and state != "off":
            self.start()
        else:
            self._enter()

    def _enter(self):
        self.table(_POWER[self.state])
        self._adc.power(self.state)
        if self.state == "on":
            self.write(_DAC_MUTE, 0)

    # ------------------------------------------------------------------ registers

    def _all_differ(self):
        """Of both chips; those of the ES7210 are counted from 0x100."""
        found = self.differs()
        for register, held in self._adc.differs().items():
            found[0x100 + register] = held
        return found

    def dump(self):
        try:
            differs = self._all_differ()
        except OSError:
            differs = None
        return {
            "volume": self.volume, "volume_db": self.volume_db, "muted": self.muted,
            "microphone_gain_db": self.microphone_gain_db, "sidetone": self.sidetone,
            "line_in": self.line_in, "line_out": self.line_out, "limit_db": self.limit_db,
            "state": self.state, "registers": self.hex(), "adc_registers": self._adc.hex(),
            "differs": differs,
        }  # fmt: skip

    def selftest(self):
        try:
            return not self._all_differ()
        except OSError:
            return False
