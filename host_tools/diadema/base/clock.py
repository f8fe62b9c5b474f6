"""The time that data is stamped with.

Usually the machine's clock. A simulated run owns a small shared file instead, which its stations'
world writes and every host process of that run maps, so that all of them agree on the time.
"""

import mmap
import os
import struct
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

# magic, version, sequence lock, simulated UTC ms, monotonic s when it was set, speed
_LAYOUT = struct.Struct("<4sIQddd")
_MAGIC = b"DCLK"
_SEQUENCE_AT = 8
_BACKOFF_S = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)


class Clock(Protocol):
    """Anything that tells UTC in milliseconds."""

    def now_ms(self) -> int: ...


class SystemClock:
    """The machine's own clock."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000


class SharedClock:
    """A simulated clock in a file: base + (monotonic − base_real) × speed; speed 0: it stands."""

    def __init__(self, path: Path, *, create: bool = False) -> None:
        if create:
            path.write_bytes(_LAYOUT.pack(_MAGIC, 1, 0, 0.0, 0.0, 0.0))
        with path.open("r+b" if create else "rb") as file:
            access = mmap.ACCESS_WRITE if create else mmap.ACCESS_READ
            self._map = mmap.mmap(file.fileno(), _LAYOUT.size, access=access)
        if self._map[:4] != _MAGIC:
            raise ValueError(f"{path} is no clock file; leave out --clock to use the real time")

    def set(self, now_ms: float, speed: float) -> None:
        """Move to `now_ms` (UTC) and run on at `speed` × real time from there."""
        (sequence,) = struct.unpack_from("<Q", self._map, _SEQUENCE_AT)
        struct.pack_into("<Q", self._map, _SEQUENCE_AT, sequence + 1)
        struct.pack_into("<ddd", self._map, 16, now_ms, time.monotonic(), speed)
        struct.pack_into("<Q", self._map, _SEQUENCE_AT, sequence + 2)

    def now_ms(self) -> int:
        while True:
            before = bytes(self._map)
            if before == bytes(self._map) and not before[_SEQUENCE_AT] & 1:
                break
            os.sched_yield()
        _, _, _, base, real, speed = _LAYOUT.unpack(before)
        return int(base + (time.monotonic() - real) * 1000 * speed)


def open_clock(path: Path | None) -> Clock:
    """The clock of the run that owns `path`, or the machine's when there is none."""
    return SharedClock(path) if path else SystemClock()


def backoff_s(attempt: int, waits_s: Sequence[float] = _BACKOFF_S) -> float:
    """Seconds to wait after that many failures, from 0, in a row; in the end always the last."""
    return waits_s[min(attempt, len(waits_s) - 1)]
