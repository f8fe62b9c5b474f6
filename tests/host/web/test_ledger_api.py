"""Agents, a day, contacts, sessions and marks by the API: whose they are, and page by page."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from diadema.base.clock import open_clock
from diadema.base.paths import DataDir
from diadema.figures.read import read
from diadema.metrics import calls as call_metrics
from diadema.store import open_reader

from tests.support.scripted_station import T0
from tests.support.web_stage import BEARER, Web

pytestmark = pytest.mark.asyncio(loop_scope="session")
DAY = datetime.fromtimestamp(T0 / 1000, UTC).date()
BOTH = {"from": str(DAY - timedelta(days=1)), "to": str(DAY + timedelta(days=2))}
LISTS = ("contacts", "sessions", "marks")


@asynccontextmanager
async def api(web: Web, **options: Any) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=f"{web.url}/api/v1", timeout=300, **options) as client:
        yield client


def agent_of(item: dict[str, Any]) -> str:
    return item.get("a") or item["agent"]


async def all_pages(client: httpx.AsyncClient, path: str, **query: Any) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    following: str | None = ""
    while following is not None:
        asked = BOTH | query | ({"after": following} if following else {})
        answer = await client.get(f"/{path}", params=asked)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert len(page["items"]) <= query.get("limit", 100)
        items += page["items"]
        following = page["next"]
    return items


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("limit", [1, 3, 100])
async def test_pages_give_each_row_once_in_order(worked_web: Web, path: str, limit: int) -> None:
    reader = open_reader(DataDir(worked_web.folder).store)
    stored = {
        "contacts": lambda: reader.contacts(closed=True), "sessions": reader.sessions,
        "marks": reader.marks,
    }[path]()  # fmt: skip
    reader.close()
    async with api(worked_web, headers=BEARER) as client:
        items = await all_pages(client, path, limit=limit)
    keys = [(one["s"], one["e"], one["n"]) for one in items]
    assert len(set(keys)) == len(keys)
    assert set(keys) == {(one.station, one.epoch, one.sequence) for one in stored} != set()
    hours = [one.get("start_utc") or one.get("open_utc") or one.get("utc") for one in items]
    assert hours == sorted(hours)


async def test_a_day_is_what_the_figures_say(worked_web: Web) -> None:
    data = DataDir(worked_web.folder)
    sums = read(data, DAY, DAY, open_clock(None).now_ms()).agent("a001")
    async with api(worked_web, headers=BEARER) as client:
        told = (await client.get("/agents/a001/day", params={"day": str(DAY)})).json()
    assert told["calls"]["answered"] == sums.calls().answered > 0
    assert told["aht_s"] == call_metrics.aht(sums.calls())
    assert told["load"]["talking"] == sums.load.talking
    assert told["cut"]["position"] > 0


@pytest.mark.parametrize("path", LISTS)
async def test_each_sees_the_rows_of_whom_he_may_see(worked_web: Web, path: str) -> None:
    seen: dict[str, set[str] | int] = {}
    for name, cookies in {
        "morning": worked_web.login("supervisor", teams=["Mañana"]),
        "none": worked_web.login("supervisor"),
        "all": worked_web.login("admin"),
        "own": worked_web.login("agent", agent="a002"),
        "technician": worked_web.login("technician"),
        "hr": worked_web.login("hr"),
    }.items():
        async with api(worked_web, cookies=cookies) as client:
            answer = await client.get(f"/{path}", params=BOTH)
            ok = answer.status_code == 200
            seen[name] = {agent_of(one) for one in answer.json()["items"]} if ok else 403
            other = await client.get(f"/{path}", params=BOTH | {"agent": "a001"})
            assert (other.status_code == 200) == (name in ("morning", "all") or seen[name] == {
                "a001", "a002"
            }), name  # fmt: skip
    hr = 403 if path == "contacts" else {"a001", "a002"}
    assert seen == {
        "morning": {"a001"}, "none": set(), "all": {"a001", "a002"}, "own": {"a002"},
        "technician": 403, "hr": hr,
    }  # fmt: skip


async def test_a_read_is_recorded_with_whose_data_it_was(worked_web: Web) -> None:
    cookies = worked_web.login("supervisor", teams=["Mañana"])
    async with api(worked_web, cookies=cookies) as client:
        me = (await client.get("/me")).json()
        assert (await client.get("/agents/a001/day")).status_code == 200
        assert (await client.get("/agents/a002/day")).status_code == 403
        await client.get("/marks", params=BOTH)
    rows: list[dict[str, Any]] = []
    async with asyncio.timeout(300), api(worked_web, headers=BEARER) as client:
        while len(rows) < 2:
            rows = (await client.get("/audit", params={"who": me["id"]})).json()
    assert {(row["what"], *row["agents"]) for row in rows} == {
        ("agents.day", "a001"), ("marks.list", "*Mañana"),
    }  # fmt: skip
    assert {row["address"] for row in rows} == {"127.0.0.1"}


async def test_who_read_of_her_has_whoever_read_of_all_whom_he_sees(worked_web: Web) -> None:
    people = {
        "morning": worked_web.login("supervisor", teams=["Mañana"]),  # as a001 is
        "evening": worked_web.login("supervisor", teams=["Tarde"]),
        "nobody": worked_web.login("supervisor"),
        "all": worked_web.login("admin"),
    }
    names = {}
    for name, cookies in people.items():
        async with api(worked_web, cookies=cookies) as client:
            names[(await client.get("/me")).json()["id"]] = name
            assert (await client.get("/marks", params=BOTH)).status_code == 200
            assert (await client.get("/contacts", params=BOTH)).status_code == 200

    async def readers(agent: str) -> set[tuple[str, str]]:
        query = {"agent": agent, "limit": "1000"}
        async with api(worked_web, headers=BEARER) as client:
            rows = (await client.get("/audit", params=query)).json()
        return {(names[row["who"]], row["what"]) for row in rows if row["who"] in names}

    both = ("marks.list", "contacts.list")
    hers = {(name, what) for name in ("morning", "all") for what in both}
    async with asyncio.timeout(300):
        while await readers("a001") != hers:
            await asyncio.sleep(0.05)
    assert await readers("a003") == {("all", "marks.list"), ("all", "contacts.list")}


@pytest.mark.parametrize(
    "query",
    [
        {"from": "2026-02-30"},
        {"from": "2026-02-02", "to": "2026-02-01"},
        {"from": "2020-01-01", "to": "2026-01-01"},
        {"after": "zzzz"},
        {"after": "é"},
        {"limit": "0"},
        {"limit": "1001"},
        {"agent": "<script>"},
        {"from": "9999-12-31"},
    ],
)
@pytest.mark.parametrize("path", LISTS)
async def test_what_is_no_list_is_the_callers_fault(
    worked_web: Web, path: str, query: dict[str, str]
) -> None:
    async with api(worked_web, headers=BEARER) as client:
        answer = await client.get(f"/{path}", params=query)
    assert answer.status_code == 422, answer.text
    assert isinstance(answer.json()["detail"], str)
