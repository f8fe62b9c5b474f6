"""Rebuild: `diadema rebuild` of the centre's month on one core, from its start to its verdict.

A process of its own that may run on one core only; the seconds are those that it had of that core,
so that what else runs on the machine is not in the figure.
"""

import asyncio
import json
import os
import sys
import time
from pathlib import Path

from diadema.base.clock import Clock
from diadema.base.paths import DataDir
from diadema.maintenance.rebuild import rebuild

from tests.bench.centre import Stands, centre
from tests.bench.figure import Figure

_BUDGET_S = 100_000  # events a second


async def figures() -> list[Figure]:
    made = centre()
    events, took = await measure(made.data.root, made.now_ms)
    return [Figure("rebuild, one core", events / took, "events/s", _BUDGET_S, "budget")]


async def measure(root: Path, now_ms: int) -> tuple[int, float]:
    """Events, and seconds of one core for all of them. `now_ms`: the hour for which the floor
    stands there.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.bench.rebuild", str(root), str(now_ms),
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    told, _ = await process.communicate()
    events, took = json.loads(told)
    return events, took


def _rebuild(root: Path, clock: Clock) -> tuple[int, float]:
    core = min(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {core})
    began = time.process_time()
    outcome = rebuild(DataDir(root), clock)
    return outcome.events, time.process_time() - began


if __name__ == "__main__":
    print(json.dumps(_rebuild(Path(sys.argv[1]), Stands(int(sys.argv[2])))))
