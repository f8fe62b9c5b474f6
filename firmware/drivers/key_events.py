"""What a press means: short or long; double or two keys together where a board asks for it. Every
way to wire keys has this one base; a wiring says in `_pressed` which key is down.

A press counts at its first edge, then the key rests 20 ms against bounce. Only a key that has a
second meaning waits: a long one up to 800 ms; `drivers.key_combos` has the rest.
"""

import asyncio
from array import array
from time import ticks_diff, ticks_ms

from drivers.key_combos import Combos
from lib.timekeeping import wait
from micropython import const

BOUNCE_MS = const(20)
_LONG_MS = const(800)
_NEVER = const(-1)


class KeyEvents:
    """`async for name, ticks in keys`: key1 …; long3, double1, chord16 for those named so.

    `chords` are pairs of keys, the lower first. One task may iterate.
    """

    poll_ms = 0  # of a wiring that cannot wake us: how often it is looked at

    def __init__(self, count, *, long_keys=(3, 4, 5, 6), double_keys=(), chords=()):
        self._long_keys = long_keys
        self._combos = None
        self._down = bytearray(count)
        self._fell = array("i", [_NEVER] * count)  # ticks of an edge not looked at yet
        self._rest = array("i", [_NEVER] * count)  # ticks since which the key rests
        self._held = array("i", [_NEVER] * count)  # ticks of a press not yet short or long
        # ms after which a key that is still down has told what it means
        self._limit = [_LONG_MS * (key in long_keys) for key in range(1, count + 1)]
        self._flag = asyncio.ThreadSafeFlag()
        if double_keys or chords:
            self._combos = Combos(double_keys, chords, self._limit, self._held)

    def _pressed(self, index):
        """Whether the key is down at this moment, as the contact has it."""
        raise NotImplementedError

    def _sample(self):
        """Polled wirings read here, once before all keys are looked at."""

    def down(self, key):
        """Whether key 1 … is pressed at this moment; one that is not there never is."""
        self._sample()
        return key <= len(self._down) and self._pressed(key - 1)

    def _of_stall(self, now):
        """(name, ticks) of what was pressed while the chip stood, in its order, until None."""

    def _calm(self):
        """Polled wirings say here that nothing happened since all keys were looked at."""
        return False

    def __aiter__(self):
        return self

    async def __anext__(self):
        while True:
            self._sample()
            now = ticks_ms()
            found = self._of_stall(now)
            if found:
                return found
            for index in range(len(self._down)):
                found = self._look(index, now)
                if found:
                    return found
            if self.poll_ms:
                await asyncio.sleep_ms(self.poll_ms)
                if self._left(now) is None:
                    while self._calm():
                        await asyncio.sleep_ms(self.poll_ms)
            else:
                await wait(self._flag, self._left(now))

    def _left(self, now):
        """ms until a key is to be looked at although nothing happens, or None."""
        left_ms = None
        for index in range(len(self._down)):
            for since, length in (
                (self._rest[index], BOUNCE_MS),
                (self._held[index], self._limit[index]),
                self._combos.waits(index) if self._combos else (_NEVER, 0),
            ):
                if since != _NEVER:
                    left = max(length - ticks_diff(now, since), 0)
                    if left_ms is None or left < left_ms:
                        left_ms = left
        return left_ms

    def _look(self, index, now):
        """(name, ticks) when the key did something that counts."""
        if self._rest[index] != _NEVER:
            if ticks_diff(now, self._rest[index]) < BOUNCE_MS:
                return None
            self._rest[index] = self._fell[index] = _NEVER  # what fell meanwhile was bounce
        fell, self._fell[index] = self._fell[index], _NEVER
        pressed = self._pressed(index)
        combos = self._combos
        found = None
        if not self._down[index] and (pressed or fell != _NEVER):
            self._down[index] = 1
            self._rest[index] = now
            self._held[index] = now if fell == _NEVER else fell
            found = combos and combos.pressed(index)
        elif self._down[index] and not pressed:
            self._down[index] = 0
            self._rest[index] = now
            held, self._held[index] = self._held[index], _NEVER
            if held != _NEVER and not (combos and combos.released(index, held)):
                return "key%d" % (index + 1), held
        elif combos:
            found = combos.late(index, now)
        if found:
            return found
        held = self._held[index]
        if held != _NEVER and ticks_diff(now, held) >= self._limit[index]:
            self._held[index] = _NEVER
            return ("long%d" if index + 1 in self._long_keys else "key%d") % (index + 1), held
        return None
