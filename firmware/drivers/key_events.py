"""What a press means: short, long, double or two keys together. Every way to wire keys has this
one base; a wiring says in `_pressed` which key is down.

A press counts at its first edge, then the key rests 20 ms against bounce. Only keys that have a
second meaning wait: a long one up to 800 ms, a double one up to 300, one of a chord 60.
"""

import asyncio
from array import array
from time import ticks_diff, ticks_ms

from micropython import const

_BOUNCE_MS = const(20)
_LONG_MS = const(800)
_DOUBLE_MS = const(300)
_CHORD_MS = const(60)
_NEVER = const(-1)


class KeyEvents:
    """`async for name, ticks in keys`: key1 …; long3, double1, chord16 for those named so.

    `chords` are pairs of keys, the lower first. One task may iterate.
    """

    poll_ms = 0  # of a wiring that cannot wake us: how often it is looked at

    def __init__(self, count, *, long_keys=(3, 4), double_keys=(), chords=()):
        self._long_keys = long_keys
        self._double_keys = double_keys
        self._chords = chords
        self._down = bytearray(count)
        self._fell = array("i", [_NEVER] * count)  # ticks of an edge not looked at yet
        self._rest = array("i", [_NEVER] * count)  # ticks since which the key rests
        self._held = array("i", [_NEVER] * count)  # ticks of a press not yet short or long
        self._once = array("i", [_NEVER] * count)  # ticks of one that may become a double
        self._limit = array("h", [self._patience(key) for key in range(1, count + 1)])
        self._flag = asyncio.ThreadSafeFlag()

    def _patience(self, key):
        """Milliseconds after which a key that is still down has told what it means."""
        if key in self._long_keys:
            return _LONG_MS
        if key in self._double_keys:
            return _DOUBLE_MS
        return _CHORD_MS if any(key in chord for chord in self._chords) else 0

    def _pressed(self, index):
        """Whether the key is down at this moment, as the contact has it."""
        raise NotImplementedError

    def _sample(self):
        """Polled wirings read here, once before all keys are looked at."""

    def down(self, key):
        """Whether key 1 … is pressed at this moment; one that is not there never is."""
        self._sample()
        return key <= len(self._down) and self._pressed(key - 1)

    def stalled(self, duration_ms):
        """The chip could look at nothing for up to so long: wirings that remember take it up."""

    def __aiter__(self):
        return self

    async def __anext__(self):
        while True:
            self._sample()
            now = ticks_ms()
            wait_ms = self.poll_ms or None
            for index in range(len(self._down)):
                found = self._look(index, now)
                if found:
                    return found
                for since, length in (
                    (self._rest[index], _BOUNCE_MS),
                    (self._held[index], self._limit[index]),
                    (self._once[index], _DOUBLE_MS),
                ):
                    if since != _NEVER:
                        left = max(length - ticks_diff(now, since), 0)
                        if wait_ms is None or left < wait_ms:
                            wait_ms = left
            await self._wait(wait_ms)

    async def _wait(self, wait_ms):
        if self.poll_ms:
            await asyncio.sleep_ms(wait_ms)
        elif wait_ms is None:
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
        fell, self._fell[index] = self._fell[index], _NEVER
        pressed = self._pressed(index)
        once = self._once[index]
        if not self._down[index] and (pressed or fell != _NEVER):
            self._down[index] = 1
            self._rest[index] = now
            self._held[index] = now if fell == _NEVER else fell
            if once != _NEVER:
                self._once[index] = self._held[index] = _NEVER
                return "double%d" % (index + 1), once
            found = self._chord(index)
            if found:
                return found
        elif self._down[index] and not pressed:
            self._down[index] = 0
            self._rest[index] = now
            held, self._held[index] = self._held[index], _NEVER
            if held != _NEVER:
                if index + 1 not in self._double_keys:
                    return "key%d" % (index + 1), held
                self._once[index] = held
        elif once != _NEVER and ticks_diff(now, once) >= _DOUBLE_MS:
            self._once[index] = _NEVER
            return "key%d" % (index + 1), once
        held = self._held[index]
        if held != _NEVER and ticks_diff(now, held) >= self._limit[index]:
            self._held[index] = _NEVER
            return ("long%d" if index + 1 in self._long_keys else "key%d") % (index + 1), held
        return None

    def _chord(self, index):
        for low, high in self._chords:
            other = high if index + 1 == low else low
            if index + 1 in (low, high) and self._held[other - 1] != _NEVER:
                began = self._held[other - 1]
                if ticks_diff(self._held[index], began) <= _CHORD_MS:
                    self._held[index] = self._held[other - 1] = _NEVER
                    return "chord%d%d" % (low, high), began
        return None

    def _cancel(self):
        """What is pressed now shall mean nothing, however it ends."""
        for index in range(len(self._down)):
            self._held[index] = _NEVER

    def dump(self):
        return {"down": list(self._down)}
