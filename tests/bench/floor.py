"""Key press to tile: the demo's stack with its agents at work, and a headless Chromium that looks.

The clock starts when the key's contact closes and stops when the page's DOM has changed; Chromium
and we read the same machine's clock, and the rest of its offset is measured and taken off.
"""

import asyncio
import contextlib
import shutil
import statistics
import time
from dataclasses import dataclass, replace
from typing import Any

from diadema.wire.frames import encode
from diadema_sim import behaviour, menu_keys, people
from diadema_sim.agent import Agent
from diadema_sim.centre import Centre, open_centre
from diadema_sim.demo import SITE, ZONE
from diadema_sim.shift import Shift
from playwright.async_api import Page, async_playwright

from tests.bench.figure import Figure
from tests.support.chromium import CHROMIUM, FLAGS

NEEDS = (CHROMIUM,)
_PRESSES = 300
_STATIONS = 6
_START_MS = 1_770_044_400_000  # 2026-02-02 10:00 in Lima: calls out are allowed
_DIAL = (menu_keys.DIAL, menu_keys.FIRST)  # for the first campaign that calls out
_HANG_UP = menu_keys.HANG_UP  # acts at its first edge, so it is the one that is timed
_LIMIT_S = 10.0
_WATCH = """
agent => {
  const told = new MutationObserver(() => {
    const tile = document.querySelector(`[data-a="${agent}"]`);
    const state = tile && tile.dataset.state;
    if (state && state !== window.lastState) {
      window.lastState = state;
      tileSaid(state, performance.timeOrigin + performance.now());
    }
  });
  told.observe(document, {subtree: true, childList: true, attributes: true});
}
"""


@dataclass(frozen=True)
class Seen:
    """What one run showed."""

    latencies_ms: list[float]
    wire_bytes: float  # mean of an event's frame
    flash_bytes: float  # mean of an event's record payload

    def latency_ms(self, percent: int) -> float:
        return statistics.quantiles(self.latencies_ms, n=100, method="inclusive")[percent - 1]


async def figures() -> list[Figure]:
    seen = await measure()
    return [
        Figure("key press to tile, p50", seen.latency_ms(50), "ms", 250, "budget of p99"),
        Figure("key press to tile, p99", seen.latency_ms(99), "ms", 250, "budget"),
        Figure(
            "bytes of an event on the wire", seen.wire_bytes, "bytes", seen.flash_bytes,
            "its bytes on the flash",
        ),
    ]  # fmt: skip


async def measure() -> Seen:
    async with open_centre(
        people.desks(_STATIONS),
        name=SITE,
        zone=ZONE,
        tree=people.LIMA_TREE,
        start_utc_ms=_START_MS,
    ) as centre:
        await centre.switch_on()
        mine = centre.agents[0]
        others = replace(centre, agents=centre.agents[1:])
        shift = Shift(others, seed=1, zone=ZONE, pace=8, hour=behaviour.BANK_1999_02.busiest_hour)
        working = asyncio.create_task(shift.run(float("inf"), 1.0))
        try:
            await mine.log_in()
            await mine.get_ready()
            async with async_playwright() as playwright:
                browser = await playwright.chromium.launch(
                    executable_path=shutil.which(CHROMIUM), args=FLAGS
                )
                page = await browser.new_page()
                await page.goto(centre.entry_link())
                latencies = await _press(page, mine)
                await browser.close()
        finally:
            shift.stop()
            with contextlib.suppress(asyncio.CancelledError):
                await working
        await centre.drain()
        wire, flash = _sizes(centre)
    return Seen(latencies, wire, flash)


async def _press(page: Page, desk: Agent) -> list[float]:
    changes: asyncio.Queue[tuple[str, float]] = asyncio.Queue()
    await page.expose_function("tileSaid", lambda state, at: changes.put_nowait((state, at)))
    await page.evaluate(_WATCH, desk.desk.person.id)
    offset_ms = await offset(page)
    latencies = []
    for _ in range(_PRESSES):
        await desk.keys(_DIAL)
        await _until(changes, "dialing")
        began_ms = time.time() * 1000
        await desk.keys([_HANG_UP])
        latencies.append(await _until(changes, "ready") - offset_ms - began_ms)
    return latencies


async def _until(changes: asyncio.Queue[tuple[str, float]], wanted: str) -> float:
    async with asyncio.timeout(_LIMIT_S):
        while True:
            state, at = await changes.get()
            if state == wanted:
                return at


async def offset(page: Page) -> float:
    """Milliseconds that the page's clock is ahead of ours, from the quickest of some questions."""
    best = (float("inf"), 0.0)
    for _ in range(50):
        asked = time.time() * 1000
        theirs: float = await page.evaluate("performance.timeOrigin + performance.now()")
        answered = time.time() * 1000
        best = min(best, (answered - asked, theirs - (asked + answered) / 2))
    return best[1]


def _sizes(centre: Centre) -> tuple[float, float]:
    reader = centre.reader()
    try:
        bodies: list[Any] = [
            stored.body for s in reader.stations() for stored in reader.events_of(s)
        ]
    finally:
        reader.close()
    seen = [seen for s in centre.world.stations for seen in centre.world.witness.events(s)]
    wire = statistics.fmean(len(encode(body)) for body in bodies)
    return wire, statistics.fmean(len(one.payload) for one in seen)
