"""Coming in and going out: the set-up, the login, its waits, the proof of a write, and HTTPS."""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from diadema.access import Accounts
from diadema.base.certificates import Certificates
from diadema.base.paths import DataDir
from diadema.hub.child import WebEndpoint
from diadema.web.guard import SESSION_OVER
from websockets.exceptions import ConnectionClosed

from tests.support.web_stage import (
    ACCOUNT_PASSWORD,
    BEARER,
    TESTER,
    Nats,
    Web,
    headers_of,
)
from tests.support.web_viewer import connect

pytestmark = pytest.mark.asyncio(loop_scope="session")
PAGES = ["/", "/ui/", "/account", "/handover", "/nowhere"]
STATION = "/api/v1/stations/DIA-0a1b2c3d4e5f/commands"


class Bare(Web):
    """A web without any account."""

    def start(self) -> None:
        self.cookies = {}  # type: ignore[misc]  # nobody is let in before
        super().start()


@pytest.fixture
def bare(nats_server: Nats, tmp_path: Path) -> Iterator[Bare]:
    web = Bare(tmp_path, nats_server.url)
    web.start()
    yield web
    web.kill()


@pytest_asyncio.fixture(loop_scope="session")
async def outside(web: Web) -> AsyncIterator[httpx.AsyncClient]:
    """A browser that nobody has logged in with."""
    async with httpx.AsyncClient(
        base_url=web.url, headers={"Accept-Language": "es"}, timeout=60
    ) as client:
        yield client


def forget_failures(web: Web) -> None:
    with web.accounts.engine.connect() as plain, plain.begin():
        plain.exec_driver_sql("DELETE FROM attempts")


def wait_long(web: Web) -> None:
    """Whoever has to wait a moment, has for some minutes."""
    with web.accounts.engine.connect() as plain, plain.begin():
        free = "CASE WHEN key LIKE 'address:%%' THEN 20 ELSE 4 END"
        plain.exec_driver_sql(f"UPDATE attempts SET failed = failed + 8 WHERE failed >= {free}")


def account(web: Web, name: str, role: str = "monitor") -> dict[str, str]:
    web.accounts.book.add(TESTER, name, "Prueba", role, password=ACCOUNT_PASSWORD)  # type: ignore[arg-type]
    return {"account": name, "password": ACCOUNT_PASSWORD}


# -- first run


@pytest.mark.parametrize("path", PAGES)
async def test_without_an_account_every_page_leads_to_the_set_up(bare: Bare, path: str) -> None:
    async with httpx.AsyncClient(base_url=bare.url, timeout=300) as client:
        answer = await client.get(path)
        assert (answer.status_code, answer.headers["location"]) == (303, "/setup")
        assert (await client.get("/api/v1/live")).status_code == 401
        assert (await client.get("/api/v1/live", headers=BEARER)).status_code == 200
        assert (await client.get("/wall")).status_code == 200


async def test_the_set_up_makes_one_administrator_with_the_code_and_no_other(bare: Bare) -> None:
    code = bare.accounts.codes.set_up()
    form = {"account": "jefa", "name": "Jefa", "new": ACCOUNT_PASSWORD, "again": ACCOUNT_PASSWORD}
    async with httpx.AsyncClient(base_url=bare.url, timeout=300) as client:
        assert (await client.post("/setup", data=form | {"code": "WRONG"})).status_code == 403
        unlike = form | {"code": code, "again": "otra cosa distinta"}
        assert (await client.post("/setup", data=unlike)).status_code == 422
        weak = form | {"code": code, "new": "corta", "again": "corta"}
        assert (await client.post("/setup", data=weak)).status_code == 422
        assert bare.accounts.book.is_empty()
        done = await client.post("/setup", data=form | {"code": code.lower()})
        assert (done.status_code, done.headers["location"]) == (303, "/ui/")
        assert (await client.get("/ui/")).status_code == 200
        again = form | {"code": code, "account": "otra"}
        assert (await client.post("/setup", data=again)).status_code == 403
    assert [(one.id, one.role) for one in bare.accounts.book.all()] == [("jefa", "admin")]


# -- login


