"""/ui/people: entries are made, changed and retired with a reason; a table is looked at before it
is taken in; the roster is a week; what stations would be told is shown before it is published.
"""

import re
from collections.abc import Iterator
from datetime import date

import pytest
from axe_playwright_python.async_playwright import Axe
from diadema.base.paths import DataDir
from diadema.site.badges import brief
from diadema.site.directory.book import Change, Directory
from diadema.site.directory.kinds import KINDS
from diadema.site.directory.publishing import open_directory
from playwright.async_api import Page, expect

from tests.support.web_stage import Hub, Nats, Web, empty_directory
from tests.support.web_viewer import OpenPage

pytestmark = pytest.mark.asyncio(loop_scope="session")
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


@pytest.fixture(scope="module")
def people_web(
    nats_server: Nats, shared_hub: Hub, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Web]:
    web = Web(tmp_path_factory.mktemp("people"), nats_server.url)
    web.start()
    yield web
    web.kill()


@pytest.fixture
def book(people_web: Web) -> Iterator[Directory]:
    """The directory is begun anew by each test."""
    data = DataDir(people_web.folder)
    empty_directory(data)
    with open_directory(data, 1_795_000_000_000) as made:
        yield made


def put(book: Directory, kind: str, *given: dict[str, object]) -> None:
    bodies = [KINDS[kind].read(one) for one in given]
    changes = [Change(kind=kind, code=KINDS[kind].code(body), body=body) for body in bodies]
    book.apply(changes, by="Prueba", reason="para la prueba", at_ms=1_795_000_000_000)


def crowd(count: int) -> list[dict[str, object]]:
    return [
        {"code": f"x{n:04}", "name": f"Inventada {n}", "short": f"I{n}", "alias": f"I{n}"}
        for n in range(count)
    ]


async def fill(page: Page, **values: str) -> None:
    for label, value in values.items():
        await page.locator(f"dialog [name={label}]").fill(value)


async def test_an_agent_is_made_changed_and_retired_and_her_history_stays(
    people_web: Web, book: Directory, open_page: OpenPage
) -> None:
    page = await open_page(f"{people_web.url}/ui/people")
    await expect(page.locator("tbody tr")).to_have_count(2)
    await page.get_by_role("button", name="Agregar").click()
    await fill(page, code="e010", name="<script>alert(1)</script>", short="NUEVA", alias="E10")
    await page.get_by_role("button", name="Guardar").click()
    await expect(page.get_by_role("alert")).to_contain_text("Motivo del cambio")
    await fill(page, reason="ingreso", document="1234567")
    await page.locator("dialog [name=document_kind]").select_option("DNI")
    await page.get_by_role("button", name="Guardar").click()
    await expect(page.get_by_role("alert")).to_contain_text("un DNI tiene 8 dígitos")
    await expect(page.locator("[aria-invalid=true]")).to_have_attribute("name", "document")
    await fill(page, document="01234567")
    await page.get_by_role("button", name="Guardar").click()
    await expect(page.get_by_role("status")).to_contain_text("Guardado")
    row = page.locator("tbody tr", has_text="e010")
    await expect(row).to_contain_text("<script>alert(1)</script>")
    await row.get_by_role("button").click()
    await page.locator("dialog [name=team]").select_option("Tarde")
    await fill(page, reason="cambio de equipo")
    await page.get_by_role("button", name="Guardar").click()
    await expect(row).to_contain_text("Tarde")
    await row.get_by_role("button").click()
    await expect(page.locator(".history li")).to_have_count(2)
    await expect(page.locator(".history li").first).to_contain_text("cambio de equipo")
    await expect(page.locator(".history .change").first).to_have_text("Equipo: — → Tarde")
    await fill(page, reason="renuncia")
    await page.get_by_role("button", name="Retirar").click()
    await expect(row).to_have_count(0)
    await page.get_by_label("También retirados").check()
    await expect(row).to_contain_text("retirado")
    assert "retired=1" in page.url
    assert [one.reason for one in book.history("agents", "e010")] == [
        "renuncia", "cambio de equipo", "ingreso",
    ]  # fmt: skip


