"""ES8388 audio codec, its control side on I2C: volume, hardware mute, shadow registers.

Values as esp-adf and ESPHome set them for a slave at 256 fs and 16 bits. The OUT1/OUT2 steps are
disputed between drivers (only 0x1E = 0 dB is agreed), so volume uses the DAC's own 0.5 dB steps.
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

_INIT = (
    (0x19, 0x04),  # DAC muted while setting up
    (0x01, 0x50),  # low power on, reference as in esp-adf
    (0x02, 0x00),  # all blocks powered, normal operation
    (0x35, 0xA0), (0x37, 0xD0), (0x39, 0xD0),  # DLL off: cures 8 kHz
    (0x08, 0x00),  # I2S slave
    (0x04, 0xC0),  # DAC off, outputs off
    (0x00, 0x12),  # play and record
    (0x17, 0x18),  # DAC: I2S, 16 bits
    (0x18, 0x02),  # DAC: 256 fs
    (0x26, 0x00),  # mixer sources LIN1, RIN1
    (0x27, 0x90),  # left DAC to the left mixer, 0 dB
    (0x2A, 0x90),  # right likewise
    (0x2B, 0x80),  # ADC and DAC share LRCK
    (0x2D, 0x00),  # outputs' reference resistance 1.5 kΩ
    (0x2E, 0x1E), (0x2F, 0x1E),  # OUT1 at 0 dB
    (0x30, 0x00), (0x31, 0x00),  # OUT2 at its lowest
    (0x03, 0xFF),  # ADC off while setting up
    (0x09, 0xBB),  # microphone gain 24 dB
    (0x0A, 0x00),  # inputs LIN1, RIN1
    (0x0B, 0x02),  # stereo
    (0x0C, 0x0C),  # ADC: I2S, 16 bits
    (0x0D, 0x02),  # ADC: 256 fs
    (0x10, 0x00), (0x11, 0x00),  # ADC at 0 dB
    (0x03, 0x00),  # ADC and its microphone on
    (0x04, 0x30),  # LOUT1, ROUT1 on: the headset
    (0x19, 0x00),  # DAC speaks
)  # fmt: skip


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
        for register, value in _INIT:
            self._write(register, value)
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

    def _read(self, register):
        try:
            return self._i2c.readfrom_mem(self._address, register, 1)[0]
        except OSError:
            raise PartError("codec", "no_answer", "check its cable on the I2C bus") from None

    def dump(self):
        return {"volume": self.volume, "muted": self.muted, "registers": self._shadow.hex()}

    def selftest(self):
        """What the chip holds is what was written to it."""
        try:
            return all(
                self._read(register) == self._shadow[register]
                for register in (_CHIP_POWER, _ADC_POWER, _DAC_POWER, _ADC_MUTE, _DAC_MUTE)
            )
        except PartError:
            return False
