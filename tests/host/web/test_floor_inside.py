"""What /ui has around the tiles: groups, head, alerts, the panel of actions, the large screen."""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from diadema.base.paths import DataDir
from diadema.site.example import EXAMPLE
from playwright.async_api import Locator, Page, Route, expect

from tests.host.web.test_floor_page import fill
from tests.support.broker_fixtures import until
from tests.support.web_stage import Hub, Nats, Web
from tests.support.web_viewer import OpenPage

pytestmark = pytest.mark.asyncio(loop_scope="session")
STATION = "DIA-0a1b2c3d4e5f"
FITS = """[...document.querySelectorAll('.tile')].every(
  tile => tile.getBoundingClientRect().bottom <= innerHeight)"""
MOVES = """() => { window.moved = 0;
  new MutationObserver((all) => all.forEach((one) => (window.moved += one.addedNodes.length)))
    .observe(document.querySelector('.tiles'), { childList: true }); }"""
PLACES = """() => [...document.querySelectorAll('dialog, dialog h3, dialog button, textarea')]
  .filter((one) => one.offsetParent && !one.matches('.undo')).map((one) => {
    const { x, y, width } = one.getBoundingClientRect();
    return [one.className, one.textContent.slice(0, 20), x, y, width];
  })"""
FROZEN = """() => { let at = performance.now() + 5000;
  performance.now = () => at; window.thaw = (ms) => { at += ms; }; }"""
TIMERS = """() => { window.held = []; const real = window.setTimeout;
  window.setTimeout = (run, ms) => ms > 5000 ? window.held.push({ run, ms }) : real(run, ms); }"""
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def now() -> int:
    return int(time.time() * 1000)


def queue(waiting: int = 0, **more: Any) -> dict[str, Any]:
    return {"waiting": waiting, "received": 10, "answered": 8, "abandoned": 1} | more


async def tell_queues(hub: Hub, **more: Any) -> None:
    level = {"offered": 82.4, "noshort": 84.0, "answered": 88.1, "removed": None}
    value = {"half_hour": 1_795_000_200, "threshold_s": 20, "short_s": 5, "source": "PBX-a"}
    value |= {"heard": now(), "queues": {"Ventas": queue(2), "Cobranza": queue(5)}}
    value["total"] = queue(7, longest_since=now() - 3_700_000, service_level=level)
    await hub.put_raw("queues", json.dumps(value | more).encode())


async def test_groups_have_heads_with_their_counts_and_live_in_the_address(
    web: Web, hub: Hub, open_page: OpenPage
) -> None:
    await fill(hub)
    page = await open_page(f"{web.url}/ui/")
    await page.get_by_label("Agrupar por").select_option("team")
    heads = page.locator(".group h2")
    await expect(heads).to_have_text(["Soporte · 5", "Ventas · 6"])
    assert page.url.endswith("/ui/?group=team")
    await page.locator("[data-total=talking]").click()
    await expect(heads.locator("visible=true")).to_have_text(["Ventas · 2"])
    await page.locator("[data-total=talking]").click()
    await page.get_by_label("Agrupar por").select_option("state")
    await page.reload()
    await expect(heads.first).to_have_text("disponibles · 2")
    await hub.put(a="a001", name="Asesor 1", state="ready", since=5, team="Ventas")
    await expect(heads.first).to_have_text("disponibles · 3")
    await expect(page.locator(".group").first.locator(".tile")).to_have_count(3)
    await page.get_by_label("Agrupar por").select_option("")
    await expect(heads.locator("visible=true")).to_have_count(0)
    await expect(page.locator(".tiles")).to_have_count(1)


async def test_arrows_cross_from_group_to_group(web: Web, hub: Hub, open_page: OpenPage) -> None:
    await fill(hub)
    page = await open_page(f"{web.url}/ui/?group=team", viewport={"width": 1280, "height": 900})
    await page.locator('.tile[data-a="a000"]').focus()
    await page.keyboard.press("End")
    focused = page.locator(".tile:focus")
    await expect(focused).to_have_attribute("data-a", "a100")
    for _ in range(6):
        await page.keyboard.press("ArrowUp")
    await expect(focused).to_have_attribute("data-a", re.compile("a000|a002|a004"))
    assert await page.locator('.tile[tabindex="0"]').count() == 1


