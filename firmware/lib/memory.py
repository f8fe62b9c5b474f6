"""When unused memory is collected. On a board with PSRAM a collection takes 20 to 40 ms in which
nobody is heard, so none comes by itself (the heap grows meanwhile) and none while somebody waits
for an answer: only here, when a second had no input, or when a quarter of a
megabyte was taken since.
"""

import asyncio
import gc

from micropython import const

# bytes taken since the last one; with what comes until the next look, the largest single step, and
# what a starved chip does late and all at once, they stay below 512 KB
_MOST = const(262_144)
_EVERY = const(4)  # looks of which one measures: the chip counts each block for it
_LOOK_MS = const(10_000)

pending = 0  # inputs of people that wait for their answer
_in_use = 0  # what was in use after the last one
_looks = 0


def begin():
    """From here on, none comes by itself."""
    gc.disable()
    collect()


def collect():
    """Nobody waits for anything now."""
    global _in_use, _looks
    gc.collect()
    _in_use = gc.mem_alloc()
    _looks = 0


def look():
    """After an input was answered, or a piece of what takes memory was done."""
    global _looks
    _looks += 1
    if _looks >= _EVERY:
        _looks = 0
        _measure()


async def watch():
    """What is taken while no input comes, for ever."""
    while True:
        await asyncio.sleep_ms(_LOOK_MS)
        _measure()


def _measure():
    if not pending and gc.mem_alloc() - _in_use >= _MOST:
        collect()
