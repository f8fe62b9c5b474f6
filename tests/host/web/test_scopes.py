"""Whose agents a stream shows: one channel for each set of teams, encoded once, and no more."""

import asyncio
import contextlib
import json
from contextlib import AsyncExitStack
from datetime import date

import pytest
from diadema.base.clock import SystemClock
from diadema.site.directory.people import People, Worker
from diadema.web.floor import channel as channels
from diadema.web.floor.adherence import Adherence
from diadema.web.floor.alerts import Watch
from diadema.web.floor.channel import Channel, Channels, Counts, Source, Teams, TooMany
from diadema.web.floor.feed import Floor, Pace
from diadema.web.floor.viewers import Viewer
from diadema.web.floor.views import VIEWS

from tests.support.web_stage import agent

VENTAS, COBRANZA = frozenset({"Ventas"}), frozenset({"Cobranza"})


def people_in(**teams: str) -> People:
    return People(workers={a: Worker(id=a, name=a, team=team) for a, team in teams.items()})


class Stage:
    """Channels over a floor that the test fills; people may be changed."""

    def __init__(self) -> None:
        self.people = people_in(a001="Ventas", a002="Cobranza")
        self.floor, pace = Floor(), Pace(SystemClock())
        known = lambda: self.people  # noqa: E731
        given = self.floor, pace, known, lambda: date(2026, 11, 18), lambda: None
        self.watch, self.adherence = Watch(*given), Adherence(*given)
        self._source = Source(self.floor, pace, lambda: None, "b", known)
        self.channels = Channels(self._channel)
        for a in ("a001", "a002", "a003"):
            self.put(a=a)

    def _channel(self, view: str, whose: Teams, counts: Counts) -> Channel:
        its = VIEWS["full" if view == "help" else view]
        return Channel(its, self._source, self.watch, self.adherence, whose, counts)

    def put(self, **fields: object) -> None:
        row = agent(**fields)
        self.floor.put(f"agent.{row['a']}", json.dumps(row).encode())


class Reader:
    """Gives what a viewer was sent, and the newest snapshot's agents."""

    def __init__(self) -> None:
        self.viewer = Viewer()
        self.sent: list[str] = []
        self._came = asyncio.Event()
        self._task = asyncio.create_task(self.viewer.run(self._take))

    async def _take(self, text: str) -> None:
        self.sent.append(text)
        self._came.set()

    async def next(self) -> dict:
        before = len(self.sent)
        self._came.clear()
        while len(self.sent) == before:
            await asyncio.wait_for(self._came.wait(), 60)
            self._came.clear()
        return json.loads(self.sent[-1])

    async def snapshot(self) -> list[str]:
        """Whose rows it has."""
        message = json.loads(self.sent[-1]) if self.sent else await self.next()
        while "snap" not in message:
            message = await self.next()
        return [who[0] for who, _ in message["snap"]["rows"]]


async def test_each_set_of_teams_sees_its_own_and_no_more() -> None:
    stage = Stage()
    readers = [Reader() for _ in range(4)]
    async with AsyncExitStack() as stack:
        for reader, teams in zip(readers, (None, VENTAS, COBRANZA, frozenset()), strict=True):
            await stack.enter_async_context(stage.channels.joined("full", teams, reader.viewer))
        seen = [await reader.snapshot() for reader in readers]
        assert seen == [["a001", "a002", "a003"], ["a001"], ["a002"], []]
        stage.put(a="a001", state="talking", c="c-secreto")
        assert (await readers[1].next())["d"][0][1] == "talking"
        assert await readers[0].next() if len(readers[0].sent) < 2 else True
        assert not any("c-secreto" in text for r in readers[2:] for text in r.sent)
        assert "c-secreto" in readers[0].sent[-1]


async def test_viewers_of_the_same_teams_share_one_encoding() -> None:
    stage = Stage()
    one, other = Reader(), Reader()
    async with AsyncExitStack() as stack:
        first, second = [
            await stack.enter_async_context(stage.channels.joined("full", VENTAS, reader.viewer))
            for reader in (one, other)
        ]
        assert first is second
        await one.snapshot(), await other.snapshot()
        stage.put(a="a001", state="held")
        await one.next()
        if len(other.sent) < 2:
            await other.next()
        assert one.sent[-1] is other.sent[-1]


async def test_who_changes_team_changes_floors_too() -> None:
    stage = Stage()
    reader = Reader()
    async with stage.channels.joined("full", VENTAS, reader.viewer) as channel:
        assert await reader.snapshot() == ["a001"]
        stage.people = people_in(a001="Cobranza", a003="Ventas")
        channel.beat()
        while await reader.snapshot() != ["a003"]:
            await reader.next()


async def test_who_joins_as_people_change_keeps_nothing_from_who_was_there() -> None:
    stage = Stage()
    reader, late = Reader(), Reader()
    async with AsyncExitStack() as stack:
        joined = stage.channels.joined
        channel = await stack.enter_async_context(joined("full", VENTAS, reader.viewer))
        assert await reader.snapshot() == ["a001"]
        stage.people = people_in(a001="Cobranza", a003="Ventas")
        channel.beat()
        await stack.enter_async_context(joined("full", VENTAS, late.viewer))
        assert await late.snapshot() == ["a003"]
        assert await reader.snapshot() == ["a003"]  # before what is said of its places
        stage.put(a="a003", state="talking")
        assert (await reader.next())["d"][0][:2] == [0, "talking"]


