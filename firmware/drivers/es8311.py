"""ES8311 mono codec (Everest) with an ES7210 as the microphone's ADC, as on ESP32-S3-Korvo-2, on
their I2C side; the interface of a codec stands in `drivers/es8388.py`.

Wiring: microphone to MIC1 of the ES7210, line to its MIC2, headset to OUTP/OUTN of the ES8311. No
analogue path leads there: where the line is wired to MIC1P/MIC1N too, it can go through ADC and
DAC («ADC data can be routed to DAC», user guide rev 1.11, register 0x44 bit 7). That is a switch
and no mixer, so the line is off while a tone plays; `line_in` is False unless the board says that
a line is there. No sidetone, and no output for the microphone: those raise PartError(…, "absent").

What is written to register 0x0D while MCLK stands does nothing, and MCLK runs only while I2S is
open: `clocked()` is to be called after each opening. A line that passes the converters needs it
all the time (`needs_clock`).
"""

from drivers.es7210 import ES7210, Registers
from lib.errors import PartError
from micropython import const

_DAC_VOLUME = const(0x32)  # 0.5 dB a step, 0 = −95.5 dB, 0xBF = 0 dB
_DAC_SOURCE = const(0x44)
_ADC_TO_DAC = const(0x80)
_ANALOGUE = const(0x0D)  # references and bias
_FILTER = const(0x08)  # of I2C, against noise
_LEAST_DB = const(-95.5)
_VOLUME_MOST = const(0xFF)
_PERCENT = const(0.25)  # dB
_PRESCALER = const(0x02)  # of the ES8311
_CLOCK_DIVIDER = const(0x02)  # of the ES7210
_DAC_MUTE = const(0x31)

# MCLK → register 2 of the ES8311 for 256 fs at 16 kHz: divider − 1 in bits 7:5, times 2ⁿ in bits
# 4:3; and of the ES7210, 512 fs for its modulators: DLL bypassed bit 7, doubled bit 6, divider
_CLOCKS = {4_096_000: (0x00, 0xC1), 12_288_000: (0x40, 0xC3), 16_384_000: (0x60, 0x82)}

# register, value: a slave at 256 fs, 16 bits, as in esp_codec_dev where nothing else is said
_INIT = const(
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

# The ES7210: values as esp_codec_dev sets them for a slave of 16 kHz and 16 bits.
# register, value; the microphones are not selected yet
_ADC_INIT = const(
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
_ADC_POWER = {
    "on": b"\x01\x34\x06\x00\x40\x43\x47\x08\x48\x08\x4b\x00\x00\x71\x00\x41",
    "standby": b"\x4b\xff",  # bias, ADCs and amplifiers 1 and 2 off, references stay
    "off": b"\x4b\xff\x47\xff\x48\xff\x40\xc0\x01\x7f\x06\x07",
}


def _send(chip, pairs):
    for at in range(0, len(pairs), 2):
        chip.write(pairs[at], pairs[at + 1])


def _hex(chip):
    """Register and value, two digits each, in their order."""
    return " ".join("%02x%02x" % pair for pair in sorted(chip.written.items()))


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
        self.line_in = self.needs_clock = line_in
        self.line_out = False
        self.state = "on"
        self.start()

    def start(self):
        """Silence, all registers of both chips, then the output."""
        adc = self._adc
        prescaler, divider = _CLOCKS[self._mclk_hz]
        self.written = {}
        _send(self, _INIT)
        self.write(_PRESCALER, prescaler)
        adc.written = {}
        _send(adc, _ADC_INIT)
        adc.write(_CLOCK_DIVIDER, divider)
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

    def clocked(self):
        """MCLK runs: write again what may have done nothing without it."""
        self.write(_ANALOGUE, self.written[_ANALOGUE])

    def _enter(self):
        _send(self, _POWER[self.state])
        _send(self._adc, _ADC_POWER[self.state])
        if self.state == "on":
            self.write(_DAC_MUTE, 0)

    def _differs(self):
        """{register: what the chip holds} of those that are not as written, the ES7210's
        counted from 0x100; None: no answer. 0x0D may not be as written, without a clock.
        """
        found = {}
        try:
            for first, chip in ((0, self), (0x100, self._adc)):
                for register, value in chip.written.items():
                    held = chip._i2c.readfrom_mem(chip._address, register, 1)[0]
                    if held != value and first + register != _ANALOGUE:
                        found[first + register] = held
        except OSError:
            return None
        return found

    def dump(self):
        state = {name: value for name, value in self.__dict__.items() if name[0] != "_"}
        del state["written"]
        state["volume_db"] = self.volume_db
        state["registers"], state["adc_registers"] = _hex(self), _hex(self._adc)
        state["differs"] = self._differs()
        return state

    def selftest(self):
        return self._differs() == {}
