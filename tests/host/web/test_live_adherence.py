"""«Fuera de horario»: since when an agent is out of the plan, as the report would have it, and to
whom nothing of it is told.
"""

import asyncio
import json
from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from diadema.base.clock import SharedClock, SystemClock
from diadema.site.directory.people import People, Planned, Reason, Worker
from diadema.web.floor.adherence import Adherence
from diadema.web.floor.feed import Floor, Pace
from diadema.web.floor.views import VIEWS
from diadema.wire.live_rows import Row
from playwright.async_api import expect

from tests.support.scripted_station import T0
from tests.support.targeted import centre, put
from tests.support.web_stage import Hub, Nats, Web, agent
from tests.support.web_viewer import OpenPage, viewing

DAY = date(2026, 11, 18)
NINE = 1_795_000_000 // 3600 * 3600
REASONS = {
    "break": Reason(code="break", label="Break"),
    "sshh": Reason(code="sshh", label="SS. HH.", private=True),
    "coaching": Reason(code="coaching", label="Coaching", productive=True),
}
LUNCH = (NINE + 3600, NINE + 5400, "break")


class Desk:
    """One agent with a shift of eight hours from NINE on, a pause in its second hour."""

    def __init__(self, **plan: object) -> None:
        its = {"start_s": NINE, "end_s": NINE + 8 * 3600, "pauses": [LUNCH], "tolerance_s": 600}
        roster = {("a001", DAY): Planned(day=DAY, shift="M", **its | plan)}
        self.people = People(
            workers={"a001": Worker(id="a001", name="Rosa", team="Ventas")},
            roster=roster,
            reasons=REASONS,
        )
        self.floor, self.pace = Floor(), Pace(SystemClock())
        self.at(0)
        self.adherence = Adherence(
            self.floor, self.pace, lambda: self.people, lambda: DAY, lambda: None
        )

    def at(self, second: int) -> "Desk":
        self.second = second
        self.pace.now_ms = lambda: (NINE + second) * 1000  # type: ignore[method-assign]
        return self

    def show(self, state: str, **fields: object) -> "Desk":
        row = agent(a="a001", state=state, since=(NINE + self.second) * 1000, **fields)
        self.floor.put("agent.a001", json.dumps(row).encode())
        return self

    def out(self, second: int | None = None) -> int | None:
        """Seconds since NINE of the moment since when; None while nothing is said."""
        if second is not None:
            self.at(second)
        self.adherence.look()
        since = self.adherence.since.get("a001")
        return None if since is None else since // 1000 - NINE


def test_who_works_as_planned_is_not_spoken_of() -> None:
    desk = Desk().at(0).show("ready")
    assert desk.out(60) is None
    desk.at(100).show("talking")
    assert desk.out(200) is None
    desk.at(3600).show("not_ready", reason="break")
    assert desk.out(5399) is None


def test_a_pause_that_nobody_planned_counts_from_when_it_began() -> None:
    desk = Desk().at(0).show("ready").at(900).show("not_ready", reason="break")
    assert desk.out(901) == 900
    desk.at(1000).show("not_ready", reason="other")
    assert desk.out(1150) == 900, "two in a row are one"
    desk.at(1200).show("ready")
    assert desk.out() is None


def test_a_pause_that_lasts_and_one_that_is_not_taken() -> None:
    desk = Desk().at(0).show("ready")
    assert desk.out(3599) is None and desk.out(3700) == 3600
    desk.at(3800).show("not_ready", reason="break")
    assert desk.out(5399) is None
    assert desk.out(5500) == 5400


def test_a_pause_that_a_call_makes_late_begins_when_it_is_over_and_keeps_its_length() -> None:
    desk = Desk().at(0).show("ready").at(3500).show("talking")
    assert desk.out(3700) is None
    desk.at(3800).show("wrapup")
    assert desk.out(3900) is None
    desk.at(3960).show("not_ready", reason="break")
    assert desk.out(5700) is None
    assert desk.out(5800) == 3960 + 1800


def test_who_comes_late_has_the_tolerance_of_the_shift() -> None:
    desk = Desk().at(-60).show("logged_out")
    assert desk.out(600) is None
    assert desk.out(601) == 0
    desk.at(700).show("ready")
    assert desk.out() is None


