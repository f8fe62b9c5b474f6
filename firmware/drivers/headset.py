"""The headset's contact: the switch of its socket, or that of its boom, on one GPIO.

It rattles while a plug goes in, so a level counts once it has stood for a second.
"""

import asyncio

from drivers.contact import contact
from machine import Pin
from micropython import const

_SETTLE_MS = const(1000)


class Headset:
    """`async for plugged in headset`: True or False at each change that lasted.

    `plugged` is the level that means so: 0 for a contact to ground that the plug closes (or that
    opens when the boom goes up), 1 for one that the plug opens.
    """

    def __init__(self, gpio, *, plugged=0):
        self._level = plugged
        self._pin = contact(gpio)
        self._flag = asyncio.ThreadSafeFlag()
        self.plugged = self._now()
        self._pin.irq(self._edge, Pin.IRQ_FALLING | Pin.IRQ_RISING)

    def _now(self):
        return self._pin.value() == self._level

    def _edge(self, _pin):
        self._flag.set()

    def __aiter__(self):
        return self

    async def __anext__(self):
        while True:
            await self._flag.wait()
            quiet = False
            while not quiet:
                try:
                    await asyncio.wait_for_ms(self._flag.wait(), _SETTLE_MS)
                except asyncio.TimeoutError:
                    quiet = True
            plugged = self._now()
            if plugged != self.plugged:
                self.plugged = plugged
                return plugged

    def selftest(self):
        """The contact stands as it was told last."""
        return self.plugged == self._now()
