"""The gate: who gets in, from which page, under which name, and the headers on the way out."""

import httpx
import pytest
from diadema.access.authenticator import floor_scope
from diadema.web.guard import BODY_BYTES, Guard
from starlette.responses import PlainTextResponse
from websockets.exceptions import InvalidStatus

from tests.support.web_stage import TOKEN, Web, headers_of
from tests.support.web_viewer import connect

STREAMS = ["/ws", "/ws?scope=wall", "/ui/_nicegui_ws/socket.io/?EIO=4&transport=websocket"]
session = pytest.mark.asyncio(loop_scope="session")


@session
@pytest.mark.parametrize("stream", STREAMS)
@pytest.mark.parametrize(
    "origin", ["http://evil.example", "http://127.0.0.1:1", "null", "http://["]
)
async def test_another_sites_page_opens_no_socket(web: Web, stream: str, origin: str) -> None:
    address = f"ws://127.0.0.1:{web.port}{stream}"
    with pytest.raises(InvalidStatus) as refused:
        async with connect(address, additional_headers={"Origin": origin}):
            pass
    assert refused.value.response.status_code == 403


@session
@pytest.mark.parametrize("stream", STREAMS)
async def test_its_own_page_opens_its_socket(web: Web, stream: str) -> None:
    address = f"ws://127.0.0.1:{web.port}{stream}"
    async with connect(
        address, additional_headers=headers_of(web.cookies) | {"Origin": web.url}
    ) as socket:
        assert await socket.recv()


@session
@pytest.mark.parametrize("stream", STREAMS)
async def test_a_rebound_name_opens_no_socket(web: Web, stream: str) -> None:
    address = f"ws://rebound.example:{web.port}{stream}"
    with pytest.raises(InvalidStatus) as refused:
        async with connect(address, host="127.0.0.1", port=web.port):
            pass
    assert refused.value.response.status_code == 403


@session
@pytest.mark.parametrize("path", ["/", "/ui/", "/wall", "/api/v1/live", "/static/floor.js"])
async def test_a_rebound_name_reads_nothing(web: Web, path: str) -> None:
    async with httpx.AsyncClient(timeout=300) as client:
        answer = await client.get(web.url + path, headers={"Host": "rebound.example"})
        assert answer.status_code == 421
        assert "localhost" in answer.json()["detail"]
        named = await client.get(
            web.url + path, headers={"Host": f"localhost:{web.port}"}, follow_redirects=False
        )
        assert named.status_code in (200, 303, 401)


@session
async def test_another_sites_form_writes_nothing(web: Web) -> None:
    headers = {"Origin": "http://evil.example", "Authorization": f"Bearer {TOKEN}"}
    async with httpx.AsyncClient(timeout=300) as client:
        address = f"{web.url}/api/v1/stations/DIA-000000000001/commands"
        answer = await client.post(address, json={"cmd": "ring"}, headers=headers)
        assert answer.status_code == 403
        engine = f"{web.url}/ui/_nicegui_ws/socket.io/?EIO=4&transport=polling"
        assert (await client.post(engine, headers=headers, content="2")).status_code == 403


@session
async def test_plain_pages_are_strict_and_every_answer_is_guarded(web: Web) -> None:
    async with httpx.AsyncClient(cookies=web.cookies, timeout=300) as client:
        for path in ("/wall", "/ui/", "/api/v1/live", "/static/floor.css", "/nowhere"):
            headers = (await client.get(web.url + path)).headers
            policy = headers["content-security-policy"]
            assert policy.startswith("default-src 'self'; base-uri 'none'; frame-ancestors 'none'")
            assert ("unsafe" in policy) == (path == "/ui/")
            assert headers["x-content-type-options"] == "nosniff"


@session
async def test_a_body_too_large_is_refused_with_or_without_its_length(web: Web) -> None:
    address = f"{web.url}/api/v1/stations/DIA-000000000001/commands"
    headers = {"Authorization": f"Bearer {TOKEN}"}

    async def endless() -> object:
        for _ in range(BODY_BYTES // 1000 + 2):
            yield b" " * 1000

    async with httpx.AsyncClient(timeout=300) as client:
        answer = await client.post(address, content=b" " * (BODY_BYTES + 1), headers=headers)
        assert answer.status_code == 413
        answer = await client.post(address, content=endless(), headers=headers)
        assert answer.status_code in (400, 413, 422)


@pytest.mark.parametrize(
    ("path", "status"),
    [("/wall", 200), ("/static/floor.js", 200), ("/", 403), ("/ui/", 403), ("/api/v1/live", 403),
     ("/metrics", 403), ("/wall/../ui/", 403), ("/walls", 403)],
)  # fmt: skip
async def test_from_another_machine_only_the_wall_is_seen(path: str, status: int) -> None:
    guarded = Guard(PlainTextResponse("in"))
    far = httpx.ASGITransport(app=guarded, client=("192.0.2.5", 4711))
    async with httpx.AsyncClient(
        transport=far, base_url="http://localhost", timeout=300
    ) as client:
        assert (await client.get(path)).status_code == status


@pytest.mark.parametrize(
    ("query", "scope"),
    [(b"", "full"), (b"scope=wall", "wall"), (b"scope=wall&scope=full", "full"),
     (b"scope=WALL", "full"), (b"scope=screen", "screen"),
     (b"scope=full&scope=screen", "screen"), (b"scope=wall&scope=screen", "screen"),
     (b"scope=wall&x=1", "wall"), (b"scope=%00wall", "full")],
)  # fmt: skip
def test_only_the_exact_word_asks_for_the_public_view(query: bytes, scope: str) -> None:
    assert floor_scope(query) == scope