async def test_one_that_goes_to_the_end_moves_alone(
    web: Web, hub: Hub, open_page: OpenPage
) -> None:
    """With a thousand tiles by time, moving all of them each second would stop the page."""
    await fill(hub)
    page = await open_page(f"{web.url}/ui/?sort=state")
    await expect(page.locator(".tile").first).to_have_attribute("data-a", "a000")
    await page.evaluate(MOVES)
    await hub.put(a="a000", name="Asesor 0", state="logged_out", team="Soporte")
    await expect(page.locator(".tile").last).to_have_attribute("data-a", "a008")
    await expect(page.locator(".tile").nth(9)).to_have_attribute("data-a", "a000")
    assert await page.evaluate("window.moved") == 1


async def test_a_queue_narrows_tiles_and_figures(web: Web, hub: Hub, open_page: OpenPage) -> None:
    await tell_queues(hub)
    await hub.put(a="a001", name="Una", state="talking", since=1, queue="Ventas", contacts=3)
    await hub.put(a="a002", name="Otra", state="talking", since=2, queue="Cobranza", contacts=4)
    page = await open_page(f"{web.url}/ui/")
    waiting = page.locator("[data-stat=waiting] b")
    await expect(waiting).to_have_text("7")
    await expect(page.locator("[data-stat=segments] b")).to_have_text("7")
    await page.locator(".tool.queue select").select_option("Cobranza")
    await expect(page.locator(".tile:not([hidden]) .name")).to_have_text("Otra")
    await expect(waiting).to_have_text("5")
    await expect(page.locator("[data-stat=segments] b")).to_have_text("4")
    assert page.url.endswith("?queue=Cobranza")


async def test_the_head_says_until_when_and_who_owes(
    web: Web, hub: Hub, open_page: OpenPage
) -> None:
    at = 1_795_000_325_000  # 06:12:05 in Lima
    page = await open_page(f"{web.url}/ui/")
    cut = page.locator(".cut")
    await expect(cut).to_contain_text("sin corte todavía")
    owing = [["A-01", at - 300_000], ["A-02", at - 600_000], ["B-09", None]]
    await hub.site(cut={"at": at, "position": 12_345}, owing=owing)
    await expect(cut).to_contain_text("corte 06:12:05 · evento 12,345")
    summary = cut.locator("summary")
    await expect(summary).to_have_text("faltan 3 posiciones desde 06:02")
    await expect(cut.locator("li").first).to_be_hidden()
    await summary.click()
    await expect(cut.locator("li")).to_have_text(
        ["A-01, última señal 06:07:05", "A-02, última señal 06:02:05", "B-09, hora no conocida"]
    )
    await hub.site(cut={"at": at + 1000, "position": 12_346}, owing=owing[:1])
    await expect(summary).to_have_text("falta 1 posición desde 06:07")
    await hub.site(cut={"at": at, "position": 12_345}, owing=[["A-01", at - 86_400_000]])
    await expect(summary).to_have_text("falta 1 posición desde el 17/11 06:12")
    await expect(cut.locator("li")).to_have_text(["A-01, última señal el 17/11 06:12"])
    await hub.site(cut={"at": at + 2000, "position": 12_347})
    await expect(summary).to_be_hidden()


async def test_queue_tiles_say_their_basis_and_when_they_know_nothing(
    web: Web, hub: Hub, open_page: OpenPage
) -> None:
    page = await open_page(f"{web.url}/ui/")
    central = page.get_by_role("group", name="Central, media hora en curso")
    await expect(central).to_contain_text("sin datos de central")
    await expect(central.locator("[data-stat=waiting] b")).to_have_text("—")
    await tell_queues(hub)
    await expect(central.locator("[data-stat=waiting] b")).to_have_text("7")
    await expect(central.locator("[data-stat=longest] b")).to_have_text(
        re.compile(r"^1:0\d:\d\d$")
    )
    await expect(central.locator("[data-stat=abandoned] b")).to_have_text("1")
    level = central.locator("[data-stat=level]")
    await expect(level).to_have_text(
        re.compile(r"82\.4\s%nivel de serviciosobre atendidas y abandonadas, ≤ 20 s")
    )
    await expect(level).to_have_attribute(
        "title", re.compile("con los abandonos a tiempo, ≤ 20 s: —")
    )
    await tell_queues(hub, heard=now() - 61_000)
    await expect(central).to_contain_text(re.compile(r"sin datos de central desde \d\d:\d\d"))
    await hub.bucket.delete("queues")
    await expect(central.locator("[data-stat=waiting] b")).to_have_text("—")


