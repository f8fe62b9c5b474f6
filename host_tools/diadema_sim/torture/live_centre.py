"""A whole centre under torture: real stations, gateway, broker, ingest, store and web, monkeys at
the keys, and the witness that knows what must be stored in the end.
"""

import asyncio
import contextlib
import json
import random
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from diadema.base.errors import DiademaError
from diadema.cli.speech import say as speak
from diadema.store import Reader
from diadema.wire.frames import Decoder, Joiner

from diadema_sim import people, witness
from diadema_sim.agent import Agent
from diadema_sim.centre import Centre, open_centre
from diadema_sim.hub_client import HubUnreachable
from diadema_sim.station import JOURNAL_BYTES, Station
from diadema_sim.torture.runner import Outcome, Plan

SPEED = 4.0  # of the run's clock, while the monkeys work
_DRAIN_SPEED = 8.0  # resends wait up to a minute
_DRAIN_LIMIT_S = 150.0
_LOOK_S = 0.2
_START_MS = 1_770_037_200_000  # 2026-02-02 08:00 in Lima
_NAMED = 5  # events of a failure that are named
_PAUSE_MS = (60, 900)
_DARK_MS = 100
_ASTRAY = 0.08  # of the gestures: any key at all
# what to do in each situation, the one as likely as the other: keys, with the own badge (b) or a
# colleague's (c) among them, the exchange's ring, or what a supervisor does. A list that one opens
# may still be open for the next.
_GESTURES = {
    "logged_out": "b b b c supervisor",
    "not_ready": "3 3 3 4 5 66 b b4 b5 c supervisor",
    "ready": "ring ring ring ring ring ring 43 43 33 54 63 b b5 supervisor",
    "offered": "1 1 1 2",
    "dialing": "3 3 1",
    "talking": "1 1 2 4 3 33 53 6 633 634 644 6653 b b5 c supervisor",
    "held": "4 4 1 634 53 supervisor",
    "consulting": "3 4 5 6 1 supervisor",
    "wrapup": "3 4 5 3 1 supervisor",
}
_ANY_KEY = "1 2 3 4 5 6"  # where nothing fits better
_SUPERVISOR = "Sra. Palta"
_MESSAGE = "Reunión a las once en la sala «Paracas»."

type Disturber = Callable[["LiveRun", Outcome], Coroutine[Any, Any, None]]


class Monkey:
    """Gestures by chance at one station, waiting for nothing. `work` goes on until cancelled.

    Most of them fit what the station last wrote, so that there is always something to lose.
    """

    def __init__(self, centre: Centre, agent: Agent, chance: random.Random) -> None:
        self.gestures = 0
        self._centre = centre
        self._agent = agent
        self._chance = chance
        self._calls = 0

    async def work(self) -> None:
        world, station = self._centre.world, self._agent.station
        while True:
            if station.crash:
                return
            if not station.powered:
                await world.sleep(_DARK_MS)
                continue
            try:
                await self._gesture()
                self.gestures += 1
            except DiademaError:
                # the power went in the middle of it, or the hub refused: that is what we are for
                if station.crash:
                    return
            await world.sleep(self._chance.uniform(*_PAUSE_MS))

    async def _gesture(self) -> None:
        work, _ = self._agent.work
        situation = self._agent.presence if work == "idle" else work
        gesture = self._chance.choice(_GESTURES.get(situation, _ANY_KEY).split())
        if self._chance.random() < _ASTRAY:
            gesture = self._chance.choice(_ANY_KEY.split())
        if gesture == "ring":
            await self._ring()
        elif gesture == "supervisor":
            await self._supervise()
        else:
            for act in gesture:
                await self._act(act)

    async def _act(self, act: str) -> None:
        if act in "bc":
            whose = self._agent if act == "b" else self._chance.choice(self._centre.agents)
            await self._agent.station.tap(whose.desk.person.badge, ms=300)
        else:
            await self._agent.station.press(int(act))

    async def _supervise(self) -> None:
        """What somebody who walks the floor might do, whether it fits or not."""
        self._calls += 1
        request = {"of": self._newest_number("help.requested"), "by": _SUPERVISOR}
        bodies: list[dict[str, object]] = [
            {"cmd": "help", "state": "accepted", **request},
            {"cmd": "help", "state": "resolved", **request},
            {"cmd": "text", "m": f"m{self._calls}", "text": _MESSAGE},
            {"cmd": "presence", "to": "not_ready", "reason": "reunion", "who": _SUPERVISOR},
        ]
        await self._centre.hub.command(self._agent.desk.station, **self._chance.choice(bodies))

    def _newest_number(self, kind: str) -> int:
        """The number of the newest such event, 1 before there is one."""
        events = self._centre.world.witness.events(self._agent.desk.station)
        return next((seen.sequence for seen in reversed(events) if seen.event["k"] == kind), 1)

    async def _ring(self) -> None:
        self._calls += 1
        contact = f"{self._agent.desk.seat}-{self._calls}"
        try:
            await self._centre.hub.command(
                self._agent.desk.station,
                cmd="ring",
                contact=contact,
                direction="in",
                queue="Banca",
            )
        except HubUnreachable:
            await self._agent.station.press(4)  # no exchange: call somebody


