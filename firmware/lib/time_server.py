"""Asks a time server (`lib.sntp`) while the host gives no time; the host's is the better one."""

import asyncio
import random

from lib.errors import LinkError
from lib.sntp import ask
from micropython import const

_FIRST_MS = const(120_000)  # without an hour before the server is asked
_MOST_MS = const(3_600_000)
_STALE_MS = const(3_900_000)  # the host tells the time each hour


async def sync_time(app, joined):
    clock = app.clock
    wait_ms = _FIRST_MS
    while True:
        await asyncio.sleep_ms(wait_ms + (wait_ms * random.getrandbits(8) >> 11))
        wait_ms = min(wait_ms * 2, _MOST_MS)
        if not joined() or (clock.source and clock.now() - clock.anchored < _STALE_MS):
            wait_ms = _FIRST_MS
            continue
        try:
            utc, u, uncertainty_ms = await ask(app.machine.config.sntp, clock.now)
            if app.anchor(utc, u, "sntp", uncertainty_ms):
                wait_ms = _FIRST_MS
        except (LinkError, OSError, MemoryError) as error:
            app.serial.log(str(error))
