"""The exchange beside a run's stations, played in its process: queues, the telephones of seats and
areas, and its log. The hub of the run starts the bridge to it, as that of a real centre would.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

from diadema.base.paths import DataDir
from diadema.switch.settings import Settings

from diadema_sim import past, people
from diadema_sim.centre import Centre
from diadema_sim.exchange.agreement import calls_of_log, differences
from diadema_sim.exchange.connecting import connect
from diadema_sim.exchange.played import PlayedExchange
from diadema_sim.switched_shift import SwitchedShift

_AREAS, _SEATS = 101, 201  # the first number of each
_SETTLE_LIMIT_S = 30.0


class PlayedSwitch:
    """`queues`: their names there."""

    def __init__(self, queues: Sequence[str], seed: int) -> None:
        self._now_ms: Callable[[], int] = lambda: self._since_ms
        self._since_ms = 0
        self._left: list[Path] = []  # what another run would take for an exchange of its own
        self.exchange = PlayedExchange(
            lambda: self._now_ms() / 1000, secrets.token_urlsafe(16), seed
        )
        for name in queues:
            self.exchange.add_queue(name)

    @asynccontextmanager
    async def running(self, start_ms: int) -> AsyncIterator[None]:
        self._since_ms = start_ms
        try:
            async with self.exchange.running():
                yield
        finally:
            for path in self._left:
                path.unlink(missing_ok=True)

    def set_up(self, data: DataDir, desks: Sequence[people.Desk], at_ms: int) -> None:
        self.describe(data, desks, {desk.person.id: [*people.QUEUES] for desk in desks}, at_ms)

    def describe(
        self,
        data: DataDir,
        desks: Sequence[people.Desk],
        queues: Mapping[str, Sequence[str]],
        at_ms: int,
    ) -> None:
        """`queues` of each agent, by their codes in the directory."""
        seats = {desk.seat: f"PJSIP/{number}" for number, desk in enumerate(desks, _SEATS)}
        areas = {area["code"]: str(number) for number, area in enumerate(people.AREAS, _AREAS)}
        for extension in seats.values():
            self.exchange.add_device(extension, "auto")
        for number in areas.values():
            self.exchange.add_device(f"PJSIP/{number}", "always")
        self._left.append(data.switch)
        way = Settings(ami_port=self.exchange.ami_port, ari_port=self.exchange.ari_port)
        connect(
            data, way, self.exchange.secret, queues=queues, seats=seats, areas=areas, at_ms=at_ms
        )
        self.exchange.write_log(past.log_of(data))

    def follow(self, centre: Centre) -> None:
        """Its clock is the run's from here on."""
        self._now_ms = centre.world.now_ms

    def shift(self, centre: Centre, **options: Any) -> SwitchedShift:
        self.follow(centre)
        return SwitchedShift(centre, self.exchange, **options)

    async def work(self, centre: Centre) -> None:
        """Its calls end with the shift."""
        try:
            await asyncio.Event().wait()
        finally:
            self.exchange.end_calls()

    async def summary(self, centre: Centre) -> dict[str, Any]:
        lines = self.exchange.queue_log()
        with closing(centre.reader()) as reader:
            found = await differences(lines, reader, self._since_ms, _SETTLE_LIMIT_S)
        return {"switch_calls": len(calls_of_log(lines)), "switch_different": len(found)}
