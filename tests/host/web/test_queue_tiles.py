"""Tiles of the switch's queues on the floor and the wall: as the intraday report has them, with a
sign where one is over its limit or under its target, and nothing where nobody knows.
"""

import asyncio
import re
import time

import pytest
from axe_playwright_python.async_playwright import Axe
from diadema.site.directory.people import People, Worker
from playwright.async_api import Page, expect

from tests.host.web.test_floor_inside import WCAG, queue, tell_queues
from tests.host.web.test_floor_page import fill
from tests.host.web.test_pages_equal_reports import (
    Number,
    aim,
    centre,
    is_missed,
    number,
    report,
    stage,
)
from tests.host.web.test_scopes import Reader, Stage
from tests.support.web_stage import Hub, Web
from tests.support.web_viewer import OpenPage, connect, viewing

__all__ = ["centre", "stage"]
pytestmark = pytest.mark.asyncio(loop_scope="session")
FACTS = ("waiting", "longest", "abandoned", "level", "ready")
RUNNING = "06:30"  # the half-hour of the stage
LOWEST = """() => Math.max(...[...document.querySelectorAll('.tile')]
  .map(one => one.getBoundingClientRect().bottom))"""
SETTLED = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"


def now() -> int:
    return int(time.time() * 1000)


def levels(value: float | None) -> dict[str, float | None]:
    return {"offered": value, "answered": 50.0}


async def facts(page: Page, code: str) -> dict[str, Number]:
    tile = page.locator(f'.queue-tile[data-queue="{code}"]')
    return {
        one: number(await tile.locator(f'[data-fact="{one}"] b').inner_text()) for one in FACTS
    }


async def signs(page: Page, code: str) -> set[str]:
    """What has one; each is a shape, a word and a colour."""
    tile = page.locator(f'.queue-tile[data-queue="{code}"]')
    found = set()
    for one in FACTS:
        fact = tile.locator(f'[data-fact="{one}"]')
        if await fact.locator(".sign").is_visible():
            assert (await fact.locator(".sign .unseen").inner_text()).strip()
            assert await fact.get_attribute("data-over") is not None
            found.add(one)
    return found


@pytest.mark.parametrize("path", ["/ui/", "/wall"])
async def test_the_tiles_are_the_intraday_reports(
    centre: Web, open_page: OpenPage, path: str
) -> None:
    page = await open_page(centre.url + path)
    names = page.locator(".queue-tile .queue-name")
    await expect(names).to_have_text(["saldos", "Soporte", "Ventas"])
    for code in ("ventas", "soporte"):
        told = await report(centre, "intradia", f"queue:{code}")
        goal = aim("service_level", code)
        assert goal is not None
        half = next(row for row in told["intraday"]["rows"] if row["hour"] == RUNNING)
        level = half[f"sl_{goal['variant']}"]
        ready = page.locator(f'.queue-tile[data-queue="{code}"] [data-fact=ready] b')
        await expect(ready).to_have_text("0")  # which is counted once a second
        shown = await facts(page, code)
        assert shown["waiting"] == told["intraday"]["total"]["waiting"]  # whenever they came
        assert (shown["abandoned"], shown["level"]) == (half["abandoned"], level)
        assert shown["ready"] == 0  # one talks, one is away
        assert isinstance(shown["longest"], int) and shown["longest"] >= 100
        marked = await signs(page, code)
        assert ("level" in marked) == is_missed(goal, level)
        aimed = page.locator(f'.queue-tile[data-queue="{code}"] [data-fact=level] small')
        await expect(aimed).to_have_text(
            re.compile(rf"^NS, meta {goal['value']}\.0.%$", re.DOTALL)
        )
    alone = await facts(page, "saldos")
    assert (alone["longest"], alone["ready"]) == (None, None)  # nobody is given to it
    assert alone["waiting"] == 0


