"""Work that goes on behind the pages: whatever one part of it raises, it begins again and the
others go on.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable

log = logging.getLogger(__name__)

_FIRST_S = 0.5
_LONGEST_S = 30.0


class Background:
    """`failures` of all parts."""

    def __init__(self) -> None:
        self.failures = 0

    async def keep(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Do `work` until it ends by itself. An error is logged where it is another one than last
        time; each next start waits twice as long.
        """
        pause, told = _FIRST_S, ""
        while True:
            try:
                await work()
                return
            except Exception as error:
                self.failures += 1
                if repr(error) != told:
                    told = repr(error)
                    log.exception("%s failed, and begins again", name)
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_S)
