"""A demo opens in the middle of its day: its floor has figures, which are its reports'; what was
made of the month is kept; an agent who is slow ends nothing.
"""

import asyncio
import io
import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import pytest
from diadema.base.paths import DataDir
from diadema.store import open_reader
from diadema.store.assistance import help_cases, is_mass, ticket_cases
from diadema_sim import demo, past, people
from diadema_sim.agent import Agent
from diadema_sim.demo import ShiftOptions, run_demo
from diadema_sim.exchange.agreement import calls_of_store
from diadema_sim.sample_assistance import CHIEF
from diadema_sim.station_user import NoResponse
from playwright.async_api import Page, expect
from rich.console import Console

from tests.support.chromium import CHROMIUM
from tests.support.supervisor import LIMIT_MS, browsing, report, rows

LIMIT_S = LIMIT_MS / 1000
DAYS = 2  # of the month, here


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(past, "PAST_DAYS", DAYS)
    return past.cache_folder()


class Running:
    """A demo that goes on."""

    def __init__(self, data: DataDir, said: io.StringIO, task: "asyncio.Task[Any]") -> None:
        self.data, self._said, self._task = data, said, task

    @property
    def said(self) -> str:
        return self._said.getvalue()

    async def until(self, wanted: Callable[[], Any]) -> Any:
        deadline = time.monotonic() + LIMIT_S
        while not (found := wanted()):
            if self._task.done():
                self._task.result()
            assert time.monotonic() < deadline, self.said
            await asyncio.sleep(0.1)
        return found

    async def link(self) -> str:
        return (
            await self.until(lambda: re.search(r"^http\S+/enter\?code=\S+$", self.said, re.M))
        )[0]


@asynccontextmanager
async def opened(folder, **options: Any) -> AsyncIterator[Running]:
    said = io.StringIO()
    wanted = {"stations": 2, "seed": past.SEED, "data": folder, "pace": 1.0, "language": "es"}
    console = Console(file=said, width=400, highlight=False)
    task = asyncio.create_task(run_demo(ShiftOptions(**wanted | options), console))
    try:
        yield Running(DataDir(folder), said, task)
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def answered(data: DataDir, before_ms: int = 2**62) -> dict[str, int]:
    """Contacts by station, of before that moment."""
    with open_reader(data.store) as reader, reader.engine.connect() as tx:
        query = (
            "SELECT s, count(*) FROM events WHERE k = 'contact.answered' "
            "AND json_extract(CAST(body AS TEXT), '$.t') < ? GROUP BY s"
        )
        return dict(tx.exec_driver_sql(query, (before_ms,)).fetchall())


async def stat(page: Page, name: str) -> str:
    return await page.locator(f'.stat[data-stat="{name}"] b').inner_text()


def digits(text: str) -> str:
    return re.sub(r"\D", "", text)


async def position_of(page: Page) -> str:
    found = re.search(r"evento ([\d\s\u00a0,]+)", await page.locator(".cut").inner_text())
    return digits(found[1]) if found else ""


async def floor_says(page: Page) -> dict[str, str]:
    began = await position_of(page)
    told = {name: await stat(page, name) for name in ("waiting", "abandoned", "segments", "tmo")}
    level = (await stat(page, "level")).replace("\u00a0", " ").replace(",", ".")
    position = await position_of(page)
    return told | {"level": level, "position": position if position == began else "moved"}


async def reports_say(running: Running) -> dict[str, str]:
    web = running.data.read_hub().web
    centre: Any = SimpleNamespace(
        web=web, data=running.data, world=SimpleNamespace(now_ms=lambda: now_ms(running.data))
    )
    half, calls, times = [await report(centre, kind) for kind in ("intradia", "llamadas", "tmo")]
    row = rows(half, "intraday")[-1]
    agents = rows(calls, "calls_agents")
    (mean,) = (one["value"]["value"] for one in rows(times, "summary") if one["figure"] == "TMO")
    cuts = {one["cut_off"]["position"] for one in (half, calls, times)}
    return {
        "waiting": str(row["waiting"]),
        "abandoned": str(row["abandoned"]),
        "segments": str(sum(one["answered"] + one["connected"] for one in agents)),
        "tmo": f"{mean // 60}:{mean % 60:02}",
        "level": f"{row['sl_offered']} %",
        "position": str(cuts.pop()) if len(cuts) == 1 else "-",
    }


def now_ms(data: DataDir) -> int:
    return demo.newest_ms(data)


