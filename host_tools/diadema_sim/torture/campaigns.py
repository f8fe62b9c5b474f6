"""All campaigns by name, run one after the other, and their table; and what the live ones do to a
working centre: power, lines, processes, disk and clock, each by chance.
"""

import asyncio
import contextlib
import os
import random
import resource
import signal
import sqlite3
import time
from collections.abc import Awaitable, Callable
from typing import Any

from diadema.base.errors import DiademaError
from diadema.base.processes import command_line
from diadema.cli.speech import say as speak
from diadema.words import Sentence
from rich.console import Console
from rich.table import Table

from diadema_sim.cable import Noise
from diadema_sim.flash import CutPlan
from diadema_sim.station import Station
from diadema_sim.station_user import NoResponse, NotDelivered
from diadema_sim.torture import journal, offline, update
from diadema_sim.torture.live_centre import Disturber, LiveRun, run_disturbed
from diadema_sim.torture.runner import Outcome, Plan

_DAY_MS = 86_400_000


# --- power ---------------------------------------------------------------------------------------


async def power(run: LiveRun, outcome: Outcome) -> None:
    """Every station loses its power again and again, most often inside a flash operation."""
    async with asyncio.TaskGroup() as tasks:
        for station in run.centre.world.stations.values():
            chance = random.Random(run.chance.getrandbits(64))
            tasks.create_task(_cut_for_ever(run, station, chance, outcome))


async def _cut_for_ever(
    run: LiveRun, station: Station, chance: random.Random, outcome: Outcome
) -> None:
    world = run.centre.world
    while run.left_s > 0 and not station.crash:
        kind = chance.choice(("boot", "bytes", "bytes", "erase", "time"))
        if kind == "time":
            await world.sleep(chance.uniform(0, 16_000))
            await station.power_cut()
        else:
            programmed = {"boot": 400, "bytes": 6000, "erase": 60_000}[kind]
            plan = CutPlan(chance.randrange(programmed), chance, kind == "erase")
            if await station.power_cut_in_flash(plan, 6.0):
                outcome.add("in_erases" if kind == "erase" else "in_flash_operations", 1)
        if station.crash:
            return
        outcome.add("power_cuts", 1)
        await world.sleep(chance.uniform(0, 400))
        await station.power_on(chance.choice(("power_on", "power_on", "watchdog")))


# --- the line ------------------------------------------------------------------------------------


async def line(run: LiveRun, outcome: Outcome) -> None:
    """Noise on every cable, both ways, and cables pulled and put back."""
    stations = list(run.centre.world.stations.values())
    noises = []
    for station in stations:
        station.cable.noise = Noise(random.Random(run.chance.getrandbits(64)))
        noises.append(station.cable.noise)
    while run.left_s > 0:
        await asyncio.sleep(run.chance.uniform(0.2, 2.0))
        cable = run.chance.choice(stations).cable
        cable.pull()
        outcome.add("cables_pulled", 1)
        await asyncio.sleep(run.chance.choice((0.0, 0.05, 0.5, 2.0)))
        cable.plug()
    for noise in noises:
        for name, number in noise.counts.items():
            outcome.add(name, number)


# --- processes -----------------------------------------------------------------------------------


async def processes(run: LiveRun, outcome: Outcome) -> None:
    """kill -9 of any of the host's processes, the hub itself and the gateway too."""
    names: list[str] = []
    while run.left_s > 0:
        await asyncio.sleep(run.chance.uniform(0.3, 4.0))
        if not names:  # each has its turn, in another order every time
            names = ["nats", "ingest", "web", "gateway", "hub", "ingest", "nats"]
            run.chance.shuffle(names)
        name = names.pop()
        pid = _pid(run, name)
        if pid is None:
            continue  # it is just being started again
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            outcome.add(f"{name}_killed", 1)


def _pid(run: LiveRun, name: str) -> int | None:
    """The process of this run, if it is up."""
    hosts, data = run.centre.processes, run.centre.data
    if name == "gateway":
        return hosts.gateway.pid if hosts.gateway.is_up else None
    if name == "hub":
        return hosts.hub.pid if hosts.hub.is_up else None
    hub = data.read_hub()
    pid = hub.children.get(name) if hub else None
    return pid if pid and str(data.root) in command_line(pid) else None


# --- the disk ------------------------------------------------------------------------------------


async def disk(run: LiveRun, outcome: Outcome) -> None:
    """The store's database locked by another program, and no room for what is written to it.

    The lock is a real one. Room is taken away by lowering RLIMIT_FSIZE of the running ingest: the
    kernel then refuses its writes in the middle, as a full disk does (EFBIG in place of ENOSPC).
    """
    while run.left_s > 0:
        await asyncio.sleep(run.chance.uniform(0.5, 3.0))
        seconds = run.chance.choice((0.3, 3.0, 6.0))
        if run.chance.random() < 0.5:
            await _locked(run, seconds)
            outcome.add("times_locked", 1)
        elif await _no_room(run, seconds):
            outcome.add("times_full", 1)
    log = run.centre.data.log("ingest").read_text(errors="replace")
    outcome.add("pauses", log.count("the store takes nothing ("))


