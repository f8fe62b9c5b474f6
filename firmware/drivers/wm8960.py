"""WM8960 audio codec (Wolfson, Production Data rev 4.2), its control side on I2C; the interface of
a codec stands in `drivers/es8388.py`. Nothing can be read from it (§ Control interface): `differs`
is always None, and `selftest()` writes everything anew and sees that it is acknowledged.

Wiring of a breakout, through capacitors: microphone to LINPUT1 and RINPUT3, line to LINPUT3 and
RINPUT2, headset to HP_L, line-out to HP_R. So the left output mixer carries line, tones and
sidetone, the right one only the microphone, as it comes: the gain is for ADC and sidetone.
"""

from array import array

from lib.errors import PartError
from lib.once import once
from micropython import const

_SETUP = const("drivers.wm8960_setup")

_LEFT_PGA = const(0x00)  # R0, table 4: 0.75 dB a step, 0x17 = 0 dB
_LEFT_OUT = const(0x02)  # R2, headphone volume: 1 dB a step, 0x79 = 0 dB, silence below 0x30
_LEFT_ADC = const(0x15)  # R21: 0.5 dB a step, 0xC3 = 0 dB
_LEFT_MIXER = const(0x22)  # R34: DAC bit 8, LINPUT3 bit 7
_RIGHT_MIXER = const(0x25)  # R37: RINPUT3 bit 7
_SIDETONE = const(0x2D)  # R45, left boost mixer to left output mixer: on bit 7, −3 dB a step
_REGISTERS = const(0x38)

_UPDATE = const(0x100)  # a volume is taken over, the other side's that waits too
_PGA_MUTE = const(0x80)
_PGA_ZERO = const(0x17)
_OUT_ZERO = const(0x79)
_OUT_LEAST = const(-73)
_OUT_MOST = const(6)
_ADC_ZERO = const(0xC3)
_ADC_MOST = const(60)  # steps
_DAC_IN = const(0x100)
_LINE_IN = const(0x80)
_LINE_OUT = const(0x80)
_SIDETONE_ON = const(0x80)
_BYPASS_LEAST = const(7)  # −21 dB

# The amplifier is in the sidetone, which can be turned down by 21 dB only: with more than 3.75 dB
# there a loud volume would leave no room below the limit. The rest of the gain is digital.
_PGA_MOST = const(5)  # steps
# of the limit: the line 3/8, the tones 3/8, the sidetone 2/8; in dB, rounded down
_HEARD_SHARE = const(-9)
_SIDETONE_SHARE = const(-11)
_PERCENT = const(0.25)  # dB


def _loudness(register, value):
    if register == _SIDETONE:
        return 8 - (value >> 4 & 7) if value & _SIDETONE_ON else 0
    if register == _LEFT_PGA:
        return 0 if value & _PGA_MUTE else 1 + (value & 0x3F)
    return value & 0x7F


class WM8960:
    """`mclk_hz` 24 MHz: the breakout's own oscillator. I2S then slips a sample each few seconds,
    as both sides have a clock of their own; fed with 4.096 MHz by the station it does not.
    """

    def __init__(
        self, i2c, *, address=0x1A, limit_db=0, mclk_hz=24_000_000, volume=76,
        microphone_gain_db=24,
    ):  # fmt: skip
        self._i2c = i2c
        self._address = address
        self._mclk_hz = mclk_hz
        self._shadow = array("h", [-1] * _REGISTERS)
        self.limit_db = limit_db
        self.volume = volume
        self.microphone_gain_db = microphone_gain_db
        self.muted = False
        self.sidetone = 0
        self.line_in = self.line_out = True
        self.state = "on"
        self.start()

    def start(self):
        """Reset, VMID up slowly and without a pop (0.1 s), all registers, then the outputs."""
        once(_SETUP, "start", self)

    # ------------------------------------------------------------------ levels

    @property
    def volume_db(self):
        return (max(self._shadow[_LEFT_OUT], 0) & 0x7F) - _OUT_ZERO

    def set_volume(self, percent):
        self.volume = max(0, min(percent, 100))
        self._levels()

    def set_microphone_gain(self, db):
        analogue = max(0, min(int(db / 0.75), _PGA_MOST))
        digital = max(0, min(int((db - analogue * 0.75) * 2), _ADC_MOST))
        self.microphone_gain_db = analogue * 0.75 + digital / 2
        self._levels()
        self._write(_LEFT_ADC, _UPDATE | _ADC_ZERO + digital)

    def set_sidetone(self, percent):
        self.sidetone = max(0, min(percent, 100))
        self._levels()

    def _levels(self):
        """Volume, amplifier and sidetone: what becomes quieter is written first."""
        share = self.limit_db + _HEARD_SHARE
        out = int(min(share - (100 - self.volume) * _PERCENT, _OUT_MOST) // 1)
        if out < _OUT_LEAST:
            out = _OUT_LEAST if share >= _OUT_LEAST else -_OUT_ZERO
        steps = min(int(self.microphone_gain_db / 0.75), _PGA_MOST)
        wanted = self.limit_db + _SIDETONE_SHARE - (100 - self.sidetone) * _PERCENT
        down = -int((wanted - out - steps * 0.75) // 3)
        bypass = max(0, min(down, _BYPASS_LEAST)) << 4
        targets = (
            (_LEFT_OUT, _UPDATE | _OUT_ZERO + out),
            (_LEFT_PGA, _UPDATE | _PGA_ZERO + steps | (_PGA_MUTE if self.muted else 0)),
            (_SIDETONE, bypass | (_SIDETONE_ON if self.sidetone else 0)),
        )
        for quieter in (True, False):
            for register, value in targets:
                before = self._shadow[register]
                falls = _loudness(register, value) < _loudness(register, before)
                if value != before and falls == quieter:
                    self._write(register, value)

    # ------------------------------------------------------------------ paths

    def mute(self, on):
        """Cut the microphone: first the line-out, then the amplifier before ADC and sidetone."""
        self.muted = bool(on)
        self._line_out()
        self._levels()

    def line_to_headset(self, on):
        self.line_in = bool(on)
        self._write(_LEFT_MIXER, _DAC_IN | (_LINE_IN if on else 0))  # both at 0 dB

    def microphone_to_line(self, on):
        self.line_out = bool(on)
        self._line_out()

    def _line_out(self):
        self._write(_RIGHT_MIXER, _LINE_OUT if self.line_out and not self.muted else 0)

    def power(self, state):
        """Raises KeyError for what is no state."""
        once(_SETUP, "power", self, state)

    # ------------------------------------------------------------------ registers

    def _write(self, register, value):
        self._shadow[register] = value
        try:
            self._i2c.writeto(self._address, bytes((register << 1 | value >> 8, value & 0xFF)))
        except OSError:
            raise PartError("codec") from None

    def dump(self):
        return once(_SETUP, "dump", self)

    def selftest(self):
        """Write all registers once more, which also cures those that turned by themselves."""
        return once(_SETUP, "repeat", self)
