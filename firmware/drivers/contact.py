"""A line that a contact or an open collector pulls to ground: an input with the chip's pull-up.

GPIO 34 to 39 of the ESP32 have none (datasheet §2.2), and asking for it puts an error on the
console: there the board gives one. On the ESP32-S3 every GPIO has its own.
"""

import asyncio
import sys

from micropython import const

_FIRST_BARE = const(34)


def contact(gpio, chip=None):
    """`chip` as MicroPython names it: the board's name and the chip's, last."""
    from machine import Pin

    bare = gpio >= _FIRST_BARE and _esp32(chip)
    return Pin(gpio, Pin.IN, -1 if bare else Pin.PULL_UP)


def dips(gpio, chip=None):
    """Whether the input falls for 80 ns when the ADC gets its power, by a radio that sleeps some
    five times a second (errata, GPIO-3.11): nothing may be made of an interrupt there.
    """
    return gpio in (36, 39) and _esp32(chip)


def _esp32(chip):
    chip = chip or sys.implementation._machine  # type: ignore[attr-defined]
    return chip.endswith("ESP32")


def low(pin):
    """Whether it is closed to ground. No dip lasts for two looks."""
    return not (pin.value() or pin.value())


async def count_dips(gpios, ms):
    """How often those of them that dip went low in `ms`; None where none does."""
    from machine import Pin

    seen = [0]

    def fell(pin):
        seen[0] += 1

    pins = [Pin(gpio, Pin.IN) for gpio in gpios if dips(gpio)]
    if not pins:
        return None
    try:
        for pin in pins:
            pin.irq(fell, Pin.IRQ_FALLING)
        await asyncio.sleep_ms(ms)
    finally:
        for pin in pins:
            pin.irq(None)
    return seen[0]
