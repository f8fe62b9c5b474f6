"""Whether what a pin's handler is told may be long past: the loop tells at each of its turns when
a task's step began.

A handler runs between bytecodes. In a C call (a handshake, a look-up, the radio's start) up to
eight wait, in their order, and no more; while flash is erased a pin's latch keeps one edge. All
run late then, when the level is another one. A periodic task would find a stall as well, but
needs a wake each 20 ms; a stall lies always within a task's step, whoever's it is.
"""

import asyncio
from time import ticks_diff, ticks_ms

from micropython import const

BEAT_MS = const(40)  # nobody presses a key for less
_WAITING = const(8)  # MICROPY_SCHEDULER_DEPTH
_BATCH_MS = const(5)  # handlers that waited run within
_NEVER = const(-1)

since = _NEVER  # ticks since which the step goes on; none while the loop waits
unsure = 0  # times that as many waited as can, so that others may have been dropped
# by role: ThreadSafeFlags of who looks at the levels then
flags = {}  # type: ignore[var-annotated]
_count = 0
_newest = 0
_full = False


def late():
    """For a handler: whether its edge may lie back so far that a key was let go since."""
    global _count, _newest, _full
    now = ticks_ms()
    if since == _NEVER or ticks_diff(now, since) < BEAT_MS:
        return False
    _count = _count + 1 if ticks_diff(now, _newest) < _BATCH_MS else 1
    _newest = now  # type: ignore[assignment]
    if _count >= _WAITING:
        _full = True
    return True


def _turn(queue, wait_ms):
    global since, unsure, _count, _full
    if since != _NEVER and ticks_diff(ticks_ms(), since) >= BEAT_MS:
        for _ in range(_WAITING):
            pass  # those that wait still run here, one a round
        _count = 0
        if _full:
            _full = False
            unsure += 1
            for flag in flags.values():
                flag.set()
    since = _NEVER
    _wait(queue, wait_ms)
    since = ticks_ms()  # type: ignore[assignment]


core = getattr(asyncio, "core", None)
if core:  # CPython's loop, for which no handler runs, has none
    _wait = core.IOQueue.wait_io_event
    core.IOQueue.wait_io_event = _turn
