"""Keys pressed twice, and two keys together: the part of KeyEvents for boards that ask for it.

A key with a double waits up to 300 ms for the second press, one of a chord 60 ms for the other.
"""

from array import array
from time import ticks_diff

from micropython import const

_DOUBLE_MS = const(300)
_CHORD_MS = const(60)
_NEVER = const(-1)


class Combos:
    """`limits` and `held` are KeyEvents' own, by index: how long a press may still become
    something else, and since when it is one that has not told.
    """

    def __init__(self, double_keys, chords, limits, held):
        self._double_keys = double_keys
        self._chords = chords
        self._held = held
        self._once = array("i", [_NEVER] * len(held))  # ticks of one that may become a double
        for index in range(len(held)):
            if index + 1 in double_keys:
                limits[index] = max(limits[index], _DOUBLE_MS)
            elif any(index + 1 in chord for chord in chords):
                limits[index] = max(limits[index], _CHORD_MS)

    def waits(self, index):
        """(ticks since, ms) of a first press that may become a double."""
        return self._once[index], _DOUBLE_MS

    def pressed(self, index):
        """(name, ticks) when this press makes a double or a chord whole."""
        once, held = self._once[index], self._held
        if once != _NEVER:
            self._once[index] = held[index] = _NEVER
            return "double%d" % (index + 1), once
        for low, high in self._chords:
            if index + 1 in (low, high):
                other = (high if index + 1 == low else low) - 1
                began = held[other]
                if began != _NEVER and ticks_diff(held[index], began) <= _CHORD_MS:
                    held[index] = held[other] = _NEVER
                    return "chord%d%d" % (low, high), began
        return None

    def released(self, index, held):
        """Whether the press that ended waits for a second one."""
        if index + 1 in self._double_keys:
            self._once[index] = held
            return True
        return False

    def late(self, index, now):
        """(name, ticks) when no second press came."""
        once = self._once[index]
        if once != _NEVER and ticks_diff(now, once) >= _DOUBLE_MS:
            self._once[index] = _NEVER
            return "key%d" % (index + 1), once
        return None
