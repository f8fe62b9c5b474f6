"""The hub's disk fills and is freed at random moments, while stations send and somebody looks.

A disk is a tmpfs of 64 MB. Half of the times it fills to the last byte, else to its reserve. What
is shown may count as live for 5 s more: 3 s after the last look, and a look each second.
"""

import contextlib
import random
import tempfile
from pathlib import Path

from tests.bench.figure import Figure
from tests.support.broker_fixtures import until
from tests.support.full_disk import BACK_S, LIVE_S, SmallDisk, filled_and_freed

_TIMES = 20
_STATIONS = 4
_FULL_S = (1.0, 15.0)


async def figures() -> list[Figure]:
    chance = random.Random("a full disk")
    with tempfile.TemporaryDirectory(prefix="diadema-bench-") as scratch:
        async with SmallDisk(Path(scratch), _STATIONS) as disk:
            times = [chance.uniform(*_FULL_S) for _ in range(_TIMES)]
            told = await filled_and_freed(disk, times, chance)
            await disk.until_held()
            await until(lambda: _is_live(disk))
            wrong = disk.wrong()
            events = sum(one.script.n for one in disk.crowd)
    done, back, live = len(told.back_s), max(told.back_s), max(told.live_s)
    return [
        Figure("times that the disk filled and was freed", done, "", _TIMES, "as planned"),
        Figure("events of the stations meanwhile", events, "events"),
        Figure("of them lost, doubled or changed", len(wrong), "events"),
        Figure("stations back after there was room, longest", back, "s", BACK_S, "budget"),
        Figure("called live on a full disk, longest", live, "s", LIVE_S, "budget"),
        Figure("looks at the pages that failed", told.failed, "looks"),
    ]


async def _is_live(disk: SmallDisk) -> bool:
    with contextlib.suppress(Exception):
        return bool((await disk.status())["live"])
    return False