async def test_a_badge_is_shown_by_a_mark_and_its_id_no_more(
    people_web: Web, book: Directory, open_page: OpenPage
) -> None:
    first, second = "iso14443a:04C0FFEE", "wiegand26:0BADCAFE"
    marks = [brief(book.badge_keys.stored(one)) for one in (first, second)]
    assert [len(one.partition("#")[2]) for one in marks] == [4, 4]
    put(book, "agents", {"code": "e010", "name": "Nueva", "short": "N", "alias": "E10",
                         "badges": [first]})  # fmt: skip
    page = await open_page(f"{people_web.url}/ui/people")
    await page.get_by_label("Buscar").fill(first)
    row = page.locator("tbody tr")
    await expect(row).to_have_count(1)
    await expect(row).to_contain_text(marks[0])
    await row.get_by_role("button").click()
    badges = page.locator("dialog [name=badges]")
    await expect(badges).to_have_value(marks[0])
    await badges.fill(f"{marks[0]}\n{second}")
    await fill(page, reason="otro fotocheck")
    await page.get_by_role("button", name="Guardar").click()
    await expect(row).to_contain_text(" · ".join(marks))
    await row.get_by_role("button").click()
    await expect(badges).to_have_value("\n".join(marks))
    change = page.locator(".history .change").first
    await expect(change).to_have_text(f"Fotochecks: {marks[0]} → {' · '.join(marks)}")
    assert not {"04C0FFEE", "0BADCAFE"} & set(re.findall(r"\w+", await page.content()))
    entry = book.entry("agents", "e010")
    assert entry is not None and entry.body is not None
    assert entry.body["badges"] == [book.badge_keys.stored(one) for one in (first, second)]


async def test_who_was_slower_is_told(
    people_web: Web, book: Directory, open_page: OpenPage
) -> None:
    page = await open_page(f"{people_web.url}/ui/people?kind=areas")
    await page.get_by_role("button", name="tarjetas").click()
    await expect(page.locator(".history li")).to_have_count(1)
    await fill(page, label="Otra", reason="prueba")
    put(book, "areas", {"code": "tarjetas", "label": "Antes"})
    await page.get_by_role("button", name="Guardar").click()
    await expect(page.get_by_role("alert")).to_contain_text("alguien cambió «tarjetas»")


async def test_what_is_planned_for_later_is_seen_and_not_lost(
    people_web: Web, book: Directory, open_page: OpenPage
) -> None:
    later = KINDS["areas"].read({"code": "tarjetas", "label": "Plásticos"})
    planned = Change(kind="areas", code="tarjetas", body=later, valid_from=date(2090, 1, 1))
    book.apply([planned], by="Prueba", reason="cambio de nombre", at_ms=1)
    page = await open_page(f"{people_web.url}/ui/people?kind=areas")
    await page.get_by_role("button", name="tarjetas").click()
    await expect(page.locator(".history li").first).to_contain_text("desde 2090-01-01")
    await fill(page, label="Otra", reason="prueba")
    await page.get_by_role("button", name="Guardar").click()
    await expect(page.get_by_role("alert")).to_contain_text("cambio previsto desde 2090-01-01")
    await fill(page, valid_until="2089-12-31")
    await page.get_by_role("button", name="Guardar").click()
    await expect(page.locator("tbody tr", has_text="tarjetas")).to_contain_text("Otra")


async def test_a_thousand_are_searched_and_paged_by_the_hub(
    people_web: Web, book: Directory, open_page: OpenPage
) -> None:
    put(book, "agents", *crowd(1000))
    page = await open_page(f"{people_web.url}/ui/people")
    await expect(page.locator(".list-foot")).to_contain_text("1002 en total")
    await expect(page.locator("tbody tr")).to_have_count(50)
    await page.get_by_role("button", name="Siguiente").click()
    await expect(page.locator("tbody th").first).to_have_text("x0048")
    await page.get_by_role("button", name="Anterior").click()
    await expect(page.locator("tbody th").first).to_have_text("e001")
    await page.get_by_label("Buscar").fill("inventada 77")
    await expect(page.locator("tbody tr")).to_have_count(11)
    await page.get_by_label("Buscar").fill("nadie así")
    await expect(page.locator(".empty")).to_have_text("Nada coincide con la búsqueda.")


