"""UC2-E1.4 «Absuelve consultas del personal a su cargo», and UC3-E2.1 to E2.3 «Asegurar la
operatividad del servicio a su cargo», walked through in the browsers of a supervisor, a quality
monitor and whoever mends, over what three agents do at real stations.
"""

import asyncio
import json
import re
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from axe_playwright_python.async_playwright import Axe
from diadema.access.authenticator import csrf
from diadema.access.roles import Person, Role
from diadema.base.paths import DataDir
from diadema.site.directory.publishing import open_directory
from diadema_sim import menu_keys, people, sound
from diadema_sim.agent import Agent
from diadema_sim.centre import Centre, open_centre
from diadema_sim.station_user import SETTLED_MS
from playwright.async_api import Locator, Page, expect

from tests.support.broker_fixtures import until
from tests.support.chromium import CHROMIUM
from tests.support.screen_words import find
from tests.support.supervisor import (
    LIMIT_MS,
    START_MS,
    ZONE,
    browsing,
    enter,
    go,
    report,
    rows,
    show,
    shows,
)  # fmt: skip
from tests.support.targeted import put

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
AREA = {"code": "sistemas", "label": "Sistemas", "parts": [{"code": "crm", "label": "CRM"}]}
TOOLS = {"crm": "CRM abre", "vpn": "VPN"}
CODE = "111"


def with_tools(data: DataDir) -> None:
    """What the campaign works with, and who mends it."""
    site = json.loads(data.site.read_text())
    campaign = site["campaigns"][0]["code"]
    site["tools"] = [
        {"campaign": campaign, "code": code, "label": label} for code, label in TOOLS.items()
    ]
    site["fault_areas"] = [AREA]
    data.site.write_text(json.dumps(site))
    with open_directory(data, START_MS):
        pass
    put(data, "fault_areas", code="sistemas", label="Sistemas", parts=["crm=CRM"],
        accounts=["iris"])  # fmt: skip


@asynccontextmanager
async def entered(
    page: Page, centre: Centre, name: str, role: Role, path: str
) -> "AsyncIterator[Page]":
    """Another browser, of somebody of that role."""
    account = name.split()[0].lower()
    admin = Person(id="sim", name="", role="service")
    centre.accounts.book.add(admin, account, name, role, password="una frase inventada")
    secret = centre.accounts.sessions.begin(account, "127.0.0.1")
    assert page.context.browser is not None
    context = await page.context.browser.new_context(viewport={"width": 390, "height": 844})
    await context.add_cookies(
        [
            {"name": key, "value": value, "url": centre.web}
            for key, value in (("diadema_session", secret), ("diadema_csrf", csrf(secret)))
        ]
    )
    other = await context.new_page()
    other.set_default_timeout(LIMIT_MS)
    await other.goto(f"{centre.web}{path}?lang=es")
    yield other
    await context.close()


async def is_clean(page: Page) -> None:
    found = await Axe().run(page, options={"runOnly": {"type": "tag", "values": WCAG}})
    assert not found.response["violations"], found.generate_report()


def press(within: Page | Locator, word: str) -> Locator:
    return within.get_by_role("button", name=word, exact=True)


async def begin_shift_without(desk: Agent, tool: str) -> None:
    """The self-test of a shift in which one tool does not open, which is told as a fault."""
    since = desk.seen
    await desk.station.tap(desk.desk.person.badge, 600)
    await desk.expect("session.opened", since)
    await desk.expect("presence.changed", since, to="not_ready")
    await desk.keys([menu_keys.BEGIN_TEST])
    await desk.keys(range(1, 7))
    word = await asyncio.to_thread(sound.spoken_word, desk.world.root / "voice.wav", 2)
    async with sound.listen(desk.station, microphone=word):
        await desk.world.sleep(2_000)

    async def asked() -> bool:
        return find(await desk.station.screen(), tool) is not None

    async def there() -> bool:
        if await asked():
            return True
        await desk.keys([menu_keys.ALL_WELL])  # the lights
        await desk.world.sleep(SETTLED_MS)
        return await asked()

    await until(there)
    await desk.keys([menu_keys.NO])
    await desk.world.sleep(SETTLED_MS)
    await desk.keys([menu_keys.YES])
    await desk.expect("fault.reported", since, part="crm")
    while "station.selftest" not in desk.history.kinds_since(since):
        await desk.keys([menu_keys.ALL_WELL])
        await desk.world.sleep(SETTLED_MS)


