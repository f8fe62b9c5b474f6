"""The headset's detect contact: low = plugged. It rattles, so a level counts after one second."""

import asyncio

from machine import Pin
from micropython import const

_SETTLE_MS = const(1000)


class Headset:
    """`async for plugged in headset`: True or False at each change that lasted."""

    def __init__(self, gpio):
        self._pin = Pin(gpio, Pin.IN)
        self._flag = asyncio.ThreadSafeFlag()
        self.plugged = self._pin.value() == 0
        self._pin.irq(self._edge, Pin.IRQ_FALLING | Pin.IRQ_RISING)

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
            plugged = self._pin.value() == 0
            if plugged != self.plugged:
                self.plugged = plugged
                return plugged

    def dump(self):
        return {"plugged": self.plugged}

    def selftest(self):
        return self.plugged == (self._pin.value() == 0)
