"""A tone into the codec while I2S receives, as a stock `machine.I2S` is one direction at a time:
what comes in then has the clocks, and the line to the codec takes pulses.

A bit is 1/1024000 s (16 kHz, two slots of 32 bits, as `machine.I2S` always receives; a codec for
16 takes the first). Pulses of nearly a quarter of that rate are 1100 in turn, 0xCCCC in each slot,
and 0x9999, 0x3333, 0x6666 as they slip by a bit: a wave of the difference, 410 Hz, in four steps
of up to 4/5 of full scale. The rate is one that LEDC makes without a rest: 80 MHz / (312/256) /
256.

Proven in simulation. To be confirmed on a board: that it is heard.
"""

from machine import PWM, Pin
from micropython import const

_RATE = const(256_410)


def begin(gpio):
    """Pulses on this GPIO, the port's data output, until they are deinitialised."""
    return PWM(Pin(gpio), freq=_RATE, duty_u16=0x8000)
