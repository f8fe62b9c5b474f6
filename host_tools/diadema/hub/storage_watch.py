"""Looks once a second whether what is sent can be kept: pauses the broker while the disk has only
its reserve left, and starts one again that can write no more.

While the broker is away stations keep their events, and nothing on the pages counts as live.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import msgspec
from nats.errors import Error as NatsError

from diadema.base.clock import backoff_s
from diadema.base.errors import DiademaError
from diadema.base.paths import Disk, Room

EVERY_S = 1.0
_AGAIN_S = (10.0, 30.0, 60.0)  # between two starts for the same trouble
_STEADY_S = 300.0

log = logging.getLogger("diadema.hub")


@dataclass(frozen=True)
class Hands:
    """What is done to the broker. `resume` raises DiademaError when it does not start."""

    pause: Callable[[], Awaitable[None]]
    resume: Callable[[], Awaitable[None]]
    restart: Callable[[], Awaitable[None]]
    write_error: Callable[[], Awaitable[str | None]]


class Watch:
    def __init__(self, disk: Disk, hands: Hands) -> None:
        self.paused = False
        self._disk = disk
        self._hands = hands
        self._restarts = 0
        self._restarted_at = float("-inf")

    async def run(self) -> None:
        """For ever; whatever goes wrong in one look is told, and the next one is made."""
        while True:
            await asyncio.sleep(EVERY_S)
            try:
                await self.look()
            except Exception:
                log.exception("the watch over disk and broker failed")

    async def look(self) -> None:
        try:
            room = self._disk.look()
            await (self._wait(room) if self.paused else self._guard(room))
        except (DiademaError, OSError) as error:
            log.warning("%s", error)

    async def _guard(self, room: Room) -> None:
        if room.low:
            log.error(
                "PAUSED: %s. Stations keep their events and send them when there is room; free "
                "some, and it goes on by itself.",
                room.said,
            )
            self.paused = True
            await self._hands.pause()
            return
        try:
            error = await self._hands.write_error()
        except (NatsError, OSError, TimeoutError, msgspec.DecodeError):
            return  # it is being started; whoever keeps it sees to that
        now = time.monotonic()
        if now - self._restarted_at > _STEADY_S:
            self._restarts = 0
        wait = backoff_s(self._restarts - 1, _AGAIN_S) if self._restarts else 0.0
        if error is not None and now - self._restarted_at >= wait:
            log.error("the broker can write no more (%s); starting it again", error)
            self._restarts += 1
            self._restarted_at = now
            await self._hands.restart()

    async def _wait(self, room: Room) -> None:
        if not room.low:
            await self._hands.resume()
            self.paused = False
            log.warning("going on: %s", room.said)
