"""Six keys on GPIOs, active low with a pull-up, as events with the time of their edge.

A press counts at its first edge and then rests 20 ms against bounce. Keys with a long function
tell short from long on release or after 800 ms. Edges wait in a bounded ring; the interrupt
handler only writes there. One task may iterate.
"""

import asyncio
from array import array
from time import ticks_add, ticks_diff, ticks_ms

from machine import Pin
from micropython import const

_BOUNCE_MS = const(20)
_LONG_MS = const(800)
_RING = const(32)


class Keys:
    """`async for name, ticks in keys`: names are key1 … key6 and long3, long4."""

    def __init__(self, gpios, long_keys=(3, 4)):
        self._pins = [Pin(gpio, Pin.IN, Pin.PULL_UP if gpio < 34 else -1) for gpio in gpios]
        self._long = [number in long_keys for number in range(1, len(gpios) + 1)]
        self._down = bytearray(len(gpios))
        self._changed = array("i", [-1] * len(gpios))  # ticks of the last accepted edge, -1 long ago
        self._pressed = array("i", [-1] * len(gpios))  # ticks of a press not yet told short or long
        self._edges = array("i", [0] * _RING)
        self._edge_keys = bytearray(_RING)
        self._edge_levels = bytearray(_RING)
        self._head = 0
        self._tail = 0
        self.overflow = 0
        self._flag = asyncio.ThreadSafeFlag()
        for index, pin in enumerate(self._pins):
            pin.irq(self._handler(index), Pin.IRQ_FALLING | Pin.IRQ_RISING)

    def _handler(self, index):
        def handler(pin):
            following = (self._head + 1) % _RING
            if following == self._tail:
                self.overflow += 1
            else:
                self._edges[self._head] = ticks_ms()
                self._edge_keys[self._head] = index
                self._edge_levels[self._head] = pin.value()
                self._head = following
            self._flag.set()

        return handler

    def __aiter__(self):
        return self

    async def __anext__(self):
        while True:
            found = self._next_edge()
            if found is None:
                found = self._overdue(ticks_ms())
            if found is not None:
                return found
            if self._tail != self._head:
                continue
            wait = self._wait_ms(ticks_ms())
            if wait is None:
                await self._flag.wait()
            else:
                try:
                    await asyncio.wait_for_ms(self._flag.wait(), wait)
                except asyncio.TimeoutError:
                    pass

    def _next_edge(self):
        while self._tail != self._head:
            at = self._tail
            self._tail = (at + 1) % _RING
            found = self._edge(self._edge_keys[at], self._edge_levels[at] == 0, self._edges[at])
            if found is not None:
                return found
        return None

    def _edge(self, index, down, ticks):
        """Take an edge unless it is bounce; a level that stays is found again by `_overdue`."""
        changed = self._changed[index]
        if down == self._down[index]:
            return None
        if changed >= 0 and ticks_diff(ticks, changed) < _BOUNCE_MS:
            return None
        self._down[index] = down
        self._changed[index] = ticks
        if not self._long[index]:
            return ("key" + str(index + 1), ticks) if down else None
        if down:
            self._pressed[index] = ticks
            return None
        pressed, self._pressed[index] = self._pressed[index], -1
        return ("key" + str(index + 1), pressed) if pressed >= 0 else None

    def _overdue(self, now):
        """What time alone brings: the end of bounce, and a press that became long."""
        for index, pin in enumerate(self._pins):
            changed = self._changed[index]
            if changed >= 0 and ticks_diff(now, changed) >= _BOUNCE_MS:
                self._changed[index] = -1
                down = pin.value() == 0
                if down != self._down[index]:
                    found = self._edge(index, down, now)
                    if found is not None:
                        return found
            pressed = self._pressed[index]
            if pressed >= 0 and ticks_diff(now, pressed) >= _LONG_MS:
                self._pressed[index] = -1
                return "long" + str(index + 1), pressed
        return None

    def _wait_ms(self, now):
        """Milliseconds until something is due, None when only an edge can bring it."""
        wait = None
        for index in range(len(self._pins)):
            for since, length in (
                (self._changed[index], _BOUNCE_MS), (self._pressed[index], _LONG_MS)
            ):  # fmt: skip
                if since >= 0:
                    left = max(ticks_diff(ticks_add(since, length), now), 0)
                    wait = left if wait is None else min(wait, left)
        return wait

    def dump(self):
        return {"down": [int(pin.value() == 0) for pin in self._pins], "overflow": self.overflow}

    def selftest(self):
        """No key may be stuck: every level is high while nobody presses."""
        return all(pin.value() for pin in self._pins)
