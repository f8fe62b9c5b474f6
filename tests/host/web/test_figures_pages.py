"""The pages of figures in a real browser: an agent's day, attendance, TMO, dispositions. What they
say is what `figures.read` says, and what a role may not see it does not see.
"""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from diadema.base.clock import SharedClock, open_clock
from diadema.base.paths import DataDir
from diadema.figures.read import read
from diadema.metrics import calls as call_metrics
from diadema.report.make import make
from diadema.report.model import Scope
from diadema.report.palette import DARK, LIGHT
from diadema.report.period import around
from diadema.words import section
from diadema.words.formatting import clock
from playwright.async_api import Page, expect

from tests.support.reported_day import stations
from tests.support.scripted_station import T0, Script
from tests.support.targeted import bring_stations, centre, put
from tests.support.web_stage import Hub, Nats, Web

pytestmark = pytest.mark.asyncio(loop_scope="session")
DAY = datetime.fromtimestamp(T0 / 1000, UTC).date()
PAGES = ("agents", "agents/a001", "attendance", "handling", "dispositions")
_SAME_COLOUR = """state => {
  const bar = document.querySelector(`.timeline rect[data-state=${state}]`);
  const sign = document.querySelector(`.timeline .legend i[data-state=${state}]`);
  return getComputedStyle(sign).backgroundColor === getComputedStyle(bar).fill;
}"""
AXE = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}}


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def day_web(
    nats_server: Nats, tmp_path_factory: pytest.TempPathFactory, shared_hub: Hub
) -> AsyncIterator[Web]:
    """A web over a store with two days of two agents of the teams Norte and Sur."""
    folder = tmp_path_factory.mktemp("days")
    stations(folder)
    web = Web(folder, nats_server.url)
    web.start()
    yield web
    web.kill()


def at(web: Web, page: str, query: str = "") -> str:
    return f"{web.url}/ui/{page}?day={DAY}&lang=es{query}"


def sums(web: Web, agent: str):
    figures = read(DataDir(web.folder), DAY, DAY, open_clock(None).now_ms())
    return figures.agent(agent)


async def figure(page: Page, title: str) -> str:
    box = page.locator(".figure", has=page.get_by_text(title, exact=True))
    return await box.locator(".number").inner_text()


async def test_an_agents_day_says_what_the_figures_say(day_web: Web, open_page) -> None:
    page = await open_page(at(day_web, "agents/a001"))
    calls = sums(day_web, "a001").calls()
    await expect(page.locator(".figures .figure").first).to_be_visible()
    assert await figure(page, "Atenciones") == str(calls.answered + calls.connected)
    assert await figure(page, "No contestados") == str(calls.missed)
    assert await figure(page, "TMO") == clock(call_metrics.aht(calls))
    assert await figure(page, "Tiempo conectado") == clock(sums(day_web, "a001").load.logged_s)
    rows = page.get_by_role("region", name="Llamadas").locator("tbody tr")
    assert await rows.count() == calls.offered + calls.dialed
    assert await page.locator("rect.bar-work").count() > 0


async def test_each_number_opens_the_events_behind_it(day_web: Web, open_page) -> None:
    page = await open_page(at(day_web, "agents/a001"))
    calls = page.get_by_role("region", name="Llamadas")
    await calls.locator("tbody button").first.click()
    dialog = page.get_by_role("dialog")
    await expect(dialog.get_by_text("contact.offered")).to_be_visible()
    await expect(dialog.get_by_text("contact.typified")).to_be_visible()
    assert await dialog.locator("tbody tr").count() >= 5
    await dialog.get_by_role("button", name="Cerrar").click()
    await page.locator("rect.bar-presence[data-state=not_ready]").first.focus()
    await page.keyboard.press("Enter")
    await expect(dialog.get_by_text("presence.changed").first).to_be_visible()
    await page.keyboard.press("Escape")
    await page.locator(".figure", has_text="No contestados").get_by_role("button").click()
    await expect(dialog.get_by_text("contact.missed").first).to_be_visible()


