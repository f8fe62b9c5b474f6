"""The live floor with a thousand agents, 200 changes a second and 20 viewers on a real hub.

A change's clock starts when its station writes the event and stops when headless Chromium has
painted a frame with it: one browser looks, and 19 more viewers take the same stream. Everything
runs on this one machine, Chromium included, and they share its cores.
"""

import asyncio
import json
import shutil
import statistics
import sys
import tempfile
from asyncio.subprocess import Process
from collections import defaultdict, deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nats
from diadema.base import credentials
from diadema.base.paths import DataDir, Hub
from diadema.site.example import EXAMPLE
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from tests.bench.centre_load import site
from tests.bench.crowd import running, running_hub
from tests.bench.figure import Figure
from tests.bench.floor import offset
from tests.bench.viewers import looking, session
from tests.support.chromium import CHROMIUM, FLAGS

AGENTS, VIEWERS = 1000, 20
_RATE, _SECONDS = 200, 30
_BUDGET_MS, _VIEW_MS, _WEB_PERCENT, _WEB_MB = 250, 1000, 5, 150
NEEDS = (CHROMIUM,)
_UP_S = 60.0
_TICK_S = 0.01  # of /proc's counters
_WATCH = """
() => {
  window.seen = [];
  let due = [];
  const painted = new MessageChannel();
  painted.port1.onmessage = () => {
    const at = performance.timeOrigin + performance.now();
    for (const [a, state] of due) window.seen.push([a, state, at]);
    due = [];
  };
  const watch = new MutationObserver((found) => {
    if (!due.length) requestAnimationFrame(() => painted.port2.postMessage(0));
    for (const {target} of found) due.push([target.dataset.a, target.dataset.state]);
  });
  const options = {subtree: true, attributes: true, attributeFilter: ["data-state"]};
  watch.observe(document.body, options);
}
"""
_FIRST_VIEW = """
(count) => {
  const look = () => {
    const there = document.querySelectorAll(".tile[data-state]").length;
    if (there < count) return requestAnimationFrame(look);
    requestAnimationFrame(() => setTimeout(() => (window.firstView = performance.now())));
  };
  look();
}
"""


@dataclass(frozen=True)
class Seen:
    """`missed`: changes that another one of the same agent overtook before a frame."""

    latencies_ms: list[float]
    missed: int
    first_view_ms: float
    again_ms: float
    web_percent: float
    web_mb: float


async def figures() -> list[Figure]:
    seen = await measure(AGENTS, VIEWERS, _RATE, _SECONDS)
    at = statistics.quantiles(seen.latencies_ms, n=100, method="inclusive")
    what = f"floor, {AGENTS} agents, {VIEWERS} viewers"
    return [
        Figure(f"{what}: change to pixels, p50", at[49], "ms", _BUDGET_MS, "budget of p99"),
        Figure(f"{what}: change to pixels, p99", at[98], "ms", _BUDGET_MS, "budget"),
        Figure("changes painted", len(seen.latencies_ms), "changes", _RATE * _SECONDS, "made"),
        Figure("overtaken before a frame", seen.missed, "changes"),
        Figure("first view of all tiles", seen.first_view_ms, "ms", _VIEW_MS, "budget"),
        Figure("the same, from the cache", seen.again_ms, "ms", _VIEW_MS, "budget"),
        Figure("web process, of a core", seen.web_percent, "%", _WEB_PERCENT, "budget"),
        Figure("web process, memory", seen.web_mb, "MB", _WEB_MB, "budget"),
    ]


