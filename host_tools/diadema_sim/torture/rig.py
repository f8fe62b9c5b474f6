"""A whole centre under torture: real stations, gateway, broker, ingest, store and web, monkeys at
the keys, and the witness that knows what must be stored in the end.
"""

import asyncio
import contextlib
import random
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from diadema.store import Reader

from diadema_sim import comparison, people
from diadema_sim.centre import Centre, open_centre
from diadema_sim.station import JOURNAL_BYTES
from diadema_sim.torture.acks import AckWatch
from diadema_sim.torture.monkey import Monkey
from diadema_sim.torture.outcome import Outcome, Plan

SPEED = 4.0  # of the run's clock, while the monkeys work
_DRAIN_SPEED = 8.0  # resends wait up to a minute
_DRAIN_LIMIT_S = 150.0
_LOOK_S = 0.2
_START_MS = 1_770_037_200_000  # 2026-02-02 08:00 in Lima
_NAMED = 5  # events of a failure that are named

type Disturber = Callable[["Rig", Outcome], Coroutine[Any, Any, None]]


@dataclass
class Rig:
    """`chance` draws what the disturber does; `until` is when it is over (monotonic)."""

    centre: Centre
    chance: random.Random
    until: float

    @property
    def left_s(self) -> float:
        return self.until - time.monotonic()


async def torment(
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
    async with open_rig(stations, journal_bytes) as centre:
        acks = AckWatch(centre)
        centre.world.timeline.set_speed(SPEED)
        rig = Rig(centre, chance, time.monotonic() + seconds * plan.share)
        monkeys = [
            Monkey(centre, desk, random.Random(f"{plan.seed} {name} {desk.desk.seat}"))
            for desk in centre.desks
        ]
        async with asyncio.TaskGroup() as tasks:
            working = [tasks.create_task(monkey.work()) for monkey in monkeys]
            async with asyncio.TaskGroup() as disturbing:
                for disturber in disturbers:
                    disturbing.create_task(disturber(rig, outcome))
                disturbing.create_task(_watch(rig, plan, outcome))
            for task in working:
                task.cancel()
        await calm(centre)
        outcome.add("gestures", sum(monkey.gestures for monkey in monkeys))
        await drain(centre)
        acks.close(outcome)
        judge(centre, outcome)
    return outcome


@asynccontextmanager
async def open_rig(
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


async def _watch(rig: Rig, plan: Plan, outcome: Outcome) -> None:
    """Ends when the time is over; raises what made a process of the run stop for good."""
    said = time.monotonic()
    while rig.left_s > 0:
        await asyncio.sleep(_LOOK_S)
        rig.centre.processes.check()
        if rig.centre.world.crashes:
            return
        if time.monotonic() - said > 20:
            said = time.monotonic()
            done = ", ".join(f"{number} {name}" for name, number in outcome.counts.items())
            plan.say(f"{outcome.campaign}: {rig.left_s:.0f} s left; {done}")


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
            missing = comparison.missing(reader, centre.journaled())
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
            by_epoch.setdefault(seen.e, []).append(seen.n)
        if len(by_epoch) > 1:
            outcome.fail(only, f"{s} formatted its journal: epochs {sorted(by_epoch)}")
        for e, numbers in by_epoch.items():
            if numbers != list(range(1, len(numbers) + 1)):
                outcome.fail(only, f"{s} {e}: numbers of the journal are not 1, 2, 3 …")
            position = reader.position(s, e)
            if position != max(numbers):
                outcome.fail(only, f"{s} {e}: the store stands at {position} of {max(numbers)}")
