"""What the web says when it refuses, in both languages; and that no bytes make it fail."""

from collections.abc import AsyncIterator, Callable
from concurrent.futures import BrokenExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from diadema.base.clock import open_clock
from diadema.base.errors import StoreDamaged
from diadema.web.app import create_app
from diadema.web.refusals import hub_refusal, speak
from diadema.web.settings import Settings
from diadema.web.web_app import WebApp
from diadema.web.worker import TooLong
from diadema.words import Sentence, section
from fastapi import FastAPI
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import OperationalError

from tests.parsers.inputs import inputs
from tests.support.web_stage import TOKEN, Hub, Web

STATION = "/api/v1/stations/DIA-0a1b2c3d4e5f/commands"
JSON = {"Content-Type": "application/json"}
session = pytest.mark.asyncio(loop_scope="session")


@pytest.fixture
async def api(web: Web) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with httpx.AsyncClient(base_url=web.url, headers=headers, timeout=300) as client:
        yield client


@session
@pytest.mark.parametrize(
    ("method", "path", "body", "status", "word"),
    [
        ("POST", "/api/v1/stations/DIA-xyz/commands", b'{"cmd":"ring"}', 422, "bad_station"),
        ("GET", f"{STATION}/0", b"", 422, "bad_number"),
        ("GET", f"{STATION}/x", b"", 422, "bad_number"),
        ("POST", STATION, b"{}", 422, "no_command"),
        ("POST", STATION, b'{"cmd":"dance"}', 422, "bad_command"),
        ("POST", STATION, b'{"cmd":7}', 422, "bad_command"),
        ("POST", STATION, b'{"cmd":', 422, "bad_json"),
        ("POST", STATION, b'"\xff"', 400, "bad_json"),
        ("POST", STATION, b"[1]", 422, "no_object"),
        ("POST", STATION, b"", 422, "no_object"),
        ("GET", "/api/v1/nothing", b"", 404, "not_found"),
        ("DELETE", STATION, b"", 405, "not_allowed"),
    ],
)
async def test_a_refusal_speaks_the_language_asked_for(
    api: httpx.AsyncClient, method: str, path: str, body: bytes, status: int, word: str
) -> None:
    for language in ("es", "en"):
        answer = await api.request(
            method, path, content=body, headers=JSON | {"Accept-Language": language}
        )
        assert answer.status_code == status, answer.text
        sentence = section("web", language)[word].partition("{")[0]
        assert answer.json()["detail"].startswith(sentence)
        assert set(answer.json()) <= {"detail", "errors"}


@session
async def test_a_wrong_command_is_told_which_there_are(api: httpx.AsyncClient) -> None:
    answer = await api.post(STATION, json={"cmd": "dance"})
    assert "ring, withdraw, answer" in answer.json()["detail"]
    assert answer.json()["errors"] == [{"where": "body.cmd", "wrong": "literal_error"}]


@session
@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("unknown_station", "El servidor no conoce esa posición"),
        ("bad_request", "El servidor no acepta el comando: why"),
        ("store_unavailable", "El servidor no puede escribir"),
        ("a later one", "El servidor falló"),
    ],
)
async def test_what_the_hub_refuses_is_told_in_words(
    api: httpx.AsyncClient, hub: Hub, error: str, said: str
) -> None:
    hub.answer = lambda _: {"error": error, "detail": "why", "status": 422}
    answer = await api.post(STATION, json={"cmd": "ring"})
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith(said)


@session
@pytest.mark.parametrize("path", ["/", "/wall", "/metrics", "/api/v1/live", "/static/floor.css"])
async def test_head_answers_as_get_without_a_body(web: Web, hub: Hub, path: str) -> None:
    async with httpx.AsyncClient(base_url=web.url, cookies=web.cookies, timeout=300) as client:
        whole, head = await client.get(path), await client.head(path)
    assert head.status_code == whole.status_code < 400
    assert head.content == b""
    for name in ("content-type", "location", "content-security-policy"):
        assert head.headers.get(name) == whole.headers.get(name)


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Any]:
    """The application itself, without a hub: what passes its checks gets a 503."""
    service = WebApp(
        Settings(tmp_path_factory.mktemp("data"), "nats://127.0.0.1:1", "u", "p", TOKEN),
        open_clock(None),
        "b",
    )
    app = create_app(service)

    async def asked(method: str, path: str, body: bytes) -> httpx.Response:
        transport = httpx.ASGITransport(app, raise_app_exceptions=True)
        headers = JSON | {"Authorization": f"Bearer {TOKEN}"}
        async with httpx.AsyncClient(
            transport=transport, base_url="http://localhost", headers=headers, timeout=60
        ) as client:
            return await client.request(method, path, content=body)

    return asked


@given(data=st.data())
@settings(max_examples=150, deadline=None)
async def test_any_body_is_a_command_or_the_callers_fault(
    ask: Callable[..., Any], data: st.DataObject
) -> None:
    answer = await ask("POST", STATION, data.draw(inputs("host.command")))
    assert answer.status_code in (400, 422, 503)
    assert answer.json()["detail"]


@given(path=st.text(max_size=40), method=st.sampled_from(["GET", "POST", "PUT", "HEAD"]))
@settings(max_examples=100, deadline=None)
async def test_any_address_is_answered(ask: Callable[..., Any], path: str, method: str) -> None:
    written = quote(path, safe="/?&=", errors="replace")
    answer = await ask(method, f"/api/v1/{written}", b"{}")
    assert answer.status_code < 500 or answer.status_code == 503


DISK = OperationalError("INSERT", {}, Exception("database or disk is full"))


@pytest.mark.parametrize(
    ("error", "word"),
    [(TooLong("file"), "too_long"), (BrokenExecutor(), "broken"), (DISK, "no_room")],
)
async def test_what_cannot_be_done_now_is_a_refusal_and_no_fault(
    error: Exception, word: str
) -> None:
    answer = await raised(error)
    assert (answer.status_code, answer.json()["detail"]) == (503, section("web", "es")[word])


async def test_a_damaged_file_says_what_to_do() -> None:
    answer = await raised(StoreDamaged(Path("directory.sqlite3"), "not a database"))
    assert answer.status_code == 503 and "directory.sqlite3" in answer.json()["detail"]


async def raised(error: Exception) -> httpx.Response:
    """The answer of a page that raises it."""
    app = FastAPI()
    speak(app)

    @app.get("/")
    async def fails() -> None:
        raise error

    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://x", timeout=300) as client:
        return await client.get("/", headers={"Accept-Language": "es"})


@session
async def test_what_the_api_tells_is_kept_nowhere(api: httpx.AsyncClient) -> None:
    for path in ("/api/v1/live", "/api/v1/audit", "/api/v1/me"):
        answer = await api.get(path)
        assert answer.headers["cache-control"] == "no-store", path


@session
async def test_a_broken_form_is_no_broken_json(api: httpx.AsyncClient) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=x", "Accept-Language": "es"}
    answer = await api.post("/login", content=b"--x\r\nbroken", headers=headers)
    assert answer.status_code in (400, 422) and "JSON" not in answer.json()["detail"]


def test_a_refusal_of_the_hub_with_a_sentence_is_said_by_it() -> None:
    parts = Sentence("errors.quality.say_why").parts()
    answer = {"error": "say_why", "detail": "write the reason", "sentence": parts}
    assert hub_refusal(answer, "es") == "escriba la razón"
    assert hub_refusal(answer, "en") == "write the reason"
    assert "say_why" not in hub_refusal(answer | {"error": "not_yours"}, "es")