async def aplicativos_herramientas_y_materiales(page: Page, centre: Centre, desk: Agent) -> None:
    """UC3-E2.1. Verifica que el personal a su cargo disponga de los aplicativos de atención al
    usuario, herramientas y materiales necesarios para la operación del servicio.
    """
    await show(page, "operatividad")
    await expect(
        page.get_by_role("heading", name="Operatividad por turno y equipo")
    ).to_be_visible()
    seats = page.locator("table", has=page.get_by_text("no operativa"))
    row = seats.get_by_role("row", name=re.compile(desk.desk.seat))
    await expect(row).to_contain_text("CRM abre")
    found = await report(centre, "operatividad")
    told = {one["seat"]: one["tools_missing"] for one in rows(found, "operational_seats")}
    assert told[desk.desk.seat] == "CRM abre" and [*told.values()].count(None) == len(told) - 1
    assert desk.desk.person.name not in await page.locator(".report").inner_text()


async def coordina_con_el_area(page: Page, centre: Centre, desk: Agent) -> None:
    """UC3-E2.2. Coordina con el área correspondiente en caso de inconvenientes o fallas técnicas
    detectadas en los equipos y herramientas de trabajo.
    """
    since, seat = desk.seen, desk.desk.seat
    async with entered(page, centre, "Iris Sistemas", "area", "/ui/area") as area:
        await go(page, "Piso", "Fallas")
        fault = page.locator(".lists .fault", has_text=f"Sistemas: CRM: {seat}")
        await expect(fault).to_contain_text("Reportada")
        await is_clean(page)
        await fault.click()
        await press(page.locator(".ticket > .choices"), "Asignar").click()
        dialog = page.get_by_role("dialog")
        await dialog.get_by_label("Quién la atiende").select_option(label="Iris Sistemas")
        await dialog.get_by_label("Número en el sistema del área (opcional)").fill("INC-7")
        await press(dialog, "Guardar").click()
        await desk.expect("fault.accepted", since)
        await expect(page.locator(".ticket")).to_contain_text("INC-7")

        theirs = area.locator(".lists .fault", has_text=seat)
        await expect(theirs).to_contain_text("INC-7")
        await is_clean(area)
        await theirs.click()
        await expect(area.locator(".story li").first).to_be_visible()
        await is_clean(area)
        assert desk.desk.person.name not in await area.content()
        await press(area.locator(".ticket > .choices"), "Resolver").click()
        dialog = area.get_by_role("dialog")
        await dialog.get_by_label("Causa", exact=True).fill("sesión vencida")
        await press(dialog, "Guardar").click()
        await desk.expect("fault.resolved", since)
    await desk.confirm_fault(works=True)
    ticket = page.locator(".ticket")
    await expect(ticket).to_contain_text("confirmada por el asesor")
    await ticket.get_by_role("link", name="Constancia de incidencia").click()
    await expect(page.get_by_role("cell", name="INC-7")).to_be_visible()
    await expect(page.get_by_role("cell", name="sesión vencida")).to_be_visible()
    areas = rows(await report(centre, "fallas"), "faults_areas")
    (told,) = (one for one in areas if one["area"] == "Sistemas")
    assert (told["tickets"], told["solve_n"]) == (1, 1)


async def in_call(desk: Agent, contact: str) -> None:
    await desk.ring(contact, queue="Banca")
    await desk.answer(contact)
    await desk.motive(contact, "1")


def case_of(page: Page, desk: Agent) -> Locator:
    return page.locator(".help", has_text=desk.desk.person.alias)