async def test_the_floor_is_full_and_equals_the_reports(tmp_path, cache, system_program):
    chromium = system_program(CHROMIUM, CHROMIUM)
    async with opened(tmp_path / "data") as running:
        link = await running.link()
        assert running.said.rstrip().endswith(link)  # nothing is told after it but news
        async with browsing(chromium, link) as page:
            await expect(page.locator('.tile[data-link="lost"]')).to_have_count(1)
            await expect(page.locator(".tile .help, .tile .fault, .alert").first).to_be_visible()
            await running.until(lambda: "El mes anterior está completo" in running.said)
            deadline = time.monotonic() + LIMIT_S
            while True:
                floor, told = await floor_says(page), await reports_say(running)
                if floor["position"] == told["position"]:
                    break
                assert time.monotonic() < deadline, (floor, told)
            assert floor == told
            assert int(floor["segments"]) > 50 and "—" not in floor.values()
    assert len(past.days_of(cache)) == DAYS
    today = datetime.now(past.ZONE).replace(hour=0, minute=0, second=0, microsecond=0)
    midnight_ms = int(today.timestamp() * 1000)
    month = answered(running.data, midnight_ms)
    assert sum(month.values()) > 500

    again = tmp_path / "again"
    async with opened(again, usual_port_taken=True, language="en") as second:
        await second.link()
        assert "is being made behind this" not in second.said
        port = second.data.read_hub().web.rpartition(":")[2]
        assert f"Port 8600 is taken; the pages are on {port}." in second.said
        before = answered(second.data)
        assert answered(second.data, midnight_ms) == month
        s = "DIA-02d1ade00001"  # its badge is known there too
        await second.until(lambda: answered(second.data)[s] > before[s])
    assert past.remove_cache() == [cache] and not cache.exists()


def attended(data: DataDir) -> dict[str, int]:
    """What whoever watches finds: calls for help, and reports of a mass failure."""
    with open_reader(data.store) as reader, reader.engine.connect() as tx:
        takers = [one.taker for one in help_cases(tx, going=True)]
        tickets = [one for one in ticket_cases(tx, going=True) if one.ticket.state == "open"]
    return {
        "waits": takers.count(None),
        "taken": takers.count((CHIEF.account, CHIEF.name)),
        "together": max((len(one.reports) for one in tickets if is_mass(one.ticket)), default=0),
        "alone": sum(not is_mass(one.ticket) for one in tickets),
    }


async def test_a_help_waits_one_is_taken_and_three_seats_have_one_failure(tmp_path, cache):
    async with opened(tmp_path / "data", stations=4, pace=8.0) as running:
        await running.link()
        least = {"waits": 1, "taken": 1, "together": 3, "alone": 1}
        await running.until(
            lambda: all(attended(running.data)[key] >= n for key, n in least.items())
        )


def answered_for(data: DataDir, calls: set[str]) -> bool:
    """Whether a station's agent talked with one who called the exchange."""
    with open_reader(data.store) as reader:
        found = {one.pbx for one in reader.contacts() if one.outcome == "answered"}
        return bool(found & calls & calls_of_store(reader).keys())


async def test_its_calls_come_by_an_exchange_that_the_pages_show(tmp_path, cache, system_program):
    chromium = system_program(CHROMIUM, CHROMIUM)
    async with opened(tmp_path / "data", pace=20.0, seed=5, switch=True) as running:
        log = past.log_of(running.data)
        async with browsing(chromium, await running.link()) as page:
            await expect(page.locator(".queue-tile")).to_have_count(len(people.QUEUES))
            await page.goto(f"{running.data.read_hub().web}/ui/switch")
            await expect(page.get_by_text(re.compile("^Conectada desde"))).to_be_visible()
            await expect(page.locator("#members")).to_contain_text("disponible")
            await expect(page.get_by_role("cell", name="PJSIP/202")).to_be_visible()
            ours = re.compile(r"\|(\d+\.\d+)\|\w+\|a00[12]\|COMPLETE")
            await running.until(
                lambda: answered_for(running.data, {*ours.findall(log.read_text())})
            )


async def test_an_agent_who_is_slow_ends_nothing(tmp_path, cache, monkeypatch):
    answer = Agent.answer
    slow: list[str] = []

    async def late(self: Agent, contact: str) -> Any:
        if self.desk.seat == "A-01" and not slow:
            slow.append(contact)
            raise NoResponse("A-01 wrote nothing")
        return await answer(self, contact)

    monkeypatch.setattr(Agent, "answer", late)
    async with opened(tmp_path / "data", pace=20.0, seed=5) as running:
        await running.link()
        await running.until(lambda: "A-01 no responde (A-01 wrote nothing)" in running.said)
        before = answered(running.data)["DIA-02d1ade00001"]
        await running.until(lambda: answered(running.data)["DIA-02d1ade00001"] > before)
    assert past.days_of(cache) == set()  # of another seed nothing is kept


async def test_a_station_that_never_answers_is_told_and_the_others_work(
    tmp_path, cache, monkeypatch
):
    async def dark(self: Agent) -> None:
        if self.desk.seat == "A-02":
            raise NoResponse("A-02 and its hub did not find each other")
        await switch_on(self)

    switch_on = Agent.switch_on
    monkeypatch.setattr(Agent, "switch_on", dark)
    async with opened(tmp_path / "data", pace=20.0, seed=5) as running:
        await running.link()
        await running.until(lambda: "A-02 no responde" in running.said)
        before = answered(running.data)["DIA-02d1ade00001"]
        await running.until(lambda: answered(running.data)["DIA-02d1ade00001"] > before)
