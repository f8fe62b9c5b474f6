"""ES8388 audio codec, its control side on I2C.

The contract of the role `codec` stands in `drivers/README.md`.
"""

import time

from drivers.other_codec import missing
from micropython import const

# datasheet §6, registers 0 to 52; a side has one analogue input, so the left mixer carries the
# microphone and nothing else, the right one the line and the DAC. Of the pair that leads to the
# headset the left output is the sidetone, the right one what is heard: an earpiece is fed from
# both through two resistors. The left output of the other pair is the line-out. Which bit of 0x04
# is which output is disputed too: followed are the register map, Linux and ESPHome; esp-adf's own
# names for them are the other way round.
_DAC_POWER = const(0x04)  # DACs off 0xC0, LOUT1 0x20, ROUT1 0x10, LOUT2 0x08, ROUT2 0x04 on
_PGA = const(0x09)  # §6.2: 3 dB a step, left in the high nibble
_ADC_MUTE = const(0x0F)
_LEFT_MIXER = const(0x27)  # bits 5:3: +6 dB, 3 dB a step down
_RIGHT_MIXER = const(0x2A)
_LEFT_OUT1 = const(0x2E)  # ROUT1, LOUT2, ROUT2 behind it
_MUTE = const(0x04)
_BYPASS = const(0x40)  # the analogue input goes into the mixer
# of the sidetone, what is heard and the line-out: headset at OUT1, at OUT2
_OUTPUTS_ON = const(((0x20, 0x10, 0x08), (0x08, 0x04, 0x20)))
_LEFT_DAC_OFF = const(0x80)
_ALL_OFF = const(0xC0)
_REGISTERS = const(0x35)

# The steps of OUT1 and OUT2 are disputed: −45 dB and 1.5 dB a step in the register map, as
# transcribed bit by bit by others, in Linux' es8323 and in WLED; −30 dB and 1 dB in esp-adf and
# Linux' es8328. 0x1E = 0 dB is in both. Followed, for what is told: the register map. The limit of
# line and tones does not rest on it: mixer and DAC, whose steps nobody disputes, bring them under
# it, and the output counts as what is louder of the two. The sidetone's does; but what its
# amplifier adds, up to 24 dB, ends at full scale in the chip, so it cannot be as loud as is
# reckoned here.
_OUT_LEAST = const(-45)
_OUT_STEP = const(1.5)
_OUT_MOST = const(0x21)
_MICROPHONE_MIX = const(-15)  # dB, the left mixer's step 7

_SIDETONE_SHARE = const(-12.05)  # 2/8 of the limit, in dB, rounded down
_PERCENT = const(0.25)  # dB
_PERCENTS = const(6)  # a step of an output
_LINE_OUT_STEP = const(0x21)  # +4.5 dB: with the mixer's −15 a line's level
_CONTROL1 = const(0x00)  # §6.1
_INPUT = const(0x0A)
_RIGHT_DAC = const(0x1B)  # §6.3: attenuation, 0.5 dB a step
_MIXER_INPUT = const(0x26)
_RESET = const(0x80)
_AFTER_PGA = const(0x18)  # the left mixer's: the microphone with its amplifier's gain

_OUT_0DB = const(0x1E)
_HEARD_SHARE = const(-8.53)  # of the limit: line and tones 3/8 each; in dB, rounded down

# register, value: a slave at 256 fs, 16 bits, as in esp-adf where nothing else is said
_INIT = const(
    b"\x00\x17"  # §6.1 play and record at one rate, the reference on; VMID charges by 5 kΩ
    b"\x01\x50"  # analogue and bias on, reference buffer in low power
    b"\x02\xf0"  # state machines held while their clocks change, as in esp-adf
    b"\x08\x00"  # I2S slave
    b"\x03\x00"  # ADC, both inputs and the microphone's bias on
    b"\x09\x00"  # §6.2 PGA 0 dB; the microphone's comes last
    b"\x0a\x10"  # ADC left LIN1, right RIN2 (options)
    b"\x0b\x02"  # stereo
    b"\x0c\x0c"  # I2S, 16 bits
    b"\x0d\x02"  # 256 fs
    b"\x0f\x00"  # no soft ramp: it takes 48 ms to mute
    b"\x10\x00\x11\x00"  # digital volume 0 dB
    b"\x12\x38"  # ALC off: it would turn the sidetone up by itself
    b"\x17\x18"  # §6.3 I2S, 16 bits
    b"\x18\x02"  # 256 fs
    b"\x1a\xc0\x1b\xc0"  # DACs down
    b"\x26\x19"  # mixers: left after the PGA, right RIN2 (options)
    b"\x27\x38"  # left: nothing yet, the microphone at −15 dB
    b"\x2a\xb8"  # right: the DAC, the line at −15 dB but not yet
    b"\x2b\x80"  # ADC and DAC share LRCK
    b"\x2d\x00"  # outputs' reference resistance 1.5 kΩ
    b"\x2e\x00\x2f\x00\x30\x00\x31\x00"  # outputs at their lowest (options)
    b"\x19\x00"  # DAC speaks, no soft ramp
    b"\x35\xa0\x37\xd0\x39\xd0"  # DLL off, which cures 8 kHz; not in the register map
)
_POWER = {
    "on": b"\x01\x50\x02\x00\x03\x00",
    "standby": b"\x03\xff",  # ADC off, references stay
    "off": b"\x03\xff\x02\xff\x01\x5c",  # everything
}
_HIDDEN = const(6)  # bytes at the end of _INIT
_CHARGE_MS = const(100)  # VMID's capacitor, as Linux waits for it
_RUN = const(b"\x00\x16\x02\x00")  # VMID by 500 kΩ; all blocks powered, state machines run