class AckWatch:
    """Checks each acknowledgement that reaches a station: its event must be committed by then,
    because the station may forget it. `close` when the run is over.
    """

    def __init__(self, centre: Centre) -> None:
        self.heard = 0
        self.early: list[str] = []
        self._reader: Reader = centre.reader()
        for station in centre.world.stations.values():
            station.cable.spy = self._listener(station)

    def _listener(self, station: Station) -> Callable[[bytes], None]:
        decoder, joiner = Decoder(), Joiner()

        def hear(data: bytes) -> None:
            for frame in decoder.feed(data):
                _, body = joiner.take(frame)
                if body and b'"ack"' in body:
                    self._check(station.id, *json.loads(body)["ack"])
            decoder.take_console()

        return hear

    def _check(self, s: str, e: int, n: int) -> None:
        self.heard += 1
        if n and self._reader.position(s, e) < n:
            self.early.append(f"{s} {e}/{n} acknowledged before it was stored")

    def close(self, outcome: Outcome, only: str = "") -> None:
        self._reader.close()
        outcome.add("acknowledgements", self.heard)
        if self.early:
            what = "; ".join(self.early[:_NAMED])
            outcome.fail(only, f"{len(self.early)} too early: {what}", lost=len(self.early))


@dataclass
class LiveRun:
    """A run under way. `chance` draws what the disturbers do; `until`: its end (monotonic)."""

    centre: Centre
    chance: random.Random
    until: float

    @property
    def left_s(self) -> float:
        return self.until - time.monotonic()


async def run_disturbed(
    plan: Plan,
    name: str,
    *,
    seconds: float,
    disturbers: list[Disturber],
    stations: int = 4,
    journal_bytes: int = JOURNAL_BYTES,
) -> Outcome:
    """Monkeys work for so long while the disturbers do their worst; then calm, drain, judge."""
    outcome = Outcome(name)
    chance = random.Random(f"{plan.seed} {name}")
    async with open_live_centre(stations, journal_bytes) as centre:
        acks = AckWatch(centre)
        centre.world.timeline.set_speed(SPEED)
        run = LiveRun(centre, chance, time.monotonic() + seconds * plan.share)
        monkeys = [
            Monkey(centre, agent, random.Random(f"{plan.seed} {name} {agent.desk.seat}"))
            for agent in centre.agents
        ]
        async with asyncio.TaskGroup() as tasks:
            working = [tasks.create_task(monkey.work()) for monkey in monkeys]
            async with asyncio.TaskGroup() as disturbing:
                for disturber in disturbers:
                    disturbing.create_task(disturber(run, outcome))
                disturbing.create_task(_watch(run, plan, outcome))
            for task in working:
                task.cancel()
        await calm(centre)
        outcome.add("gestures", sum(monkey.gestures for monkey in monkeys))
        await drain(centre)
        acks.close(outcome)
        judge(centre, outcome)
    return outcome


@asynccontextmanager
async def open_live_centre(
    stations: int, journal_bytes: int = JOURNAL_BYTES, *, outbound: bool = True
) -> AsyncIterator[Centre]:
    """A centre whose stations are on, configured, and have the time."""
    async with open_centre(
        people.desks(stations),
        name="Centro de tortura",
        zone="America/Lima",
        tree=people.LIMA_TREE,
        start_utc_ms=_START_MS,
        journal_bytes=journal_bytes,
        outbound=outbound,
    ) as centre:
        await centre.switch_on()
        yield centre


