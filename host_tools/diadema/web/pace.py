"""The hub's hour as a browser needs it to keep clocks ticking: now, and how fast it runs.

A simulated run's clock may run at many times real time, or jump; its speed is measured, not asked.
"""

import time
from collections import deque

from diadema.base.clock import Clock, SystemClock

_WINDOW_S = 2.0
_SHORTEST_S = 0.2


class Pace:
    """Reads a clock and estimates its speed over the last two seconds of readings."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._steady = isinstance(clock, SystemClock)
        self._seen: deque[tuple[float, int]] = deque(maxlen=64)
        self._speed = 1.0

    def now_ms(self) -> int:
        return self._clock.now_ms()

    def read(self) -> tuple[int, float]:
        """UTC milliseconds now, and simulated seconds a real second (1.0 on a real clock)."""
        now = self._clock.now_ms()
        if self._steady:
            return now, 1.0
        real = time.monotonic()
        while len(self._seen) > 1 and real - self._seen[0][0] > _WINDOW_S:
            self._seen.popleft()
        if self._seen and real - self._seen[0][0] >= _SHORTEST_S:
            self._speed = (now - self._seen[0][1]) / 1000 / (real - self._seen[0][0])
        if not self._seen or real - self._seen[-1][0] >= _WINDOW_S / 60:
            self._seen.append((real, now))
        near_one = abs(self._speed - 1) < 0.02
        return now, 1.0 if near_one else round(max(self._speed, 0.0), 2)
