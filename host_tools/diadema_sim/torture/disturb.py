"""What is done to a working centre: power, lines, processes, disk and clock, each by chance."""

import asyncio
import contextlib
import os
import random
import resource
import signal
import sqlite3

from diadema.base.processes import command_line

from diadema_sim.cable import Noise
from diadema_sim.flash import CutPlan
from diadema_sim.station import Station
from diadema_sim.torture.outcome import Outcome
from diadema_sim.torture.rig import Rig

_DAY_MS = 86_400_000


# --- power ---------------------------------------------------------------------------------------


async def power(rig: Rig, outcome: Outcome) -> None:
    """Every station loses its power again and again, most often inside a flash operation."""
    async with asyncio.TaskGroup() as tasks:
        for station in rig.centre.world.stations.values():
            chance = random.Random(rig.chance.getrandbits(64))
            tasks.create_task(_cut_for_ever(rig, station, chance, outcome))


async def _cut_for_ever(
    rig: Rig, station: Station, chance: random.Random, outcome: Outcome
) -> None:
    world = rig.centre.world
    while rig.left_s > 0 and not station.crash:
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


async def line(rig: Rig, outcome: Outcome) -> None:
    """Noise on every cable, both ways, and cables pulled and put back."""
    stations = list(rig.centre.world.stations.values())
    noises = []
    for station in stations:
        station.cable.noise = Noise(random.Random(rig.chance.getrandbits(64)))
        noises.append(station.cable.noise)
    while rig.left_s > 0:
        await asyncio.sleep(rig.chance.uniform(0.2, 2.0))
        cable = rig.chance.choice(stations).cable
        cable.pull()
        outcome.add("cables_pulled", 1)
        await asyncio.sleep(rig.chance.choice((0.0, 0.05, 0.5, 2.0)))
        cable.plug()
    for noise in noises:
        for name, number in noise.counts.items():
            outcome.add(name, number)


# --- processes -----------------------------------------------------------------------------------


async def processes(rig: Rig, outcome: Outcome) -> None:
    """kill -9 of any of the host's processes, the hub itself and the gateway too."""
    names: list[str] = []
    while rig.left_s > 0:
        await asyncio.sleep(rig.chance.uniform(0.3, 4.0))
        if not names:  # each has its turn, in another order every time
            names = ["nats", "ingest", "web", "gateway", "hub", "ingest", "nats"]
            rig.chance.shuffle(names)
        name = names.pop()
        pid = _pid(rig, name)
        if pid is None:
            continue  # it is just being started again
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            outcome.add(f"{name}_killed", 1)


def _pid(rig: Rig, name: str) -> int | None:
    """The process of this run, if it is up."""
    hosts, data = rig.centre.processes, rig.centre.data
    if name == "gateway":
        return hosts.gateway.pid if hosts.gateway.is_up else None
    if name == "hub":
        return hosts.hub.pid if hosts.hub.is_up else None
    hub = data.read_hub()
    pid = hub.children.get(name) if hub else None
    return pid if pid and str(data.root) in command_line(pid) else None


# --- the disk ------------------------------------------------------------------------------------


async def disk(rig: Rig, outcome: Outcome) -> None:
    """The store's database locked by another program, and no room for what is written to it.

    The lock is a real one. Room is taken away by lowering RLIMIT_FSIZE of the running ingest: the
    kernel then refuses its writes in the middle, as a full disk does (EFBIG in place of ENOSPC).
    """
    while rig.left_s > 0:
        await asyncio.sleep(rig.chance.uniform(0.5, 3.0))
        seconds = rig.chance.choice((0.3, 3.0, 6.0))
        if rig.chance.random() < 0.5:
            await _locked(rig, seconds)
            outcome.add("times_locked", 1)
        elif await _no_room(rig, seconds):
            outcome.add("times_full", 1)
    log = rig.centre.data.log("ingest").read_text(errors="replace")
    outcome.add("pauses", log.count("the store takes nothing ("))


async def _locked(rig: Rig, seconds: float) -> None:
    with contextlib.closing(
        sqlite3.connect(
            rig.centre.data.store, timeout=10, isolation_level=None, check_same_thread=False
        )
    ) as other:
        await asyncio.to_thread(other.execute, "BEGIN EXCLUSIVE")
        await asyncio.sleep(seconds)
        other.execute("ROLLBACK")


async def _no_room(rig: Rig, seconds: float) -> bool:
    pid = _pid(rig, "ingest")
    if pid is None:
        return False
    room = rig.chance.choice((4096, 40_000, 400_000))
    try:
        before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (room, before[1]))
        await asyncio.sleep(seconds)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)
    except ProcessLookupError:  # killed meanwhile; its successor has no limit
        return False
    return True


# --- the clock -----------------------------------------------------------------------------------


async def clock(rig: Rig, outcome: Outcome) -> None:
    """The hub's clock jumps a day on or back, and at last to the right hour."""
    timeline = rig.centre.world.timeline
    while rig.left_s > 0:
        await asyncio.sleep(rig.chance.uniform(0.3, 3.0))
        timeline.set_hub_ahead(rig.chance.choice((-_DAY_MS, 0, _DAY_MS)))
        outcome.add("clock_jumps", 1)
        if rig.chance.random() < 0.5:  # who comes back is told the hour there and then
            cable = rig.chance.choice(list(rig.centre.world.stations.values())).cable
            cable.pull()
            cable.plug()
    timeline.set_hub_ahead(0)
