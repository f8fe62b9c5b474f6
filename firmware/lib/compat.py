"""The few names that MicroPython has and CPython lacks, so that this room runs on both.

Nothing else in `lib` asks which interpreter it is on.
"""

import gc
import time

try:
    from micropython import const
except ImportError:

    def const(value):
        return value


try:
    from time import ticks_diff, ticks_ms
except ImportError:
    _WRAP = 1 << 30

    def ticks_ms():
        return (time.monotonic_ns() // 1_000_000) % _WRAP

    def ticks_diff(later, earlier):
        return ((later - earlier + _WRAP // 2) % _WRAP) - _WRAP // 2


def free_heap():
    """Free bytes of the heap, 0 where the interpreter does not tell."""
    return gc.mem_free() if hasattr(gc, "mem_free") else 0


__all__ = ("const", "free_heap", "ticks_diff", "ticks_ms")
