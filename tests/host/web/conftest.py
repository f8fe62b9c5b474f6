"""Fixtures of the web's tests: one stage a worker, cleared between tests, and one browser."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from diadema.access.roles import Role
from playwright.async_api import Browser, Page, async_playwright, expect

from tests.support.chromium import CHROMIUM, FLAGS
from tests.support.private_stage import Stage
from tests.support.reported_day import stations
from tests.support.web_stage import Hub, Nats, Web, on_port
from tests.support.web_viewer import OpenPage, viewing


@pytest.fixture(scope="session")
def nats_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nats]:
    server = Nats(tmp_path_factory.mktemp("nats"))
    server.start()
    yield server
    server.kill()


@pytest.fixture(scope="session")
def shared_web(nats_server: Nats, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    web = Web(tmp_path_factory.mktemp("web"), nats_server.url)
    web.start()
    yield web
    web.kill()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared_hub(nats_server: Nats) -> AsyncIterator[Hub]:
    hub = await Hub.open(nats_server.url)
    yield hub
    await hub.close()


@pytest_asyncio.fixture(loop_scope="session")
async def hub(shared_hub: Hub) -> AsyncIterator[Hub]:
    """The shared hub with an empty floor of the site «Centro»."""
    usual = shared_hub.answer
    await shared_hub.clear()
    await shared_hub.client.flush()  # what came for it while nobody looked
    await asyncio.sleep(0)
    shared_hub.asked.clear()
    await shared_hub.site()
    yield shared_hub
    shared_hub.answer, shared_hub.silent = usual, False  # others see it who did not ask for it


@pytest_asyncio.fixture(loop_scope="session")
async def web(shared_web: Web, hub: Hub) -> Web:
    """The shared web, once it shows nothing of the test before."""
    for query in ("", "?scope=wall"):
        viewer = None
        try:
            async with viewing(shared_web, query) as viewer:
                while (
                    viewer.rows
                    or viewer.snap["site"]["name"] != "Centro"
                    or viewer.snap["queues"]
                    or viewer.snap["over"]
                    or viewer.snap.get("alerts", {}).get("all")  # which the wall has not
                    or viewer.snap.get("cut")
                    or viewer.snap.get("owing")
                    or viewer.down
                ):
                    await viewer.take()
        except TimeoutError as error:
            log = (shared_web.folder / "web.log").read_text(errors="replace")[-2000:]
            seen = viewer and (viewer.seq, viewer.down, viewer.rows, viewer.snap)
            raise AssertionError(f"the web shows {seen}; its log ends: {log}") from error
    return shared_web


@pytest.fixture(scope="session")
def worked_web(
    nats_server: Nats, shared_hub: Hub, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Web]:
    """A web over a store with two days of the agents a001 and a002."""
    folder = tmp_path_factory.mktemp("worked")
    stations(folder)
    web = Web(folder, nats_server.url)
    web.start()
    yield web
    web.kill()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def private_web(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Web]:
    """A web over the floor of `private_stage`, for reading alone; others clear the shared one."""
    folder = tmp_path_factory.mktemp("private")
    server = Nats(folder)
    server.start()
    hub = await Hub.open(server.url)
    stage = Stage(folder)
    await stage.tell(hub)
    web = Web(stage.data.root, server.url, folder / "clock")
    web.start()
    yield web
    web.kill()
    stage.close()
    await hub.close()
    server.kill()


@pytest.fixture
def own_nats(tmp_path: Path) -> Iterator[Nats]:
    """A server of this test alone, to be killed."""
    server = Nats(tmp_path)
    server.start()
    yield server
    server.kill()


@pytest.fixture
def own_web(own_nats: Nats, tmp_path: Path) -> Iterator[Web]:
    web = Web(tmp_path, own_nats.url)
    web.start()
    yield web
    web.kill()


@pytest.fixture
async def own_hub(own_nats: Nats) -> AsyncIterator[Hub]:
    hub = await Hub.open(own_nats.url)
    yield hub
    await hub.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    chromium = shutil.which(CHROMIUM)
    if chromium is None:
        pytest.skip(f"the program {CHROMIUM} is missing (Debian: apt install {CHROMIUM})")
    async with async_playwright() as playwright:
        expect.set_options(timeout=300_000)  # its own 5 s are short on a busy machine
        browser = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def open_page(browser: Browser) -> AsyncIterator[OpenPage]:
    """Open an address, as an administrator or another role (`role`, `teams`, `agent`; None: as
    nobody); on leaving, the page must have been silent and local.
    """
    faults: list[str] = []
    pages: list[Page] = []

    async def open_page(
        url: str,
        *,
        role: Role | None = "admin",
        teams: Iterable[str] = (),
        agent: str | None = None,
        cookies: dict[str, str] | None = None,
        **options: object,
    ) -> Page:
        context = await browser.new_context(**options)  # type: ignore[arg-type]
        web = on_port.get(urlsplit(url).port or 0)
        if web is not None and role is not None:
            if cookies is None:
                admin = role == "admin"
                cookies = web.cookies if admin else web.login(role, teams=teams, agent=agent)
            await context.add_cookies(
                [{"name": name, "value": value, "url": web.url} for name, value in cookies.items()]
            )
        page = await context.new_page()
        pages.append(page)
        page.set_default_timeout(120_000)  # a busy machine takes its time
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("request", lambda request: _check_local(request.url, faults))
        await page.goto(url)
        return page

    yield open_page
    for page in pages:
        await page.context.close()
    assert faults == []


def _check_local(url: str, faults: list[str]) -> None:
    if not url.startswith(("http://127.0.0.1:", "data:", "blob:")):
        faults.append(f"a request left this machine: {url}")
