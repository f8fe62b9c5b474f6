"""Batches on their way into the store: one is worked out while the one before it is written.
What follows a batch follows when it is on the disk, in the order of the batches.

Does what needs the store, however long the store takes nothing (disk full, locked).
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any

from diadema.base.clock import backoff_s
from diadema.ingest.core import Begun, Ingest
from diadema.ingest.messages import Effects, Message
from diadema.store import StoreBehind, StoreStale, StoreUnavailable
from diadema.words import Sentence

_DEPTH = 2  # batches that may be under way

log = logging.getLogger("diadema.ingest")

type TakeWithRetry = Callable[[Sequence[Message], str, str, int], Awaitable[Effects]]


class Pipeline:
    """`retry` takes a batch however long the store takes nothing; `follow` is called with the
    effects of each batch. Where `retry` finds less in the store than was written, all that is
    under way is dropped and its StoreBehind is raised: the stream has to be read from there again.
    """

    def __init__(
        self, ingest: Ingest, retry: TakeWithRetry, follow: Callable[[Effects], Awaitable[None]]
    ) -> None:
        self._ingest = ingest
        self._retry = retry
        self._follow = follow
        self._under_way: deque[tuple[Begun | None, Sequence[Message], str, str]] = deque()
        self._written = 0  # up to where of the stream, since it was begun

    async def take(self, messages: Sequence[Message], created: str, server: str) -> None:
        """Begin a batch; ends older ones when there are too many, or when one has failed."""
        while len(self._under_way) >= _DEPTH:
            await self._end_first()
        if any(begun is None or _failed(begun) for begun, *_ in self._under_way):
            await self.settle()
        begun = None  # then it is tried again and again, in its turn
        with suppress(StoreUnavailable, StoreStale):
            begun = self._ingest.begin(messages, created, server)
        self._under_way.append((begun, messages, created, server))

    async def settle(self) -> None:
        """End everything."""
        while self._under_way:
            await self._end_first()

    async def _end_first(self) -> None:
        begun, messages, created, server = self._under_way[0]
        effects = None
        if begun is not None:
            with suppress(StoreUnavailable, StoreStale):
                await asyncio.wrap_future(begun.written)
                effects = self._ingest.end(begun)
        if effects is None:
            try:
                effects = await self._retry(messages, created, server, self._written)
            except StoreBehind:
                self._under_way.clear()
                self._written = 0
                raise
        self._under_way.popleft()
        self._written = messages[-1].sequence
        await self._follow(effects)


def _failed(begun: Begun) -> bool:
    return begun.written.done() and begun.written.exception() is not None


class StoreRetry:
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
                await asyncio.sleep(backoff_s(attempt))
                continue
            if self.paused:
                log.warning("the store takes events again")
                self.paused = False
            return done
        raise StoreUnavailable(Sentence("errors.hub.store_takes_nothing"))
