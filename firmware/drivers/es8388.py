"""ES8388 audio codec, its control side on I2C.

The interface of a codec (role `codec`), the same for every chip that has the role. Everything is
an attribute or a plain method: a write takes less than a millisecond. The agent's microphone is
the ADC's left channel, the caller's line its right one; I2S is a slave of 16 kHz, 16 bits, 256 fs.

Codec(i2c, *, address, limit_db=0, …)  sets the chip up (`start()`); PartError when it is absent
start()                     whatever the chip was doing, what the attributes say; outputs last
volume                      percent, 0-100: what the caller and the tones are heard with
set_volume(percent)         clamped to 0-100; a quarter of a decibel a percent, 100 is the
                            limit's share
volume_db                   gain from the line to the headset as set, dB
microphone_gain_db, set_microphone_gain(db)  rounded down to a step of the chip, and clamped
muted, mute(on)             the agent's path is cut in the chip: line-out, ADC and sidetone
sidetone, set_sidetone(percent)  0 is off, 100 the limit's share for it
line_in, line_to_headset(on)     the analogue path from the line to the headset
line_out, microphone_to_line(on) the analogue path from the microphone to the line-out
limit_db                    never exceeded by the sum of all gains that lead to the headset (the
                            microphone's with its amplifier, line, DAC): in no order of calls, and
                            at no register write on the way
state, power(state)         "on", "standby" (silent, registers kept, back within 100 ms), "off"
dump()                      all of the above, and the registers as hex: `registers` as written,
                            `differs` {register: what the chip holds}, None when it is silent
selftest()                  True when the chip holds every value that was written

A chip that has no way for a call names it in `absent` (a tuple; else there is none), and raises
PartError("codec", "absent") where the call would switch on. `mix` there: line and tones are not
heard at once, so `lib.sound` takes the line off while a tone plays.

Every I2C error is PartError("codec", "no_answer"). A model has `paths()`: sinks (`headset`,
`line_out`, `adc_left`, `adc_right`) → {`microphone`, `line`, `dac`: linear gain}, as its registers
say; `headset` and `line_out` are the sum of both sides, which no wiring of the two can exceed.
"""

from lib.errors import PartError
from lib.once import once
from micropython import const

_SETUP = const("drivers.es8388_setup")

# datasheet §6, registers 0 to 52; a side has one analogue input, so the left mixer carries the
# microphone and nothing else, the right one the line and the DAC: LOUT1 is the sidetone, ROUT1
# what is heard, LOUT2 the line-out. An earpiece is fed from LOUT1 and ROUT1 through two resistors.
# How they are set up stands in `drivers/es8388_setup.py`. Which bit of 0x04 is which output is
# disputed too: followed are the register map, Linux and ESPHome; esp-adf's own names for them are
# the other way round.
_DAC_POWER = const(0x04)  # DACs off 0xC0, LOUT1 0x20, ROUT1 0x10, LOUT2 0x08, ROUT2 0x04 on
_PGA = const(0x09)  # §6.2: 3 dB a step, left in the high nibble
_ADC_MUTE = const(0x0F)
_LEFT_MIXER = const(0x27)  # bits 5:3: +6 dB, 3 dB a step down
_RIGHT_MIXER = const(0x2A)
_LEFT_OUT = const(0x2E)
_RIGHT_OUT = const(0x2F)
_MUTE = const(0x04)
_BYPASS = const(0x40)  # the analogue input goes into the mixer
_SIDETONE_ON = const(0x20)
_HEARD_ON = const(0x10)
_LINE_OUT_ON = const(0x08)
_LEFT_DAC_OFF = const(0x80)
_ALL_OFF = const(0xC0)
_REGISTERS = const(0x35)

# The steps of OUT1 and OUT2 are disputed: −45 dB and 1.5 dB a step in the register map, as
# transcribed bit by bit by others, in Linux' es8323 and in WLED; −30 dB and 1 dB in esp-adf and
# Linux' es8328. 0x1E = 0 dB is in both. Followed, for what is told: the register map. The limit of
# line and tones does not rest on it: mixer and DAC, whose steps nobody disputes, bring them under
# it, and OUT1 counts as what is louder of the two. The sidetone's does; but what its amplifier
# adds, up to 24 dB, ends at full scale in the chip, so it cannot be as loud as is reckoned here.
_OUT_LEAST = const(-45)
_OUT_STEP = const(1.5)
_OUT_MOST = const(0x21)
_MICROPHONE_MIX = const(-15)  # dB, the left mixer's step 7