async def test_todays_sums_are_sums_over_sums_of_what_is_shown(
    web: Web, hub: Hub, open_page: OpenPage
) -> None:
    await hub.put(a="a001", contacts=2, handle_s=61, handled=2, missed=3, team="Ventas")
    await hub.put(a="a002", contacts=9, handle_s=900, handled=8, missed=1, team="Cobranza")
    page = await open_page(f"{web.url}/ui/")
    figures = page.locator(".today b")
    await expect(figures).to_have_text(["11", "1:36", "4"])  # 961 / 10, not a mean of means
    await page.locator(".tool.team select").select_option("Ventas")
    await expect(figures).to_have_text(["2", "0:31", "3"])  # 30.5 goes up, as in every figure


async def test_alerts_stand_on_top_and_in_the_title(
    web: Web, hub: Hub, open_page: OpenPage
) -> None:
    page = await open_page(f"{web.url}/ui/")
    alerts = page.get_by_role("region", name="Alertas")
    await expect(alerts).to_contain_text("Sin alertas.")
    await hub.put(
        a="a001", name="Una", seat="A-01", state="held", since=now() - 200_000, handled=1
    )
    await hub.put(a="a002", name="Otra", seat="A-02", state="ready", since=1, help=now() - 70_000)
    lines = alerts.locator(".alert")
    await expect(lines).to_have_count(2)
    await expect(lines.nth(0)).to_contain_text("Otra · A-02")
    await expect(lines.nth(0)).to_contain_text("pide ayuda y nadie la toma")
    await expect(lines.nth(1)).to_contain_text("en espera más de 3:00")
    await expect(page).to_have_title("(2) Piso en vivo · Centro")
    await expect(page.locator('.tile[data-a="a002"]')).to_have_attribute("data-alert", "3")
    hub.answer = lambda _: {"of": ["HUB-x", 1, 1], "i": None}
    await lines.nth(0).get_by_role("button", name=re.compile("Marcar como visto: Otra")).click()
    await expect(lines.nth(1)).to_contain_text("visto por Prueba")
    await expect(page).to_have_title("(1) Piso en vivo · Centro")
    await expect(page.locator('.tile[data-a="a002"]')).not_to_have_attribute("data-alert", "3")
    hub.answer = lambda _: {"error": "store_unavailable", "status": 409, "detail": "lleno"}
    await lines.nth(0).get_by_role("button", name=re.compile("Marcar como visto: Una")).click()
    await expect(alerts.get_by_role("alert")).to_contain_text("No se pudo marcar")


@pytest.mark.parametrize(
    ("language", "said", "tiles"),
    [("es", "sin teléfono: no está registrado en la central", ["sin teléfono", "sin central"]),
     ("en", "no telephone: it is not registered at the switch", ["no telephone", "no switch"])],
)  # fmt: skip
async def test_a_seat_without_its_telephone_or_the_switch_says_so(
    web: Web, hub: Hub, open_page: OpenPage, language: str, said: str, tiles: list[str]
) -> None:
    page = await open_page(f"{web.url}/ui/?lang={language}")
    await hub.put(a="a001", name="Ana", seat="A-01", state="not_ready", since=now(),
                  unfit="telephone", unfit_utc=now(), warn="no_phone")  # fmt: skip
    await hub.put(a="a002", name="Beto", seat="A-02", state="ready", since=now(), warn="no_switch")
    await expect(page.locator(".alert .what")).to_have_text(said)
    await expect(page.locator(".tile .warn")).to_have_text(tiles)


