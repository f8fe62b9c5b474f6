"""The page of faults and an area's own, in a browser: what goes on, whose it is, until when; what
each may do; and that neither a technician nor an area learns anything of a person there.
"""

import json
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from diadema.figures.lost_time import Stop
from diadema.site.directory.people import FaultArea, People, Worker
from diadema.store.assistance import TicketCase
from diadema.store.rows import Press, Ticket
from diadema.web.faults.view import View, lost_by
from diadema.wire.long_texts import parts_of
from playwright.async_api import Page, expect
from websockets.exceptions import InvalidStatus

from tests.support.broker_fixtures import until
from tests.support.fault_stage import MINUTE_MS, NOW, FaultStage, agent_name
from tests.support.web_stage import BEARER, TESTER, Hub, Nats, headers_of
from tests.support.web_viewer import OpenPage, connect

pytestmark = pytest.mark.asyncio(loop_scope="session")
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
MASS, ONE, LINE, DONE = "mass00000001", "one000000002", "line00000003", "done00000004"
GONE = "Esa falla ya no está, o no es de su área ni de sus asesores."
LONG = "Se llamó a mesa de ayuda. " * 38


@pytest_asyncio.fixture(loop_scope="session")
async def stage(
    nats_server: Nats, hub: Hub, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[FaultStage]:
    """A mass failure at four seats, one seat's own, the provider's line, one that is closed."""
    made = FaultStage(tmp_path_factory.mktemp("faults"), nats_server.url)
    made.mass(MASS, range(1, 5))
    press = made.press(7, 10, area="sistemas", part="vpn")
    made.opened(ONE, 9, part="vpn", title="VPN no conecta", seats=["A-07"], of=press,
                due=NOW + 6 * MINUTE_MS + 30_000)  # fmt: skip
    made.say("linked", ONE, 9, of=press)
    made.opened(LINE, 30, area="proveedor", part="enlace", severity=1, seats=[],
                title="Sin internet en el piso 3", due=NOW - 25 * MINUTE_MS)  # fmt: skip
    made.say(
        "taken",
        LINE,
        28,
        by="teo",
        to="iris",
        external="INC-77",
        due=NOW + 130 * MINUTE_MS + 30_000,
    )
    made.opened(DONE, 50, title="Impresora")
    made.say("resolved", DONE, 45, by="teo", cause="sin papel")
    made.say("closed", DONE, 40, outcome="confirmed")
    yield made
    made.close()


async def opened(
    open_page: OpenPage, stage: FaultStage, who: str, path: str = "/ui/faults", **options: Any
) -> Page:
    page = await open_page(
        f"{stage.web.url}{path}{'&' if '?' in path else '?'}lang=es",
        cookies=stage.cookies(who), **options,
    )  # fmt: skip
    return page


async def texts(page: Page, where: str) -> list[str]:
    return await page.locator(where).all_inner_texts()


async def titles(page: Page) -> list[str]:
    return await texts(page, ".lists > .faults .title")


def client(stage: FaultStage, who: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        base_url=stage.web.url, headers=headers_of(stage.cookies(who)), timeout=300
    )


# -- what is told of a ticket


def stop(*times: tuple[int, int], agent: str = "a") -> Stop:
    press = Press(station="S1", epoch=1, sequence=1, kind="fault", agent=agent)
    return Stop(agent, press, list(times))


@pytest.mark.parametrize(
    ("stops", "ms", "since"),
    [
        ([stop((10, 15))], 5000, None),
        ([stop((10, 15)), stop((12, 13))], 5000, None),  # one within the other
        ([stop((12, 17)), stop((10, 15))], 7000, None),  # they overlap
        ([stop((10, 15), (80, 90)), stop((90, 100))], 5000, 80_000),  # it goes on
        ([stop((10, 100)), stop((12, 20))], 0, 10_000),
        ([stop()], 0, None),
    ],
)
async def test_two_faults_at_once_cost_an_agent_their_time_once(
    stops: list[Stop], ms: int, since: int | None
) -> None:
    found = lost_by([*stops, stop((1, 2), agent="b")], 100_999)
    assert (found["a"].ms, found["a"].since) == (ms, since)
    assert (found["b"].ms, found["b"].since) == (1000, None)


async def test_who_may_see_no_person_is_told_of_none() -> None:
    people = People(
        seats={"S1": "A-01"},
        workers={"a001": Worker(id="a001", name="Rosa Quispe", alias="RQ")},
        fault_areas={"crm": FaultArea(label="CRM", accounts=["iris"])},
    )
    ticket = Ticket(ticket=ONE, station="HUB", epoch=1, sequence=1, by="sonia", utc=1, area="crm",
                    state="taken", assignee="teo", seats="A-01\nA-02")  # fmt: skip
    its = stop((10, 15), agent="a001")
    case = TicketCase(ticket, reports=[its.press])
    stops = {("S1", 1, 1): its}
    names = {"sonia": "Sonia Ríos", "teo": "Teo Díaz"}
    whole, seen = View(TESTER, people, names, stops, 60_000).whole(case)
    assert seen == ["a001"] and whole["persons"] == [
        {"name": "Rosa Quispe", "ms": 5000, "since": None}
    ]
    areas, accounts = frozenset({"crm"}), frozenset({"iris"})
    part, seen = View(TESTER, people, names, stops, 60_000, areas, accounts).whole(case)
    assert seen == [] and part["seats"] == ["A-01", "A-02"]
    said = json.dumps(part)
    for hidden in ("Rosa", "a001", "RQ", "Sonia", "Teo", "teo", "lost", "5000", "report"):
        assert hidden not in said


# -- the list


async def test_the_gravest_come_first_each_with_who_has_it_and_until_when(
    stage: FaultStage, open_page: OpenPage
) -> None:
    page = await opened(open_page, stage, "sonia")
    await expect(page.locator(".lists > .faults > li")).to_have_count(3)
    assert await titles(page) == ["Sin internet en el piso 3", "CRM caído", "VPN no conecta"]
    line, mass, one = await texts(page, ".lists > .faults > li")
    for said in ("Operador · Enlace", "la tiene Iris Proveedora", "INC-77",
                 "En atención", "quedan 2 h 10 min para resolverla", "masiva"):  # fmt: skip
        assert said in line
    for said in ("4 posiciones: A-01, A-02, A-03, A-04", "Reportada", "masiva",
                 "sin tomar, vencida hace 3 min"):  # fmt: skip
        assert said in mass
    assert "quedan 6 min para tomarla" in one and "masiva" not in one
    totals = [one.split() for one in await texts(page, ".total")]
    assert {" ".join(words[1:]): words[0] for words in totals} == {
        "abiertas": "3", "sin tomar": "2", "vencidas": "1", "masivas": "2", "por confirmar": "0",
    }  # fmt: skip
    await page.get_by_role("button", name="vencidas").click()
    assert await texts(page, ".lists > .faults > li:visible .title") == ["CRM caído"]
    await page.get_by_role("button", name="vencidas").click()
    await page.get_by_role("searchbox").fill("a-07")
    assert await texts(page, ".lists > .faults > li:visible .title") == ["VPN no conecta"]
    await page.get_by_role("searchbox").fill("")
    await page.get_by_label("Área").select_option("proveedor")
    assert await texts(page, ".lists > .faults > li:visible .title") == [
        "Sin internet en el piso 3"
    ]
    await page.get_by_label("Área").select_option("")
    await page.locator("summary").click()
    await expect(page.locator(".shut .fault")).to_contain_text("confirmada por el asesor")


async def test_what_happens_is_there_in_every_browser(
    stage: FaultStage, hub: Hub, open_page: OpenPage
) -> None:
    """One takes it, the other sees who; a new one appears, one is late as time goes."""

    def answer(body: dict[str, Any]) -> dict[str, Any]:
        stage.say("taken", body["ticket"], by=body["by"], to=body["by"],
                  due=stage.clock.now_ms() + 60 * MINUTE_MS)  # fmt: skip
        return {"of": ["HUB-main", 1, 99], "ticket": body["ticket"]}

    hub.answer = answer
    first = await opened(open_page, stage, "teo")
    other = await opened(open_page, stage, "sonia")
    theirs = other.locator(f".lists [data-ticket={ONE}]")
    await expect(theirs).to_contain_text("Reportada")
    await first.locator(f".lists [data-ticket={ONE}]").click()
    await first.get_by_role("button", name="Tomar", exact=True).click()
    await expect(theirs).to_contain_text("la tiene Teo Díaz")
    await expect(theirs).to_contain_text("quedan 1 h 0 min para resolverla")
    assert hub.asked[-1] == {
        "action": "ticket_taken", "ticket": ONE, "by": "teo", "who": "Teo Díaz",
    }  # fmt: skip
    await expect(first.get_by_role("button", name="Tomar", exact=True)).to_have_count(0)
    await expect(first.locator(".told")).to_have_text("Tomar: registrado.")
    stage.opened("new000000009", 0, title="Diadema rota", seats=["A-09"])
    await expect(other.locator(".lists > .faults > li")).to_have_count(4)
    await expect(other.get_by_text("Falla nueva: Diadema rota")).to_have_count(1)
    stage.clock.set(NOW + 61 * MINUTE_MS, 0)
    await expect(theirs.locator(".due")).to_have_text("sin resolver, vencida hace 1 min")
    stage.say("resolved", ONE, by="teo", cause="cable")
    await expect(theirs).to_contain_text("Resuelta")
    await expect(other.locator("[data-total=resolved] b")).to_have_text("1")


# -- one of them


async def test_one_ticket_says_its_whole_story(stage: FaultStage, open_page: OpenPage) -> None:
    for part in parts_of(LONG.strip()):
        stage.say("noted", MASS, 5, by="teo", **part)
    stage.say("changed", MASS, 4, by="sonia", severity=1, reason="Cayó toda la cola")
    page = await opened(open_page, stage, "sonia", f"/ui/faults?ticket={MASS}")
    ticket = page.locator(".ticket")
    await expect(ticket.locator("h2")).to_have_text("CRM caído")
    await expect(ticket.locator(".story")).to_contain_text("Motivo: Cayó toda la cola")
    story = await texts(page, ".story li")
    assert "Reportada" in story[0] and "el servidor" in story[0]
    assert "Se sumaron 4 reportes: A-01, A-02, A-03, A-04" in story[1]
    assert "Cambió: Severidad 1" in story[2] and "Sonia Ríos" in story[2]
    await expect(ticket.locator(".notes .text")).to_have_text(LONG.strip())
    await expect(ticket.locator(".notes li")).to_contain_text("Teo Díaz")
    reports = await texts(page, ".reports li")
    assert [one.split("\n")[0] for one in reports] == [
        f"A-01 · {agent_name(1)}", "A-02", f"A-03 · {agent_name(3)}", "A-04",
    ]  # fmt: skip
    cost = ticket.locator(".cost")
    await expect(cost).to_contain_text("Tiempo perdido hasta ahora")
    await expect(cost.locator("b")).to_have_text("1:14:00")  # 20 + 19 + 18 + 17 minutes
    await expect(cost).to_contain_text("Sigue corriendo en 4.")
    await expect(page.locator(".persons dl > div dt")).to_have_text([agent_name(1), agent_name(3)])
    await expect(page.locator(".persons dl > div dd")).to_have_text(["20:00", "18:00"])
    paper = ticket.get_by_role("link", name="Constancia de incidencia")
    assert f"kind=constancia&scope=ticket%3A{MASS}" in str(await paper.get_attribute("href"))
    stage.tell(1, "fault.resolved", of=stage.pressed(1), i=5, by="Teo Díaz")
    await expect(cost).to_contain_text("Sigue corriendo en 3.")
    stage.clock.set(NOW + MINUTE_MS, 0)
    await expect(cost.locator("b")).to_have_text("1:17:00")
    await expect(ticket.locator(".reports li").first).to_contain_text("resuelta, por confirmar")
    await until(lambda: "faults" in {row.what for row in stage.web.accounts.audit.rows()})


@pytest.mark.parametrize("who", ["teo", "iris", "saul"])
async def test_who_mends_learns_nothing_of_any_person(
    stage: FaultStage, open_page: OpenPage, who: str
) -> None:
    """Neither on the page, nor by the API, nor on the socket."""
    path, scope = ("/ui/faults", "faults") if who == "teo" else ("/ui/area", "area")
    own = {"teo": MASS, "iris": LINE, "saul": MASS}[who]
    page = await opened(open_page, stage, who, f"{path}?ticket={own}")
    await expect(page.locator(".ticket .story li").first).to_be_visible()
    heard = [await page.content()]
    address = f"{stage.web.ws}?scope={scope}"
    async with connect(address, additional_headers=headers_of(stage.cookies(who))) as socket:
        heard.append(str(await socket.recv()))
    async with client(stage, who) as asking:
        for asked in ("/api/v1/tickets", f"/api/v1/tickets/{own}"):
            answer = await asking.get(asked)
            assert answer.status_code == 200
            heard.append(answer.text)
        for kept in ("/api/v1/live", "/api/v1/agents", "/api/v1/presses", "/ui/"):
            assert (await asking.get(kept)).status_code in (403, 404)
    for text in heard:
        for n in range(1, 13):
            for word in (agent_name(n), f"a{n:03}", f"Alias{n}", f"QU{n}"):
                assert re.search(rf"\b{word}\b", text) is None  # a session's token may hold «a007»
    if who != "teo":
        for text in heard:
            for word in ("Tiempo perdido hasta ahora</h3><b>1", '"lost"', "Teo Díaz", "Sonia"):
                assert word not in text


# -- an area's own page


async def test_an_area_sees_its_own_tickets_and_no_others(
    stage: FaultStage, hub: Hub, open_page: OpenPage
) -> None:
    page = await opened(open_page, stage, "iris", "/")
    await page.wait_for_url("**/ui/area*")
    await expect(page.locator(".lists > .faults > li")).to_have_count(1)
    assert await titles(page) == ["Sin internet en el piso 3"]
    await expect(page.get_by_role("button", name="Registrar una falla")).to_have_count(0)
    await page.locator(f"[data-ticket={LINE}]").click()
    offered = await texts(page, ".ticket > .choices button")
    assert offered == ["Anotar", "Número externo", "Resolver"]
    await page.get_by_role("button", name="Número externo").click()
    await page.get_by_label("Número en el sistema del área").fill("INC-99")
    await page.get_by_role("button", name="Guardar").click()
    await expect(page.locator(".told")).to_have_text("Número externo: registrado.")
    assert hub.asked[-1] | {"action": "ticket_changed", "external": "INC-99", "by": "iris",
                            "ticket": LINE} == hub.asked[-1]  # fmt: skip
    async with client(stage, "iris") as asking:
        assert (await asking.get(f"/api/v1/tickets/{MASS}")).status_code == 404
        asked = len(hub.asked)
        other = await asking.post(
            f"/api/v1/tickets/{MASS}/actions", json={"action": "ticket_noted", "text": "x"}
        )
        assert other.status_code == 404
        for body in (
            {"action": "ticket_changed", "severity": 4, "reason": "no es grave"},
            {"action": "ticket_changed", "area": "sistemas", "reason": "no es nuestra"},
            {"action": "ticket_taken", "to": "saul"},
            {"action": "ticket_closed", "outcome": "rejected", "reason": "no hay falla"},
            {"action": "ticket_reopened", "reason": "sigue"},
            {"action": "ticket_linked", "of": ["DIA-070000000001", 7, 1]},
        ):
            answer = await asking.post(f"/api/v1/tickets/{LINE}/actions", json=body)
            assert answer.status_code == 403, body
        new = {"action": "ticket_opened", "area": "proveedor", "title": "Otra"}
        assert (await asking.post("/api/v1/tickets", json=new)).status_code == 403
        assert (await asking.get("/ui/faults")).status_code == 403
        assert len(hub.asked) == asked
    stage.say("taken", MASS, 1, by="sonia", to="teo")
    async with client(stage, "saul") as asking:  # of that area: nobody else is named to him
        body = {"action": "ticket_taken"}
        answer = await asking.post(f"/api/v1/tickets/{MASS}/actions", json=body)
        assert answer.status_code == 409 and len(hub.asked) == asked
        assert "Ya la tiene otra persona" in answer.text and "Teo" not in answer.text
    with pytest.raises(InvalidStatus):
        address = f"{stage.web.ws}?scope=faults"
        async with connect(address, additional_headers=headers_of(stage.cookies("iris"))):
            pass
    stage.say("changed", LINE, area="sistemas", reason="Es nuestro enrutador", by="teo")
    await expect(page.locator(".lists > .faults > li")).to_have_count(0)
    await expect(page.locator(".told")).to_have_text(GONE)


# -- what can be done


FORMS: dict[str, tuple[dict[str, str], dict[str, Any]]] = {
    "Asignar": (
        {"Quién la atiende": "Saúl Sistemas", "Número en el sistema del área (opcional)": "T-1"},
        {"action": "ticket_taken", "to": "saul", "external": "T-1"},
    ),
    "Anotar": (
        {"Nota, hasta 1000 caracteres": "Se llamó al proveedor"},
        {"action": "ticket_noted", "text": "Se llamó al proveedor"},
    ),
    "Resolver": (
        {"Causa": "red", "Solución (opcional)": "otro puerto"},
        {"action": "ticket_resolved", "cause": "red", "fix": "otro puerto"},
    ),
    "Cambiar severidad o área": (
        {"Severidad": "1 · toda una cola o campaña", "Motivo": "Cayó todo"},
        {"action": "ticket_changed", "severity": 1, "reason": "Cayó todo"},
    ),
    "Rechazar": (
        {"Motivo": "No hay falla"},
        {"action": "ticket_closed", "outcome": "rejected", "reason": "No hay falla"},
    ),
    "Duplicada de…": (
        {"Es la misma que": "CRM caído · Sistemas · CRM", "Motivo": "Es el CRM"},
        {"action": "ticket_closed", "outcome": "duplicate", "other": MASS, "reason": "Es el CRM"},
    ),
}  # fmt: skip


async def fill(page: Page, given: dict[str, str]) -> None:
    dialog = page.get_by_role("dialog")
    for label, value in given.items():
        its = dialog.locator("label").filter(has=page.get_by_text(label, exact=True))
        control = its.locator("input, select, textarea")
        if await control.evaluate("one => one.tagName") == "SELECT":
            await control.select_option(label=value)
        else:
            await control.fill(value)
    await dialog.get_by_role("button", name="Guardar").click()


async def test_each_thing_that_can_be_done_is_asked_of_the_hub(
    stage: FaultStage, hub: Hub, open_page: OpenPage
) -> None:
    page = await opened(open_page, stage, "sonia", f"/ui/faults?ticket={ONE}")
    acts = page.locator(".ticket > .choices")
    signed = {"by": "sonia", "who": "Sonia Ríos", "among": [f"a{k:03}" for k in range(1, 12, 2)]}
    for name, (given, wanted) in FORMS.items():
        await acts.get_by_role("button", name=name).click()
        await fill(page, given)
        await expect(page.locator(".told")).to_have_text(f"{name}: registrado.")
        await expect(page.get_by_role("dialog")).to_have_count(0)
        assert hub.asked[-1] == wanted | signed | {"ticket": ONE}
        await expect(acts.get_by_role("button", name=name)).to_be_focused()
    await page.locator("summary").click()
    await page.locator(f"[data-ticket={DONE}]").click()
    await page.get_by_role("button", name="Reabrir").click()
    await fill(page, {"Motivo": "Sigue igual"})
    await expect(page.locator(".told")).to_have_text("Reabrir: registrado.")
    assert hub.asked[-1] | {"action": "ticket_reopened", "ticket": DONE} == hub.asked[-1]
    await page.get_by_role("button", name="Registrar una falla").click()
    await fill(
        page,
        {"Qué falla, en pocas palabras": "Sistema de pagos caído", "Área": "Sistemas",
         "Parte": "CRM", "Posiciones, separadas por comas (opcional)": "A-01, A-02,"},
    )  # fmt: skip
    await expect(page.locator(".told")).to_have_text("Registrar una falla: registrado.")
    assert hub.asked[-1] == {
        "action": "ticket_opened", "area": "sistemas", "part": "crm", "whole": False,
        "title": "Sistema de pagos caído", "seats": ["A-01", "A-02"], **signed,
    }  # fmt: skip


async def test_it_is_offered_to_nobody_who_would_not_see_it(
    stage: FaultStage, open_page: OpenPage
) -> None:
    page = await opened(open_page, stage, "teo", f"/ui/faults?ticket={LINE}")
    await page.get_by_role("button", name="Asignar").click()
    offered = await texts(page, "dialog option")
    assert {"Iris Proveedora", "Sonia Ríos", "Teo Díaz"} < {*offered}
    assert "Saúl Sistemas" not in offered


async def test_a_report_that_is_part_of_none_gets_its_ticket(
    stage: FaultStage, hub: Hub, open_page: OpenPage
) -> None:
    loose = stage.press(9, 3, area="sistemas", part="crm")
    page = await opened(open_page, stage, "teo")
    section = page.locator(".loose")
    await expect(section).to_contain_text("A-09")
    await section.get_by_role("button", name="Sumar el reporte de A-09").click()
    await fill(page, {"Falla": "CRM caído · Sistemas · CRM"})
    await expect(page.locator(".told")).to_have_text("Sumar el reporte: registrado.")
    assert (
        hub.asked[-1] | {"action": "ticket_linked", "ticket": MASS, "of": loose} == hub.asked[-1]
    )
    await section.get_by_role("button", name="Abrir una falla").click()
    await fill(page, {"Qué falla, en pocas palabras": "CRM lento"})
    await expect(page.locator(".told")).to_have_text("Registrar una falla: registrado.")
    wanted = {"of": loose, "area": "sistemas", "part": "crm", "seats": ["A-09"]}
    assert hub.asked[-1] | wanted == hub.asked[-1]
    stage.say("linked", MASS, of=loose, by="teo")
    await expect(section).to_be_hidden()
    await page.locator(f".lists [data-ticket={MASS}]").click()
    await page.get_by_role("button", name="Pasar el reporte de A-09").click()
    await fill(page, {"Falla": "VPN no conecta · Sistemas · VPN"})
    await expect(page.locator(".told")).to_have_text("Sumar el reporte: registrado.")
    assert hub.asked[-1] | {"ticket": ONE, "of": loose} == hub.asked[-1]


async def test_what_is_refused_is_said_and_what_was_written_stays(
    stage: FaultStage, hub: Hub, open_page: OpenPage
) -> None:
    hub.answer = lambda _: {"error": "no_such_press"}
    page = await opened(open_page, stage, "teo", f"/ui/faults?ticket={ONE}")
    await page.get_by_role("button", name="Anotar").click()
    await fill(page, {"Nota, hasta 1000 caracteres": "Se reinició"})
    wrong = page.get_by_role("dialog").get_by_role("alert")
    await expect(wrong).to_contain_text("Anotar: no se registró. Ese pedido ya no está abierto")
    await expect(page.get_by_label("Nota, hasta 1000 caracteres")).to_have_value("Se reinició")
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Cambiar severidad").click()
    await fill(page, {"Motivo": "porque sí"})
    await expect(wrong).to_contain_text("Nada cambió")
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Tomar", exact=True).click()
    await expect(page.locator(".told")).to_contain_text("Tomar: no se registró.")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (ONE, {"action": "ticket_noted", "text": "x" * 1001}),
        (ONE, {"action": "ticket_noted", "text": ""}),
        (ONE, {"action": "ticket_noted", "text": "x", "ticket": MASS}),
        (ONE, {"action": "ticket_resolved"}),
        (ONE, {"action": "ticket_resolved", "cause": "c" * 49}),
        (ONE, {"action": "ticket_changed", "severity": 0, "reason": "x"}),
        (ONE, {"action": "ticket_changed", "severity": 5, "reason": "x"}),
        (ONE, {"action": "ticket_changed", "severity": 2}),
        (ONE, {"action": "ticket_closed", "outcome": "confirmed", "reason": "x"}),
        (ONE, {"action": "ticket_closed", "outcome": "duplicate", "reason": "x", "other": "no"}),
        (ONE, {"action": "ticket_linked", "of": ["DIA", "x", 1]}),
        (ONE, {"action": "ticket_taken", "external": "x" * 33}),
        (ONE, {"action": "logout", "reason": "x"}),
        ("no", {"action": "ticket_noted", "text": "x"}),
        (ONE.upper(), {"action": "ticket_noted", "text": "x"}),
        (None, {"action": "ticket_opened", "area": "sistemas", "title": "t" * 61}),
        (None, {"action": "ticket_opened", "area": "sistemas", "title": ""}),
        (None, {"action": "ticket_opened", "area": "", "title": "t"}),
        (None, {"action": "ticket_opened", "area": "s", "title": "t", "seats": ["S" * 13]}),
        (None, {"action": "ticket_opened", "area": "s", "title": "t", "seats": ["A"] * 201}),
        (None, {"action": "ticket_noted", "text": "x"}),
    ],
)
async def test_what_does_not_fit_never_comes_to_the_hub(
    shared_faults: FaultStage, hub: Hub, path: str | None, body: dict[str, Any]
) -> None:
    where = "/api/v1/tickets" if path is None else f"/api/v1/tickets/{path}/actions"
    async with httpx.AsyncClient(
        base_url=shared_faults.web.url, headers=BEARER, timeout=300
    ) as asking:
        answer = await asking.post(where, json=body)
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"] and hub.asked == []


