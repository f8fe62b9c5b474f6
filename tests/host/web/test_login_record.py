"""Who came in, who tried, from where and as whom; and whose word of an address is believed."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from tests.host.web.test_entry import account, forget_failures, wait_long
from tests.support.web_stage import ACCOUNT_PASSWORD, Nats, Web

pytestmark = pytest.mark.asyncio(loop_scope="session")
FORWARDED = {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "https"}


@pytest_asyncio.fixture(loop_scope="session", autouse=True)
async def no_failures(web: Web) -> AsyncIterator[None]:
    yield
    forget_failures(web)


@pytest.fixture
def behind(nats_server: Nats, tmp_path: Path) -> Iterator[Web]:
    """A web with a proxy before it, which is this machine."""
    web = Web(tmp_path, nats_server.url, arguments=["--proxy", "127.0.0.1"])
    web.start()
    yield web
    web.kill()


async def login(web: Web, source: str = "127.0.0.1", **form: str) -> httpx.Response:
    transport = httpx.AsyncHTTPTransport(local_address=source)
    async with httpx.AsyncClient(base_url=web.url, transport=transport, timeout=300) as client:
        return await client.post("/login", data={"password": ACCOUNT_PASSWORD, **form})


def record(web: Web, what: str, name: str) -> list[str]:
    rows = web.accounts.audit.rows(what=what, limit=1000)
    return sorted(row.address for row in rows if row.detail.get("account") == name)


async def test_each_login_is_recorded_with_its_address(web: Web) -> None:
    account(web, "adm2")
    sources = [f"127.0.0.{last}" for last in (21, 22, 23)]
    for source in sources:
        assert (await login(web, source, account="adm2")).status_code == 303
    assert record(web, "login", "adm2") == sources


async def test_each_failure_is_recorded_with_whom_it_tried(web: Web) -> None:
    account(web, "adm3")
    for last in (31, 32, 33):
        for name in ("adm3", "nobody3"):
            wrong = await login(web, f"127.0.0.{last}", account=name, password="no")
            assert wrong.status_code == 401
    wanted = ["127.0.0.31", "127.0.0.32", "127.0.0.33"]
    assert record(web, "login.failed", "adm3") == record(web, "login.failed", "nobody3") == wanted


async def test_strangers_keep_nobody_out_of_his_own_browser(web: Web) -> None:
    mine = account(web, "adm4")
    async with httpx.AsyncClient(base_url=web.url, timeout=300) as own:
        assert (await own.post("/login", data=mine)).status_code == 303
        for _ in range(8):
            await login(web, "127.0.0.66", account="adm4", password="no")
        wait_long(web)
        assert (await login(web, "127.0.0.9", account="adm4")).status_code == 429
        assert (await own.post("/login", data=mine)).status_code == 303
        other = account(web, "adm5") | {"password": "no"}
        for _ in range(6):
            await own.post("/login", data=other)
        wait_long(web)
        assert (
            await own.post("/login", data=other)
        ).status_code == 429  # it is known as one of his alone


async def test_a_device_cookie_that_was_made_up_is_none(web: Web) -> None:
    account(web, "adm6")
    for _ in range(8):
        await login(web, "127.0.0.67", account="adm6", password="no")
    wait_long(web)
    async with httpx.AsyncClient(
        base_url=web.url, cookies={"diadema_device": "a" * 32}, timeout=60
    ) as client:
        form = {"account": "adm6", "password": ACCOUNT_PASSWORD}
        for value in ("a" * 32, "a." + "0" * 64, "."):
            client.cookies.set("diadema_device", value)
            assert (await client.post("/login", data=form)).status_code == 429


async def test_whoever_is_no_proxy_is_not_believed(web: Web) -> None:
    mine = account(web, "adm7")
    async with httpx.AsyncClient(base_url=web.url, headers=FORWARDED, timeout=300) as client:
        came = await client.post("/login", data=mine)
        assert came.status_code == 303 and "__Host-" not in str(came.headers)
        codes = set()
        for last in range(30):
            forged = {"X-Forwarded-For": f"203.0.113.{last}"}
            wrong = await client.post(
                "/login", data={"account": f"x{last}", "password": "no"}, headers=forged
            )
            codes.add(wrong.status_code)
    assert codes == {401, 429}
    assert record(web, "login", "adm7")[0] == "127.0.0.1"


async def test_a_proxy_that_was_named_is(behind: Web) -> None:
    mine = account(behind, "adm8")
    async with httpx.AsyncClient(base_url=behind.url, headers=FORWARDED, timeout=300) as client:
        came = await client.post("/login", data=mine)
        assert came.status_code == 303 and "__Host-diadema_session" in str(came.headers)
    assert record(behind, "login", "adm8") == ["203.0.113.7"]
