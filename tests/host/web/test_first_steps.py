"""The guide of a new centre: what is done and what comes next, until all is done."""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from diadema.base.clock import open_clock
from diadema.base.paths import DataDir
from diadema.site.directory.book import Change, Directory
from diadema.site.directory.kinds import KINDS
from diadema.site.directory.publishing import open_directory
from diadema.web.app import create_app
from diadema.web.settings import Settings
from diadema.web.web_app import WebApp
from playwright.async_api import expect

from tests.support.access_table import ROUTES
from tests.support.reported_day import stored
from tests.support.scripted_station import SITE, Script
from tests.support.web_stage import BEARER, Nats, Web
from tests.support.web_viewer import OpenPage

STEP = re.compile(r'<li( data-\w+)?><a href="([^"]+)"[^>]*>([^<]+)</a>')
STATION = "DIA-0123456789ab"
NAMES = ["Centro", "Equipos", "Asesores", "Posiciones", "Publicar", "Primera estación"]


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    token = BEARER["Authorization"].split()[1]
    service = WebApp(
        Settings(tmp_path, "nats://127.0.0.1:1", "u", "p", token), open_clock(None), "b"
    )
    service.worker.close()  # it would begin a process, for which nothing here asks
    transport = httpx.ASGITransport(create_app(service))
    async with httpx.AsyncClient(
        transport=transport, base_url="http://localhost", headers=BEARER, timeout=300
    ) as client:
        client.service = service  # type: ignore[attr-defined]
        yield client


def steps_of(page: str) -> list[tuple[str, str, str]]:
    guide = page.partition('<nav class="first"')[2].partition("</nav>")[0]
    return STEP.findall(guide)


async def steps(client: httpx.AsyncClient) -> tuple[int, str | None]:
    """How many are done, and the one that is next."""
    page = await client.get("/ui/?lang=es")
    assert page.status_code == 200
    found = steps_of(page.text)
    if not found:
        return 6, None
    assert [name for _, _, name in found] == NAMES
    nexts = [name for state, _, name in found if state == " data-next"]
    paths = [urlsplit(path.replace("&amp;", "&")) for _, path, _ in found]
    assert {f"GET {one.path}" for one in paths} <= set(ROUTES)
    kinds = [parse_qs(one.query).get("kind", [""])[0] for one in paths]
    assert set(kinds) - {""} <= set(KINDS)
    return sum(state == " data-done" for state, _, _ in found), nexts[0]


def put(book: Directory, kind: str, **given: object) -> None:
    body = KINDS[kind].read(given)
    change = Change(kind=kind, code=KINDS[kind].code(body), body=body)
    book.apply([change], by="Prueba", reason="para la prueba", at_ms=1_795_000_000_000)


async def test_the_guide_follows_what_is_done_until_all_is(
    client: httpx.AsyncClient, tmp_path: Path
) -> None:
    data = DataDir(tmp_path)
    assert await steps(client) == (0, "Centro")
    with open_directory(data, 1_795_000_000_000) as book:
        assert await steps(client) == (0, "Centro")
        put(book, "settings", code="site", site="Centro Norte", zone="America/Lima")
        assert await steps(client) == (1, "Equipos")
        site = client.service.floor.site  # type: ignore[attr-defined]
        assert (site.site, site.zone) == ("Centro Norte", "America/Lima")
        put(book, "teams", code="Norte")
        assert await steps(client) == (2, "Asesores")
        put(book, "agents", code="a001", name="Rosa", short="ROSA", alias="RQ", team="Norte")
        assert await steps(client) == (3, "Posiciones")
        put(book, "seats", code="A-01", station=STATION)
        assert await steps(client) == (4, "Publicar")
    stations = [{"id": STATION, "seat": "A-01"}]
    stored(tmp_path, site=SITE | {"stations": []})
    assert await steps(client) == (4, "Publicar")  # a store, and nobody has been heard
    data.site.write_text(json.dumps(SITE | {"stations": stations}))
    assert await steps(client) == (5, "Primera estación")
    stored(tmp_path, Script(s=STATION, agent="a001").boot(), site=SITE | {"stations": stations})
    assert await steps(client) == (6, None)
    data.store.unlink()  # it is not looked at again
    assert await steps(client) == (6, None)


async def test_a_directory_that_cannot_be_read_has_no_guide(
    client: httpx.AsyncClient, tmp_path: Path
) -> None:
    DataDir(tmp_path).directory.write_bytes(b"no database" * 400)
    page = await client.get("/ui/")
    assert page.status_code == 200 and not steps_of(page.text)


@pytest.mark.asyncio(loop_scope="session")
async def test_on_a_telephone_only_the_next_step_is_shown_and_to_nobody_else(
    own_nats: Nats, own_web: Web, open_page: OpenPage
) -> None:
    page = await open_page(f"{own_web.url}/ui/?lang=es", viewport={"width": 390, "height": 844})
    guide = page.get_by_role("navigation", name="Primeros pasos")
    await expect(guide.get_by_role("link")).to_have_text(["Centro"])
    await expect(guide.get_by_role("link")).to_have_attribute("aria-current", "step")
    await page.set_viewport_size({"width": 1366, "height": 800})
    await expect(guide.get_by_role("link")).to_have_text(NAMES)
    page = await open_page(f"{own_web.url}/ui/?lang=es", role="supervisor", teams=["Norte"])
    await expect(page.locator(".heads")).to_be_visible()
    await expect(page.get_by_role("navigation", name="Primeros pasos")).to_have_count(0)