async def test_a_table_is_looked_at_and_then_taken_in(
    people_web: Web, book: Directory, open_page: OpenPage
) -> None:
    page = await open_page(f"{people_web.url}/ui/people?kind=areas")
    await page.get_by_role("button", name="Importar").click()
    table = "Código;Etiqueta\nreclamos;Reclamo\nnueva;Nueva\nñ;Mala\n"
    file = {"name": "areas.csv", "mimeType": "text/csv", "buffer": table.encode("cp1252")}
    await page.locator("input[type=file]").set_input_files([file])  # type: ignore[list-item]
    await page.get_by_role("button", name="Revisar").click()
    result = page.locator(".import-result")
    await expect(result).to_contain_text("3 filas: 1 nuevas, 1 cambiadas")
    await expect(result.locator("tbody tr").first).to_contain_text("«ñ» no sirve de código")
    await expect(result).to_contain_text("Windows-1252")
    await expect(result.locator("tr", has_text="reclamos")).to_contain_text("Reclamo")
    await expect(page.get_by_role("button", name="Aplicar")).to_be_disabled()
    await page.get_by_label("Importar el resto").check()
    await page.get_by_role("button", name="Revisar").click()
    await page.get_by_role("button", name="Aplicar").click()
    await expect(page.get_by_role("status")).to_contain_text("1 nuevas, 1 cambiadas")
    await expect(page.locator("tbody tr", has_text="nueva")).to_have_count(1)
    assert book.history("areas", "nueva")[0].reason == "areas.csv"


async def test_tables_go_out(people_web: Web, book: Directory, open_page: OpenPage) -> None:
    page = await open_page(f"{people_web.url}/ui/people?kind=reasons")
    for form in ("XLSX", "CSV"):
        async with page.expect_download() as waiting:
            await page.get_by_role("button", name=f"Exportar {form}").click()
        assert (await waiting.value).suggested_filename == f"reasons.{form.lower()}"


async def test_who_helps_and_by_when_faults_are_mended(
    people_web: Web, book: Directory, open_page: OpenPage
) -> None:
    page = await open_page(f"{people_web.url}/ui/people?kind=helpers")
    await expect(page.locator(".note")).to_contain_text("quien no tiene horas ayuda siempre")
    await page.get_by_role("button", name="Agregar").click()
    await fill(page, account="nelly", start="22:00", days="lun\nmar", reason="ayuda de noche")
    await expect(page.locator("dialog")).to_contain_text("ninguno: todos los temas")
    await page.get_by_label("Fraude").check()
    await page.get_by_role("button", name="Guardar").click()
    await expect(page.get_by_role("alert")).to_contain_text("lleva desde y hasta, o ninguno")
    await expect(page.locator("[aria-invalid=true]")).to_have_attribute("name", "end")
    await fill(page, end="06:00")
    await page.get_by_role("button", name="Guardar").click()
    await expect(page.locator("tbody tr", has_text="nelly")).to_contain_text("22:00")
    helper = book.entry("helpers", "nelly")
    assert helper is not None and helper.body == {
        "account": "nelly", "topics": ["fraude"], "start": "22:00", "end": "06:00",
        "days": ["mon", "tue"],
    }  # fmt: skip
    await page.locator("[data-kind=fault_targets]").click()
    await expect(page.locator(".note")).to_contain_text("4: 60 y 2880 min (Días hábiles)")
    await page.get_by_role("button", name="Agregar").click()
    await fill(page, severity="1", accept_min="0", solve_min="30", reason="más rápido")
    await page.locator("dialog [name=area]").select_option("sistemas")
    await page.locator("dialog [name=clock]").select_option("shift")
    await page.get_by_role("button", name="Guardar").click()
    await expect(page.get_by_role("alert")).to_contain_text("0 minutos no es un plazo")
    await fill(page, accept_min="3")
    await page.get_by_role("button", name="Guardar").click()
    await expect(page.locator("tbody tr")).to_contain_text("Horas de turno")
    assert book.entry("fault_targets", "1/sistemas") is not None