@pytest.fixture(scope="module")
def planned_web(nats_server: Nats, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """At 09:06:40 of a shift from 05:00 to 13:00 whose agent came at 06:06:40, took a pause of
    twenty minutes at 07:00, and is on the planned one since 09:00.
    """
    folder = tmp_path_factory.mktemp("rostered")
    data = centre(folder)
    put(data, "shifts", code="M", name="Mañana", start="05:00", end="13:00", tolerance_min=5,
        pauses=["09:00-09:30 refrigerio"])  # fmt: skip
    put(data, "roster", day="2026-11-18", agent="a001", shift="M")
    script = Script().boot().clock(T0).login(0).ready(0).call("c1")
    for minute, was, to in ((54, "ready", "not_ready"), (74, "not_ready", "ready"),
                            (174, "ready", "not_ready")):  # fmt: skip
        script.u = T0 + minute * 60_000 - script.offset
        script.presence(was, to, "refrigerio" if to == "not_ready" else None, after=0)
    bring_stations(data, script)
    SharedClock(folder / "clock", create=True).set(T0 + 3 * 3_600_000, 0)
    data.secrets.unlink(missing_ok=True)  # `Web` writes those of its server
    web = Web(data.root, nats_server.url, folder / "clock")
    web.start()
    yield web
    web.kill()


@pytest.mark.parametrize("width", [1366, 390])
async def test_the_roster_stands_under_the_presence_with_its_exceptions_and_a_legend(
    planned_web: Web, hub: Hub, open_page, width: int
) -> None:
    page = await open_page(
        f"{planned_web.url}/ui/agents/a001?day=2026-11-18&lang=es",
        viewport={"width": width, "height": 900},
    )
    planned = page.locator("rect.bar-plan")
    await expect(planned.first).to_be_visible()
    states = await planned.evaluate_all("all => all.map(one => one.dataset.state)")
    assert states == ["planned", "pause", "planned"]
    rows = await page.locator("rect.bar-presence, rect.bar-plan, rect.bar-work").evaluate_all(
        "all => all.map(one => [one.getAttribute('class'), Number(one.getAttribute('y'))])"
    )
    by_track = {name: y for name, y in rows}
    assert by_track["bar-presence"] < by_track["bar-plan"] < by_track["bar-work"]
    out = page.locator("rect.bar-out")
    said = await out.evaluate_all("all => all.map(one => one.getAttribute('aria-label'))")
    assert said[0].startswith(
        "fuera de horario · programado: trabajo; hizo: sin sesión, 05:00, 1:06"
    )
    assert said[1] == "fuera de horario · programado: trabajo; hizo: Refrigerio, 07:00, 20:00"
    legend = await page.locator(".timeline .legend li").all_inner_texts()
    assert legend[-1] == "fuera de horario"
    assert {"programado", "pausa programada", "en llamada", "auxiliar"} <= {*legend}
    for state in await page.locator(".timeline .legend i").evaluate_all(
        "all => all.map(one => one.dataset.state)"
    ):
        assert await page.evaluate(_SAME_COLOUR, state), state
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
    results = await Axe().run(page, options=AXE)
    assert results.violations_count == 0, results.generate_report()


async def test_without_a_roster_nothing_is_said_of_one(day_web: Web, open_page) -> None:
    page = await open_page(at(day_web, "agents/a001"))
    await expect(page.locator("rect.bar-presence").first).to_be_visible()
    assert await page.locator("rect.bar-plan, rect.bar-out").count() == 0
    assert "Programado" not in await page.locator(".timeline").inner_text()


async def test_another_day_is_a_choice_away(day_web: Web, open_page) -> None:
    page = await open_page(at(day_web, "agents/a001"))
    await page.get_by_role("link", name="Día anterior").click()
    await expect(page.get_by_text("Sin llamadas ese día.")).to_be_visible()


@pytest.mark.parametrize("day", ["0001-01-01", "1900-01-01", "9999-12-31", "2026-02-31"])
async def test_a_day_that_is_none_is_today_or_refused(day_web: Web, day: str) -> None:
    async with httpx.AsyncClient(
        base_url=day_web.url, cookies=day_web.cookies, timeout=60
    ) as client:
        for page in (*PAGES, "register"):
            assert (await client.get(f"/ui/{page}?day={day}", timeout=300)).status_code == 200, (
                page
            )
        for path in ("/handover", "/api/v1/agents/a001/page", "/api/v1/agents/a001/day"):
            answer = await client.get(f"{path}?day={day}", timeout=300)
            assert answer.status_code == 422, path
            assert answer.json()["errors"][0]["where"] == "query.day"


async def test_tables_of_all_agents_add_up(day_web: Web, open_page) -> None:
    page = await open_page(at(day_web, "handling"))
    await expect(page.locator(".figures-table")).to_be_visible()
    both = sums(day_web, "a001").calls()
    both += sums(day_web, "a002").calls()
    assert await figure(page, "TMO") == clock(call_metrics.aht(both))
    assert await figure(page, "Timbres") == str(both.offered)
    await expect(page.locator("canvas").first).to_be_visible()
    await page.goto(at(day_web, "dispositions"))
    counts = page.locator(".figures-table tbody tr td:nth-child(6)")
    await expect(counts.first).to_be_visible()
    assert sum(map(int, await counts.all_inner_texts())) == sum(both.codes.values())
    await page.goto(at(day_web, "attendance"))
    await expect(page.locator(".figures-table tbody tr").first).to_be_visible()
    assert await page.locator(".figures-table tbody tr").count() == 2
    await page.goto(at(day_web, "agents"))
    await page.locator(".figures-table tbody a").first.click()
    await page.wait_for_url("**/ui/agents/a00*")


async def test_a_role_sees_no_more_than_its_own(day_web: Web, open_page) -> None:
    refused = "Su cuenta no permite esto"
    for role, page_name in (("technician", "agents"), ("hr", "handling"), ("agent", "agents")):
        agent = "a002" if role == "agent" else None
        page = await open_page(at(day_web, page_name), role=role, agent=agent)
        await expect(page.get_by_text(refused)).to_be_visible()
        assert await page.locator(".figures-table").count() == 0
    own = await open_page(at(day_web, "agents/a002"), role="agent", agent="a002")
    await expect(own.locator(".figures .figure").first).to_be_visible()
    others = await open_page(at(day_web, "agents/a001"), role="agent", agent="a002")
    await expect(others.get_by_text(refused)).to_be_visible()
    async with httpx.AsyncClient(
        base_url=day_web.url, cookies=day_web.login("agent", agent="a002"), timeout=60
    ) as client:
        assert (await client.get(f"/api/v1/agents/a002/page?day={DAY}")).status_code == 200
        for path in ("page?", "events?from=0&to=9999999999999&"):
            answer = await client.get(f"/api/v1/agents/a001/{path}day={DAY}")
            assert answer.status_code == 403


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
async def test_pages_are_accessible(day_web: Web, open_page, name: str, theme: str) -> None:
    page = await open_page(at(day_web, name), color_scheme=theme)
    await expect(page.locator(".status").first).not_to_have_text("")
    await expect(page.locator(".figures, .figures-table").first).to_be_visible()
    found = await Axe().run(page, options=AXE)
    problems = [
        (one["id"], [node["html"][:160] for node in one["nodes"]])
        for one in found.response["violations"]
    ]
    assert problems == []


LAID_OVER = """() => [...document.querySelectorAll('text.hour')]
  .map(one => one.getBoundingClientRect())
  .filter((one, at, all) => at && one.left < all[at - 1].right + 2).length"""


@pytest.mark.parametrize("width", [360, 1280])
async def test_the_hours_of_a_whole_day_stand_apart(day_web: Web, open_page, width: int) -> None:
    page = await open_page(
        f"{day_web.url}/ui/agents/a001?day=2026-01-05", viewport={"width": width, "height": 844}
    )
    await expect(page.locator("text.hour").first).to_be_visible()
    assert await page.evaluate(LAID_OVER) == 0


@pytest.mark.parametrize("name", PAGES)
async def test_pages_fit_a_phone(day_web: Web, open_page, name: str) -> None:
    page = await open_page(at(day_web, name), viewport={"width": 390, "height": 844})
    await expect(page.locator(".figures, .figures-table").first).to_be_visible()
    wide = await page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert wide <= 0


@pytest.mark.parametrize("name", ["", *PAGES])
async def test_each_page_says_how_its_figures_are_worked_out(
    day_web: Web, open_page, name: str
) -> None:
    """In the words of the reports, which an example of each is checked against."""
    page = await open_page(at(day_web, name))
    summary = page.locator("summary", has_text="¿Cómo se calcula?")
    await summary.click()
    told = dict(
        zip(
            await page.locator(".how dt").all_inner_texts(),
            await page.locator(".how dd").all_inner_texts(),
            strict=True,
        )
    )
    words = section("reports", "es")
    keys = [
        next(key for key in words if key.startswith("formula.") and words[key] == said)
        for said in told.values()
    ]
    assert [*told] == [words[key.replace("formula", "col")] for key in keys]
    shown = {
        "": {"handled", "aht_s", "missed", "abandoned", "sl_offered"},
        "agents": {"handled", "missed", "aht_s", "occupancy", "logged_s", "not_ready"},
        "attendance": {"absent", "late_s", "stay_s", "outside_s", "orphans", "impossible"},
        "dispositions": {"typified", "untyped", "retyped"},
    }.get(name, {"handled", "missed", "aht_s", "talk_mean_s", "hold_mean_s", "occupancy"})
    assert shown <= {key.removeprefix("formula.") for key in keys}


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def weeks_web(
    nats_server: Nats, tmp_path_factory: pytest.TempPathFactory, shared_hub: Hub
) -> AsyncIterator[Web]:
    """The same of nine days, of two weeks."""
    folder = tmp_path_factory.mktemp("weeks")
    stations(folder, days=9)
    web = Web(folder, nats_server.url)
    web.start()
    yield web
    web.kill()


DRAWN = """all => all.map(one => {
  const chart = window.getElement(one.id.replace(/^c/, "")).chart, option = chart.getOption();
  return [option.color, option.series.map(its => [its.type, its.name, its.data])];
})"""


@pytest.mark.parametrize(
    ("path", "kind", "key"),
    [("handling", "tmo", "aht_s"), ("dispositions", "tipificacion", "typified_rate")],
)
async def test_a_page_of_a_day_follows_its_figures_over_weeks(
    weeks_web: Web, open_page, path: str, kind: str, key: str
) -> None:
    day = DAY + timedelta(days=8)
    page = await open_page(f"{weeks_web.url}/ui/{path}?day={day}&lang=es")
    charts = page.locator(".trends [data-chart]")
    await expect(charts.locator("canvas, svg").first).to_be_visible()
    data = DataDir(weeks_web.folder)
    now = open_clock(None).now_ms()
    trend = make(data, kind, around("week", day), Scope(), now).section("trend")
    assert [row[0] for row in trend.rows] == [around("week", one).word for one in (DAY, day)]
    series = (await charts.evaluate_all(DRAWN))[0][1]
    assert [kind for kind, *_ in series][:2] == ["bar", "line"]
    assert series[0][2] == trend.values("n") and series[1][2] == trend.values(key)
    await page.locator(".trends details summary").first.click()
    table = page.locator('.trends table[data-section="trend"] tbody tr')
    await expect(table).to_have_count(2)
    found = await Axe().run(page, options=AXE)
    assert found.response["violations"] == []


@pytest.mark.parametrize(("theme", "colours"), [("light", LIGHT), ("dark", DARK)])
async def test_dispositions_are_in_no_colour_of_a_state(
    day_web: Web, open_page, theme: str, colours: list[str]
) -> None:
    """Blue is a call and green is somebody free: a motive is neither."""
    page = await open_page(at(day_web, "dispositions"), color_scheme=theme)
    charts = page.locator("[data-chart]")
    await expect(charts.locator("canvas, svg").first).to_be_visible()
    await page.wait_for_function(
        f"all => ({DRAWN})([...document.querySelectorAll('[data-chart]')])"
        f".every(([colours]) => colours[0] === '{colours[0]}')"
    )
    for found, _ in await charts.evaluate_all(DRAWN):
        assert {*found} == {*colours}, "nor in one of the library's own"