def test_who_did_not_come_is_out_since_the_shift_began_whatever_pause_was_in_between() -> None:
    desk = Desk().at(-60).show("logged_out")
    assert desk.out(3500) == 0
    assert desk.out(4000) is None, "then nobody had to be there"
    assert desk.out(5500) == 0


def test_who_is_not_back_from_a_pause_is_out_since_its_end() -> None:
    desk = Desk().at(0).show("ready").at(3600).show("logged_out")
    assert desk.out(5500) == 5400
    desk = Desk().at(-60).show("logged_out").at(3700).show("ready").at(3800).show("logged_out")
    assert desk.out(5500) == 5400


@pytest.mark.parametrize(
    "fields",
    [
        {"reason": "sshh", "private": True},
        {"reason": "gone-from-the-list", "private": True},
        {"reason": "coaching"},
        {"reason": "break", "by": "supervisor"},
        {"reason": "fault", "by": "system"},
        {"reason": "break", "fault": 1},
    ],
)
def test_what_the_report_excuses_is_not_said(fields: dict[str, object]) -> None:
    desk = Desk().at(0).show("ready").at(900).show("not_ready", **fields)
    assert desk.out(1500) is None


def test_after_a_fault_it_counts_from_its_end() -> None:
    desk = Desk().at(0).show("ready").at(900).show("not_ready", reason="break", fault=1)
    desk.at(1200)
    row = agent(a="a001", state="not_ready", reason="break", since=(NINE + 900) * 1000)
    desk.floor.put("agent.a001", json.dumps(row).encode())
    assert desk.out(1300) == 1200


@pytest.mark.parametrize("plan", [{"absence": "vacation"}, {"start_s": None, "end_s": None}])
def test_nothing_is_said_without_a_shift(plan: dict[str, object]) -> None:
    desk = Desk(**plan).at(0).show("not_ready", reason="break")
    assert desk.out(900) is None
    other = Desk()
    other.people.roster.clear()
    assert other.at(0).show("not_ready", reason="break").out(900) is None


def test_what_was_before_this_process_began_is_not_guessed() -> None:
    desk = Desk().at(2000).show("not_ready", reason="break")
    assert desk.out(2100) == 2000, "and not since the shift began"
    assert Desk().at(2000).show("ready").out(2100) is None


def test_outside_of_the_shift_nobody_is_out_of_it() -> None:
    desk = Desk().at(-900).show("not_ready", reason="break")
    assert desk.out(-1) is None
    assert desk.out(600) is None and desk.out(601) == 0
    assert desk.out(8 * 3600) is None


def test_of_a_station_that_cannot_be_heard_nothing_is_said() -> None:
    desk = Desk().at(0).show("ready").at(900).show("not_ready", reason="break", link="lost")
    assert desk.out(1500) is None


def test_a_night_shift_goes_on_past_midnight() -> None:
    desk = Desk()
    plan = desk.people.roster.pop(("a001", DAY))
    desk.people.roster["a001", DAY - timedelta(days=1)] = plan
    assert desk.at(900).show("not_ready", reason="break").out(1000) == 900


def test_a_new_roster_is_looked_at_at_once() -> None:
    desk = Desk().at(0).show("ready").at(900).show("not_ready", reason="break")
    assert desk.out(1000) == 900
    desk.people = People(workers=desk.people.workers, reasons=REASONS)
    assert desk.out() is None


def test_only_one_view_has_it() -> None:
    assert [name for name, view in VIEWS.items() if view.adherence] == ["full"]
    for view in VIEWS.values():
        assert "out" not in view.live_columns
        assert len(view.live(Row(agent="a001"), People())) == len(view.live_columns)


# -- who is told


OUT = T0 - 250_000  # 4:10 before
_WHOLE = """tile => { const box = tile.getBoundingClientRect();
const { left, right, bottom, height } = tile.querySelector(".out .time").getBoundingClientRect();
return left >= box.left && right <= box.right && bottom <= box.bottom && height < 30; }"""


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory, nats_server: Nats) -> Iterator[Web]:
    """A web at T0, 06:06:40 in Lima, in the middle of a shift."""
    folder = tmp_path_factory.mktemp("planned")
    data = centre(folder)
    put(data, "shifts", code="M", name="Mañana", start="05:00", end="13:00", tolerance_min=5)
    put(data, "roster", day="2026-11-18", agent="a001", shift="M")
    SharedClock(folder / "clock", create=True).set(T0, 0)
    data.secrets.unlink()  # `Web` writes those of its server
    web = Web(data.root, nats_server.url, folder / "clock")
    web.start()
    yield web
    web.kill()


