"""Days of work at one desk: a hub, and a station of any board whose program runs from its slots,
on a cable and in reach of Wi-Fi. Each gesture waits for what it means, so that one which is lost
ends the run; at the end the store is held against the flash.
"""

import asyncio
import dataclasses
import json
import math
import os
import tempfile
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diadema.base.paths import DataDir
from diadema.stations.update import bundle, keys
from diadema.wire.ask_hub import ask_hub
from diadema_sim import people
from diadema_sim.behaviour import BANK_1999_02
from diadema_sim.build import SimBoard, build_firmware
from diadema_sim.centre import ACCESS_POINT, Centre, open_centre
from diadema_sim.demo import SITE, ZONE
from diadema_sim.shift import Shift
from diadema_sim.torture.live_centre import judge
from diadema_sim.torture.runner import Outcome

from tests.support.program_slots import SLOT_BYTES, program_body, program_slot, start_folder

MONDAY_8_LIMA = 1_770_037_200_000  # 2026-02-02 08:00 in Lima, UTC ms
MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
BUSIEST = BANK_1999_02.busiest_hour
_VERSION, _NEXT = "0.1.0", "0.2.0"
_START_SPEED = 4.0
_UPDATE_SPEED = 8.0  # a host that sends blocks takes real time for each
_LEAP_MS = 2 * DAY_MS
_SOON_MS = 20_000  # of a station whose clock is some seconds off, too
_LIMIT_MS = 20 * MINUTE_MS


@dataclass
class Desk:
    """`made`: a signed program that is newer than the one that runs."""

    centre: Centre
    made: Path

    @property
    def station(self):
        return self.centre.agents[0].station

    def told(self, kind: str, **fields: Any) -> list[dict[str, Any]]:
        """What the station wrote of that kind."""
        events = self.centre.world.witness.events(self.station.id)
        return [
            seen.event
            for seen in events
            if seen.event["k"] == kind and fields.items() <= seen.event.items()
        ]

    def cpu_s(self) -> float:
        """Processor time that its VM has taken since it has power; Linux tells it."""
        stat = Path(f"/proc/{self.station.pid}/stat")
        if not stat.exists():
            return math.nan
        user, system = stat.read_text().rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    async def until(self, kind: str, count: int = 1, **fields: Any) -> None:
        """So many of these are written."""
        deadline = self.centre.world.now_ms() + _LIMIT_MS
        while len(self.told(kind, **fields)) < count:
            assert self.centre.world.now_ms() < deadline, f"no {kind} {fields}"
            await self.centre.world.sleep(1000)


@asynccontextmanager
async def open_desk(board: SimBoard, start_utc_ms: int = MONDAY_8_LIMA) -> AsyncIterator[Desk]:
    with tempfile.TemporaryDirectory(prefix="desk-") as root:
        folder = Path(root)
        program, image = folder / "program", folder / "image"
        build_firmware(program)
        start_folder(program, image)
        body = program_body(program)
        data = DataDir(folder / "data")
        data.make()
        keys.make(folder / "updates.pem")
        key = keys.load(folder / "updates.pem")
        data.update_key.write_text(key.public.text)
        made = folder / "next.bundle"
        newer = start_utc_ms // 1000
        made.write_bytes(bundle.sign(body, key, board=board.name, version=_NEXT, made=newer))
        slots = {
            "slot_a": program_slot(body, board.name, _VERSION, 1),
            "slot_b": b"\xff" * SLOT_BYTES,
        }
        async with open_centre(
            people.desks(1),
            name=SITE,
            zone=ZONE,
            tree=people.LIMA_TREE,
            start_utc_ms=start_utc_ms,
            data=data.root,
            wifi=True,
            boards=[board],
            image=image,
            slots=slots,
        ) as centre:
            await centre.switch_on()
            centre.world.timeline.set_speed(0)
            with centre.world.actor():
                yield Desk(centre, made)


