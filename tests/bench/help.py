"""A press of Ayuda to its row on the page Ayudas, with a thousand agents at work on a real hub.

The clock starts when a station writes the press and stops when headless Chromium has painted a
frame with the row; 50 calls for help are open meanwhile, and agents work as in `floor_crowd`.
"""

import json
import shutil
import statistics
import tempfile
from pathlib import Path

from diadema.base.paths import DataDir
from diadema.site.example import EXAMPLE
from playwright.async_api import async_playwright

from tests.bench.centre_load import site
from tests.bench.crowd import running, running_hub
from tests.bench.figure import Figure
from tests.bench.floor_crowd import AGENTS, changes_of, signed_in, writers_of, written
from tests.bench.viewers import session
from tests.support.chromium import CHROMIUM, FLAGS

NEEDS = (CHROMIUM,)
_CALLS, _RATE, _SECONDS = 50, 200, 40
_BUDGET_MS, _WEB_PERCENT = 250, 10
_WATCH = """
() => {
  window.seen = [];
  let due = [];
  const painted = new MessageChannel();
  painted.port1.onmessage = () => {
    const at = performance.timeOrigin + performance.now();
    for (const of of due) window.seen.push([of, "help", at]);
    due = [];
  };
  const watch = new MutationObserver((found) => {
    const added = found.flatMap((one) => [...one.addedNodes]).map((one) => one.dataset?.of);
    if (!due.length) requestAnimationFrame(() => painted.port2.postMessage(0));
    due.push(...added.filter(Boolean));
  });
  watch.observe(document.querySelector(".helps"), {childList: true});
}
"""


async def figures() -> list[Figure]:
    latencies, missed, percent = await measure()
    at = statistics.quantiles(latencies, n=100, method="inclusive")
    what = f"help, {AGENTS} agents, {_CALLS} open"
    return [
        Figure(f"{what}: press to pixels, p50", at[49], "ms", _BUDGET_MS, "budget of p99"),
        Figure(f"{what}: press to pixels, p99", at[98], "ms", _BUDGET_MS, "budget"),
        Figure("presses painted", len(latencies), "presses", len(latencies) + missed, "made"),
        Figure("web process meanwhile, of a core", percent, "%", _WEB_PERCENT, "budget"),
    ]


async def measure() -> tuple[list[float], int, float]:
    with tempfile.TemporaryDirectory(prefix="diadema-bench-") as scratch:
        folder = Path(scratch)
        data = DataDir(folder / "hub")
        data.make()
        data.site.write_text(json.dumps(site(AGENTS, json.loads(EXAMPLE) | {"materials": []})))
        cookies = session(data)
        async with running_hub(folder, data) as hub, async_playwright() as playwright:
            file = folder / "changes.json"
            command = await writers_of(data, hub, AGENTS, file)
            async with running(command, folder / "writers.log") as writers:
                await written(writers)
                browser = await playwright.chromium.launch(
                    executable_path=shutil.which(CHROMIUM), args=FLAGS
                )
                context = await signed_in(browser, hub, cookies)
                page = await context.new_page()
                await page.goto(hub.web + "/ui/help")
                await page.wait_for_selector(".floor[data-mode=help]:not([data-stale])")
                line = f"{_RATE} {_SECONDS} {_CALLS}\n"
                seen = await changes_of(page, writers, hub, line, file, _WATCH)
                await browser.close()
    changes, painted, percent, _ = seen
    at = {of: at for of, _, at in painted}
    pressed = [(of, pressed_at) for of, kind, pressed_at in changes if kind == "help"]
    latencies = [at[of] - pressed_at for of, pressed_at in pressed if of in at]
    return latencies, len(pressed) - len(latencies), percent