@pytest.mark.parametrize("path", ["/ui/", "/wall"])
async def test_what_is_wrong_has_a_sign_and_what_nobody_knows_a_dash(
    web: Web, hub: Hub, open_page: OpenPage, path: str
) -> None:
    await hub.put(state="ready", since=1)
    page = await open_page(web.url + path)
    await expect(page.locator(".tile")).to_have_count(1)
    await expect(page.locator(".queues")).to_be_hidden()
    long_ago = now() - 500_000
    queues = {
        "Ventas": queue(9, longest_since=long_ago, abandoned=1234, service_level=levels(79.9)),
        "Cobranza": queue(0, service_level=levels(None)),
    }
    await tell_queues(hub, queues=queues)
    await expect(page.locator(".queue-tile .queue-name")).to_have_text(["Cobranza", "Ventas"])
    sign = page.locator('.queue-tile[data-queue="Ventas"] [data-fact=waiting] .sign')
    await expect(sign).to_be_visible()
    assert await signs(page, "Ventas") == {"waiting", "longest"}  # there is no target here
    assert await signs(page, "Cobranza") == set()
    shown = await facts(page, "Ventas")
    figure = page.locator('.queue-tile[data-queue="Ventas"] [data-fact=abandoned] b')
    await expect(figure).to_have_text("1,234")
    assert (shown["waiting"], shown["ready"]) == (9, None)
    assert isinstance(shown["longest"], int) and shown["longest"] >= 500
    assert await facts(page, "Cobranza") == dict.fromkeys(FACTS) | {"waiting": 0, "abandoned": 1}
    await tell_queues(hub, queues=queues, heard=now() - 61_000)
    await expect(page.locator(".queues")).to_have_attribute("data-old", "")
    await expect(sign).to_be_hidden()
    await hub.bucket.delete("queues")
    await expect(page.locator(".queues")).to_be_hidden()


async def test_a_tile_narrows_the_floor_to_its_agents(
    web: Web, hub: Hub, open_page: OpenPage
) -> None:
    await tell_queues(hub)
    await hub.put(a="a001", name="Una", state="talking", since=1, queue="Ventas")
    await hub.put(a="a002", name="Otra", state="talking", since=2, queue="Cobranza")
    page = await open_page(f"{web.url}/ui/")
    shown = page.locator(".tile:not([hidden]) .name")
    tile = page.get_by_role("button", name=re.compile("^Cobranza"))
    await tile.click()
    await expect(shown).to_have_text("Otra")
    await expect(tile).to_have_attribute("aria-pressed", "true")
    await expect(page.locator(".tool.queue select")).to_have_value("Cobranza")
    assert page.url.endswith("?queue=Cobranza")
    await tile.click()
    await expect(shown).to_have_text(["Otra", "Una"])
    await expect(page.locator(".tool.queue select")).to_have_value("")


async def test_names_of_queues_are_text_and_never_markup(
    web: Web, hub: Hub, open_page: OpenPage
) -> None:
    name = "<img src=x onerror=document.title=1><b>Ñ</b>"
    await tell_queues(hub, queues={name: queue(1)})
    for path in ("/ui/", "/wall"):
        page = await open_page(web.url + path)
        await expect(page.locator(".queue-name")).to_have_text(name)
        assert await page.locator(".queue-name *").count() == 0


@pytest.mark.parametrize("query", ["", "?scope=wall"])
async def test_they_come_with_a_snapshot_and_then_where_they_change(
    web: Web, hub: Hub, query: str
) -> None:
    async with viewing(web, query) as viewer:
        before = viewer.snap
        assert (before["queues"], before["ready"], before["over"]) == (None, {}, {})
        await tell_queues(hub, queues={"Ventas": queue(9)})
        while (message := await viewer.take()).get("over") != {"Ventas": ["queue_waiting"]}:
            pass
        await tell_queues(hub, queues={"Ventas": queue(8)})
        while "queues" not in (message := await viewer.take()):
            pass
        assert message["queues"]["queues"]["Ventas"]["waiting"] == 8
        assert not message.keys() & {"targets", "ready", "over", "names"}  # they are the same
        await tell_queues(hub, queues={"Ventas": queue(1)})
        while (message := await viewer.take()).get("over") != {}:
            pass


@pytest.mark.parametrize(("view", "teams"), [("full", frozenset({"Ventas"})), ("wall", None)])
async def test_who_is_ready_is_counted_of_all_teams_and_comes_by_a_change(
    view: str, teams: frozenset[str] | None
) -> None:
    stage, reader = Stage(), Reader()
    stage.people = People(
        workers={
            a: Worker(id=a, name=a, team=team, queues=["ventas"])
            for a, team in (("a001", "Ventas"), ("a002", "Cobranza"))
        }
    )
    async with stage.channels.joined(view, teams, reader.viewer):
        await reader.snapshot()
        stage.put(a="a001", state="ready")
        stage.put(a="a002", state="ready")
        stage.watch.look()
        while (ready := (await reader.next()).get("ready")) is None:
            pass
        assert ready == {"ventas": 2}


