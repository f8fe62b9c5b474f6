"""What the floor shows is what the report says at the same cut-off: with all stations there, with
one out of reach, which both name, and when it has told the rest. The switch's half-hour too.
"""

import asyncio
import re
import sys
import time
from typing import Any

from diadema_sim import people
from diadema_sim.centre import Centre, open_centre
from playwright.async_api import Page, expect

from tests.support.chromium import CHROMIUM
from tests.support.supervisor import LIMIT_MS, START_MS, ZONE, browsing, report, rows, serve

_LOG_S = 3  # the switch's calls began so long ago


def number(text: str) -> int:
    return int(re.sub(r"\D", "", text))


async def stat(page: Page, name: str) -> str:
    return await page.locator(f'.stat[data-stat="{name}"] b').inner_text()


async def floor_says(page: Page) -> dict[str, Any]:
    """Every number of the floor: today's, each tile's, who is in, and until when; no position
    when it moved on while this was read, as the numbers are then of two moments.
    """
    began = await page.locator(".cut").inner_text()
    tiles = {}
    for tile in await page.locator(".tile").all():
        agent = await tile.get_attribute("data-a")
        words = await tile.locator(".foot").inner_text()
        answered = re.search(r"(\d+)\s+(?:atendida|at\.)", words)
        tmo = re.search(r"TMO (\d+:\d+)", words)
        tiles[agent] = (int(answered[1]) if answered else 0, tmo[1] if tmo else None)
    cut = await page.locator(".cut").inner_text()
    position = re.search(r"evento ([\d\s\u00a0]+)", cut)
    return {
        "segments": number(await stat(page, "segments")),
        "tmo": await stat(page, "tmo"),
        "missed": number(await stat(page, "missed")),
        "online": number(await page.locator('[data-total="online"] b').inner_text()),
        "tiles": tiles,
        "position": number(position[1]) if position and cut == began else None,
        "owing": await page.locator(".owing summary").inner_text() if "falta" in cut else "",
    }


def clock(seconds: int | None) -> str:
    return "—" if seconds is None else f"{seconds // 60}:{seconds % 60:02}"


async def report_says(centre: Centre) -> dict[str, Any]:
    """The same of the reports, all at one position."""
    calls, times, logins = [
        await report(centre, kind) for kind in ("llamadas", "tmo", "asistencia")
    ]
    positions = {one["cut_off"]["position"] for one in (calls, times, logins)}
    aht = {row["code"]: row["aht_s"] for row in rows(times, "aht_agents")}
    agents = rows(calls, "calls_agents")
    (total,) = (row for row in rows(times, "summary") if row["figure"] == "TMO")
    return {
        "segments": sum(row["answered"] + row["connected"] for row in agents),
        "tmo": clock(total["value"] and total["value"]["value"]),
        "missed": sum(row["missed"] for row in agents),
        "online": sum(row["logged_in"] for row in rows(logins, "logins")),
        "tiles": {
            row["code"]: (
                row["answered"] + row["connected"],
                clock(aht[row["code"]]) if aht.get(row["code"]) is not None else None,
            )
            for row in agents
        },
        "position": positions.pop() if len(positions) == 1 else None,
        "owing": [one["seat"] for one in calls["cut_off"]["owing"]],
    }


async def same(page: Page, centre: Centre, owing: list[str]) -> dict[str, Any]:
    """Wait until both are at one position; then every number must be the same."""
    deadline = time.monotonic() + LIMIT_MS / 1000
    while True:
        floor, told = await floor_says(page), await report_says(centre)
        at_one = floor["position"] is not None and floor["position"] == told["position"]
        if at_one and bool(floor["owing"]) == bool(owing):
            break
        assert time.monotonic() < deadline, (floor, told)
        await asyncio.sleep(0.3)
    named = floor.pop("owing")
    assert told.pop("owing") == owing
    if owing:
        assert f"falta {len(owing)} posición desde" in named
        await page.locator(".owing summary").click()
        for seat in owing:
            await expect(page.locator(".owing li", has_text=seat)).to_be_visible()
        await page.locator(".owing summary").click()
    assert floor == told
    return told


async def test_every_number_of_the_floor_is_the_reports(tmp_path, system_program):
    chromium = system_program(CHROMIUM, CHROMIUM)
    desks = people.desks(2)
    async with open_centre(
        desks,
        name="Centro de muestra",
        zone=ZONE,
        tree=people.LIMA_TREE,
        start_utc_ms=START_MS,
        data=tmp_path / "data",
    ) as centre:
        await centre.switch_on()
        near, far = centre.agents
        async with browsing(chromium, centre.entry_link()) as page:
            for desk in (near, far):
                await desk.log_in()
                await desk.get_ready()
                await serve(desk, f"C-{desk.desk.seat}")
            before = await same(page, centre, [])
            assert before["segments"] == 2 and before["online"] == 2

            await far.ring("C-far", queue="Bolsa")
            await far.answer("C-far")
            await centre.drain()
            far.station.cable.pull()
            await expect(page.locator('.tile[data-link="lost"]')).to_have_count(1)
            await centre.world.sleep(9_000)  # so that her mean will be another one
            await far.hang_up("C-far")
            await far.typify_after("C-far", "112")
            await serve(near, "C-more")
            seat = far.desk.seat
            without = await same(page, centre, [seat])
            assert without["segments"] == before["segments"] + 2  # hers had been answered
            unknown = without["tiles"][far.desk.person.id]

            far.station.cable.plug()
            await expect(page.locator('.tile[data-link="lost"]')).to_have_count(0)
            await centre.drain()
            after = await same(page, centre, [])
            assert after["segments"] == without["segments"]
            assert after["tiles"][far.desk.person.id] != unknown  # now its time is known
            await _half_hour(page, centre, tmp_path)


async def _half_hour(page: Page, centre: Centre, tmp_path) -> None:
    """A live queue_log: what the floor's tiles say is the half-hour's row of the report."""
    await expect(page.get_by_text("sin datos de central").first).to_be_visible()
    log, now_s = tmp_path / "queue_log", int(centre.world.now_ms() / 1000)
    start = max(now_s - _LOG_S, now_s - now_s % 1800)
    lines = [
        f"{start}|1.1|Banca|NONE|ENTERQUEUE||099000001|1",
        f"{start}|1.1|Banca|SIP/201|CONNECT|1|1.19|1",
        f"{start}|1.2|Banca|NONE|ENTERQUEUE||099000002|1",
        f"{start}|1.2|Banca|NONE|ABANDON|1|1|9",
        f"{start}|1.3|Bolsa|NONE|ENTERQUEUE||099000003|1",
    ]
    log.write_text("".join(line + "\n" for line in lines))
    follower = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "diadema", "import", "queue-log", str(log), "--follow",
        "--data", str(centre.data.root),
    )  # fmt: skip
    try:
        await expect(page.locator('.stat[data-stat="waiting"] b')).to_have_text("1")
        halves = rows(await report(centre, "servicio"), "service_halves")
        row = halves[-1]
        assert (row["received"], row["answered"], row["abandoned"], row["waiting"]) == (3, 1, 1, 1)
        assert await stat(page, "waiting") == str(row["waiting"])
        assert await stat(page, "abandoned") == str(row["abandoned"])
        level = (await stat(page, "level")).replace("\u00a0", " ")
        assert level == f"{row['sl_offered']} %"
    finally:
        follower.terminate()
        await follower.wait()