async def test_more_alerts_than_are_listed_are_said(
    web: Web, hub: Hub, open_page: OpenPage
) -> None:
    page = await open_page(f"{web.url}/ui/")
    for number in range(103):
        await hub.put(a=f"a{number:03}", name=f"N{number}", seat=f"A-{number}", state="ready",
                      since=1, help=now() - 70_000)  # fmt: skip
    alerts = page.get_by_role("region", name="Alertas")
    await alerts.get_by_role("button", name="Ver 99 más").click()
    await expect(alerts.locator(".alert")).to_have_count(100)
    await expect(alerts.get_by_text("… y 3 más")).to_be_visible()


async def test_the_sound_is_off_until_it_is_wanted_and_then_remembered(
    web: Web, hub: Hub, open_page: OpenPage
) -> None:
    page = await open_page(f"{web.url}/ui/")
    sound = page.get_by_role("button", name=re.compile("^Sonido de alertas"))
    await expect(sound).to_have_attribute("aria-pressed", "false")
    await sound.click()
    await expect(sound).to_have_text("Sonido de alertas: sí")
    await page.reload()
    await expect(sound).to_have_attribute("aria-pressed", "true")


async def acting(page: Page, states: list[dict[str, Any]], **answer: Any) -> list[dict[str, Any]]:
    """Answer what the panel asks as the hub would; gives the bodies that it sent."""
    sent: list[dict[str, Any]] = []

    async def act(route: Route) -> None:
        assert route.request.headers["x-csrf-token"]
        sent.append(route.request.post_data_json)
        await route.fulfill(json={"of": ["HUB-x", 1, 1], "i": None} | answer, status=202)

    async def state(route: Route) -> None:
        await route.fulfill(json=states.pop(0) if len(states) > 1 else states[0])

    await page.route("**/api/v1/agents/a001/actions", act)
    await page.route("**/api/v1/actions/HUB-x/1/1", state)
    return sent


async def with_panel(hub: Hub, open_page: OpenPage, url: str) -> tuple[Page, Locator]:
    await hub.put(state="talking", since=1, seat="A-01", s=STATION, c="c-9")
    page = await open_page(f"{url}/ui/")
    return page, page.get_by_role("dialog", name="Rosa Quispe Huamán")


async def test_nothing_is_noted_before_it_is_chosen_written_and_saved(
    web: Web, hub: Hub, open_page: OpenPage
) -> None:
    page, dialog = await with_panel(hub, open_page, web.url)
    sent = await acting(page, [])
    await page.locator(".tile").click()
    save = dialog.get_by_role("button", name="Guardar")
    said = dialog.get_by_role("note")
    await save.click(force=True)  # it is off, and says why
    await expect(said).to_have_text("Elija primero qué fue.")
    await dialog.get_by_role("button", name="Llamada de atención").click()
    await expect(said).to_contain_text("Registro interno; no es amonestación.")
    await save.click()
    await expect(said).to_contain_text("lleva una nota")
    assert sent == []
    await dialog.get_by_role("button", name="Orientación").click()
    await dialog.get_by_label("Nota").fill("saludo <b>incompleto</b>")
    await save.click()
    await expect(dialog.get_by_role("status")).to_contain_text("Orientación: registrado.")
    note = {"action": "note", "kind": "orientacion", "note": "saludo <b>incompleto</b>"}
    assert sent == [note | {"c": "c-9"}]
    await expect(dialog.get_by_label("Nota")).to_have_value("")


async def test_a_double_press_saves_one_and_says_so(
    web: Web, hub: Hub, open_page: OpenPage
) -> None:
    """The second press in the same second is told that it saved nothing; nothing has moved."""
    page, dialog = await with_panel(hub, open_page, web.url)
    sent = await acting(page, [])
    await page.locator(".tile").click()
    before = await page.evaluate(PLACES)
    await dialog.get_by_role("button", name="Orientación").dblclick()
    await dialog.get_by_label("Nota").fill("x")
    await page.evaluate(FROZEN)
    await dialog.get_by_role("button", name="Guardar").dblclick()
    await expect(dialog.get_by_role("status")).to_contain_text("Orientación: registrado.")
    await expect(dialog.get_by_role("note")).to_contain_text("este no se guardó")
    await dialog.get_by_role("button", name="Novedad de turno").click()
    save = dialog.get_by_role("button", name="Guardar")
    await expect(save).to_have_attribute("aria-disabled", "true")
    await save.click(force=True)
    await expect(dialog.get_by_role("note")).to_contain_text("este no se guardó")
    assert await page.evaluate(PLACES) == before
    assert len(sent) == 1
    await page.evaluate("thaw(1000)")
    await save.click(force=True)
    await expect(dialog.get_by_role("status")).to_contain_text("Novedad de turno: registrado.")
    assert [one["kind"] for one in sent] == ["orientacion", "novedad_turno"]


