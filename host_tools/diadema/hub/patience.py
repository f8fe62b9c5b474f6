"""Does what needs the store, however long the store takes nothing (disk full, locked)."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from diadema.store import StoreStale, StoreUnavailable

_RETRY_S = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)

log = logging.getLogger("diadema.ingest")


class Patience:
    """`paused`: the store takes nothing just now."""

    def __init__(self) -> None:
        self.paused = False

    async def do[T](self, work: Callable[..., T], *given: Any) -> T:
        """Raises StoreUnavailable only after weeks."""
        for attempt in range(1_000_000):
            try:
                done = work(*given)
            except (StoreUnavailable, StoreStale) as error:
                if isinstance(error, StoreStale) and attempt == 0:
                    continue
                if not self.paused:
                    log.error("the store takes nothing (%s); waiting. Free disk space, or end the "
                              "program that holds the database.", error)  # fmt: skip
                self.paused = True
                await asyncio.sleep(_RETRY_S[min(attempt, len(_RETRY_S) - 1)])
                continue
            if self.paused:
                log.warning("the store takes events again")
                self.paused = False
            return done
        raise StoreUnavailable("the store takes nothing")