async def measure(agents: int, viewers: int, rate: float, seconds: float) -> Seen:
    with tempfile.TemporaryDirectory(prefix="diadema-bench-") as scratch:
        folder = Path(scratch)
        data = DataDir(folder / "hub")
        data.make()
        data.site.write_text(json.dumps(site(agents, json.loads(EXAMPLE) | {"materials": []})))
        cookies = session(data)
        async with running_hub(folder, data) as hub, async_playwright() as playwright:
            file = folder / "changes.json"
            command = await writers_of(data, hub, agents, file)
            async with running(command, folder / "writers.log") as writers:
                await written(writers)
                browser = await playwright.chromium.launch(
                    executable_path=shutil.which(CHROMIUM), args=FLAGS
                )
                page, first = await _open(browser, hub, cookies, agents)
                async with looking(hub, cookies, viewers - 1):
                    line = f"{rate} {seconds}\n"
                    seen = await changes_of(page, writers, hub, line, file, _WATCH)
                again = await _reload(page, agents)
                await browser.close()
    changes, painted, percent, megabytes = seen
    return Seen(*_latencies(changes, painted), first, again, percent, megabytes)


async def written(writers: Process) -> None:
    """All of its stations are logged in."""
    async with asyncio.timeout(_UP_S):
        assert await writers.stdout.readline() == b"in\n"


async def writers_of(data: DataDir, hub: Hub, agents: int, file: Path) -> list[str]:
    password = credentials.load(data).host
    client = await nats.connect(hub.nats, user="host", password=password, connect_timeout=60)
    status = json.loads((await client.request("hub.status", b"{}", timeout=10)).data)
    await client.close()
    module = [sys.executable, "-m", "tests.bench.floor_writers"]
    return [*module, hub.nats, password, str(status["generation"]), str(agents), str(file)]


async def _open(
    browser: Browser, hub: Hub, cookies: dict[str, str], agents: int
) -> tuple[Page, float]:
    context = await signed_in(browser, hub, cookies)
    warm = await context.new_page()  # the browser's own start is not the page's
    await warm.goto("about:blank")
    page = await context.new_page()
    await page.goto(hub.web + "/ui/", wait_until="commit")
    return page, await _first_view(page, agents)


async def signed_in(browser: Browser, hub: Hub, cookies: dict[str, str]) -> BrowserContext:
    context = await browser.new_context(viewport={"width": 1920, "height": 1080})
    await context.add_cookies(
        [{"name": name, "value": value, "url": hub.web} for name, value in cookies.items()]
    )
    return context


async def _first_view(page: Page, agents: int) -> float:
    """Milliseconds from the start of the navigation to a painted frame with all tiles."""
    await page.evaluate(_FIRST_VIEW, agents)
    found = await page.wait_for_function("window.firstView", timeout=60_000)
    return float(await found.json_value())


async def _reload(page: Page, agents: int) -> float:
    await page.reload(wait_until="commit")
    return await _first_view(page, agents)


async def changes_of(
    page: Page, writers: Process, hub: Hub, line: str, file: Path, watch: str
) -> tuple[list[Any], list[Any], float, float]:
    """Has the writers do as the line says; gives what changed, what `watch` has put into
    `window.seen`, each at our time, and the web's share of a core and its megabytes.
    """
    await page.evaluate(watch)
    ahead = await offset(page)
    web = hub.children["web"]
    before, began = _spent_s(web), asyncio.get_running_loop().time()
    writers.stdin.write(line.encode())
    assert await writers.stdout.readline() == b"done\n"
    spent = _spent_s(web) - before
    took = asyncio.get_running_loop().time() - began
    await asyncio.sleep(2.0)  # the last of them are painted
    seen = [(a, state, at - ahead) for a, state, at in await page.evaluate("window.seen")]
    return json.loads(file.read_text()), seen, 100 * spent / took, _resident_mb(web)


def _latencies(changes: list[Any], painted: list[Any]) -> tuple[list[float], int]:
    """Each change beside the first frame after it that shows that agent so."""
    frames: defaultdict[str, deque[tuple[str, float]]] = defaultdict(deque)
    for a, state, at in painted:
        frames[a].append((state, at))
    latencies, missed = [], 0
    for a, state, at in changes:
        queue = frames[a]
        if queue and queue[0][0] == state:
            latencies.append(queue.popleft()[1] - at)
        else:
            missed += 1
    return latencies, missed


def _spent_s(pid: int) -> float:
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) * _TICK_S


def _resident_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) / 1024
