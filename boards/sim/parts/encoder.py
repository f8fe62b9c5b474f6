"""A rotary encoder's two contacts to ground, open at each detent (as Bourns PEC11R has them).

A detent is four quadrature steps; A closes first when turned to the right. Each contact chatters
(PEC11R: at most 5 ms) when `bounce` says so.
"""

import wire

_RIGHT = ((0, 1), (0, 0), (1, 0), (1, 1))
_LEFT = ((1, 0), (0, 0), (0, 1), (1, 1))


class Encoder:
    """`fault`: "lost" leaves out the second step, as dirt on a contact does."""

    def __init__(self, a, b):
        self._lines = (a, b)
        self.fault = None

    def turn(self, detents, step_ms=8, bounce=0):
        """So many detents to the right (negative: left), each step `step_ms` after the last; what
        moved goes back and forth `bounce` times, a millisecond each.
        """
        at = wire.now()
        for _ in range(abs(detents)):
            before = (1, 1)
            for number, levels in enumerate(_RIGHT if detents > 0 else _LEFT):
                at += step_ms
                if self.fault == "lost" and number == 1:
                    continue
                self._drive(at, levels)
                for back in range(bounce):
                    self._drive(at + 2 * back + 1, before)
                    self._drive(at + 2 * back + 2, levels)
                before = levels

    def _drive(self, at, levels):
        wire.alarm(at, lambda: self._set(levels))

    def _set(self, levels):
        for line, level in zip(self._lines, levels):  # noqa: B905
            line.drive(level)

    def dump(self):
        return {"fault": self.fault}
