"""The headset's contact: the switch of its socket, or that of its boom, on one GPIO.

It rattles while a plug goes in, so a level counts once it has stood for a second.
"""

import asyncio

from drivers import stalls
from drivers.contact import contact, dips, low
from machine import Pin
from micropython import const

_SETTLE_MS = const(1000)
_LOOK_MS = const(50)
_POLL_MS = const(250)  # where no interrupt says that something may have changed


class Headset:
    """`async for plugged in headset`: True or False at each change that lasted.

    `plugged` is the level that means so: 0 for a contact to ground that the plug closes (or that
    opens when the boom goes up), 1 for one that the plug opens.
    """

    def __init__(self, gpio, *, plugged=0):
        self._level = plugged
        self._pin = contact(gpio)
        self._polled = dips(gpio)
        self._flag = stalls.flags["headset"] = asyncio.ThreadSafeFlag()
        self.plugged = self._now()
        if not self._polled:
            self._pin.irq(self._edge, Pin.IRQ_FALLING | Pin.IRQ_RISING)

    def _now(self):
        return low(self._pin) != self._level

    def _edge(self, _pin):
        stalls.late()
        self._flag.set()

    def __aiter__(self):
        return self

    async def __anext__(self):
        while True:
            if self._polled:
                await asyncio.sleep_ms(_POLL_MS)
            else:
                await self._flag.wait()
            left_ms = _SETTLE_MS
            while self._now() != self.plugged:
                if left_ms <= 0:
                    self.plugged = not self.plugged
                    return self.plugged
                await asyncio.sleep_ms(_LOOK_MS)
                left_ms -= _LOOK_MS

    def selftest(self):
        """The contact stands as it was told last."""
        return self.plugged == self._now()