_SIDETONE_SHARE = const(-12.05)  # 2/8 of the limit, in dB, rounded down
_PERCENT = const(0.25)  # dB
_PERCENTS = const(6)  # a step of OUT1


class ES8388:
    """`microphone_input`, `line_input`: 1 or 2, as LIN1/LIN2 and RIN1/RIN2 are wired."""

    def __init__(
        self, i2c, *, address=0x10, limit_db=0, microphone_input=1, line_input=2,
        volume=76, microphone_gain_db=24, sidetone=0,
    ):  # fmt: skip
        self._i2c = i2c
        self._address = address
        self._inputs = (microphone_input - 1, line_input - 1)
        self._shadow = bytearray(_REGISTERS)
        self._most = self._mixed = 0  # OUT1 at the limit; gain of the right mixer, dB
        self.limit_db = limit_db
        self.volume = volume
        self.microphone_gain_db = microphone_gain_db
        self.sidetone = sidetone
        self.muted = False
        self.line_in = self.line_out = True
        self.state = "on"
        self.start()

    def start(self):
        """Reset, then all registers, then the outputs."""
        once(_SETUP, "start", self)

    # ------------------------------------------------------------------ levels

    @property
    def volume_db(self):
        return self._mixed + _OUT_LEAST + _OUT_STEP * self._shadow[_RIGHT_OUT]

    def set_volume(self, percent):
        self.volume = percent = max(0, min(percent, 100))
        step = min(self._most, _OUT_MOST) - (100 - percent) // _PERCENTS
        self._write(_RIGHT_OUT, max(step, 0))

    def set_microphone_gain(self, db):
        steps = max(0, min(int(db // 3), 8))
        self.microphone_gain_db = steps * 3
        if steps > self._shadow[_PGA] >> 4:  # the sidetone goes down first, and up last
            self._outputs()
        self._write(_PGA, steps << 4)
        self._outputs()

    def set_sidetone(self, percent):
        self.sidetone = max(0, min(percent, 100))
        self._outputs()

    # ------------------------------------------------------------------ paths

    def mute(self, on):
        """Cut the microphone where it enters the mixer, and the ADC's data."""
        self.muted = bool(on)
        self._bypass(_LEFT_MIXER, not on)
        self._write(_ADC_MUTE, _MUTE if on else 0)

    def line_to_headset(self, on):
        self.line_in = bool(on)
        self._bypass(_RIGHT_MIXER, on)

    def _bypass(self, mixer, on):
        value = self._shadow[mixer]
        self._write(mixer, value | _BYPASS if on else value & ~_BYPASS)

    def microphone_to_line(self, on):
        self.line_out = bool(on)
        self._outputs()

    def power(self, state):
        """Raises KeyError for what is no state."""
        once(_SETUP, "power", self, state)

    def _outputs(self):
        """The sidetone's level, and power for what has something to say: −45 dB is no silence."""
        gain = self.limit_db + _SIDETONE_SHARE - (100 - self.sidetone) * _PERCENT
        over = gain - _MICROPHONE_MIX - self.microphone_gain_db - _OUT_LEAST
        step = -1 if over < 0 else min(int(over / _OUT_STEP), _OUT_MOST)
        value = _ALL_OFF
        if self.state == "on":
            value = _LEFT_DAC_OFF
            if self._most >= 0:
                value |= _HEARD_ON
            if self.sidetone and step >= 0:
                value |= _SIDETONE_ON
            if self.line_out:
                value |= _LINE_OUT_ON
        if not value & _SIDETONE_ON:  # off before its level is that of a lower one
            self._write(_DAC_POWER, value)
        self._write(_LEFT_OUT, max(step, 0))
        self._write(_DAC_POWER, value)

    # ------------------------------------------------------------------ registers

    def _write(self, register, value):
        if register < _REGISTERS:
            self._shadow[register] = value
        try:
            self._i2c.writeto_mem(self._address, register, bytes([value]))
        except OSError:
            raise PartError("codec") from None

    def dump(self):
        return once(_SETUP, "dump", self)

    def selftest(self):
        return once(_SETUP, "differs", self) == {}