async def work(
    desk: Desk,
    ms: float,
    *others: Coroutine[Any, Any, None],
    seed: int = 1,
    calls_h: float | None = None,
) -> Shift:
    """A shift of so long, as fast as it goes, and what `others` do in it; all is over when this
    returns. In the density of the busiest hour, or with so many `calls_h`. Each of a run has a
    `seed` of its own.
    """
    world = desk.centre.world
    behaviour, hour = BANK_1999_02, BUSIEST
    if calls_h:
        behaviour = dataclasses.replace(behaviour, arrivals=(calls_h,) * 24)
    shift = Shift(
        desk.centre, seed=seed, zone=ZONE, behaviour=behaviour, hour=hour, series=f"c{seed}-"
    )
    acts = world.timeline.release()  # its people act
    try:
        async with asyncio.TaskGroup() as tasks:
            for other in others:
                tasks.create_task(_act(desk, other))
            await shift.run(world.now_ms() + ms, 0)
    finally:
        if acts:
            world.timeline.resume()
    return shift


async def _act(desk: Desk, doing: Coroutine[Any, Any, None]) -> None:
    with desk.centre.world.actor():
        await doing


async def leap(desk: Desk, days: float) -> None:
    """Nobody touches it. In steps: what is done all the time is done meanwhile, too. They begin
    shortly before the screen's minute: for the watchdog the program has slept through them.
    """
    world, left_ms = desk.centre.world, days * DAY_MS
    while left_ms > 0:
        step_ms = min(left_ms, _LEAP_MS)
        await world.sleep_until((world.now_ms() // MINUTE_MS + 1) * MINUTE_MS - _SOON_MS)
        world.jump(int(step_ms) // MINUTE_MS * MINUTE_MS)
        await world.sleep(2 * MINUTE_MS)
        left_ms -= step_ms


async def dark(desk: Desk, ms: float) -> None:
    """Without power for so long."""
    world = desk.centre.world
    await desk.station.power_cut()
    await world.sleep(ms)
    world.timeline.set_speed(_START_SPEED)  # a station that starts asks for the hour
    await desk.centre.switch_on()
    world.timeline.set_speed(0)


async def lose_wifi(desk: Desk, after_ms: float, ms: float) -> None:
    world = desk.centre.world
    await world.sleep(after_ms)
    await desk.station.set_access_points({})
    await world.sleep(ms)
    await desk.station.set_access_points(ACCESS_POINT)


async def pull_cable(desk: Desk, after_ms: float, ms: float) -> None:
    world = desk.centre.world
    await world.sleep(after_ms)
    desk.station.cable.pull()
    await world.sleep(ms)
    desk.station.cable.plug()


async def change_site(desk: Desk, after_ms: float) -> None:
    """Another configuration comes while she works."""
    await desk.centre.world.sleep(after_ms)
    before = len(desk.told("station.config"))
    site = json.loads(desk.centre.data.site.read_text())
    site["wrapup_limit_s"] += 5
    desk.centre.data.site.write_text(json.dumps(site))
    await ask_hub(desk.centre.data, "hub.site", {})
    await desk.until("station.config", before + 1)


async def update(desk: Desk) -> None:
    """The next program comes and is tried; nobody is logged in."""
    timeline, data = desk.centre.world.timeline, desk.centre.data
    timeline.set_speed(_UPDATE_SPEED)
    added = await ask_hub(data, "hub.update", {"do": "add", "path": str(desk.made)})
    plan = {"sha256": added["sha256"], "stages": ["all"]}
    await ask_hub(data, "hub.update", {"do": "start", "plan": plan})
    await desk.until("station.update", phase="good", version=_NEXT)
    await desk.centre.switch_on()  # she has seen it start
    timeline.set_speed(0)


async def judged(desk: Desk, *shifts: Shift) -> Outcome:
    """What the store has, held against what was written: fails with what is missing."""
    outcome = Outcome("day")
    await desk.centre.drain()
    judge(desk.centre, outcome)
    for shift in shifts:
        outcome.add("calls", shift.counts.arrived)
        for name in shift.counts.undelivered:
            outcome.fail("", f"not delivered: {name}")
    return outcome
