"""The crowd's own process: reads what `crowd.py` wrote in a folder, is all those stations, and
writes there what each sent, when, and when the hub acknowledged it.
"""

import asyncio
import contextlib
import os
import random
import resource
import ssl
import sys
import time
from collections import Counter
from pathlib import Path

import msgspec
import uvloop
from diadema.base.processes import on_closed_input

from tests.support.light_station import Access, LightStation
from tests.support.scripted_station import Script

_EVENTS_A_CALL = 6
_CONNECT_S = 45.0
_LAST_ACKS_S = 20.0


class Plan(msgspec.Struct):
    """Each station sends `events` events, one every `pace_s`, the first at any moment of that."""

    accesses: list[Access]
    ca: str
    generation: int
    events: int
    pace_s: float


class Sent(msgspec.Struct):
    """One event: its bytes, when its key was pressed, when its acknowledgement came."""

    body: bytes
    pressed: float
    acked: float | None


class Told(msgspec.Struct):
    """Times are `time.monotonic()`, which processes of one machine share.

    `connected_s`: of each station, from the common start to its connection; `settled_s`: until
    all had the time from the hub. `load_s`: from the first press to the last. `counts`: of all
    stations together. `sent` is what was pressed; `before`, the bodies of boots and clocks.
    """

    connected_s: list[float]
    settled_s: float
    load_s: float
    counts: dict[str, int]
    before: list[bytes]
    sent: list[Sent]


def plan_of(folder: Path) -> Path:
    return folder / "plan.json"


def told_of(folder: Path) -> Path:
    return folder / "told.json"


async def _be_all(plan: Plan) -> Told:
    tls = ssl.create_default_context(cafile=plan.ca)
    crowd = [
        LightStation(
            access,
            tls,
            Script(access.s, e=1 + number, agent=f"a{number:03}").boot(),
            generation=plan.generation,
        )
        for number, access in enumerate(plan.accesses)
    ]
    began = time.monotonic()
    running = [asyncio.create_task(station.run()) for station in crowd]
    try:
        async with asyncio.timeout(_CONNECT_S):  # boots and clocks are held
            await asyncio.gather(*(station.until_held(2) for station in crowd))
        settled = time.monotonic()
        connected_s = [station.first_connected - began for station in crowd]
        for station in crowd:
            script = station.script.login().ready()
            for call in range(plan.events // _EVENTS_A_CALL):
                script.call(f"{script.agent}-{call}", talk=2000, wrap=1000, ring=1000)
        start = time.monotonic() + 1.0
        await asyncio.gather(*(_press(station, start, plan) for station in crowd))
        end = time.monotonic()
        with contextlib.suppress(TimeoutError):  # those without an acknowledgement are told
            async with asyncio.timeout(_LAST_ACKS_S):
                await asyncio.gather(*(station.until_held(station.last) for station in crowd))
    finally:
        for task in running:
            task.cancel()
        for ended in await asyncio.gather(*running, return_exceptions=True):
            if isinstance(ended, Exception):
                raise ended
    return Told(
        connected_s,
        settled - began,
        end - start,
        dict(sum((station.counts for station in crowd), Counter())),
        [body for station in crowd for body in station.script.bodies[:2]],
        [
            Sent(station.script.bodies[n - 1], station.pressed[n], station.acked.get(n))
            for station in crowd
            for n in range(3, station.last + 1)
        ],
    )


async def _press(station: LightStation, start: float, plan: Plan) -> None:
    """The clock starts when the press was due, whether or not this process was late with it."""
    due = start + random.uniform(0, plan.pace_s)
    for _ in range(plan.events):
        await asyncio.sleep(max(due - time.monotonic(), 0))
        station.press(due)
        due += plan.pace_s


def main() -> None:
    folder = Path(sys.argv[1])
    sys.stdin.buffer.raw.readline()  # the plan is there
    on_closed_input(lambda: os._exit(1))  # nobody waits for us any more
    plan = msgspec.json.decode(plan_of(folder).read_bytes(), type=Plan)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        told = runner.run(_be_all(plan))
    told_of(folder).write_bytes(msgspec.json.encode(told))


if __name__ == "__main__":
    main()
