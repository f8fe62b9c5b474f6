"""How an ES8388 is set up, put to sleep and looked at. Works on the codec of `drivers/es8388.py`,
which loads it for a moment.
"""

from micropython import const

_CONTROL1 = const(0x00)  # §6.1
_DAC_POWER = const(0x04)
_INPUT = const(0x0A)
_RIGHT_DAC = const(0x1B)  # §6.3: attenuation, 0.5 dB a step
_MIXER_INPUT = const(0x26)
_RIGHT_MIXER = const(0x2A)  # bits 5:3: +6 dB, 3 dB a step down
_RESET = const(0x80)
_AFTER_PGA = const(0x18)  # the left mixer's: the microphone with its amplifier's gain

_OUT_STEP = const(1.5)  # dB
_OUT_0DB = const(0x1E)
_HEARD_SHARE = const(-8.53)  # of the limit: line and tones 3/8 each; in dB, rounded down

# register, value: a slave at 256 fs, 16 bits, as in esp-adf where nothing else is said
_INIT = const(
    b"\x00\x16"  # §6.1 play and record at one rate, VMID 500 kΩ; the reference on, as in Linux
    b"\x01\x50"  # analogue and bias on, reference buffer in low power
    b"\x02\x00"  # all blocks powered, state machines run
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
    b"\x2e\x00\x2f\x00"  # OUT1 at its lowest
    b"\x30\x21\x31\x00"  # LOUT2 +4.5 dB: with the mixer's −15 a line's level; ROUT2 is off
    b"\x19\x00"  # DAC speaks, no soft ramp
    b"\x35\xa0\x37\xd0\x39\xd0"  # DLL off, which cures 8 kHz; not in the register map
)
_POWER = {
    "on": b"\x01\x50\x02\x00\x03\x00",
    "standby": b"\x03\xff",  # ADC off, references stay
    "off": b"\x03\xff\x02\xff\x01\x5c",  # everything
}
_HIDDEN = const(6)  # bytes at the end of _INIT


def start(codec):
    """Reset, then all registers, then the outputs."""
    state, codec.state = codec.state, "off"
    write = codec._write
    try:
        codec._outputs()  # first, whatever the chip was doing
        write(_CONTROL1, _RESET)
        _send(codec, _INIT)
        microphone, line = codec._inputs
        write(_INPUT, microphone << 6 | line << 4)
        write(_MIXER_INPUT, _AFTER_PGA | line)
        _limit_heard(codec)
        codec.set_microphone_gain(codec.microphone_gain_db)
        codec.set_volume(codec.volume)
        codec.line_to_headset(codec.line_in)
        codec.mute(codec.muted)
    finally:
        codec.state = state
    power(codec, state)


def _limit_heard(codec):
    """Mixer and DAC for the share of line and tones; OUT1 gets what is left of it."""
    most = codec.limit_db + _HEARD_SHARE
    steps = max(0, min(int((8.99 - most) / 3), 7))
    mixed = 6 - 3 * steps
    rest = most - mixed
    codec._most = _OUT_0DB + (int(rest / _OUT_STEP) if rest >= 0 else int(rest) - 1)
    codec._mixed = mixed
    codec._write(_RIGHT_MIXER, 0x80 | steps << 3)
    codec._write(_RIGHT_DAC, max(0, -2 * mixed))


def power(codec, state):
    """Raises KeyError for what is no state."""
    table = _POWER[state]
    codec.state = state
    if state != "on":
        codec._outputs()
    _send(codec, table)
    codec._outputs()


def _send(codec, table):
    for at in range(0, len(table), 2):
        codec._write(table[at], table[at + 1])


def differs(codec):
    """{register: what the chip holds} of those that are not as written; None: no answer."""
    found = {}
    try:
        for at in range(-2, len(_INIT) - _HIDDEN, 2):
            register = _DAC_POWER if at < 0 else _INIT[at]
            held = codec._i2c.readfrom_mem(codec._address, register, 1)[0]
            if held != codec._shadow[register]:
                found[register] = held
    except OSError:
        return None
    return found


def dump(codec):
    told = {name: value for name, value in codec.__dict__.items() if name[0] != "_"}
    told["volume_db"] = codec.volume_db
    told["registers"] = codec._shadow.hex()
    told["differs"] = differs(codec)
    return told