class ES8388:
    """`microphone_input`, `line_input`: 1 or 2, as LIN1/LIN2 and RIN1/RIN2 are wired;
    `headset_output`: 1 or 2, which pair of outputs leads to the headset's socket.
    """

    def __init__(
        self, i2c, *, address=0x10, limit_db=0, microphone_input=1, line_input=2,
        headset_output=1, volume=76, microphone_gain_db=24, sidetone=0,
    ):  # fmt: skip
        self._i2c = i2c
        self._address = address
        self._inputs = (microphone_input - 1, line_input - 1)
        first = headset_output == 1
        self._left_out = _LEFT_OUT1 if first else _LEFT_OUT1 + 2
        self._line_out = _LEFT_OUT1 + 2 if first else _LEFT_OUT1
        self._on = _OUTPUTS_ON[not first]
        self._shadow = bytearray(_REGISTERS)
        self._most = self._mixed = 0  # the output at the limit; gain of the right mixer, dB
        self.limit_db = limit_db
        self.volume = volume
        self.microphone_gain_db = microphone_gain_db
        self.sidetone = sidetone
        self.muted = False
        self.line_in = self.line_out = True
        self.state = "on"
        self.start()

    def start(self):
        """Reset, then all registers, VMID charged without a pop (0.1 s), then the outputs."""
        state, self.state = self.state, "off"
        write = self._write
        try:
            self._outputs()  # first, whatever the chip was doing
            write(_CONTROL1, _RESET)
            self._send(_INIT)
            microphone, line = self._inputs
            write(_INPUT, microphone << 6 | line << 4)
            write(_MIXER_INPUT, _AFTER_PGA | line)
            write(self._line_out, _LINE_OUT_STEP)
            time.sleep_ms(_CHARGE_MS)
            self._send(_RUN)
            self._limit_heard()
            self.set_microphone_gain(self.microphone_gain_db)
            self.set_volume(self.volume)
            self.line_to_headset(self.line_in)
            self.mute(self.muted)
        finally:
            self.state = state
        self.power(state)

    def _limit_heard(self):
        """Mixer and DAC for the share of line and tones; the output gets what is left of it."""
        most = self.limit_db + _HEARD_SHARE
        steps = max(0, min(int((8.99 - most) / 3), 7))
        mixed = 6 - 3 * steps
        rest = most - mixed
        self._most = _OUT_0DB + (int(rest / _OUT_STEP) if rest >= 0 else int(rest) - 1)
        self._mixed = mixed
        self._write(_RIGHT_MIXER, 0x80 | steps << 3)
        self._write(_RIGHT_DAC, max(0, -2 * mixed))

    # ------------------------------------------------------------------ levels

    @property
    def volume_db(self):
        return self._mixed + _OUT_LEAST + _OUT_STEP * self._shadow[self._left_out + 1]

    def set_volume(self, percent):
        self.volume = percent = max(0, min(percent, 100))
        step = min(self._most, _OUT_MOST) - (100 - percent) // _PERCENTS
        self._write(self._left_out + 1, max(step, 0))

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
        table = _POWER[state]
        self.state = state
        if state != "on":
            self._outputs()
        self._send(table)
        self._outputs()

    def _send(self, table):
        for at in range(0, len(table), 2):
            self._write(table[at], table[at + 1])

    def _outputs(self):
        """The sidetone's level, and power for what has something to say: −45 dB is no silence."""
        gain = self.limit_db + _SIDETONE_SHARE - (100 - self.sidetone) * _PERCENT
        over = gain - _MICROPHONE_MIX - self.microphone_gain_db - _OUT_LEAST
        step = -1 if over < 0 else min(int(over / _OUT_STEP), _OUT_MOST)
        sidetone, heard, line_out = self._on
        value = _ALL_OFF
        if self.state == "on":
            value = _LEFT_DAC_OFF
            if self._most >= 0:
                value |= heard
            if self.sidetone and step >= 0:
                value |= sidetone
            if self.line_out:
                value |= line_out
        if not value & sidetone:  # off before its level is that of a lower one
            self._write(_DAC_POWER, value)
        self._write(self._left_out, max(step, 0))
        self._write(_DAC_POWER, value)

    # ------------------------------------------------------------------ registers

    def _write(self, register, value):
        if register < _REGISTERS:
            self._shadow[register] = value
        try:
            self._i2c.writeto_mem(self._address, register, bytes([value]))
        except OSError as error:
            raise missing(self._i2c, error) from None

    def _differs(self):
        """{register: what the chip holds} of those that are not as written; None: no answer."""
        found = {}
        try:
            for at in range(-2, len(_INIT) - _HIDDEN, 2):
                register = _DAC_POWER if at < 0 else _INIT[at]
                held = self._i2c.readfrom_mem(self._address, register, 1)[0]
                if held != self._shadow[register]:
                    found[register] = held
        except OSError:
            return None
        return found

    def dump(self):
        state = {name: value for name, value in self.__dict__.items() if name[0] != "_"}
        state["volume_db"] = self.volume_db
        state["registers"] = self._shadow.hex()
        state["differs"] = self._differs()
        return state

    def selftest(self):
        return self._differs() == {}
