"""A call for help from the key to its end: the real firmware in the VM, gateway, hub, web and the
browsers of two supervisors. What each does is on the station and with the other, and the report
says what the raw events do.
"""

import asyncio
import json
from collections import Counter
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
from tests.support.chromium import CHROMIUM, FLAGS
from tests.support.screen_words import find
from tests.support.supervisor import LIMIT_MS, START_MS, ZONE, report, rows, shows

ADMIN = Person(id="sim", name="", role="service")
TEAMS = ("Turno Ají", "Turno Maíz", "Turno Quinua")
CODE = "111"
RATE = "¿Le sirvió?"
PRESS = "(button) => button.click()"  # also one that has just gone
FASTER = 10  # simulated seconds a second, while nobody does anything
A_WHILE_MS = 6_000  # of the run's clock: longer than a station waits before it asks


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


async def asks_nothing(agent: Agent) -> None:
    """Not even when it had the time to."""
    await agent.world.sleep(A_WHILE_MS)
    assert not find(await agent.station.screen(), RATE)


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
    chromium = system_program(CHROMIUM, CHROMIUM)
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
            for agent, contact in ((near, "C-1"), (far, "C-2")):
                await agent.ring(contact, queue="Banca")
                await agent.answer(contact)
                await agent.motive(contact, "1")
            since = near.seen
            await near.request_help("sistema")
            await far.request_help("procedimiento")
            await shows(near, "Sigue usted")
            await shows(far, "1 antes que usted")
            for page in pages.values():
                for agent, topic in ((near, "Sistema"), (far, "Procedimiento")):
                    await expect(case_of(page, agent)).to_contain_text(topic)
                    await expect(case_of(page, agent)).to_contain_text("Banca")
                    await expect(case_of(page, agent)).to_contain_text("INS-1")

            # both go at once: the hub lets one, and the other is told who
            buttons = [press(case_of(page, near), "Voy") for page in pages.values()]
            handles = [await one.element_handle() for one in buttons]
            await asyncio.gather(*(one.evaluate(PRESS) for one in handles))
            await near.expect("help.accepted", since)
            (accepted,) = said(near, since, "help.accepted")
            winner = accepted["by"]
            loser = next(name for name in pages if name != winner)
            await shows(near, f"Va {winner}")
            await shows(far, "Sigue usted")
            theirs = case_of(pages[loser], near)
            await expect(theirs.locator(".help-status")).to_contain_text(f"Va {winner}")
            await expect(theirs.locator(".sent")).to_contain_text(f"{winner} ya tiene este pedido")

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
            await expect(theirs).to_contain_text("conoce el sistema")
            near.station.cable.plug()
            await shows(near, f"Lo verá {loser}")
            await press(theirs, "Voy").click()
            await until(lambda: len(said(near, since, "help.accepted")) == 2)

            # the other one, to whom nobody comes, goes on by the run's clock
            centre.world.timeline.set_speed(FASTER)
            for level in (1, 2):
                await escalated(centre, level)
                sign = '[data-sign^="level"]' if level == 1 else '[data-sign="level2"]'
                await expect(case_of(ana, far).locator(sign)).to_be_visible()

            centre.world.timeline.set_speed(1)

            # solved in one tap; what came of it and what the playbook lacks in one more each
            await press(theirs, "Resolver").click()
            await near.expect("help.resolved", since)
            await press(theirs, "Parcial").click()
            await press(theirs, "no lo dice").click()
            await until(lambda: stored(centre, "help.noted"))
            (noted,) = stored(centre, "help.noted")
            assert (noted["gap"], noted["playbook"]) == ("missing", "INS-1")

            # asked only where nothing else is going on, and once: a ring takes it away
            await asks_nothing(near)
            await near.hang_up("C-1")
            await asks_nothing(near)
            await near.typify_after("C-1", CODE)
            rated = await near.rate_help(served=True)
            assert rated.event["of"] == accepted["of"]
            again = near.seen
            await near.request_help("autorizacion")
            going = ana.locator(".help:not([data-ended])")
            await expect(going.first).to_contain_text("Autorización")  # is urgent
            for word, kind in (("Voy", "help.accepted"), ("Resolver", "help.resolved")):
                await press(ana.locator(".help", has_text="Autorización"), word).click()
                await near.expect(kind, again)
            await shows(near, RATE)
            await near.ring("C-3", queue="Banca")
            await asks_nothing(near)
            await near.answer("C-3")
            await near.hang_up("C-3")
            await near.typify_after("C-3", CODE)
            await asks_nothing(near)
            assert len(said(near, since, "help.rated")) == 1
        await centre.drain()
        await _as_the_events_say(centre)


async def _as_the_events_say(centre: Centre) -> None:
    """The report's figures, worked out once more from the raw events alone."""
    asked = {(one["s"], one["e"], one["n"]): one for one in stored(centre, "help.requested")}
    first: dict[tuple[str, int, int], dict[str, Any]] = {}
    for one in stored(centre, "help.accepted"):
        first.setdefault(tuple(one["of"]), one)
    solved = {tuple(one["of"]): one for one in stored(centre, "help.resolved")}
    waits = [(first[of]["u"] - asked[of]["u"] + 500) // 1000 for of in first]
    solves = [(solved[of]["u"] - first[of]["u"] + 500) // 1000 for of in solved]
    calls = len(stored(centre, "contact.answered"))
    found = await report(centre, "ayudas")
    summary = rows(found, "summary")
    values = {row["figure"]: row["value"] and row["value"]["value"] for row in summary}
    assert len(asked) == 3 and len(waits) == len(solves) == 2 and calls == 3
    assert values["pedidos"] == len(asked) and values["sin atender"] == 0
    assert values["espera mediana de la ayuda"] == min(waits)
    assert values["espera p90 de la ayuda"] == max(waits)
    assert values["de acudir a resolver, mediana"] == min(solves)
    assert values["de acudir a resolver, p90"] == max(solves)
    in_time = sum(one <= 60 for one in waits)
    assert values["dentro de la meta"] == round(100 * in_time / len(asked), 1)
    named = {
        "autorizacion": "Autorización", "procedimiento": "Procedimiento", "sistema": "Sistema",
    }  # fmt: skip
    topics = rows(found, "topics")
    assert {row["topic"]: (row["help_asked"], row["help_taken"]) for row in topics} == {
        named[one["topic"]]: (1, int(tuple(one["of"]) in first))
        for one in stored(centre, "help.topic")
    }
    last = {tuple(one["of"]): one["by"] for one in stored(centre, "help.accepted")}
    helpers = {row["helper"]: row["help_asked"] for row in rows(found, "helpers")}
    assert helpers == Counter(last.values()) | {"(nadie acudió)": 1}
    (gap,) = rows(found, "gaps")
    assert gap["playbook"] == "INS-1" and gap["gap_missing"] == 1
