"""The few names that MicroPython has and CPython lacks, so that this room runs on both.

Nothing else in `lib` asks which interpreter it is on.
"""

import asyncio
import gc
import sys
import time

try:
    from micropython import const as const
except ImportError:

    def const(value):
        return value


try:
    from time import ticks_diff as ticks_diff
    from time import ticks_ms as ticks_ms
except ImportError:
    _WRAP = 1 << 30

    def ticks_ms():
        return (time.monotonic_ns() // 1_000_000) % _WRAP

    def ticks_diff(later, earlier):
        return ((later - earlier + _WRAP // 2) % _WRAP) - _WRAP // 2


def free_heap():
    """Free bytes of the heap, 0 where the interpreter does not tell."""
    return gc.mem_free() if hasattr(gc, "mem_free") else 0


def print_exception(error):
    if hasattr(sys, "print_exception"):
        sys.print_exception(error)
    else:
        sys.excepthook(type(error), error, error.__traceback__)


async def wait(event, wait_ms):
    """Wait for an asyncio.Event, at most `wait_ms` (None: for ever). True when it was set."""
    if wait_ms is None:
        await event.wait()
        return True
    try:
        if hasattr(asyncio, "wait_for_ms"):  # seconds in single floats would lose milliseconds
            await asyncio.wait_for_ms(event.wait(), wait_ms)
        else:
            await asyncio.wait_for(event.wait(), wait_ms / 1000)
    except asyncio.TimeoutError:
        return False
    return True


async def sleep_ms(duration_ms):
    if hasattr(asyncio, "sleep_ms"):
        await asyncio.sleep_ms(duration_ms)
    else:
        await asyncio.sleep(duration_ms / 1000)