async def test_what_was_saved_can_be_undone_for_ten_seconds(
    web: Web, hub: Hub, open_page: OpenPage
) -> None:
    page, dialog = await with_panel(hub, open_page, web.url)
    await acting(page, [])
    undone: list[Any] = []

    async def annul(route: Route) -> None:
        undone.append(route.request.post_data_json)
        await route.fulfill(json={"of": ["HUB-x", 1, 2], "i": None}, status=202)

    await page.route("**/api/v1/actions/HUB-x/1/1/annulment", annul)
    await page.evaluate(TIMERS)
    await page.locator(".tile").click()
    for n in (1, 2):
        await page.evaluate(f"performance.now = () => {n * 5000}")
        await dialog.get_by_role("button", name="Cambio de pausa").click()
        await dialog.get_by_role("button", name="Guardar").click()
        await expect(dialog.get_by_role("button", name="Deshacer")).to_have_count(n)
    assert await page.evaluate("held.map((one) => one.ms)") == [10_000, 10_000]
    await dialog.get_by_role("button", name="Deshacer").first.click()
    lines = dialog.get_by_role("status").locator("li")
    await expect(lines.first).to_have_text(
        "Cambio de pausa: deshecho. Queda en el registro como anulado."
    )
    assert undone == [{"reason": "Deshecho al momento de registrarlo"}]
    await page.evaluate("held[0].run()")
    await expect(dialog.get_by_role("button", name="Deshacer")).to_have_count(0)
    await expect(lines.last).to_contain_text("Cambio de pausa: registrado.")


async def test_what_was_not_saved_is_still_there_to_save_again(
    web: Web, hub: Hub, open_page: OpenPage
) -> None:
    page, dialog = await with_panel(hub, open_page, web.url)

    async def refuse(route: Route) -> None:
        await route.fulfill(json={"detail": "El disco está lleno."}, status=503)

    await page.route("**/api/v1/agents/a001/actions", refuse)
    await page.locator(".tile").click()
    await dialog.get_by_role("button", name="Orientación").click()
    await dialog.get_by_label("Nota").fill("saludo")
    await dialog.get_by_role("button", name="Guardar").click()
    await expect(dialog.get_by_role("status")).to_contain_text("El disco está lleno.")
    await expect(dialog.get_by_label("Nota")).to_have_value("saludo")
    kind = dialog.get_by_role("button", name="Orientación")
    await expect(kind).to_have_attribute("aria-pressed", "true")


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        ({"result": "done", "reason": None}, "Cerrar sesión: hecho."),
        ({"result": "refused", "reason": "busy"}, "la estación no lo hizo (está ocupada)"),
        ({"result": "expired", "reason": None}, "no contestó a tiempo"),
    ],
)
async def test_what_became_of_an_order_is_told_without_leaving(
    web: Web, hub: Hub, open_page: OpenPage, outcome: dict[str, Any], said: str
) -> None:
    await hub.put(state="talking", since=1, seat="A-01", s=STATION, c="c-9")
    page = await open_page(f"{web.url}/ui/")
    waits = {"outcome": {"result": "waiting"}}
    sent = await acting(page, [waits, waits, {"outcome": outcome}], i=5)
    await page.locator(".tile").focus()
    await page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    await dialog.get_by_role("button", name="Cerrar sesión").click()
    await dialog.get_by_role("button", name="Enviar").click()
    assert sent == []  # without a reason nothing goes out
    await dialog.get_by_label("Motivo").fill("fin de turno")
    await page.keyboard.press("Enter")
    await expect(dialog.get_by_role("status")).to_contain_text("esperando a la estación")
    await expect(dialog.get_by_role("status")).to_contain_text(said)
    assert sent == [{"action": "logout", "reason": "fin de turno"}]