async def test_the_quality_lead_has_what_is_hers_and_publishes_no_site(
    people_web: Web, book: Directory, open_page: OpenPage
) -> None:
    put(book, "scorecards", {"code": "atencion", "name": "Atención"})
    put(book, "scorecard_sections", {"scorecard": "atencion", "code": "trato", "name": "Trato"})
    page = await open_page(
        f"{people_web.url}/ui/people?kind=scorecard_items&publish=1", role="quality_lead"
    )
    await expect(page.locator(".kind-group")).to_have_count(1)
    await expect(page.locator(".kind-group .kind")).to_have_count(7)
    await expect(page.get_by_role("button", name="Publicar")).to_have_count(0)
    await expect(page.locator("dialog")).to_have_count(0)
    await page.get_by_role("button", name="Agregar").click()
    await page.locator("dialog [name=scorecard]").select_option("atencion")
    await fill(page, code="saluda", section="trato", text="Saluda", weight="5", reason="nueva",
               guide="Con su nombre,\nantes de preguntar")  # fmt: skip
    await page.locator("dialog [name=auto_fail]").select_option(label="La evaluación")
    await page.get_by_role("button", name="Guardar").click()
    await expect(page.get_by_role("alert")).to_contain_text("un ítem normal no anula nada")
    await page.locator("dialog [name=kind]").select_option(label="Crítico de cumplimiento")
    await page.locator("dialog [name=comment]").select_option(label="Siempre")
    await page.get_by_role("button", name="Guardar").click()
    await expect(page.locator("tbody tr", has_text="saluda")).to_contain_text("La evaluación")
    item = book.entry("scorecard_items", "atencion/saluda")
    assert item is not None and item.body is not None
    assert item.body["guide"] == "Con su nombre, antes de preguntar"
    await page.locator("[data-kind=sample_plans]").click()
    await page.get_by_role("button", name="Agregar").click()
    await page.locator("dialog [name=scorecard]").select_option("atencion")
    await fill(page, code="semana", name="Semanal", per_agent="2", monitors="noe\nluz",
               reason="nuevo")  # fmt: skip
    await page.get_by_label("Motivo", exact=True).check()
    await page.get_by_label("Duración", exact=True).check()
    await page.get_by_role("button", name="Guardar").click()
    await expect(page.locator("tbody tr", has_text="semana")).to_contain_text("Motivo · Duración")
    plan = book.entry("sample_plans", "semana")
    assert plan is not None and plan.body is not None
    assert plan.body["strata"] == ["motive", "duration"]
    assert plan.body["monitors"] == ["noe", "luz"]


async def test_the_roster_is_a_week_of_cells(
    people_web: Web, book: Directory, open_page: OpenPage
) -> None:
    put(book, "shifts", {"code": "M", "name": "Mañana", "start": "08:00", "end": "16:00"})
    put(book, "roster", {"day": "2026-12-01", "agent": "e001", "shift": "M"})
    page = await open_page(f"{people_web.url}/ui/people?kind=roster&day=2026-12-03")
    await expect(page.locator(".week thead th")).to_have_count(8)
    cell = page.get_by_role("button", name=re.compile("^Ejemplo Dos Inventada, mié.*2 dic"))
    await expect(cell).to_have_text("·")
    await expect(page.locator(".week td button", has_text="M")).to_have_count(1)
    await cell.click()
    await page.locator("dialog [name=absence]").select_option("medical_rest")
    await fill(page, reason="descanso con certificado")
    await page.get_by_role("button", name="Guardar").click()
    await expect(cell).to_have_text("DM")
    await cell.click()
    await fill(page, reason="era otro día")
    await page.get_by_role("button", name="Quitar").click()
    await expect(cell).to_have_text("·")
    assert len(book.history("roster", "2026-12-02/e002")) == 2
    await page.get_by_role("button", name="Semana siguiente").click()
    await expect(page.locator(".week td button", has_text="M")).to_have_count(0)
    assert "day=2026-12-07" in page.url