async def _locked(run: LiveRun, seconds: float) -> None:
    with contextlib.closing(
        sqlite3.connect(
            run.centre.data.store, timeout=10, isolation_level=None, check_same_thread=False
        )
    ) as other:
        await asyncio.to_thread(other.execute, "BEGIN EXCLUSIVE")
        await asyncio.sleep(seconds)
        other.execute("ROLLBACK")


async def _no_room(run: LiveRun, seconds: float) -> bool:
    pid = _pid(run, "ingest")
    if pid is None:
        return False
    room = run.chance.choice((4096, 40_000, 400_000))
    try:
        before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (room, before[1]))
        await asyncio.sleep(seconds)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)
    except ProcessLookupError:  # killed meanwhile; its successor has no limit
        return False
    return True


# --- the clock -----------------------------------------------------------------------------------


async def clock(run: LiveRun, outcome: Outcome) -> None:
    """The hub's clock jumps a day on or back, and at last to the right time."""
    timeline = run.centre.world.timeline
    while run.left_s > 0:
        await asyncio.sleep(run.chance.uniform(0.3, 3.0))
        timeline.set_hub_ahead(run.chance.choice((-_DAY_MS, 0, _DAY_MS)))
        outcome.add("clock_jumps", 1)
        if run.chance.random() < 0.5:  # a station that comes back gets the time at once
            cable = run.chance.choice(list(run.centre.world.stations.values())).cable
            cable.pull()
            cable.plug()
    timeline.set_hub_ahead(0)


type Campaign = Callable[[Plan], Awaitable[Outcome]]

_SMALL = 12 * 4096  # a journal that goes round soon


def _live(name: str, seconds: float, *disturbers: Disturber, **more: int) -> Campaign:
    async def run_live(plan: Plan) -> Outcome:
        return await run_disturbed(plan, name, seconds=seconds, disturbers=[*disturbers], **more)

    return run_live


CAMPAIGNS: dict[str, Campaign] = {
    journal.NAME: journal.run,
    update.NAME: update.run,
    "power": _live("power", 300, power, stations=6, journal_bytes=_SMALL),
    "line": _live("line", 100, line),
    "processes": _live("processes", 150, processes),
    "disk": _live("disk", 60, disk),
    "clock": _live("clock", 60, clock),
    offline.NAME: offline.run,
}


def chosen(names: str) -> list[str]:
    """The campaigns of `all` or NAME[,NAME], in their order. Raises DiademaError."""
    wanted = list(CAMPAIGNS) if names == "all" else names.split(",")
    unknown = [name for name in wanted if name not in CAMPAIGNS]
    if unknown:
        raise DiademaError(
            Sentence("errors.sim.no_campaign", name=unknown[0], known=", ".join(CAMPAIGNS))
        )
    return [name for name in CAMPAIGNS if name in wanted]


async def run(names: list[str], plan: Plan) -> dict[str, Any]:
    """The object that `diadema torture --json` prints."""
    rows: list[dict[str, Any]] = []
    failures: list[dict[str, Any]] = []
    for name in names:
        began = time.monotonic()
        plan.say(f"{name} …")
        try:
            outcome = await CAMPAIGNS[name](plan)
        except (NoResponse, NotDelivered) as error:  # the other campaigns still run
            outcome = Outcome(name)
            outcome.fail("", str(error))
        outcome.seconds = time.monotonic() - began
        rows.append(outcome.row())
        said = {"lost": outcome.lost, "doubled": outcome.doubled, "row": outcome.row()}
        plan.say(speak("torture.came_to", campaign=name, **said))
        for failure in outcome.failures:
            failures.append({"seed": plan.seed, **failure, "repeat": _repeat(failure, plan)})
    return {
        "seed": plan.seed,
        "cut_points": sum(row.get("cut_points", 0) for row in rows),
        "power_cuts": sum(row.get("power_cuts", 0) for row in rows),
        "lost": sum(row["lost"] for row in rows),
        "doubled": sum(row["doubled"] for row in rows),
        "rows": rows,
        "failures": failures,
    }


def _repeat(failure: dict[str, Any], plan: Plan) -> str:
    share = "" if plan.share == 1 else f" --share {plan.share}"
    only = f" --only {failure['only']}" if failure["only"] else ""
    return f"diadema torture --campaign {failure['campaign']} --seed {plan.seed}{only}{share}"


def show(console: Console, summary: dict[str, Any]) -> None:
    """One line a campaign, then each failure with the command that repeats it."""
    table = Table(*speak("torture.columns").split(", "))
    for row in summary["rows"]:
        fixed = ("campaign", "lost", "doubled", "seconds")
        counts = [(name, number) for name, number in row.items() if name not in fixed]
        did = ", ".join(f"{number} {name.replace('_', ' ')}" for name, number in counts)
        style = "bold red" if row["lost"] or row["doubled"] else ""
        cells = (row["campaign"], did, *(str(row[name]) for name in fixed[1:]))
        table.add_row(*cells, style=style)
    console.print(table)
    for failure in summary["failures"]:
        console.print(f"{failure['campaign']}: {failure['what']}", style="red", markup=False)
        again = speak("torture.again", command=failure["repeat"])
        console.print(f"  {again}", markup=False)
