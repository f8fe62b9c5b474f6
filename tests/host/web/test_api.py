"""The API: live rows, counters, and commands that the hub takes, refuses or never answers."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from tests.support.web_stage import TOKEN, Hub, Nats, Web, agent

pytestmark = pytest.mark.asyncio(loop_scope="session")
STATION = "/api/v1/stations/DIA-0a1b2c3d4e5f/commands"


@pytest.fixture
async def api(web: Web) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with httpx.AsyncClient(base_url=web.url, headers=headers, timeout=300) as client:
        yield client


async def rows_once(api: httpx.AsyncClient, count: int) -> list[dict[str, object]]:
    async with asyncio.timeout(300):
        while True:
            rows: list[dict[str, object]] = (await api.get("/api/v1/live")).json()
            if len(rows) == count:
                return rows


async def test_live_rows_are_those_of_the_bucket(api: httpx.AsyncClient, hub: Hub) -> None:
    row = await hub.put(a="a009", state="held", contacts=3, tmo=61, since=5, t=6, queue="Ventas")
    assert await rows_once(api, 1) == [agent(**row)]


async def test_status_counts_agents_by_state(api: httpx.AsyncClient, hub: Hub) -> None:
    await hub.put(a="a001", state="ready")
    await hub.put(a="a002", state="ready")
    await rows_once(api, 2)
    status = (await api.get("/api/v1/status")).json()
    assert (status["agents"], status["states"]) == (2, {"ready": 2})
    assert status["nats"] is True


async def test_metrics_are_prometheus_text(api: httpx.AsyncClient, hub: Hub) -> None:
    await hub.put(state="wrapup")
    await rows_once(api, 1)
    answer = await api.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert 'diadema_web_agents{state="wrapup"} 1' in answer.text
    assert 'diadema_web_viewers{scope="wall"} ' in answer.text


async def test_a_command_goes_to_the_hub_whole(api: httpx.AsyncClient, hub: Hub) -> None:
    hub.answer = lambda _: {"i": 41}
    command = {"cmd": "ring", "contact": "c-1", "direction": "in", "queue": "Ventas", "pbx": None}
    answer = await api.post(STATION, json=command)
    assert (answer.status_code, answer.json()) == (202, {"i": 41})
    assert hub.asked == [{"s": "DIA-0a1b2c3d4e5f"} | command]
    state = await api.get(f"{STATION}/41")
    assert state.json() == {"i": 41, "answered": None, "expired": True}


async def test_what_the_hub_refuses_is_the_callers_fault(api: httpx.AsyncClient, hub: Hub) -> None:
    hub.answer = lambda _: {"error": "unknown_station", "detail": "no such station", "status": 404}
    answer = await api.post(STATION, json={"cmd": "ring"})
    assert answer.status_code == 404
    assert answer.json()["detail"].startswith("El servidor no conoce esa posición.")


async def test_a_silent_hub_gives_a_503_that_says_what_to_do(
    api: httpx.AsyncClient, hub: Hub
) -> None:
    hub.silent = True
    answer = await api.post(STATION, json={"cmd": "ring"})
    assert answer.status_code == 503
    assert "diadema hub" in answer.json()["detail"]


@pytest.mark.parametrize("given", ["", "Bearer", "Bearer wrong", f"Basic {TOKEN}"])
async def test_a_command_needs_the_token(web: Web, hub: Hub, given: str) -> None:
    async with httpx.AsyncClient(
        base_url=web.url, headers={"Authorization": given}, timeout=60
    ) as client:
        assert (await client.post(STATION, json={"cmd": "ring"})).status_code == 401
        assert (await client.get(f"{STATION}/1")).status_code == 401
    assert hub.asked == []


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (STATION, {"cmd": "format_flash"}),
        (STATION, {}),
        ("/api/v1/stations/DIA-xyz/commands", {"cmd": "ring"}),
        ("/api/v1/stations/DIA-0A1B2C3D4E5F/commands", {"cmd": "ring"}),
    ],
)
async def test_what_is_no_command_never_reaches_the_hub(
    api: httpx.AsyncClient, hub: Hub, path: str, body: dict[str, str]
) -> None:
    assert (await api.post(path, json=body)).status_code == 422
    assert hub.asked == []


async def test_half_a_surrogate_pair_is_the_callers_fault(api: httpx.AsyncClient) -> None:
    answer = await api.post(
        "/api/v1/stations/DIA-0a1b2c3d4e5f/commands",
        content=b'{"cmd":"text","m":"1","text":"\\ud800"}',
        headers={"Content-Type": "application/json"},
    )
    assert answer.status_code == 422


async def test_the_interface_is_described(api: httpx.AsyncClient) -> None:
    paths = (await api.get("/api/v1/openapi.json")).json()["paths"]
    assert "/api/v1/stations/{s}/commands" in paths
    assert (await api.get("/docs")).status_code == 404


async def test_without_ingest_or_nats_a_command_fails_at_once(
    own_nats: Nats, own_web: Web
) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    own = httpx.AsyncClient(base_url=own_web.url, headers=headers, timeout=300)
    async with asyncio.timeout(300), own as client:
        while not (await client.get("/api/v1/status")).json()["nats"]:
            pass
        absent = await client.post(STATION, json={"cmd": "ring"})
        own_nats.kill()
        while (await client.get("/api/v1/status")).json()["nats"]:
            pass
        unplugged = await client.post(STATION, json={"cmd": "ring"})
    assert (absent.status_code, unplugged.status_code) == (503, 503)
    assert absent.json() != unplugged.json()
