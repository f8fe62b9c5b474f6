"""ES8388 audio codec, its control side on I2C.

The interface of a codec (role `codec`), the same for every chip that has the role. Everything is
an attribute or a plain method: a write takes a millisecond on the bus. The agent's microphone is
the ADC's left channel, the caller's line its right one; I2S is a slave of 16 kHz, 16 bits, 256 fs.

Codec(i2c, *, address, limit_db=0, …)  sets the chip up (`start()`); PartError when it is not there
start()                     from any state of the chip to what the attributes say; outputs come last
volume                      percent, 0-100: what the caller and the tones are heard with
set_volume(percent)         clamped to 0-100; half a decibel a percent, 100 is the limit's share
volume_db                   gain from the line to the headset as set, dB
microphone_gain_db, set_microphone_gain(db)  rounded down to a step of the chip, and clamped
muted, mute(on)             the agent's path is cut in the chip: line-out, ADC and sidetone
sidetone, set_sidetone(percent)  0 is off, 100 the limit's share for it
line_in, line_to_headset(on)     the analogue path from the line to the headset
line_out, microphone_to_line(on) the analogue path from the microphone to the line-out
limit_db                    the sum of all gains that lead to the headset (microphone with its
                            amplifier, line, DAC) never exceeds it: in no order of calls, and at no
                            register write on the way
state, power(state)         "on", "standby" (silent, registers kept, back within 100 ms), "off"
dump()                      all of the above, and the registers as hex: `registers` as written,
                            `differs` {register: what the chip holds}, None when it is silent
selftest()                  True when the chip holds every value that was written

Every I2C error is PartError("codec", "no_answer"). A model has `paths()`: sinks (`headset`,
`line_out`, `adc_left`, `adc_right`) → {`microphone`, `line`, `dac`: linear gain}, as its registers
say; `headset` and `line_out` are the sum of both sides, which no wiring of the two can exceed.
"""

from lib.errors import PartError
from micropython import const

_CHIP_POWER = const(0x02)
_ADC_POWER = const(0x03)
_DAC_POWER = const(0x04)
_ADC_MUTE = const(0x0F)  # bit 2
_DAC_MUTE = const(0x19)  # bit 2
_DAC_LEFT_VOLUME = const(0x1A)  # attenuation, 0.5 dB a step, 0xC0 = −96 dB
_DAC_RIGHT_VOLUME = const(0x1B)
_MUTE = const(0x04)
_STEP = const(6)  # 3 dB a step of our volume
VOLUME_MOST = const(16)

# register, value
_INIT = (
    b"\x19\x04"  # DAC muted while setting up
    b"\x01\x50"  # low power on, reference as in esp-adf
    b"\x02\x00"  # all blocks powered, normal operation
    b"\x35\xa0\x37\xd0\x39\xd0"  # DLL off: cures 8 kHz
    b"\x08\x00"  # I2S slave
    b"\x04\xc0"  # DAC off, outputs off
    b"\x00\x12"  # play and record
    b"\x17\x18"  # DAC: I2S, 16 bits
    b"\x18\x02"  # DAC: 256 fs
    b"\x26\x00"  # mixer sources LIN1, RIN1
    b"\x27\x90"  # left DAC to the left mixer, 0 dB
    b"\x2a\x90"  # right likewise
    b"\x2b\x80"  # ADC and DAC share LRCK
    b"\x2d\x00"  # outputs' reference resistance 1.5 kΩ
    b"\x2e\x1e\x2f\x1e"  # OUT1 at 0 dB
    b"\x30\x00\x31\x00"  # OUT2 at its lowest
    b"\x03\xff"  # ADC off while setting up
    b"\x09\xbb"  # microphone gain 24 dB
    b"\x0a\x00"  # inputs LIN1, RIN1
    b"\x0b\x02"  # stereo
    b"\x0c\x0c"  # ADC: I2S, 16 bits
    b"\x0d\x02"  # ADC: 256 fs
    b"\x10\x00\x11\x00"  # ADC at 0 dB
    b"\x03\x00"  # ADC and its microphone on
    b"\x04\x30"  # LOUT1, ROUT1 on: the headset
    b"\x19\x00"  # DAC speaks
)


class ES8388:
    """Raises PartError when the chip does not answer. `volume` runs from 0 to VOLUME_MOST."""

    def __init__(self, i2c, address=0x10):
        self._i2c = i2c
        self._address = address
        self._shadow = bytearray(0x36 + 4)
        self.volume = 12
        self.muted = False
        self.start()

    def start(self):
        for at in range(0, len(_INIT), 2):
            self._write(_INIT[at], _INIT[at + 1])
        self.set_volume(self.volume)
        self.mute(self.muted)

    def set_volume(self, volume):
        self.volume = max(0, min(volume, VOLUME_MOST))
        attenuation = (VOLUME_MOST - self.volume) * _STEP
        self._write(_DAC_LEFT_VOLUME, attenuation)
        self._write(_DAC_RIGHT_VOLUME, attenuation)

    def mute(self, muted):
        """Close the microphone in the chip itself."""
        self.muted = muted
        value = self._shadow[_ADC_MUTE]
        self._write(_ADC_MUTE, value | _MUTE if muted else value & ~_MUTE)

    def _write(self, register, value):
        self._shadow[register] = value
        try:
            self._i2c.writeto_mem(self._address, register, bytes([value]))
        except OSError:
            raise PartError("codec", "no_answer", "check its cable on the I2C bus") from None

    def dump(self):
        return {"volume": self.volume, "muted": self.muted, "registers": self._shadow.hex()}

    def selftest(self):
        """What the chip holds is what was written to it."""
        try:
            return all(
                self._i2c.readfrom_mem(self._address, register, 1)[0] == self._shadow[register]
                for register in (_CHIP_POWER, _ADC_POWER, _DAC_POWER, _ADC_MUTE, _DAC_MUTE)
            )
        except OSError:
            return False
