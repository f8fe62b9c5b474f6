"""A command of the simulated exchange to a station that no link leads to: time goes on until one
does, and only then the clock stands for the answer.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, cast

import pytest
from diadema_sim.hub_client import HubClient
from diadema_sim.station_user import NotDelivered, PowerLost, StationUser
from diadema_sim.witness import Witnessed
from diadema_sim.world import World

_ID = "DIA-0200000000a1"


class Run:
    """A world with one station, which its minute `back_ms` brings into reach."""

    def __init__(self, back_ms: int) -> None:
        self.back_ms = back_ms
        self.now = 0
        self.held_at: list[int] = []
        self.sent: list[dict[str, Any]] = []
        self.events: list[Witnessed] = []
        self.timeline = SimpleNamespace(speed=0)
        self.witness = SimpleNamespace(events=lambda _: self.events)
        self.station = SimpleNamespace(id=_ID, powered=True, reachable=back_ms == 0)
        self.stations = {_ID: self.station}

    def now_ms(self) -> int:
        return self.now

    async def sleep(self, ms: int) -> None:
        assert not self.held_at, "the clock stands"
        self.now += ms
        self.station.reachable = self.now >= self.back_ms
        await asyncio.sleep(0)

    @contextmanager
    def hold(self, _: str) -> Iterator[None]:
        self.held_at.append(self.now)
        yield

    async def wait_event(
        self, _: str, wanted: Callable[[dict[str, Any]], bool], *, since: int, timeout_s: float
    ) -> Witnessed:
        for seen in self.events[since:]:
            if wanted(seen.event):
                return seen
        raise TimeoutError

    async def command(self, station: str, **body: Any) -> int:
        self.sent.append({"at": self.now, **body})
        event = {"k": "contact.offered", "c": body["contact"], "i": 1}
        self.events.append(Witnessed(1, 1, event, self.now, b""))
        return 1


def user(run: Run) -> StationUser:
    desk = SimpleNamespace(station=_ID, seat="A-01")
    return StationUser(cast(World, run), cast(HubClient, run), cast(Any, desk), {})


async def test_a_ring_comes_when_a_link_is_back_and_time_goes_on_until_then() -> None:
    run = Run(back_ms=60_000)
    await user(run).ring("c1", queue="Consultas")
    assert run.held_at == [60_000]
    assert [each["at"] for each in run.sent] == [60_000]


async def test_a_station_in_reach_is_rung_at_once() -> None:
    run = Run(back_ms=0)
    await user(run).ring("c1", queue="Consultas")
    assert run.held_at == [0] and run.sent[0]["contact"] == "c1"


async def test_who_never_comes_back_is_told() -> None:
    run = Run(back_ms=10**9)
    with pytest.raises(NotDelivered, match="ring c1: no link"):
        await user(run).ring("c1", queue="Consultas")
    assert run.sent == [] and run.held_at == []


async def test_power_that_goes_meanwhile_ends_the_wait() -> None:
    run = Run(back_ms=60_000)
    run.station.powered = False
    with pytest.raises(PowerLost):
        await user(run).ring("c1", queue="Consultas")