async def test_a_login_leads_on_to_the_page_that_was_wanted(
    web: Web, outside: httpx.AsyncClient
) -> None:
    mine = account(web, "uno")
    wanted = await outside.get("/ui/agents?day=2026-02-02")
    assert wanted.headers["location"] == "/login?next=/ui/agents%3Fday%3D2026-02-02"
    shown = await outside.get(wanted.headers["location"])
    assert 'value="/ui/agents?day=2026-02-02"' in shown.text
    assert (
        "<script>" not in shown.text and "unsafe" not in shown.headers["content-security-policy"]
    )
    answer = await outside.post("/login", data=mine | {"next": "/ui/agents?day=2026-02-02"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/ui/agents?day=2026-02-02")
    told = {one.partition("=")[0]: one.lower() for one in answer.headers.get_list("set-cookie")}
    assert "httponly" in told["diadema_session"]
    assert all("samesite=strict" in one and "path=/" in one for one in told.values())


@pytest.mark.parametrize("next_", ["//evil.example", "https://evil.example", "/\\evil", "x", ""])
async def test_a_login_leads_to_no_other_site(
    web: Web, outside: httpx.AsyncClient, next_: str
) -> None:
    mine = account(web, f"a{abs(hash(next_))}"[:20])
    answer = await outside.post("/login", data=mine | {"next": next_})
    assert answer.headers["location"] == "/ui/"


async def test_who_is_unknown_hears_the_same_as_who_is_wrong(
    web: Web, outside: httpx.AsyncClient
) -> None:
    account(web, "dos")
    wrong = await outside.post("/login", data={"account": "dos", "password": "no"})
    unknown = await outside.post("/login", data={"account": "nadie", "password": "no"})
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.text.replace("dos", "x") == unknown.text.replace("nadie", "x")


async def test_guessing_has_to_wait_and_is_told_how_long(
    web: Web, outside: httpx.AsyncClient
) -> None:
    mine = account(web, "tres")
    for _ in range(50):
        answer = await outside.post("/login", data=mine | {"password": "no"})
        if answer.status_code == 429:
            break
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0
    assert re.search(r"Espere 0:0\d", answer.text)
    wait_long(web)
    assert (await outside.post("/login", data=mine)).status_code == 429  # also with the right one
    forget_failures(web)


async def test_a_logout_ends_the_session_and_closes_its_sockets(web: Web) -> None:
    cookies = web.login("monitor")
    address = f"ws://127.0.0.1:{web.port}/ws"
    async with (
        httpx.AsyncClient(base_url=web.url, cookies=cookies, timeout=300) as client,
        connect(address, additional_headers=headers_of(cookies)) as stream,
    ):
        await stream.recv()
        assert (await client.post("/logout", data={"csrf": "x"})).status_code == 403
        assert (await client.get("/api/v1/me")).status_code == 200
        csrf = cookies["diadema_csrf"]
        assert (await client.post("/logout", data={"csrf": csrf})).status_code == 303
        with pytest.raises(ConnectionClosed) as closed:
            async with asyncio.timeout(300):
                while True:
                    await stream.recv()
        assert closed.value.rcvd is not None and closed.value.rcvd.code == SESSION_OVER
    async with httpx.AsyncClient(base_url=web.url, cookies=cookies, timeout=300) as client:
        assert (await client.get("/api/v1/me")).status_code == 401


async def test_a_session_that_another_program_ends_closes_its_sockets_too(web: Web) -> None:
    cookies = web.login("monitor")
    person = web.accounts.sessions.person(cookies["diadema_session"], "")
    assert person is not None
    path = "/ui/_nicegui_ws/socket.io/?EIO=4&transport=websocket"
    async with connect(
        f"ws://127.0.0.1:{web.port}{path}", additional_headers=headers_of(cookies)
    ) as stream:
        await stream.recv()
        web.accounts.book.disable(TESTER, person.id)
        async with asyncio.timeout(300):
            with pytest.raises(ConnectionClosed):
                while True:
                    await stream.recv()


async def test_a_write_by_cookie_needs_the_proof_of_our_page(web: Web) -> None:
    cookies = web.login("admin")
    bare = {"Cookie": headers_of(cookies)["Cookie"]}
    async with httpx.AsyncClient(base_url=web.url, timeout=300) as client:
        path = "/api/v1/agents/a001/actions"
        for headers in (bare, bare | {"x-csrf-token": "x"}, bare | {"x-csrf-token": ""}):
            answer = await client.post(path, json={}, headers=headers)
            assert answer.status_code == 403
        assert (await client.post(path, json={}, headers=headers_of(cookies))).status_code == 422
        engine = "/ui/_nicegui_ws/socket.io/?EIO=4&transport=polling"
        assert (await client.post(engine, headers=bare, content="2")).status_code == 403


async def test_a_first_password_opens_nothing_but_its_change(web: Web) -> None:
    first = web.accounts.book.add(TESTER, "cuatro", "Cuatro", "monitor")
    async with httpx.AsyncClient(base_url=web.url, timeout=300) as client:
        answer = await client.post("/login", data={"account": "cuatro", "password": first})
        assert answer.headers["location"] == "/account"
        for path in ("/ui/", "/", "/handover"):
            assert (await client.get(path)).headers["location"] == "/account"
        assert (await client.get("/api/v1/me")).status_code == 403
        csrf = client.cookies["diadema_csrf"]
        form = {"csrf": csrf, "new": ACCOUNT_PASSWORD, "again": ACCOUNT_PASSWORD}
        wrong = await client.post("/account/password", data=form | {"password": "no es"})
        assert wrong.status_code == 401
        same = {"csrf": csrf, "password": first, "new": first, "again": first}
        assert (await client.post("/account/password", data=same)).status_code == 422
        done = await client.post("/account/password", data=form | {"password": first})
        assert done.status_code == 303
        assert (await client.get("/api/v1/me")).json()["id"] == "cuatro"


async def test_a_link_from_another_site_is_asked_again_by_ourselves(
    web: Web, outside: httpx.AsyncClient
) -> None:
    answer = await outside.get("/ui/", headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 200 and 'http-equiv="refresh"' in answer.text
    answer = await outside.get("/ui/", headers={"Sec-Fetch-Site": "same-origin"})
    assert answer.status_code == 303


async def test_a_one_use_link_opens_once(web: Web, outside: httpx.AsyncClient) -> None:
    account(web, "cinco")
    code = web.accounts.codes.entry("cinco")
    link = f"/enter?code={code}&to=/ui/agents"
    first = await outside.get(link)
    assert "url=/ui/agents" in first.text
    assert (await outside.get("/api/v1/me")).json()["id"] == "cinco"
    outside.cookies.clear()
    second = await outside.get(link)
    assert second.headers["location"] == "/login?used=1" and "set-cookie" not in second.headers


# -- HTTPS


async def test_elsewhere_than_here_pages_come_by_https_under_our_ca(
    nats_server: Nats, tmp_path: Path
) -> None:
    data = DataDir(tmp_path)
    accounts = Accounts(data)
    accounts.book.add(TESTER, "jefa", "Jefa", "admin", password=ACCOUNT_PASSWORD)
    accounts.close()
    Certificates(data.tls).make(["localhost"])

    door = WebEndpoint("0.0.0.0")
    web = Web(tmp_path, nats_server.url, arguments=door.arguments(data, ["centro.local"]))
    web.start()
    try:
        trust = ssl.create_default_context(cafile=str(data.tls / "pages-ca.pem"))
        async with httpx.AsyncClient(
            base_url=f"https://localhost:{web.port}", verify=trust, timeout=60
        ) as client:
            form = {"account": "jefa", "password": ACCOUNT_PASSWORD}
            answer = await client.post("/login", data=form)
            told = "".join(answer.headers.get_list("set-cookie"))
            assert "__Host-diadema_session=" in told and told.lower().count("secure") == 3
            assert "strict-transport-security" not in answer.headers  # localhost is others' too
            named = await client.get("/wall", headers={"Host": f"centro.local:{web.port}"})
            assert named.status_code == 200 and "strict-transport-security" in named.headers
            rebound = await client.get("/wall", headers={"Host": "rebound.example"})
            assert rebound.status_code == 421
    finally:
        web.kill()
