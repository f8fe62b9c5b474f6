"""Six keys on GPIOs, active low with a pull-up, as events with the time of their edge.

A press counts at its first edge, then the key rests 20 ms against bounce. Keys with a long
function tell short from long on release or after 800 ms. One task may iterate.
"""

import asyncio
from array import array
from time import ticks_diff, ticks_ms

from machine import Pin
from micropython import const

_BOUNCE_MS = const(20)
_LONG_MS = const(800)
_NEVER = const(-1)


class Keys:
    """`async for name, ticks in keys`: names are key1 … key6 and long3, long4."""

    def __init__(self, *gpios, long_keys=(3, 4)):
        count = len(gpios)
        # GPIO 34-39 have no pull-up of their own; the board gives them one
        self._pins = [Pin(gpio, Pin.IN, Pin.PULL_UP if gpio < 34 else -1) for gpio in gpios]
        self._long_keys = long_keys
        self._down = bytearray(count)
        self._fell = array("i", [_NEVER] * count)  # ticks of an edge not looked at yet
        self._rest = array("i", [_NEVER] * count)  # ticks since which the key rests
        self._held = array("i", [_NEVER] * count)  # ticks of a press not yet short or long
        self._flag = asyncio.ThreadSafeFlag()
        for index, pin in enumerate(self._pins):
            pin.irq(self._handler(index), Pin.IRQ_FALLING | Pin.IRQ_RISING)

    def _handler(self, index):
        def handler(pin):
            if self._fell[index] == _NEVER and not pin.value():
                self._fell[index] = ticks_ms()  # type: ignore[call-overload]
            self._flag.set()

        return handler

    def __aiter__(self):
        return self

    async def __anext__(self):
        while True:
            now = ticks_ms()
            wait_ms = None
            for index in range(len(self._pins)):
                found = self._look(index, now)
                if found:
                    return found
                for since, length in (
                    (self._rest[index], _BOUNCE_MS),
                    (self._held[index], _LONG_MS),
                ):
                    if since != _NEVER:
                        left = length - ticks_diff(now, since)
                        if wait_ms is None or left < wait_ms:
                            wait_ms = left
            if wait_ms is None:
                await self._flag.wait()
            else:
                try:
                    await asyncio.wait_for_ms(self._flag.wait(), wait_ms)
                except asyncio.TimeoutError:
                    pass

    def _look(self, index, now):
        """(name, ticks) when the key did something that counts."""
        if self._rest[index] != _NEVER:
            if ticks_diff(now, self._rest[index]) < _BOUNCE_MS:
                return None
            self._rest[index] = self._fell[index] = _NEVER  # what fell meanwhile was bounce
        name = str(index + 1)
        fell, self._fell[index] = self._fell[index], _NEVER
        low = not self._pins[index].value()
        if not self._down[index] and (low or fell != _NEVER):
            self._down[index] = 1
            self._rest[index] = now
            pressed = now if fell == _NEVER else fell
            if index + 1 not in self._long_keys:
                return "key" + name, pressed
            self._held[index] = pressed
        elif self._down[index]:
            held = self._held[index]
            if not low:
                self._down[index] = 0
                self._rest[index] = now
                self._held[index] = _NEVER
                if held != _NEVER:
                    return "key" + name, held
            elif held != _NEVER and ticks_diff(now, held) >= _LONG_MS:
                self._held[index] = _NEVER
                return "long" + name, held
        return None

    def down(self, key):
        """Whether key 1 … is pressed at this moment."""
        return not self._pins[key - 1].value()

    def dump(self):
        return {"down": list(self._down)}

    def selftest(self):
        """No key may be stuck: every level is high while nobody presses."""
        return all(pin.value() for pin in self._pins)