async def test_each_order_sends_what_it_needs(web: Web, hub: Hub, open_page: OpenPage) -> None:
    asked = {"help": 1_795_000_000_000, "fault": 1_795_000_000_000}
    await hub.put(state="ready", since=1, seat="A-01", s=STATION, **asked)
    page = await open_page(f"{web.url}/ui/")
    sent = await acting(page, [])
    await page.locator(".tile").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_role("button", name="Voy: tomar la ayuda").click()
    await dialog.get_by_role("button", name="No es falla").click()
    await dialog.get_by_role("button", name="Mensaje").click()
    await dialog.get_by_label("Texto").fill("Pase por favor")
    await dialog.get_by_label("Debe firmarlo").check()
    await dialog.get_by_label("Motivo").fill("aviso")
    await dialog.get_by_role("button", name="Enviar").click()
    await expect(dialog.get_by_role("status").locator("li")).to_have_count(3)
    await until(lambda: len(sent) == 3)
    assert sent == [
        {"action": "help", "state": "accepted"},
        {"action": "fault", "state": "rejected"},
        {"action": "message", "text": "Pase por favor", "sign": True, "reason": "aviso"},
    ]


@pytest.fixture
def example(nats_server: Nats, tmp_path: Path) -> Iterator[Web]:
    """Of the site whose shifts begin with a self-test; the shared web's may have a directory."""
    DataDir(tmp_path).site.write_text(EXAMPLE)
    web = Web(tmp_path, nats_server.url)
    web.start()
    yield web
    web.kill()


async def test_the_self_test_of_who_has_just_logged_in_can_be_left_out(
    example: Web, hub: Hub, open_page: OpenPage
) -> None:
    await hub.put(state="ready", since=1, seat="A-01", s=STATION)
    page = await open_page(f"{example.url}/ui/")
    sent = await acting(page, [])
    await page.locator(".tile").click()
    dialog = page.get_by_role("dialog")
    leave_out = dialog.get_by_role("button", name="Omitir autoprueba")
    await expect(dialog.get_by_role("button", name="Mensaje")).to_be_visible()
    await expect(leave_out).to_be_hidden()
    await hub.put(state="not_ready", reason="login", since=2, seat="A-01", s=STATION)
    await leave_out.click()
    await dialog.get_by_label("Motivo").fill("colas llenas")
    await dialog.get_by_role("button", name="Enviar").click()
    await until(lambda: sent)
    await expect(dialog.get_by_role("status").locator("li")).to_have_count(1)
    assert sent == [{"action": "selftest_skipped", "reason": "colas llenas"}]


async def test_a_refusal_is_said_in_its_words(web: Web, hub: Hub, open_page: OpenPage) -> None:
    await hub.put(state="logged_out")
    page = await open_page(f"{web.url}/ui/")

    async def refuse(route: Route) -> None:
        await route.fulfill(json={"detail": "Esa asesora no está."}, status=409)

    await page.route("**/actions", refuse)
    await page.locator(".tile").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("Sin sesión")
    await expect(dialog.get_by_role("button", name="Mensaje")).to_be_hidden()
    await dialog.get_by_role("button", name="Novedad de turno").click()
    await dialog.get_by_role("button", name="Guardar").click()
    await expect(dialog.get_by_role("status")).to_contain_text(
        "Novedad de turno: no se envió. Esa asesora no está."
    )


async def test_the_panel_keeps_the_focus_and_gives_it_back(
    web: Web, hub: Hub, open_page: OpenPage
) -> None:
    await hub.put(state="ready", since=1, seat="A-01", s=STATION)
    page = await open_page(f"{web.url}/ui/")
    tile = page.locator(".tile")
    await tile.focus()
    await page.keyboard.press(" ")
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_be_visible()
    for _ in range(25):
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.activeElement.matches('dialog *, body')")
    link = dialog.get_by_role("link", name="Ver su día")
    await expect(link).to_have_attribute("href", "/ui/agents/a001?lang=es")
    await page.keyboard.press("Escape")
    await expect(dialog).to_be_hidden()
    await expect(tile).to_be_focused()