async def leave_the_plan(web: Web, hub: Hub) -> None:
    """Two auxiliaries in a row, so that only the adherence has the moment of the first."""
    await hub.site()
    async with viewing(web) as viewer:
        for row in (
            {"state": "ready", "since": T0 - 900_000},
            {"state": "not_ready", "reason": "break", "since": OUT},
            {"state": "not_ready", "reason": "other", "since": T0 - 100_000},
        ):
            await hub.put(**row)
            await asyncio.wait_for(viewer.until(**row), 300)
        assert [one["out"] for one in viewer.rows] == [OUT]


@pytest.mark.asyncio(loop_scope="session")
async def test_the_tile_says_since_when_and_the_large_screen_does_not(
    planned: Web, hub: Hub, open_page: OpenPage
) -> None:
    await leave_the_plan(planned, hub)
    page = await open_page(f"{planned.url}/ui/")
    tile = page.locator(".tile")
    await expect(tile.locator(".out")).to_have_text("fuera de horario4:10")
    await tile.focus()
    assert "fuera de horario 4:10" in str(await tile.get_attribute("aria-label"))
    for width in ("20rem", "9rem", "6rem"):
        await tile.evaluate("(tile, width) => { tile.style.width = width }", width)
        assert await tile.evaluate(_WHOLE), width
    await page.get_by_role("button", name="Pantalla grande").click()
    await expect(page.locator(".out")).to_be_hidden()
    await expect(page.locator(".out .time")).to_have_text("")
    await page.locator(".leave").click()
    await expect(tile.locator(".out")).to_have_text("fuera de horario4:10")
    await hub.put(state="ready", since=T0 - 1000, t=4)
    await expect(tile.locator(".out")).to_be_hidden()


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize("path", ["/ui/?screen=1", "/wall"])
async def test_nothing_of_it_is_on_the_wire_of_a_screen_that_passers_by_read(
    planned: Web, hub: Hub, open_page: OpenPage, path: str
) -> None:
    await leave_the_plan(planned, hub)
    page = await open_page("about:blank")
    heard: list[str] = []
    page.on("websocket", lambda socket: socket.on("framereceived", lambda it: heard.append(it)))
    await page.context.add_cookies(
        [{"name": k, "value": v, "url": planned.url} for k, v in planned.cookies.items()]
    )
    await page.goto(planned.url + path)
    await expect(page.locator(".tile")).to_have_count(1)
    await hub.put(a="a001", state="not_ready", reason="third", since=T0 - 50_000, t=5)
    await expect(page.locator(".tile[data-state=not_ready]")).to_be_visible()
    wire = "\n".join(heard)
    assert wire and str(OUT) not in wire and '"out"' not in wire
    assert "fuera de horario" not in await page.locator("body").inner_text()


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize(
    "query",
    ["?scope=wall", "?scope=screen", "?scope=full&scope=screen", "?scope=wall&scope=screen"],
)
async def test_no_row_of_another_view_has_it(planned: Web, hub: Hub, query: str) -> None:
    await leave_the_plan(planned, hub)
    async with viewing(planned, query) as viewer:
        message = await viewer.take()
        assert "out" not in viewer.snap["live"] and str(OUT) not in json.dumps(message)
        await hub.put(state="not_ready", reason="third", since=T0 - 50_000, t=5)
        await hub.put(state="ready", since=T0 - 40_000, t=6)
        for one in await viewer.until(state="ready"):
            assert str(OUT) not in json.dumps(one)


@pytest.mark.asyncio(loop_scope="session")
async def test_who_is_not_on_the_roster_is_never_out(planned: Web, hub: Hub) -> None:
    await leave_the_plan(planned, hub)
    await hub.put(a="a002", state="not_ready", reason="break", since=OUT, t=2)
    async with viewing(planned) as viewer:
        await asyncio.wait_for(viewer.until(a="a002", since=OUT), 300)
        assert [row["out"] for row in viewer.rows if row["a"] == "a002"] == [None]