async def _watch(run: LiveRun, plan: Plan, outcome: Outcome) -> None:
    """Ends when the time is over; raises what made a process of the run stop for good."""
    said = time.monotonic()
    while run.left_s > 0:
        await asyncio.sleep(_LOOK_S)
        run.centre.processes.check()
        if run.centre.world.crashes:
            return
        if time.monotonic() - said > 20:
            said = time.monotonic()
            done = ", ".join(f"{number} {name}" for name, number in outcome.counts.items())
            left = f"{run.left_s:.0f}"
            plan.say(speak("torture.left", campaign=outcome.campaign, seconds=left, done=done))


async def calm(centre: Centre) -> None:
    """Everything as it should be: power, cables, no noise."""
    for station in centre.world.stations.values():
        station.flash.plan = None
        station.cable.noise = None
        station.cable.plug()
        await station.power_on()


async def drain(centre: Centre) -> int:
    """Wait until all that was journaled is stored and acknowledged in full; what is missing."""
    centre.world.timeline.set_speed(_DRAIN_SPEED)
    deadline = time.monotonic() + _DRAIN_LIMIT_S
    missing = -1
    while missing and time.monotonic() < deadline and not centre.world.crashes:
        centre.processes.check()
        await asyncio.sleep(_LOOK_S)
        if not centre.data.store.exists():
            continue
        with contextlib.closing(centre.reader()) as reader, contextlib.suppress(sqlite3.Error):
            missing = witness.missing(reader, centre.journaled())
    centre.world.timeline.set_speed(1.0)
    return missing


def judge(centre: Centre, outcome: Outcome, only: str = "") -> None:
    """The store beside the witness: each event once, in order, and no loss declared."""
    found = centre.compare()
    outcome.add("journaled", found.journaled)
    outcome.add("stored", found.stored)
    if found.lost:
        named = ", ".join(f"{s} {e}/{n}" for s, e, n in sorted(found.lost)[:_NAMED])
        outcome.fail(only, f"{len(found.lost)} lost: {named}", lost=len(found.lost))
    if found.doubled:
        named = ", ".join(f"{s} {e}/{n}" for s, e, n in sorted(found.doubled)[:_NAMED])
        outcome.fail(only, f"{len(found.doubled)} doubled: {named}", doubled=len(found.doubled))
    with contextlib.closing(centre.reader()) as reader:
        for loss in reader.losses():
            outcome.fail(only, f"declared as lost: {loss}", lost=loss["last"] - loss["first"] + 1)
        for letter in reader.dead_letters():
            outcome.fail(only, f"a dead letter: {letter['reason']}, {letter['body'][:80]!r}")
        _judge_order(centre, reader, outcome, only)
    for s, e, n in centre.world.witness.rewritten:
        outcome.fail(only, f"{s} wrote {e}/{n} twice, with other content", doubled=1)
    for s, station in centre.world.stations.items():
        for violation in station.flash.violations[:_NAMED]:
            outcome.fail(only, f"{s}, flash: {violation}")
    for crash in centre.world.crashes[:_NAMED]:
        outcome.fail(only, crash)


def _judge_order(centre: Centre, reader: Reader, outcome: Outcome, only: str) -> None:
    """Numbers without a gap in the order in which they were written, known to the store whole."""
    for s in centre.world.stations:
        by_epoch: dict[int, list[int]] = {}
        for seen in centre.world.witness.events(s):
            by_epoch.setdefault(seen.epoch, []).append(seen.sequence)
        if len(by_epoch) > 1:
            outcome.fail(only, f"{s} formatted its journal: epochs {sorted(by_epoch)}")
        for e, numbers in by_epoch.items():
            if numbers != list(range(1, len(numbers) + 1)):
                outcome.fail(only, f"{s} {e}: numbers of the journal are not 1, 2, 3 …")
            position = reader.position(s, e)
            if position != max(numbers):
                outcome.fail(only, f"{s} {e}: the store stands at {position} of {max(numbers)}")