async def test_what_stations_would_be_told_is_shown_and_published(
    people_web: Web, book: Directory, open_page: OpenPage
) -> None:
    put(book, "areas", {"code": "nueva", "label": "Nueva"})
    page = await open_page(f"{people_web.url}/ui/people?kind=areas")
    await expect(page.get_by_role("button", name="Publicar · 1")).to_be_visible()
    await page.get_by_role("button", name="Publicar · 1").click()
    dialog = page.locator("dialog")
    await expect(dialog).to_contain_text("+ nuevo: nueva")
    await expect(dialog).to_contain_text("ninguna todavía A-01 · A-02")
    await dialog.get_by_role("button", name="Publicar").click()
    await expect(page.get_by_role("status")).to_contain_text("Guardado")
    assert "nueva" in DataDir(people_web.folder).site.read_text()
    agent = dict(book.entry("agents", "e002", date(2026, 12, 1)).body or {})  # type: ignore[union-attr]
    put(book, "agents", agent | {"station_code": "1122"})
    put(book, "playbooks", {"motive": "9", "id": "NADA", "version": "1"})
    await page.reload()
    await expect(page.locator(".why")).to_contain_text("No se puede publicar todavía: ")
    await expect(page.locator(".why")).to_contain_text("Instructivos, 9")
    await page.get_by_role("button", name="Publicar · !").click()
    await expect(dialog).to_contain_text("Instructivos, 9")
    await expect(dialog.get_by_role("button", name="Publicar")).to_be_disabled()


async def test_what_was_changed_by_hand_is_not_undone_unseen(
    people_web: Web, book: Directory, open_page: OpenPage
) -> None:
    page = await open_page(f"{people_web.url}/ui/people?kind=areas")
    await page.get_by_role("button", name="Publicar").click()
    await page.locator("dialog").get_by_role("button", name="Publicar").click()
    await expect(page.get_by_role("status")).to_contain_text("Guardado")
    site = DataDir(people_web.folder).site
    site.write_text(site.read_text().replace('"Reclamos"', '"A mano"'))
    await page.get_by_role("button", name="Publicar").click()
    await expect(page.locator("dialog")).to_contain_text("publicar deshace ese cambio")
    await page.get_by_role("button", name="Tomar lo del archivo").click()
    await expect(page.get_by_role("status")).to_contain_text("1 cambios tomados")
    await expect(page.locator("tbody tr", has_text="A mano")).to_have_count(1)


async def test_only_those_who_may(people_web: Web, book: Directory, open_page: OpenPage) -> None:
    page = await open_page(f"{people_web.url}/ui/people", role="supervisor", teams=["Tarde"])
    await expect(page.locator(".refused")).to_be_visible()
    await expect(page.locator(".people")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
async def test_it_can_be_read_by_everybody(
    people_web: Web, book: Directory, open_page: OpenPage, scheme: str, width: int
) -> None:
    put(book, "shifts", {"code": "M", "name": "Mañana", "start": "08:00", "end": "16:00"})
    put(book, "roster", {"day": "2026-12-01", "agent": "e001", "shift": "M"},
        {"day": "2026-12-02", "agent": "e001", "absence": "vacation"})  # fmt: skip
    options = {"viewport": {"width": width, "height": 800}, "color_scheme": scheme}
    page = await open_page(f"{people_web.url}/ui/people", **options)
    await page.get_by_role("button", name="e001").click()
    await expect(page.locator(".history li")).to_have_count(1)
    await look(page, width)
    await page.get_by_role("button", name="Cerrar").click()
    if width < 640:
        await page.get_by_role("combobox", name="Qué se edita").select_option("roster")
    else:
        await page.locator("[data-kind=roster]").click()
    await page.get_by_label("Semana", exact=True).fill("2026-12-01")
    await expect(page.locator(".week td button", has_text="M")).to_have_count(1)
    await look(page, width)
    page = await open_page(f"{people_web.url}/ui/people?kind=helpers", **options)
    await page.get_by_role("button", name="Agregar").click()
    await expect(page.get_by_label("Fraude")).to_be_visible()
    await look(page, width)


async def look(page: Page, width: int) -> None:
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
    found = await Axe().run(page, ".people", options={"runOnly": {"type": "tag", "values": WCAG}})
    assert not found.response["violations"], found.generate_report()
