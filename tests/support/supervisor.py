"""What the system tests of supervisors stand on: a browser that is in, reports by the API, and
people who work at their desks by gestures.
"""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import httpx
from diadema.access.roles import Person
from diadema.base import credentials
from diadema_sim.agent import Agent
from diadema_sim.centre import Centre
from playwright.async_api import Page, async_playwright, expect

from tests.support.broker_fixtures import until
from tests.support.chromium import FLAGS
from tests.support.screen_words import find

ZONE = "America/Lima"
START_MS = int(datetime(2026, 11, 18, 10, tzinfo=ZoneInfo(ZONE)).timestamp() * 1000)  # no midnight
LIMIT_MS = 300_000
_ME, _PASSWORD = "elena.jefa", "una frase larga e inventada"


def bearer(centre: Centre) -> dict[str, str]:
    """By which a program of this machine asks the API."""
    return {"Authorization": f"Bearer {credentials.load(centre.data).api}"}


@asynccontextmanager
async def browsing(chromium: str, door: str) -> AsyncIterator[Page]:
    """A page of somebody who has come in by `door`; it must have raised nothing in the end."""
    faults: list[str] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = await browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(LIMIT_MS)
        expect.set_options(timeout=LIMIT_MS)
        page.on("pageerror", lambda error: faults.append(str(error)))
        await page.goto(door)
        yield page
        await browser.close()
    assert faults == []


async def enter(page: Page, centre: Centre, teams: list[str]) -> None:
    """As the supervisor of these, by account and password, as on any morning."""
    admin = Person(id="sim", name="", role="service")
    centre.accounts.book.add(
        admin, _ME, "Elena Jefa Inventada", "supervisor", teams=teams, password=_PASSWORD
    )
    await page.context.clear_cookies()
    await page.goto(f"{centre.web}/ui/")
    await expect(page).to_have_url(re.compile("/login"))
    await page.get_by_label("Usuario").fill(_ME)
    await page.get_by_label("Contraseña").fill(_PASSWORD)
    await page.get_by_role("button", name="Ingresar").click()
    await expect(page).to_have_url(re.compile("/ui/"))


async def go(page: Page, group: str, name: str) -> None:
    """To another page, by the bar, whose groups open once its script is there."""
    await page.wait_for_load_state()
    await page.get_by_role("button", name=group).click()
    await page.get_by_role("link", name=name, exact=True).click()


async def show(page: Page, kind: str) -> None:
    """Today's report or document of that kind."""
    await go(page, "Cifras", "Reportes")
    await page.locator("select[name=kind]").select_option(kind)
    await page.get_by_role("button", name="ver").click()


async def shows(agent: Agent, *texts: str) -> None:
    """The station's screen has them."""

    async def there() -> bool:
        screen = await agent.station.screen()
        return all(find(screen, text) for text in texts)

    await until(there)


def today(centre: Centre) -> date:
    return datetime.fromtimestamp(centre.world.now_ms() / 1000, ZoneInfo(ZONE)).date()


async def report(centre: Centre, kind: str) -> dict[str, Any]:
    """Today's report of that kind, of the whole floor, by the API."""
    async with httpx.AsyncClient(
        base_url=centre.web, headers=bearer(centre), timeout=60
    ) as client:
        query = {"span": today(centre).isoformat(), "format": "json"}
        answer = await client.get(f"/api/v1/reports/{kind}", params=query, timeout=300)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found


def rows(found: dict[str, Any], section: str) -> list[dict[str, Any]]:
    (table,) = (one for one in found["sections"] if one["section"] == section)
    made: list[dict[str, Any]] = table["rows"]
    return made


async def serve(desk: Agent, contact: str, code: str = "111", queue: str = "Banca") -> None:
    """A whole call, with the first steps of the protocol and its code."""
    await desk.ring(contact, queue=queue)
    await desk.answer(contact)
    await desk.step(contact, desk.site["identity_methods"][0]["code"])
    await desk.world.sleep(1_600)
    await desk.hang_up(contact)
    await desk.typify_after(contact, code)