async def brinda_orientacion(page: Page, centre: Centre, desk: Agent) -> None:
    """UC3-E2.3. Brinda orientación al personal a su cargo respecto a las consultas de los
    usuarios, durante la llamada.
    """
    await go(page, "Piso", "Ayudas")
    await in_call(desk, "C-2")
    since = desk.seen
    await desk.request_help("procedimiento")
    case = case_of(page, desk)
    await expect(case).to_contain_text("Procedimiento")
    await is_clean(page)
    await press(case, "Voy").click()
    await desk.expect("help.accepted", since)
    await shows(desk, "Va Elena")
    await press(case, "Responder").click()
    await case.locator("form input").fill("Pida el DNI otra vez")
    await case.locator("form .send").click()
    await shows(desk, "Pida el DNI")
    await desk.keys([menu_keys.MENU])  # there it says «Leído»
    await desk.expect("message.acknowledged", since, answer="read")
    await press(case, "Resolver").click()
    await desk.expect("help.resolved", since)
    await desk.hang_up("C-2")
    await desk.typify_after("C-2", CODE)
    await desk.rate_help(served=True)
    await show(page, "orientado")
    row = page.get_by_role("row", name=re.compile(desk.desk.person.name))
    await expect(row.filter(has_text="acudió, mensaje")).to_be_visible()
    (told,) = rows(await report(centre, "orientado"), "guided")
    assert (told["guided_calls"], told["guided_came"], told["guided_wrote"]) == (1, 1, 1)


async def absuelve_consultas(page: Page, centre: Centre, desk: Agent) -> None:
    """UC2-E1.4. Absuelve consultas del personal a su cargo, durante la llamada, con la finalidad
    que cumplan los objetivos del servicio y productividad.
    """
    async with entered(page, centre, "Marco Calidad", "monitor", "/ui/help") as monitor:
        await in_call(desk, "C-3")
        since = desk.seen
        await desk.request_help("autorizacion")
        case = case_of(monitor, desk)
        await expect(case).to_contain_text("Autorización")
        await is_clean(monitor)
        await press(case, "Voy").click()
        await desk.expect("help.accepted", since)
        await press(case, "Resolver").click()
        await desk.expect("help.resolved", since)
        await press(case, "Parcial").click()
        await press(case, "no lo dice").click()
        await expect(monitor.locator(".sent")).to_contain_text("Instructivo: registrado.")
        await monitor.goto(f"{centre.web}/ui/reports?kind=consultas&lang=es")
        row = monitor.get_by_role("row", name=re.compile(desk.desk.person.name))
        for said in ("Autorización", "Parcial", "no lo dice"):
            await expect(row).to_contain_text(said)
    await desk.hang_up("C-3")
    await desk.typify_after("C-3", CODE)
    await desk.rate_help(served=False)
    solved = rows(await report(centre, "consultas"), "answered")
    assert [one["helper"] for one in solved] == ["Elena Jefa Inventada", "Marco Calidad"]


async def test_help_and_faults_in_the_words_of_the_profile(tmp_path, system_program):
    chromium = system_program(CHROMIUM, CHROMIUM)
    desks = people.desks(3)
    async with open_centre(
        desks,
        name="Centro de muestra",
        zone=ZONE,
        tree=people.LIMA_TREE,
        start_utc_ms=START_MS,
        data=tmp_path / "data",
        selftest=True,
        prepare=with_tools,
    ) as centre:
        await centre.switch_on()
        first, second, third = centre.agents
        await begin_shift_without(first, "CRM abre")
        for desk in (second, third):
            await desk.log_in()
            await desk.get_ready()
        async with browsing(chromium, f"{centre.web}/login") as page:
            await enter(page, centre, sorted({desk.person.team for desk in desks}))
            await aplicativos_herramientas_y_materiales(page, centre, first)
            await coordina_con_el_area(page, centre, first)
            await brinda_orientacion(page, centre, second)
            await absuelve_consultas(page, centre, third)
