"""The few names of MicroPython that the firmware's hardware-free room uses and CPython lacks.

Import it before anything of `lib`; inside MicroPython it changes nothing.
"""

import asyncio
import gc
import sys
import time

WRAP = 1 << 30  # of the tick counter, as on the ESP32


def _sleep_ms(duration_ms):
    return asyncio.sleep(duration_ms / 1000)


def _wait_for_ms(awaitable, wait_ms):
    return asyncio.wait_for(awaitable, None if wait_ms is None else wait_ms / 1000)


def _raise(error):
    raise error  # what a station would print and survive, a test shall see


if sys.implementation.name != "micropython":
    names = type(sys)("micropython")
    names.const = lambda value: value
    sys.modules["micropython"] = names
    asyncio.sleep_ms = _sleep_ms
    asyncio.wait_for_ms = _wait_for_ms
    gc.mem_free = lambda: 0
    sys.print_exception = _raise
    time.ticks_ms = lambda: time.monotonic_ns() // 1_000_000 % WRAP
    time.ticks_diff = lambda later, before: (later - before + WRAP // 2) % WRAP - WRAP // 2
