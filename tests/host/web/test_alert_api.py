"""Alerts over the API: whose one sees, and what saying «visto» leaves behind."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from diadema.base.paths import DataDir
from diadema.site.directory.people import People
from diadema.web.floor.alerts import Watch
from diadema.web.floor.feed import Floor

from tests.support.web_stage import Hub, Web, headers_of
from tests.support.web_viewer import viewing

pytestmark = pytest.mark.asyncio(loop_scope="session")
SEEN = "/api/v1/agents/a001/actions"
HELP = {"action": "acknowledge", "rule": "help"}


@pytest.fixture
async def api(web: Web) -> AsyncIterator[httpx.AsyncClient]:
    headers = headers_of(web.login("admin"))
    async with httpx.AsyncClient(base_url=web.url, headers=headers, timeout=300) as client:
        yield client


async def waits_for_help(api: httpx.AsyncClient, hub: Hub, since: int) -> dict[str, object]:
    await hub.put(state="ready", seat="A-01", help=since, help_topic="Procedimiento")
    async with asyncio.timeout(300):
        while True:
            for alert in (await api.get("/api/v1/alerts")).json():
                if alert["since"] == since:
                    return dict(alert)


def now() -> int:
    return int(time.time() * 1000)


async def test_one_who_waits_for_help_is_there_and_can_be_seen_to(
    api: httpx.AsyncClient, hub: Hub, web: Web
) -> None:
    since = now() - 100_000
    alert = await waits_for_help(api, hub, since)
    assert (alert["rule"], alert["a"], alert["seat"], alert["by"]) == (
        "help",
        "a001",
        "A-01",
        None,
    )
    hub.answer = lambda _: {"of": ["HUB-x", 1, 7], "i": None}
    async with viewing(web) as viewer:
        answer = await api.post(SEEN, json=HELP | {"since": since})
        assert (answer.status_code, answer.json()["of"]) == (202, ["HUB-x", 1, 7])
        told = hub.asked[-1]
        assert told.pop("by").startswith("admin")
        assert told == {
            "who": "Prueba", "action": "acknowledge", "a": "a001", "rule": "help", "since": since,
        }  # fmt: skip
        while not (alerts := viewer.snap["alerts"])["list"] or not alerts["list"][0]["by"]:
            await viewer.take()
        assert (alerts["list"][0]["by"], alerts["waiting"]) == ("Prueba", 0)
    assert (await waits_for_help(api, hub, since))["by"] == "Prueba"


async def test_what_the_hub_refuses_is_not_seen_to(api: httpx.AsyncClient, hub: Hub) -> None:
    since = now() - 100_000
    await waits_for_help(api, hub, since)
    hub.answer = lambda _: {"error": "store_unavailable", "status": 409}
    assert (await api.post(SEEN, json=HELP | {"since": since})).status_code == 409
    assert (await waits_for_help(api, hub, since))["by"] is None


@pytest.mark.parametrize(("role", "reads"), [("supervisor", 200), ("monitor", 200), ("hr", 403)])
async def test_no_role_sees_or_sees_to_what_is_not_its_own(
    api: httpx.AsyncClient, web: Web, hub: Hub, role: str, reads: int
) -> None:
    since = now() - 100_000
    await waits_for_help(api, hub, since)
    headers = headers_of(web.login(role, teams=["Otro"]))  # type: ignore[arg-type]
    async with httpx.AsyncClient(base_url=web.url, headers=headers, timeout=300) as other:
        seen = await other.get("/api/v1/alerts")
        assert seen.status_code == reads
        assert reads != 200 or seen.json() == []
        assert (await other.post(SEEN, json=HELP | {"since": since})).status_code in (403, 404)
    assert hub.asked == []


async def test_without_a_store_nothing_is_remembered(tmp_path: Path) -> None:
    watch = Watch(Floor(), None, People, None, lambda: None)  # type: ignore[arg-type]
    await watch.remember(DataDir(tmp_path))
    assert watch.seen == {}