async def test_an_alert_that_came_with_a_snapshot_goes_again() -> None:
    stage = Stage()
    reader = Reader()
    async with stage.channels.joined("full", None, reader.viewer):
        await reader.snapshot()
        stage.put(a="a001", state="ready")
        assert (await reader.next())["d"]
        stage.put(a="a001", state="ready", help=1)
        stage.watch.look()
        stage.put(a="a004")
        while "snap" not in (message := await reader.next()):
            pass
        assert [one["rule"] for one in message["snap"]["alerts"]["list"]] == ["help"]
        stage.floor.rows["a001"] = stage.floor.rows["a002"]  # no row is said to have changed
        stage.watch.look()
        while "alerts" not in (message := await reader.next()):
            pass
        assert message["alerts"]["list"] == []


async def test_alerts_are_those_of_the_teams_and_say_who_has_seen_to_them() -> None:
    stage = Stage()
    reader, all_of_them = Reader(), Reader()
    async with (
        stage.channels.joined("full", VENTAS, reader.viewer),
        stage.channels.joined("full", None, all_of_them.viewer),
    ):
        await reader.snapshot(), await all_of_them.snapshot()
        stage.put(a="a001", state="ready", help=1)
        stage.put(a="a002", state="ready", help=1)
        stage.watch.look()
        while "alerts" not in (message := await reader.next()):
            pass
        (alert,) = message["alerts"]["list"]
        assert (alert["rule"], alert["a"], alert["by"]) == ("help", "a001", None)
        assert (message["alerts"]["waiting"], message["alerts"]["all"]) == (1, 1)
        stage.watch.see([(("help", "a001", 1), "Ana Ruiz")])
        while "alerts" not in (message := await reader.next()):
            pass
        assert message["alerts"]["list"][0]["by"] == "Ana Ruiz"
        assert message["alerts"]["waiting"] == 0
        stage.put(a="a001", state="ready")
        stage.watch.look()
        while "alerts" not in (message := await reader.next()):
            pass
        assert message["alerts"]["list"] == []


async def test_a_channel_nobody_looks_at_is_gone_and_their_number_is_bounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stage = Stage()
    monkeypatch.setattr(channels, "SCOPES", 1)
    one, other = Reader(), Reader()
    async with (
        stage.channels.joined("help", VENTAS, one.viewer),  # which has its own
        stage.channels.joined("full", VENTAS, one.viewer),
    ):
        with pytest.raises(TooMany):
            async with stage.channels.joined("full", COBRANZA, other.viewer):
                pass
    assert stage.floor.on_change == [stage.watch._note_link, stage.adherence._note]
    assert stage.adherence.on_change == []
    assert stage.watch.on_change == stage.floor.on_site == stage.floor.on_head == []
    async with stage.channels.joined("full", COBRANZA, other.viewer):
        assert await other.snapshot() == ["a002"]


async def joined(stage: Stage, view: str, whose: list[str]) -> tuple[int, AsyncExitStack]:
    """How many of these got in, and what holds them."""
    stack, inside = AsyncExitStack(), 0
    for one in whose:
        with contextlib.suppress(TooMany):
            await stack.enter_async_context(stage.channels.joined(view, None, Viewer(), one))
            inside += 1
    return inside, stack


async def test_the_wall_takes_no_place_from_those_who_have_a_name() -> None:
    stage = Stage()
    crowd = [f"10.0.{at // 40}.1" for at in range(520)]
    walls, held = await joined(stage, "wall", crowd)
    inside, others = await joined(stage, "full", [f"sup{at % 20}" for at in range(500)])
    assert walls == channels.VIEWERS["wall"] and inside == 500
    await held.aclose()
    await others.aclose()
    assert (await joined(stage, "wall", ["10.0.0.1"]))[0] == 1


async def test_one_address_and_one_person_have_so_many_sockets() -> None:
    stage = Stage()
    for view in ("wall", "screen", "full"):
        most = channels.OF_ONE[view]
        count, held = await joined(stage, view, ["one"] * (most + 20))
        assert count == most
        assert (await joined(stage, view, ["other"]))[0] == 1
        await held.aclose()
        assert (await joined(stage, view, ["one"]))[0] == 1


async def test_a_link_is_lost_since_it_was_first_seen_so() -> None:
    stage = Stage()
    now = 1_795_000_000_000
    stage.watch._pace.now_ms = lambda: now  # type: ignore[method-assign]
    stage.put(a="a001", state="ready", link="lost", t=1)
    now += 30_000
    stage.watch.look()
    assert stage.watch.alerts == []
    now += 1
    stage.watch.look()
    assert [one.key for one in stage.watch.alerts] == [("link", "a001", 1)]
    stage.put(a="a001", state="ready", link="up", t=2)
    stage.watch.look()
    assert stage.watch.alerts == []
