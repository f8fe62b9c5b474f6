"""A tone into the codec while I2S receives, as a stock `machine.I2S` is one direction at a time:
what comes in then has the clocks, and the line to the codec takes pulses.

A bit is 1/512000 s (16 kHz, two slots of 16 bits). Pulses of nearly half of that rate are 1 and 0
in turn, 0xAAAA in each slot, and 0x5555 once they have slipped by a bit: a square wave of the
difference, 410 Hz, and of 2/3 of full scale whatever the slots' phase. The rate is one that LEDC
makes without a rest: 80 MHz / (312/256) / 256.

Proven in simulation. To be confirmed on a board: that it is heard.
"""

from machine import PWM, Pin
from micropython import const

_RATE = const(256_410)


def begin(gpio):
    """Pulses on this GPIO, the port's data output, until they are deinitialised."""
    return PWM(Pin(gpio), freq=_RATE, duty_u16=0x8000)
