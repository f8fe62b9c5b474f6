"""What the system tests of supervisors stand on: a browser that is in, reports by the API, and
people who work at their desks by gestures.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import httpx
from diadema.base import credentials
from diadema_sim.agent import Agent
from diadema_sim.centre import Centre
from playwright.async_api import Page, async_playwright, expect

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
ZONE = "America/Lima"
START_MS = int(datetime(2026, 11, 18, 10, tzinfo=ZoneInfo(ZONE)).timestamp() * 1000)  # no midnight
LIMIT_MS = 300_000


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
