"""A call for help from the key to its end: the real firmware in the VM, gateway, hub, web and the
browsers of two supervisors. What each does is on the station and with the other, and the report
says what the raw events do.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from typing import Any

from diadema.access.authenticator import csrf
from diadema.access.roles import Person
from diadema_sim import people
from diadema_sim.agent import Agent
from diadema_sim.centre import Centre, open_centre
from playwright.async_api import Locator, Page, async_playwright, expect

from tests.support.broker_fixtures import until
from tests.support.supervisor import FLAGS, LIMIT_MS, START_MS, ZONE, report, rows, shows

ADMIN = Person(id="sim", name="", role="service")
TEAMS = ("Turno Ají", "Turno Maíz", "Turno Quinua")
CODE = "111"


@asynccontextmanager
async def entered(chromium: str, centre: Centre, *names: str) -> AsyncIterator[list[Page]]:
    """A browser of its own for each of these supervisors, at the page Ayudas."""
    faults: list[str] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        expect.set_options(timeout=LIMIT_MS)
        pages = []
        for name in names:
            account = name.lower()
            centre.accounts.book.add(
                ADMIN, account, name, "supervisor", teams=TEAMS, password="una frase inventada"
            )
            secret = centre.accounts.sessions.begin(account, "127.0.0.1")
            context = await browser.new_context(viewport={"width": 1280, "height": 900})
            cookies = {"diadema_session": secret, "diadema_csrf": csrf(secret)}
            await context.add_cookies(
                [
                    {"name": key, "value": value, "url": centre.web}
                    for key, value in cookies.items()
                ]
            )
            page = await context.new_page()
            page.set_default_timeout(LIMIT_MS)
            page.on("pageerror", lambda error: faults.append(str(error)))
            await page.goto(f"{centre.web}/ui/help")
            await expect(page.locator(".floor[data-mode=help]:not([data-stale])")).to_be_visible()
            pages.append(page)
        yield pages
        await browser.close()
    assert faults == []


def case_of(page: Page, agent: Agent) -> Locator:
    return page.locator(".help", has_text=agent.desk.person.alias)


def press(case: Locator, word: str) -> Locator:
    return case.get_by_role("button", name=word, exact=True)


def said(agent: Agent, since: int, kind: str) -> list[dict[str, Any]]:
    events = agent.world.witness.events(agent.desk.station)[since:]
    return [one.event for one in events if one.event["k"] == kind]


def stored(centre: Centre, *kinds: str) -> list[dict[str, Any]]:
    """Every event of these kinds that the hub has, as it came."""
    with closing(centre.reader()) as reader, reader.engine.connect() as tx:
        found = tx.exec_driver_sql("SELECT body FROM events ORDER BY rowid").scalars().all()
    events = (json.loads(bytes(body)) for body in found)
    return [one for one in events if one["k"] in kinds]


async def escalated(centre: Centre, level: int) -> None:
    """By the run's clock, which goes on meanwhile."""

    async def there() -> bool:
        await centre.world.sleep(1_000)
        return any(one["level"] == level for one in stored(centre, "help.escalated"))

    await until(there)


async def test_a_call_for_help_from_the_key_to_its_end(tmp_path, system_program):
    chromium = system_program("chromium", "chromium")
    async with open_centre(
        people.desks(2),
        name="Centro de muestra",
        zone=ZONE,
        tree=people.LIMA_TREE,
        start_utc_ms=START_MS,
        data=tmp_path / "data",
    ) as centre:
        await centre.switch_on()
        near, far = centre.agents
        for desk in (near, far):
            await desk.log_in()
            await desk.get_ready()
        async with entered(chromium, centre, "Ana", "Luz") as (ana, luz):
            pages = {"Ana": ana, "Luz": luz}
            await near.ring("C-1", queue="Banca")
            await near.answer("C-1")
            await near.motive("C-1", "1")
            since = near.seen
            await near.request_help("sistema")
            for page in pages.values():
                await expect(case_of(page, near)).to_contain_text("Sistema")
                await expect(case_of(page, near)).to_contain_text("INS-1")

            # both go at once: the hub lets one, and the other is told who
            await asyncio.gather(
                *(press(case_of(page, near), "Voy").click() for page in pages.values())
            )
            await near.expect("help.accepted", since)
            (accepted,) = said(near, since, "help.accepted")
            winner = accepted["by"]
            loser = next(name for name in pages if name != winner)
            await shows(near, f"Va {winner}")
            await expect(case_of(pages[loser], near)).to_contain_text(winner)

            # a word that is read by key
            taken = case_of(pages[winner], near)
            await press(taken, "Responder").click()
            await taken.locator("form input").fill("Pida el DNI otra vez")
            await taken.locator("form .send").click()
            await near.expect("message.shown", since)
            await shows(near, "Pida el DNI")
            await near.keys([6])
            await near.expect("message.acknowledged", since, answer="read")

            # handed over, with the cable pulled in the middle
            near.station.cable.pull()
            await press(taken, "Derivar").click()
            await taken.locator("form select").select_option(loser.lower())
            await taken.locator("form input").fill("conoce el sistema")
            await taken.locator("form .send").click()
            await expect(case_of(pages[loser], near)).to_contain_text("conoce el sistema")
            near.station.cable.plug()
            await shows(near, f"Lo verá {loser}")
            await press(case_of(pages[loser], near), "Voy").click()
            await until(lambda: len(said(near, since, "help.accepted")) == 2)

            # another one, to whom nobody comes, goes on by the run's clock
            await far.request_help("procedimiento")
            await expect(case_of(ana, far)).to_be_visible()
            for level in (1, 2):
                await escalated(centre, level)
                await expect(
                    case_of(ana, far).locator(f'[data-sign="level{level}"]')
                ).to_be_visible()

            # solved in one tap; what came of it and what the playbook lacks in one more each
            case = case_of(pages[loser], near)
            await press(case, "Resolver").click()
            await near.expect("help.resolved", since)
            await press(case, "Parcial").click()
            await press(case, "no lo dice").click()
            await until(lambda: stored(centre, "help.noted"))
            (noted,) = stored(centre, "help.noted")
            assert (noted["gap"], noted["playbook"]) == ("missing", "INS-1")

            # asked only where nothing else is going on
            assert said(near, since, "help.rated") == []
            await near.hang_up("C-1")
            await near.typify_after("C-1", CODE)
            await near.rate_help(served=True)
        await centre.drain()
        await _as_the_events_say(centre)


async def _as_the_events_say(centre: Centre) -> None:
    """The report's figures, worked out once more from the raw events alone."""
    asked = {(one["s"], one["e"], one["n"]): one for one in stored(centre, "help.requested")}
    first: dict[tuple[str, int, int], dict[str, Any]] = {}
    for one in stored(centre, "help.accepted"):
        first.setdefault(tuple(one["of"]), one)
    solved = {tuple(one["of"]): one for one in stored(centre, "help.resolved")}
    waits = sorted(round((first[of]["u"] - asked[of]["u"]) / 1000) for of in first)
    solves = [round((solved[of]["u"] - first[of]["u"]) / 1000) for of in solved]
    summary = rows(await report(centre, "ayudas"), "summary")
    values = {row["figure"]: row["value"] and row["value"]["value"] for row in summary}
    assert len(asked) == 2 and len(waits) == len(solves) == 1
    assert values["pedidos"] == len(asked)
    assert values["espera mediana de la ayuda"] == waits[0]
    assert values["de acudir a resolver, mediana"] == solves[0]
    (gap,) = rows(await report(centre, "ayudas"), "gaps")
    assert gap["playbook"] == "INS-1" and gap["gap_missing"] == 1
