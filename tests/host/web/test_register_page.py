"""The register and the hand-over of a shift: what was done, by whom, and who may see it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from diadema.access.roles import Role
from diadema.base.paths import DataDir
from diadema.hub.actions import Actions
from diadema.hub.commanding import Commands
from diadema.ingest.core import Ingest
from diadema.site import description as sites
from diadema.store import open_reader, open_writer
from playwright.async_api import Page, Route, expect
from websockets.exceptions import InvalidStatus

from tests.support.reported_day import stations
from tests.support.scripted_station import SITE, T0, FixedClock, Script
from tests.support.web_stage import Hub, Nats, Web
from tests.support.web_viewer import OpenPage, viewing

pytestmark = pytest.mark.asyncio(loop_scope="session")
DAY = datetime.fromtimestamp(T0 / 1000, UTC).date()
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
ELENA, LUIS = {"by": "elena", "who": "Elena Soto"}, {"by": "luis"}


def supervised(data: DataDir) -> None:
    """Three things are done on that day, and an alert is seen to; a fourth was annulled. An agent
    is reprimanded.
    """
    writer, reader = open_writer(data.store), open_reader(data.store)
    clock = FixedClock(T0 + 3_600_000)
    try:
        ingest = Ingest(writer, sites.parse(data.site.read_bytes()), clock)
        acts = Actions(ingest, Commands(ingest, None), reader, None)
        desk = Script(s="DIA-0123456789ad", agent="a001").boot().clock().login().ready()
        ingest.take([desk.hello_message(), *desk.messages()], "stream", "server")
        note = {"action": "note", "a": "a001", "note": "<b>=saludo</b>", "c": "c-9"}
        acts.act(note | {"kind": "orientacion"} | ELENA)
        clock.now += 60_000
        acts.act({"action": "note", "a": "a002", "kind": "novedad_turno", "note": "llegó"} | LUIS)
        acts.act({"action": "logout", "a": "a001", "reason": "silla rota"} | ELENA)
        acts.act({"action": "acknowledge", "a": "a002", "rule": "help", "since": 7} | LUIS)
        gone = {"action": "note", "a": "a002", "kind": "cambio_pausa", "note": "equivocada"}
        of = acts.act(gone | LUIS)[0]["of"]
        acts.act({"action": "annul", "of": of, "reason": "era de Rosa"} | ELENA)
        told = {"action": "note", "a": "a001", "kind": "llamada_atencion", "note": "reservada"}
        acts.act(told | ELENA)
    finally:
        reader.close()
        writer.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def register_web(
    nats_server: Nats, tmp_path_factory: pytest.TempPathFactory, shared_hub: Hub
) -> AsyncIterator[Web]:
    """A web over a store in which supervisors have acted on agents of Norte and Sur."""
    folder = tmp_path_factory.mktemp("register")
    teams = {"a001": "Norte", "a002": "Sur"}
    agents = [one | {"team": teams.get(one["id"], "")} for one in SITE["agents"]]
    supervised(stations(folder, site=SITE | {"agents": agents}))
    web = Web(folder, nats_server.url)
    web.start()
    yield web
    web.kill()


def at(web: Web, path: str, query: str = "") -> str:
    return f"{web.url}{path}?day={DAY}&lang=es{query}"


async def test_the_day_is_there_with_who_whom_why_and_what_came_of_it(
    register_web: Web, hub: Hub, open_page: OpenPage
) -> None:
    page = await open_page(at(register_web, "/ui/register"))
    rows = page.locator("tbody tr:not(.q-tr--no-hover)")
    await expect(page.locator(".page")).to_contain_text(f"4 acciones de {DAY}")
    await expect(page.locator("tbody")).to_contain_text("orientación")
    text = await page.locator("tbody").inner_text()
    shown = ("Elena Soto", "luis", "silla rota", "<b>=saludo</b>", "c-9", "alerta vista")
    assert [one for one in shown if one not in text] == []
    assert await rows.count() >= 5
    assert "reservada" not in text  # not even to who administers
    gone = page.locator("tr.annulled")
    await expect(gone).to_contain_text("equivocada")
    await expect(gone).to_contain_text("anulada por Elena Soto el ")
    await expect(gone).to_contain_text("era de Rosa")
    line = "getComputedStyle(document.querySelector('tr.annulled td:nth-child(3)'))"
    assert "line-through" in await page.evaluate(f"{line}.textDecorationLine")
    await expect(gone.get_by_role("button", name="Anular")).to_have_count(0)
    for form in ("XLSX", "CSV", "PDF"):
        link = page.get_by_role("link", name=f"Registro del día en {form}")
        href = await link.get_attribute("href")
        assert href is not None
        assert href.startswith(f"../api/v1/reports/supervision?span={DAY}&format={form.lower()}")


@pytest.mark.parametrize(
    ("query", "n"),
    [("&agent=a002", 2), ("&by=elena", 2), ("&kind=logout", 1), ("&agent=a001&by=luis", 0)],
)
async def test_it_narrows_by_agent_supervisor_and_kind(
    register_web: Web, hub: Hub, open_page: OpenPage, query: str, n: int
) -> None:
    page = await open_page(at(register_web, "/ui/register", query))
    await expect(page.locator(".page")).to_contain_text(f"{n} acciones de {DAY}")
    if not n:
        await expect(page.locator(".page")).to_contain_text("Nada registrado con estos filtros.")


async def test_a_choice_goes_into_the_address(
    register_web: Web, hub: Hub, open_page: OpenPage
) -> None:
    page = await open_page(at(register_web, "/ui/register"))
    await page.get_by_label("Supervisor").click()
    await page.get_by_role("option", name="Elena Soto").click()
    await expect(page.locator(".page")).to_contain_text(f"2 acciones de {DAY}")
    assert "by=elena" in page.url


async def test_a_supervisor_sees_what_was_done_with_her_teams(
    register_web: Web, hub: Hub, open_page: OpenPage
) -> None:
    for path in ("/ui/register", "/handover"):
        page = await open_page(at(register_web, path), role="supervisor", teams=["Sur"])
        await expect(page.locator("tbody").first).to_contain_text("novedad de turno")
        text = await page.locator("main").last.inner_text()
        assert "silla rota" not in text and "saludo" not in text


async def test_an_entry_is_annulled_from_its_row_with_a_reason(
    register_web: Web, hub: Hub, open_page: OpenPage
) -> None:
    asked: list[dict[str, Any]] = []

    def answer(body: dict[str, Any]) -> dict[str, Any]:
        asked.append(body)
        if len(asked) == 1:
            return {"error": "annulled_already", "status": 409, "detail": "x"}
        return {"of": ["HUB-main", 1, 99], "i": None}

    hub.answer = answer
    page = await open_page(at(register_web, "/ui/register"))
    row = page.locator("tr", has_text="llegó")
    await row.get_by_role("button", name="Anular").click()
    dialog = page.get_by_role("dialog", name="Anular esta entrada")
    send = dialog.get_by_role("button", name="Anular")
    await send.click()
    assert asked == []  # not without a reason
    await dialog.get_by_label("Motivo").fill("no fue así")
    await send.click()
    await expect(dialog.get_by_role("alert")).to_contain_text("ya está anulada")
    results = await Axe().run(page, options={"runOnly": WCAG, "resultTypes": ["violations"]})
    assert results.violations_count == 0, results.generate_report()
    await send.click()
    await expect(dialog).to_be_hidden()
    said = asked[-1]
    assert (said["action"], said["reason"], said["own"]) == ("annul", "no fue así", False)
    assert said["of"][0] == "HUB-main"


async def _reloaded(page: Page, *modules: str) -> asyncio.Event:
    """The page anew, on a network over which these come once the event is set."""
    free = asyncio.Event()

    async def late(route: Route) -> None:
        await free.wait()
        await route.continue_()

    for module in modules:
        await page.route(f"**/static/{module}.js", late)
    await page.reload(wait_until="commit")
    return free


async def test_a_press_that_comes_before_its_module_is_answered_once_it_has_come(
    register_web: Web, hub: Hub, open_page: OpenPage
) -> None:
    page = await open_page(at(register_web, "/ui/register"))
    annul_comes = await _reloaded(page, "annul")
    row = page.locator("tr", has_text="llegó")
    await row.get_by_role("button", name="Anular").click()
    annul_comes.set()
    await expect(page.get_by_role("dialog", name="Anular esta entrada")).to_be_visible()

    page = await open_page(at(register_web, "/handover"))
    await page.add_init_script("window.print = () => document.body.append('printed')")
    rest_comes = await _reloaded(page, "shell", "print")
    group = page.locator(".bar-group > button").first
    await group.click()
    await page.get_by_role("button", name="Imprimir").click()
    assert await group.get_attribute("aria-expanded") == "false"
    rest_comes.set()
    await expect(group).to_have_attribute("aria-expanded", "true")
    await expect(page.locator("body")).to_contain_text("printed")


async def test_human_resources_read_the_reprimands_and_nothing_else(
    register_web: Web, hub: Hub, open_page: OpenPage
) -> None:
    page = await open_page(at(register_web, "/ui/register"), role="hr")
    await expect(page.locator("tbody")).to_contain_text("reservada")
    await expect(page.locator("tbody")).not_to_contain_text("silla rota")
    await expect(page.locator(".page")).to_contain_text("registro interno; no es amonestación")
    await expect(page.get_by_role("link", name="Entrega de turno")).to_have_count(0)
    page = await open_page(at(register_web, "/ui/register"), role="supervisor", teams=["Norte"])
    await expect(page.locator("tbody")).to_contain_text("reservada")
    page = await open_page(at(register_web, "/handover"), role="supervisor", teams=["Norte"])
    await expect(page.locator("body")).to_contain_text("saludo")
    await expect(page.locator("body")).not_to_contain_text("reservada")


async def test_the_agent_reads_and_answers_hers_on_her_page(
    register_web: Web, hub: Hub, open_page: OpenPage
) -> None:
    asked: list[dict[str, Any]] = []

    def answer(body: dict[str, Any]) -> dict[str, Any]:
        asked.append(body)
        return {"of": ["HUB-main", 1, 99], "i": None}

    hub.answer = answer
    there = at(register_web, "/ui/agents/a001")
    page = await open_page(there, role="agent", agent="a001")
    part = page.locator(".reprimands")
    await expect(part).to_contain_text("Registro interno; no es amonestación.")
    await expect(part).to_contain_text("reservada")
    await part.get_by_label("Su respuesta").fill("Se cayó la llamada.")
    results = await Axe().run(page, options={"runOnly": WCAG, "resultTypes": ["violations"]})
    assert results.violations_count == 0, results.generate_report()
    async with page.expect_response("**/reply") as told:
        await part.get_by_role("button", name="Responder").click()
    assert (await told.value).status == 202
    (said,) = asked
    assert (said["action"], said["a"], said["note"]) == ("reply", "a001", "Se cayó la llamada.")
    page = await open_page(there, role="supervisor", teams=["Norte"])
    await expect(page.locator(".reprimands")).to_contain_text("Sin respuesta del asesor.")
    for role in ("monitor", "admin"):
        page = await open_page(there, role=role)
        await expect(page.locator(".figures")).to_contain_text("TMO")
        await expect(page.locator(".reprimands")).to_be_hidden()
        await expect(page.locator("body")).not_to_contain_text("reservada")


async def test_a_role_without_the_register_is_told_so(
    register_web: Web, hub: Hub, open_page: OpenPage
) -> None:
    page = await open_page(at(register_web, "/ui/register"), role="technician")
    await expect(page.locator(".refused")).to_be_visible()


@pytest.mark.parametrize("role", ["hr", "technician"])
async def test_a_role_without_the_register_gets_no_hand_over(
    register_web: Web, hub: Hub, open_page: OpenPage, role: str
) -> None:
    page = await open_page(at(register_web, "/handover"), role=role)
    await expect(page.locator("body")).to_contain_text("Su cuenta no permite esto")


async def test_the_hand_over_has_notes_acts_open_help_and_owing_seats(
    register_web: Web, hub: Hub, open_page: OpenPage
) -> None:
    await hub.put(a="a001", name="Rosa", seat="A-01", state="ready", help=T0, help_topic="Trámite")
    page = await open_page(at(register_web, "/handover", "&shift="))
    sections = page.locator("section")
    await expect(sections.nth(0)).to_contain_text("Novedades y registros del turno")
    await expect(sections.nth(0).locator("tbody tr")).to_have_count(2)
    await expect(sections.nth(1).locator("tbody tr")).to_have_count(1)
    await expect(sections.nth(1)).to_contain_text("silla rota")
    while "Trámite" not in await sections.nth(2).inner_text():
        await page.reload()  # the live row may come a moment later
    await expect(sections.nth(2)).to_contain_text("Rosa")
    await expect(sections.nth(2)).to_contain_text("Trámite")
    await expect(sections.last).to_contain_text("Posiciones con datos pendientes")
    await page.emulate_media(media="print")
    await expect(page.get_by_role("button", name="Imprimir")).to_be_hidden()
    await expect(page.get_by_text("Recibe", exact=True)).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/ui/register", "/handover"])
async def test_no_wcag_violation_in_the_register(
    register_web: Web, hub: Hub, open_page: OpenPage, path: str, scheme: str
) -> None:
    page = await open_page(at(register_web, path), color_scheme=scheme, reduced_motion="reduce")
    await expect(page.locator("tbody").first).to_contain_text("novedad de turno")
    results = await Axe().run(page, options={"runOnly": WCAG, "resultTypes": ["violations"]})
    assert results.violations_count == 0, results.generate_report()


@pytest.mark.parametrize("path", ["/ui/register", "/handover"])
async def test_the_register_fits_a_telephone(
    register_web: Web, hub: Hub, open_page: OpenPage, path: str
) -> None:
    page = await open_page(at(register_web, path), viewport={"width": 390, "height": 800})
    await expect(page.locator("tbody").first).to_contain_text("novedad de turno")
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390


async def test_a_supervisors_stream_has_her_teams_and_no_one_elses(
    register_web: Web, hub: Hub
) -> None:
    for k, name in ((1, "Rosa"), (2, "Luis")):
        await hub.put(a=f"a00{k}", name=name, state="ready", since=1, help=1)
    cookies = register_web.login("supervisor", teams=["Sur"])
    async with viewing(register_web, cookies=cookies) as viewer:
        await viewer.until(a="a002", state="ready")
        await hub.put(a="a001", name="Rosa", state="talking", since=2)
        await hub.put(a="a002", name="Luis", state="talking", since=2, help=1)
        await viewer.until(a="a002", state="talking")
        assert [row["a"] for row in viewer.rows] == ["a002"]
    async with viewing(register_web, cookies=cookies) as viewer:
        told = viewer.snap
        while not (alerts := told.get("alerts") or {"list": []})["list"]:
            told = await viewer.take()
        assert {one["a"] for one in alerts["list"]} == {"a002"}


@pytest.mark.parametrize("role", ["hr", "technician"])
async def test_a_role_without_the_floor_gets_no_stream(
    register_web: Web, hub: Hub, role: Role
) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with viewing(register_web, cookies=register_web.login(role)):
            pass
    assert refused.value.response.status_code == 403
