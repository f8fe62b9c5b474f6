"""WM8960 audio codec (Wolfson, Production Data rev 4.2), its control side on I2C; the interface of
a codec stands in `drivers/es8388.py`. Nothing can be read from it (§ Control interface): `differs`
is always None, and `selftest()` writes everything anew and sees that it is acknowledged.

Wiring of a breakout, through capacitors: microphone to LINPUT1 and RINPUT3, line to LINPUT3 and
RINPUT2, headset to HP_L, line-out to HP_R. So the left output mixer carries line, tones and
sidetone, the right one only the microphone, as it comes: the gain is for ADC and sidetone.
"""

import time
from array import array

from drivers.other_codec import check
from lib.errors import PartError
from micropython import const

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
_RIGHT_OUT = const(0x03)  # R3, headphone volume: 0x79 = 0 dB
_RESET = const(0x0F)  # R15
_OUTPUTS = const(0x1A)  # R26, power management 2

_ON = const(0x162)  # left DAC, HP_L, HP_R, and OUT3 as buffered VMID: ground of a capless headset
_RAMP_MS = const(100)  # VMID's capacitor through 2 × 50 kΩ, as Linux waits for it

_LOCK_MS = const(250)  # of the PLL, as Linux waits for it
_CLOCKING = const(0x04)  # R4: ADC and DAC dividers, bit 0 the PLL
_ON_PLL = const(0x01)

# Each pair is what goes over the wire: register and ninth bit, value. No volume waits for a zero
# crossing: while one did, another path could rise, and both together exceed the limit.
_WAKE = const(b"\x38\x9c\x32\x80")  # R28 soft start from the start-up bias, R25 VMID 2 × 50 kΩ
# before the clocks, which change while no converter runs
_FORMAT = const(
    b"\x32\xc0"  # R25: VREF too
    b"\x38\x08"  # R28: bias from VMID; inputs that nothing drives stay at VMID
    b"\x0a\x00"  # R5: the DAC speaks, the ADC has its high-pass filter
    b"\x0e\x02"  # R7: I2S, 16 bits, slave
    b"\x12\x40"  # R9: one LRCLK for ADC and DAC
)
_INIT = const(
    b"\x32\xfe"  # R25: both inputs, both ADCs, MICBIAS on
    b"\x41\x08"  # R32: LINPUT1 to the left amplifier, that to the left boost mixer
    b"\x42\x00"  # R33: the right amplifier is not used
    b"\x58\x0a"  # R44: RINPUT2 to the right boost mixer, 0 dB
)
_POWER = {
    "on": b"\x32\xfe\x5e\x2c",  # R25; R47: left amplifier, output mixers
    "standby": b"\x5e\x00\x33\x40",  # R47 off; R25: VREF, VMID 2 × 250 kΩ
    "off": b"\x38\x9c\x5e\x00\x32\x00",  # soft start bias, all off, VMID falls by itself
}


def pll(mclk_hz, sysclk_hz):
    """(prescaler, N, K): SYSCLK = MCLK / prescaler · (N + K / 2²⁴) / 4 / 2 (§ PLL, table 45)."""
    wanted = sysclk_hz * 8
    prescaler = 1 if wanted // mclk_hz > 5 else 2
    whole, rest = divmod(wanted * prescaler, mclk_hz)
    if not 5 < whole < 13:
        raise ValueError("no PLL setting for this mclk_hz")
    return prescaler, whole, (rest << 24) // mclk_hz


def _clocks(mclk_hz):
    """(R4 for 16 kHz, pairs that set the PLL up): bit 0 of R4 says whether that is the clock."""
    if mclk_hz == 4_096_000:
        return 0x000, b""  # 256 fs
    if mclk_hz == 12_288_000:
        return 0x0D8, b""  # a third of 256 fs
    prescaler, whole, k = pll(mclk_hz, 12_288_000)
    first = 0x20 | prescaler - 1 << 4 | whole
    return 0x0DD, bytes((0x68, first, 0x6A, k >> 16, 0x6C, k >> 8 & 0xFF, 0x6E, k & 0xFF))


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
        self._pll = 0
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
        """Reset, VMID up slowly and without a pop (0.1 s), meanwhile the PLL until it has locked
        (0.25 s), all registers, then the outputs.
        """
        write = self._write
        check(self._i2c, "wm8960")
        write(_RESET, 0)  # silence, whatever the chip was doing
        self._shadow = array("h", [-1] * len(self._shadow))
        self._send(_WAKE)
        clocking, figures = _clocks(self._mclk_hz)
        self._pll = clocking & _ON_PLL
        if self._pll:
            self._send(figures)
            write(_OUTPUTS, _ON_PLL)
        time.sleep_ms(_RAMP_MS)
        self._send(_FORMAT)
        write(_CLOCKING, clocking & ~_ON_PLL)
        if self._pll:
            time.sleep_ms(_LOCK_MS - _RAMP_MS)
            write(_CLOCKING, clocking)
        self._send(_INIT)
        self.set_microphone_gain(self.microphone_gain_db)
        self.line_to_headset(self.line_in)
        self.mute(self.muted)
        write(_RIGHT_OUT, _UPDATE | _OUT_ZERO)
        self._enter()

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
        _POWER[state]
        asleep = self.state == "off"
        self.state = state
        if asleep and state != "off":
            self.start()
        else:
            self._enter()

    def _enter(self):
        if self.state == "on":
            self._send(_POWER["on"])
            self._write(_OUTPUTS, _ON | self._pll)
            return
        if self.state == "off":  # the PLL stays for standby, so that it need not lock anew
            self._write(_CLOCKING, self._shadow[_CLOCKING] & ~_ON_PLL)
        self._write(_OUTPUTS, self._pll if self.state == "standby" else 0)
        self._send(_POWER[self.state])

    def _send(self, pairs):
        for at in range(0, len(pairs), 2):
            self._write(pairs[at] >> 1, (pairs[at] & 1) << 8 | pairs[at + 1])

    # ------------------------------------------------------------------ registers

    def _write(self, register, value):
        self._shadow[register] = value
        try:
            self._i2c.writeto(self._address, bytes((register << 1 | value >> 8, value & 0xFF)))
        except OSError:
            raise PartError("codec") from None

    def dump(self):
        state = {name: value for name, value in self.__dict__.items() if name[0] != "_"}
        state["volume_db"] = self.volume_db
        state["differs"] = None  # nothing can be read
        state["registers"] = "".join("%03x" % (value & 0xFFF) for value in self._shadow)
        return state

    def selftest(self):
        """Write all registers once more, which also cures those that turned by themselves; whether
        each is acknowledged.
        """
        try:
            for register, value in enumerate(self._shadow):
                if value >= 0 and register != _RESET:
                    self._write(register, value)
        except PartError:
            return False
        return True
