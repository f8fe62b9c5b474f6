"""`/desk` and `/desk/ws`: the page, what its socket is told, and what it refuses."""

import json
import re
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import httpx
import pytest
from diadema.words import text
from diadema_sim.desk import commands
from diadema_sim.desk import server as socket
from diadema_sim.desk.commands import ACTIONS, Refused
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.support.desk_stage import Stage, desk_stage


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with desk_stage() as stage:
        yield stage


async def error(page: ClientConnection) -> dict[str, str]:
    message: dict[str, str] = json.loads(await page.recv())
    assert message.keys() == {"error", "word"}
    return message


FIELDS: dict[str, dict[str, Any]] = {
    "down": {"key": 1}, "up": {"key": 1}, "press": {"key": 2}, "tap": {"badge": "a001"},
    "headset": {"plugged": True}, "cable": {"plugged": True}, "power": {"on": True},
    "text": {"text": "Hola"},
}  # fmt: skip


@pytest.mark.parametrize("action", ACTIONS)
async def test_each_request_reaches_the_hands(stage: Stage, action: str) -> None:
    said = {"do": action, **FIELDS.get(action, {})}
    async with stage.page() as page:
        await page.send(json.dumps(said))
        assert await stage.executor.asked.get() == commands.parse(json.dumps(said))


async def test_a_wrong_message_is_answered_and_the_socket_goes_on(stage: Stage) -> None:
    async with stage.page() as page:
        for said, word in (("{", "bad_json"), ('{"do":"x"}', "bad_action"),
                           ('{"do":"up","key":9}', "bad_field")):  # fmt: skip
            await page.send(said)
            assert (await error(page))["word"] == word
        await page.send('{"do":"ring"}')
        assert await stage.executor.asked.get() == commands.Ring()


@pytest.mark.parametrize(
    ("query", "language"), [("", "es"), ("?lang=en", "en"), ("?lang=x", "es")]
)
async def test_a_refusal_is_said_in_the_pages_language(
    stage: Stage, query: str, language: str
) -> None:
    stage.executor.refusal = Refused("no_cable")
    async with stage.page(query) as page:
        assert stage.room.languages == [language]
        for said in ('{"do":"ring"}', '{"do":"down","key":1}'):
            await page.send(said)
            assert (await error(page))["error"] == text("desk.error.no_cable", language)


async def test_keys_that_a_page_held_are_let_go_when_it_leaves(stage: Stage) -> None:
    async with stage.page() as page:
        for said in ({"do": "down", "key": 3}, {"do": "down", "key": 5}, {"do": "up", "key": 3}):
            await page.send(json.dumps(said))
            await stage.executor.asked.get()
    assert await stage.executor.let_go_of.get() == {5}
    assert stage.room.languages == []


async def test_bytes_close_the_socket(stage: Stage) -> None:
    async with stage.page() as page:
        await page.send(b"\x00")
        with pytest.raises(ConnectionClosed) as closed:
            await page.recv()
        assert closed.value.rcvd is not None and closed.value.rcvd.code == 1008


async def test_too_many_requests_at_once_are_refused(stage: Stage) -> None:
    stage.executor.free.clear()
    async with stage.page() as page:
        for _ in range(17):
            await page.send('{"do":"ring"}')
        assert (await error(page))["word"] == "too_many"
        assert stage.executor.asked.qsize() == 16
        stage.executor.free.set()


async def test_too_many_pages_are_turned_away(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "PAGES", 1)
    async with stage.page():
        async with connect(stage.ws) as second:
            with pytest.raises(ConnectionClosed) as closed:
                await second.recv()
        assert closed.value.rcvd is not None and closed.value.rcvd.code == 1013
    async with stage.page():
        pass  # there is room again


@pytest.mark.parametrize(
    ("header", "value", "status"),
    [("Origin", "http://evil.example", 403), ("Host", "evil.example", 403)],
)
async def test_another_sites_page_cannot_open_the_socket(
    stage: Stage, header: str, value: str, status: int
) -> None:
    async with aiohttp.ClientSession() as client:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await client.ws_connect(stage.url + "/desk/ws", headers={header: value})
    assert refused.value.status == status
    assert stage.room.languages == []


async def test_the_page_is_spanish_unless_asked_and_keeps_to_a_strict_policy(
    stage: Stage,
) -> None:
    async with aiohttp.ClientSession(headers={"Accept-Language": "en"}) as client:
        async with client.get(stage.url + "/?lang=es") as response:
            assert response.url.path_qs == "/desk?lang=es"
        async with client.get(stage.url + "/desk") as response:
            policy = response.headers["content-security-policy"]
            page = await response.text()
        async with client.get(stage.url + "/desk?lang=en") as response:
            english = await response.text()
        addresses = set(re.findall(r'(?:href|src)="(/static/[^"]+)"', page))
        for address in addresses:
            async with client.get(stage.url + address) as response:
                assert response.status == 200, address
    assert "unsafe" not in policy and "default-src 'self'" in policy
    assert '<html lang="es">' in page and "Estación virtual" in page
    assert '<html lang="en">' in english and "Virtual desk" in english
    assert len(addresses) > 5
    assert not re.search(r"<script>|\sstyle=|\son\w+=|https?://", page)


async def test_its_modules_import_nothing_from_outside(stage: Stage) -> None:
    async with aiohttp.ClientSession() as client:
        todo, seen = {"desk.js"}, set[str]()
        while todo:
            seen.add(name := todo.pop())
            async with client.get(f"{stage.url}/static/{name}") as response:
                assert response.status == 200, name
                source = await response.text()
            imported = set(re.findall(r'from "([^"]+)"', source))
            assert all(one.startswith("./") for one in imported)
            todo |= {one.removeprefix("./") for one in imported} - seen
    assert "desk_screen.js" in seen


async def test_the_way_to_the_floor_needs_no_login() -> None:
    async with desk_stage() as stage, httpx.AsyncClient(timeout=300) as client:
        answer = await client.get(f"{stage.url}/floor")
        assert answer.headers["location"] == stage.room.floor()