@pytest.fixture(scope="module")
def shared_faults(
    nats_server: Nats, shared_hub: Hub, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[FaultStage]:
    made = FaultStage(tmp_path_factory.mktemp("few"), nats_server.url, seats=1)
    yield made
    made.close()


async def test_a_ticket_that_there_is_not_is_said(
    shared_faults: FaultStage, open_page: OpenPage, hub: Hub
) -> None:
    page = await opened(open_page, shared_faults, "teo", f"/ui/faults?ticket={ONE}")
    await expect(page.locator(".told")).to_have_text(GONE)
    await expect(page.locator(".ticket")).to_be_hidden()
    await expect(page.get_by_text("Ninguna falla abierta.")).to_be_visible()
    page = await opened(open_page, shared_faults, "iris", "/ui/area")
    await expect(page.get_by_text("Ninguna falla de su área está abierta.")).to_be_visible()


# -- how it looks


@pytest.mark.parametrize("language", ["es", "en"])
async def test_it_is_whole_on_a_telephone_and_axe_finds_nothing(
    stage: FaultStage, hub: Hub, open_page: OpenPage, language: str
) -> None:
    stage.press(9, 3, area="sistemas", part="crm")
    stage.say("noted", MASS, 5, by="teo", text="Sin espacios" * 40)
    for who, path in (("sonia", "/ui/faults"), ("iris", "/ui/area")):
        for theme, width in (("light", 390), ("dark", 390), ("dark", 1366)):
            page = await open_page(
                f"{stage.web.url}{path}?lang={language}", cookies=stage.cookies(who),
                color_scheme=theme, viewport={"width": width, "height": 844},
            )  # fmt: skip
            own = MASS if who == "sonia" else LINE
            card = page.locator(f"[data-ticket={own}]")
            await expect(card).to_be_visible()
            sign, title = [
                await card.locator(one).bounding_box() for one in (".severity", ".title")
            ]
            assert sign and title and sign["x"] + sign["width"] < title["x"] < 80 + sign["x"]
            assert sign["y"] - 10 < title["y"] < sign["y"] + sign["height"]
            for _ in range(2):
                assert await page.evaluate("document.documentElement.scrollWidth") <= width
                found = await Axe().run(page, options={"runOnly": WCAG})
                assert found.violations_count == 0, found.generate_report()
                if await page.locator(".ticket").is_hidden():
                    await page.locator(f"[data-ticket={own}]").click()
                    await expect(page.locator(".story li").first).to_be_visible()
            acts = await page.locator(".ticket > .choices button").all()
            assert len({(await one.bounding_box() or {})["height"] for one in acts}) == 1
            if width == 390:
                await expect(page.locator(".lists")).to_be_hidden()
                await page.locator(".back").click()
                await expect(page.locator(f".lists [data-ticket={own}]")).to_be_focused()
    assert "{" not in await page.inner_text("body")


async def test_it_can_be_used_by_keys_alone(
    stage: FaultStage, hub: Hub, open_page: OpenPage
) -> None:
    page = await opened(open_page, stage, "teo")
    await page.locator(f".lists [data-ticket={MASS}]").focus()
    await page.keyboard.press("Enter")
    await expect(page.locator(".ticket h2")).to_be_focused()
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("button", name="Tomar", exact=True)).to_be_focused()
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog").get_by_label("Quién la atiende")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("button", name="Asignar")).to_be_focused()
