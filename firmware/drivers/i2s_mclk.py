"""MCLK on its pin, which `machine.I2S` does not drive; for `drivers/i2s_audio.py`."""

from machine import Pin, mem32
from micropython import const

# ESP32 TRM, IO_MUX: CLK_OUT1 is GPIO 0's function 1 (MCU_SEL, bits 14:12); PIN_CTRL 3:0 = 0 gives
# it the clock of I2S 0. Other pins: the GPIO matrix of the ESP32-S3 (TRM, peripheral signal 23,
# I2S0_MCLK_out), the pin's output enabled by its own bit (OEN_SEL, bit 10).
_ESP32_PIN_CTRL = const(0x3FF49000)
_ESP32_GPIO0 = const(0x3FF49044)
_S3_OUT_SEL = const(0x60004554)
_S3_MCLK = const(23 | 1 << 10)


def drive(gpio):
    """Give the clock of I2S 0 to this GPIO: 0 on an ESP32, any on an ESP32-S3."""
    if gpio == 0:
        mem32[_ESP32_PIN_CTRL] = mem32[_ESP32_PIN_CTRL] & ~0xF
        mem32[_ESP32_GPIO0] = mem32[_ESP32_GPIO0] & ~0x7000 | 0x1000
    else:
        Pin(gpio, Pin.OUT)
        mem32[_S3_OUT_SEL + 4 * gpio] = _S3_MCLK