async def test_the_wall_is_not_told_which_switch_it_is(web: Web, hub: Hub) -> None:
    heard = ""
    async with connect(f"{web.ws}?scope=wall", compression=None) as socket:
        await tell_queues(hub)
        while "Cobranza" not in heard:
            heard += str(await asyncio.wait_for(socket.recv(), 300))
    assert "PBX-a" not in heard and '"alerts"' not in heard and '"cut"' not in heard


@pytest.mark.parametrize("path", ["/wall", "/ui/?screen=1"])
@pytest.mark.parametrize("agents", [1, 4, 36, 60])
async def test_the_large_screen_is_used_to_its_last_line(
    web: Web, hub: Hub, open_page: OpenPage, path: str, agents: int
) -> None:
    await tell_queues(hub, queues={f"Cola {k}": queue(k) for k in range(5)})
    for k in range(agents):
        await hub.put(a=f"a{k:03d}", name=f"Asesor {k}", alias=f"N{k}", state="talking", since=1)
    page = await open_page(web.url + path, viewport={"width": 1920, "height": 1080})
    await expect(page.locator(".tile")).to_have_count(agents)
    await expect(page.locator(".queue-tile")).to_have_count(5)
    while not 1080 * 0.95 <= await page.evaluate(LOWEST) <= 1080:
        await page.evaluate(SETTLED)
    assert await page.evaluate("document.documentElement.scrollHeight") <= 1080


async def test_four_hundred_stand_on_one_wall(web: Web, hub: Hub, open_page: OpenPage) -> None:
    await tell_queues(hub)
    await asyncio.gather(
        *(hub.put(a=f"a{k:03d}", alias=f"N{k}", state="talking", since=1) for k in range(400))
    )
    page = await open_page(f"{web.url}/wall", viewport={"width": 1920, "height": 1080})
    await expect(page.locator(".tile")).to_have_count(400)
    while not 1080 * 0.95 <= await page.evaluate(LOWEST) <= 1080:
        await page.evaluate(SETTLED)


@pytest.mark.parametrize("width", [390, 1366])
async def test_no_figure_of_a_queue_is_cut(
    web: Web, hub: Hub, open_page: OpenPage, width: int
) -> None:
    many = {"longest_since": now() - 4_000_000, "abandoned": 12_345, "service_level": levels(100)}
    await tell_queues(hub, queues={f"Cola número {k}": queue(1234, **many) for k in range(7)})
    for path in ("/ui/", "/wall"):
        for language in ("es", "en"):
            page = await open_page(
                f"{web.url}{path}?lang={language}", viewport={"width": width, "height": 800}
            )
            await expect(page.locator(".queue-tile")).to_have_count(7)
            await page.evaluate(SETTLED)
            cut = await page.evaluate(
                """() => [...document.querySelectorAll('.queue-tile')].filter(one =>
                [...one.querySelectorAll('b, small')].some(part =>
                part.getBoundingClientRect().right > one.getBoundingClientRect().right + 1))
                .map(one => one.textContent)"""
            )
            assert cut == []
            assert await page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/ui/", "/ui/?screen=1", "/wall"])
async def test_no_wcag_violation_with_queues(
    web: Web, hub: Hub, open_page: OpenPage, path: str, scheme: str
) -> None:
    await fill(hub, now() - 500_000)
    wrong = queue(9, longest_since=now() - 500_000, service_level=levels(20.0))
    await tell_queues(hub, queues={f"Cola {k}": wrong for k in range(12)} | {"Bien": queue(0)})
    page = await open_page(web.url + path, color_scheme=scheme, reduced_motion="reduce")
    await expect(page.locator(".queue-tile")).to_have_count(13)
    await expect(page.locator(".queue-tile .sign:visible").first).to_be_visible()
    results = await Axe().run(page, options={"runOnly": WCAG, "resultTypes": ["violations"]})
    assert results.violations_count == 0, results.generate_report()