async def test_who_may_only_look_has_nothing_to_press(
    web: Web, hub: Hub, open_page: OpenPage
) -> None:
    await hub.put(state="ready", since=1, seat="A-01", s=STATION, help=now() - 90_000)
    page = await open_page(f"{web.url}/ui/", role="monitor")
    alerts = page.locator(".alert")
    await expect(alerts).to_have_count(1)
    await expect(alerts).to_contain_text("pide ayuda")
    await expect(alerts.locator(".ack")).to_be_hidden()
    await page.locator(".tile").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog.get_by_role("link", name="Ver su día")).to_be_visible()
    await expect(dialog.get_by_role("button")).to_have_count(1)


@pytest.mark.parametrize("agents", [8, 60])
async def test_the_large_screen_fits_and_can_be_left(
    web: Web, hub: Hub, open_page: OpenPage, agents: int
) -> None:
    await tell_queues(hub)
    for k in range(agents):
        await hub.put(a=f"a{k:03d}", name=f"Asesor {k}", seat=f"A-{k}", state="talking", since=1)
    page = await open_page(f"{web.url}/ui/?screen=1", viewport={"width": 1920, "height": 1080})
    await expect(page.locator(".tile")).to_have_count(agents)
    await expect(page.get_by_role("searchbox")).to_be_hidden()
    await expect(page.locator("[data-stat=waiting]")).to_be_visible()
    while not await page.evaluate(FITS):
        await page.evaluate("new Promise(requestAnimationFrame)")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("searchbox")).to_be_visible()
    assert page.url.endswith("/ui/")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("query", ["", "?screen=1", "?group=team"])
async def test_no_wcag_violation_with_alerts_and_groups(
    web: Web, hub: Hub, open_page: OpenPage, scheme: str, query: str
) -> None:
    await fill(hub, now() - 500_000)
    await tell_queues(hub)
    await hub.site(cut={"at": now(), "position": 12}, owing=[["A-01", 5], ["A-02", None]])
    page = await open_page(f"{web.url}/ui/{query}", color_scheme=scheme, reduced_motion="reduce")
    await expect(page.locator(".alert").first).to_be_visible()
    await expect(page.locator(".cut summary")).to_be_visible()
    results = await Axe().run(page, options={"runOnly": WCAG, "resultTypes": ["violations"]})
    assert results.violations_count == 0, results.generate_report()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_no_wcag_violation_in_the_panel(
    web: Web, hub: Hub, open_page: OpenPage, scheme: str
) -> None:
    await hub.put(state="talking", since=1, seat="A-01", s=STATION, c="c-9", help=1, fault=1)
    page = await open_page(f"{web.url}/ui/", color_scheme=scheme, reduced_motion="reduce")
    await page.locator(".tile").click()
    await page.get_by_role("dialog").get_by_role("button", name="Mensaje").click()
    results = await Axe().run(page, options={"runOnly": WCAG, "resultTypes": ["violations"]})
    assert results.violations_count == 0, results.generate_report()


HUNG = """() => [...document.querySelectorAll('.alert > *')].filter(one => {
  const its = one.getBoundingClientRect(), box = one.parentElement.getBoundingClientRect();
  return its.width && (its.right > box.right + 1 || its.left < box.left - 1);
}).map(one => one.textContent)"""


@pytest.mark.parametrize("query", ["", "?screen=1"])
async def test_a_long_name_stays_in_its_alert_on_a_telephone(
    web: Web, hub: Hub, open_page: OpenPage, query: str
) -> None:
    long = "María del Carmen Villavicencio Huancahuari de los Ríos"
    for k in range(2):
        await hub.put(
            a=f"a{k}", name=long, seat=f"P-{k}", state="talking", since=now(), help=now() - 300_000
        )
    page = await open_page(f"{web.url}/ui/{query}", viewport={"width": 390, "height": 800})
    await expect(page.locator(".alert")).to_have_count(2)
    assert await page.evaluate(HUNG) == []
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize("width", [390, 1280])
async def test_nothing_of_the_head_or_the_alerts_hangs_out(
    web: Web, hub: Hub, open_page: OpenPage, width: int
) -> None:
    await fill(hub, now() - 500_000)
    await tell_queues(hub)
    page = await open_page(f"{web.url}/ui/", viewport={"width": width, "height": 800})
    await expect(page.locator(".alert").first).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
    await page.locator(".tile").first.click()
    box = await page.get_by_role("dialog").bounding_box()
    assert box is not None and box["x"] >= 0 and box["x"] + box["width"] <= width
