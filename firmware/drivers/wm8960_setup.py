"""How a WM8960 is set up, put to sleep and looked at. Works on the codec of `drivers/wm8960.py`,
which loads it for a moment.
"""

import time
from array import array

from lib.errors import PartError
from micropython import const

_RIGHT_OUT = const(0x03)  # R3, headphone volume: 0x79 = 0 dB
_RESET = const(0x0F)  # R15
_OUTPUTS = const(0x1A)  # R26, power management 2

_UPDATE = const(0x100)  # a volume is taken over, the other side's that waits too
_OUT_ZERO = const(0x79)
_ON = const(0x162)  # left DAC, HP_L, HP_R, and OUT3 as buffered VMID: ground of a capless headset
_RAMP_MS = const(100)  # VMID's capacitor through 2 × 50 kΩ, as Linux waits for it

# Each pair is what goes over the wire: register and ninth bit, value. No volume waits for a zero
# crossing: while one did, another path could rise, and both together exceed the limit.
_WAKE = const(b"\x38\x9c\x32\x80")  # R28 soft start from the start-up bias, R25 VMID 2 × 50 kΩ
_INIT = const(
    b"\x32\xfe"  # R25: VREF, both inputs, both ADCs, MICBIAS on
    b"\x38\x08"  # R28: bias from VMID; inputs that nothing drives stay at VMID
    b"\x0a\x00"  # R5: the DAC speaks, the ADC has its high-pass filter
    b"\x0e\x02"  # R7: I2S, 16 bits, slave
    b"\x12\x40"  # R9: one LRCLK for ADC and DAC
    b"\x41\x08"  # R32: LINPUT1 to the left amplifier, that to the left boost mixer
    b"\x42\x00"  # R33: the right amplifier is not used
    b"\x58\x0a"  # R44: RINPUT2 to the right boost mixer, 0 dB
)
_POWER = {
    "on": b"\x32\xfe\x5e\x2c",  # R25; R47: left amplifier, output mixers
    "standby": b"\x34\x00\x5e\x00\x33\x40",  # R26, R47 off; R25: VREF, VMID 2 × 250 kΩ
    "off": b"\x38\x9c\x34\x00\x5e\x00\x32\x00",  # soft start bias, all off, VMID falls by itself
}


def start(codec):
    """Reset, VMID up slowly and without a pop (0.1 s), all registers, then the outputs."""
    write = codec._write
    write(_RESET, 0)  # silence, whatever the chip was doing
    codec._shadow = array("h", [-1] * len(codec._shadow))
    _send(codec, _WAKE)
    time.sleep_ms(_RAMP_MS)
    _send(codec, _INIT)
    _send(codec, _clocks(codec._mclk_hz)[0])
    codec.set_microphone_gain(codec.microphone_gain_db)
    codec.line_to_headset(codec.line_in)
    codec.mute(codec.muted)
    write(_RIGHT_OUT, _UPDATE | _OUT_ZERO)
    _enter(codec)


def power(codec, state):
    """Raises KeyError for what is no state."""
    _POWER[state]
    asleep = codec.state == "off"
    codec.state = state
    if asleep and state != "off":
        start(codec)
    else:
        _enter(codec)


def _enter(codec):
    _send(codec, _POWER[codec.state])
    if codec.state == "on":
        codec._write(_OUTPUTS, _ON | _clocks(codec._mclk_hz)[1])


def _send(codec, pairs):
    for at in range(0, len(pairs), 2):
        codec._write(pairs[at] >> 1, (pairs[at] & 1) << 8 | pairs[at + 1])


def pll(mclk_hz, sysclk_hz):
    """(prescaler, N, K): SYSCLK = MCLK / prescaler · (N + K / 2²⁴) / 4 / 2 (§ PLL, table 45)."""
    wanted = sysclk_hz * 8
    prescaler = 1 if wanted // mclk_hz > 5 else 2
    whole, rest = divmod(wanted * prescaler, mclk_hz)
    if not 5 < whole < 13:
        raise ValueError("no PLL setting for this mclk_hz")
    return prescaler, whole, (rest << 24) // mclk_hz


def _clocks(mclk_hz):
    """Pairs for 16 kHz, and whether the PLL runs."""
    if mclk_hz == 4_096_000:
        return b"\x08\x00", 0  # R4: 256 fs
    if mclk_hz == 12_288_000:
        return b"\x08\xd8", 0  # R4: a third of 256 fs
    prescaler, whole, k = pll(mclk_hz, 12_288_000)
    first = 0x20 | prescaler - 1 << 4 | whole
    return bytes((0x68, first, 0x6A, k >> 16, 0x6C, k >> 8 & 0xFF, 0x6E, k & 0xFF, 8, 0xDD)), 1


def repeat(codec):
    """Write all registers once more; whether each is acknowledged."""
    try:
        for register, value in enumerate(codec._shadow):
            if value >= 0 and register != _RESET:
                codec._write(register, value)
    except PartError:
        return False
    return True


def dump(codec):
    told = {name: value for name, value in codec.__dict__.items() if name[0] != "_"}
    told["volume_db"] = codec.volume_db
    told["differs"] = None  # nothing can be read
    told["registers"] = "".join("%03x" % (value & 0xFFF) for value in codec._shadow)
    return told
