"""The hub's disk fills and is freed at random moments, while stations send and somebody looks.

A disk is a tmpfs of 64 MB. Half of the times it fills to the last byte, else to its reserve. What
is shown may count as live for 5 s more: 3 s after the last look, and a look each second.
"""

import asyncio
import contextlib
import random
import tempfile
import time
from pathlib import Path

from broker_fixtures import until
from full_disk import LIVE_S, SmallDisk

from tests.bench.figure import Figure

_TIMES = 20
_STATIONS = 4
_CALL_S = 1.0  # a call at each desk
_APART_S, _FULL_S = (1.0, 6.0), (1.0, 15.0)
_LOOK_S = 0.2
_BACK_S = 30.0
_LEFT = 2 << 20  # bytes, where it is not full


class Looker:
    """Asks for the state of the pages again and again; `live` are the moments when it was live."""

    def __init__(self, disk: SmallDisk) -> None:
        self.live: list[float] = []
        self.failed = 0
        self._disk = disk

    async def run(self) -> None:
        while True:
            try:
                status = await self._disk.status()
            except Exception:
                self.failed += 1
            else:
                if status["live"]:
                    self.live.append(time.monotonic())
            await asyncio.sleep(_LOOK_S)

    def longest_s(self, since: float, until_: float) -> float:
        """How long after `since` it was called live, before `until_`."""
        return max((at - since for at in self.live if since <= at < until_), default=0.0)


async def figures() -> list[Figure]:
    chance = random.Random("a full disk")
    lied, back = [], []
    with tempfile.TemporaryDirectory(prefix="diadema-bench-") as scratch:
        async with SmallDisk(Path(scratch), _STATIONS) as disk:
            looker = Looker(disk)
            tasks = [asyncio.create_task(looker.run()), asyncio.create_task(_work(disk))]
            try:
                for _ in range(_TIMES):
                    await asyncio.sleep(chance.uniform(*_APART_S))
                    disk.fill(but=chance.choice((0, _LEFT)))
                    full = time.monotonic()
                    await asyncio.sleep(chance.uniform(*_FULL_S))
                    disk.free()
                    freed = time.monotonic()
                    lied.append(looker.longest_s(full, freed))
                    await _held(disk)
                    back.append(time.monotonic() - freed)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
            await disk.until_held()
            await until(lambda: _is_live(disk))
            wrong = disk.wrong()
            events = sum(one.script.n for one in disk.crowd)
    return [
        Figure("times that the disk filled and was freed", len(back), "", _TIMES, "as planned"),
        Figure("events of the stations meanwhile", events, "events"),
        Figure("of them lost, doubled or changed", len(wrong), "events"),
        Figure("stations back after there was room, longest", max(back), "s", _BACK_S, "budget"),
        Figure("called live on a full disk, longest", max(lied), "s", LIVE_S, "budget"),
        Figure("looks at the pages that failed", looker.failed, "looks"),
    ]


async def _work(disk: SmallDisk) -> None:
    while True:
        disk.work(1)
        await asyncio.sleep(_CALL_S)


async def _held(disk: SmallDisk) -> None:
    """Until each station has been told that all is stored that it had at this moment."""
    async with asyncio.timeout(10 * _BACK_S):
        await asyncio.gather(*(one.until_held(one.last) for one in disk.crowd))


async def _is_live(disk: SmallDisk) -> bool:
    with contextlib.suppress(Exception):
        return bool((await disk.status())["live"])
    return False
