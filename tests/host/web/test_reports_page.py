"""/ui/reports and its API: the tables of a report, its files, and reports that make themselves."""

import csv
import io
import json
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import msgspec
import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from diadema.access.roles import RIGHTS as RIGHTS_OF
from diadema.access.roles import Role
from diadema.base import mail
from diadema.base.clock import SharedClock
from diadema.base.paths import DataDir
from diadema.base.standing import changing_standing
from diadema.figures.rows import Cutoff, PendingStation
from diadema.report import schedule
from diadema.report.kinds import KINDS
from diadema.report.schedule import Schedule, add, remove
from diadema.web.reports.html import ROWS, page_of
from playwright.async_api import expect

from tests.support import made_report, reported_day
from tests.support.scripted_station import SITE, T0
from tests.support.web_stage import TOKEN, Hub, Nats, Web
from tests.support.web_viewer import OpenPage

pytestmark = pytest.mark.asyncio(loop_scope="session")
DAY = "2026-11-18"
NOW = T0 + 86_400_000
NASTY = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with two days of a station, one of whose agents has a name that bites."""
    folder: Path = tmp_path_factory.mktemp("reports")
    agents = [SITE["agents"][0], SITE["agents"][1] | {"name": NASTY}]
    reported_day.stations(folder, site=SITE | {"agents": agents})
    return folder


@pytest.fixture(scope="module")
def clock(place: Path) -> SharedClock:
    made = SharedClock(place / "clock", create=True)
    made.set(NOW, 0)
    return made


@pytest.fixture(scope="module")
def served(place: Path, nats_server: Nats, clock: SharedClock) -> Iterator[Web]:
    web = Web(place, nats_server.url, place / "clock")
    web.start()
    yield web
    web.kill()


@pytest_asyncio.fixture(loop_scope="session")
async def api(served: Web, hub: Hub) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"authorization": f"Bearer {TOKEN}"}
    async with httpx.AsyncClient(base_url=served.url, headers=headers, timeout=300) as client:
        yield client


async def test_a_report_as_every_file(api: httpx.AsyncClient) -> None:
    path = "/api/v1/reports/llamadas"
    told = (await api.get(path, params={"span": "2026-11"})).json()
    agents = next(one for one in told["sections"] if one["section"] == "calls_agents")
    assert agents["total"]["answered"] == 14
    asked = {"span": "2026-11", "format": "csv", "table": "calls_agents"}
    answer = await api.get(path, params=asked)
    lines = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig")), delimiter=";"))
    assert lines[-1][4] == "14" and "attachment" in answer.headers["content-disposition"]
    for form, begins in (("xlsx", b"PK"), ("pdf", b"%PDF")):
        answer = await api.get(path, params={"span": "2026-11", "format": form})
        assert answer.status_code == 200 and answer.content.startswith(begins)
        assert f"diadema-llamadas-2026-11.{form}" in answer.headers["content-disposition"]
    may = [name for name, its in KINDS.items() if its.right in RIGHTS_OF["service"]]
    assert (await api.get("/api/v1/reports")).json() == may
    assert {*KINDS} - {*may} == {"monitores", "incentivo", "escuchas"}


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("llamadas?span=2026-99", 422),
        ("llamadas?span=ayer", 422),
        ("llamadas?scope=todo", 422),
        ("llamadas?scope=team:Noche", 422),
        ("llamadas?format=doc", 422),
        ("llamadas?format=csv&table=nada", 422),
        ("nada", 422),
        ("runs/nada/0", 404),
    ],
)
async def test_what_is_wrong_is_said(api: httpx.AsyncClient, path: str, status: int) -> None:
    answer = await api.get(f"/api/v1/reports/{path}")
    assert answer.status_code == status and answer.json()["detail"]


async def test_the_document_describes_it(api: httpx.AsyncClient) -> None:
    paths = (await api.get("/api/v1/openapi.json")).json()["paths"]
    content = paths["/api/v1/reports/{kind}"]["get"]["responses"]["200"]["content"]
    assert "application/pdf" in content and "$ref" in content["application/json"]["schema"]


async def test_the_page_shows_what_the_api_says(
    served: Web, api: httpx.AsyncClient, open_page: OpenPage
) -> None:
    page = await open_page(f"{served.url}/ui/reports?kind=tmo&grain=month&day={DAY}")
    told = (await api.get("/api/v1/reports/tmo", params={"span": "2026-11"})).json()
    agents = next(one for one in told["sections"] if one["section"] == "aht_agents")
    total = page.locator('table[data-section="aht_agents"] tfoot [data-total="n"]')
    await expect(total).to_have_text(str(agents["total"]["n"]))
    await expect(page.locator("[data-cut]")).to_contain_text(
        f"evento {told['cut_off']['position']}"
    )
    await expect(page.locator("[data-owing]")).to_contain_text("Faltan 2 posiciones")
    await expect(page.locator("#main")).to_contain_text(NASTY)
    await page.locator(".report-form select[name=kind]").select_option("llamadas")
    await expect(page.locator('table[data-section="check"]')).to_be_visible()
    await expect(page.locator("#main")).to_contain_text("Cuadra")
    await page.locator(".report-form select[name=scope]").select_option("agent:a001")
    await expect(page.locator('[data-section="calls_agents"] tbody tr')).to_have_count(1)


async def test_many_seats_that_owe_fold_away() -> None:
    """Four hundred of them were ten lines of red on each report."""
    made = made_report.report()
    few = page_of(made).head
    assert "Faltan 2 posiciones" in few and '<details class="owing"' not in few
    seats = [
        PendingStation(station=f"DIA-{k:012x}", seat=f"Z-{k:02}", since_utc=T0) for k in range(13)
    ]
    many = page_of(
        msgspec.structs.replace(made, cut=Cutoff(at_ms=NOW, position=1, pending_stations=seats))
    ).head
    folded = many.partition('<details class="owing" data-owing><summary>')[2]
    head, _, rest = folded.partition("</summary>")
    assert head.startswith("Faltan 13 posiciones desde ") and "Z-" not in head
    assert "Z-00" in rest and "Z-12" in rest.partition("</details>")[0]


SERIES = """all => all.map(one => {
  const options = window.getElement(one.id.replace(/^c/, "")).chart.getOption();
  return options.series.map(its => [its.name, its.data, its.markLine?.data?.length ?? 0]);
})"""


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_a_report_begins_with_its_files_and_its_charts(
    served: Web, api: httpx.AsyncClient, open_page: OpenPage, theme: str
) -> None:
    """Each chart has the figures of the table below, a name, and no colour of a state's."""
    address = f"{served.url}/ui/reports?kind=tmo&grain=month&day={DAY}"
    page = await open_page(address, color_scheme=theme)
    charts = page.locator(".report [data-chart]")
    await expect(charts.locator("canvas, svg").first).to_be_visible()
    told = (await api.get("/api/v1/reports/tmo", params={"span": "2026-11"})).json()
    tables = {one["section"]: one for one in told["sections"]}
    drawn = await charts.evaluate_all(SERIES)
    tmo = next(series for series in drawn if [name for name, *_ in series][1:] == ["TMO"])
    halves = tables["aht_halves"]["rows"]
    assert [row["aht_s"] for row in halves] in [s[1][1] for s in drawn if len(s) == 2]
    assert len(tmo[0][1]) == len(tmo[1][1]) > 0
    for chart in await charts.all():
        assert await chart.get_attribute("role") == "img"
        assert "n = " in (await chart.get_attribute("aria-label") or "")
        table = await chart.get_attribute("aria-describedby")
        await expect(page.locator(f"section[aria-labelledby='{table}'] table")).to_be_visible()
    tops = [
        await page.locator(place).first.evaluate("one => one.getBoundingClientRect().top")
        for place in (".report-files", ".report h2", ".report .chart", ".report table")
    ]
    assert tops == sorted(tops)
    await expect(page.locator(".report-files .file")).to_have_text(
        ["XLSX", "PDF", "CSV", "JSON", "Imprimir"]
    )
    found = await Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa"]})
    assert found.response["violations"] == []


async def test_the_page_goes_to_the_printer(served: Web, open_page: OpenPage) -> None:
    page = await open_page(f"{served.url}/ui/reports?kind=llamadas&day={DAY}")
    await page.evaluate("window.print = () => { window.printed = true; }")
    await page.locator(".report-files [data-print]").click()
    await page.wait_for_function("window.printed")


@pytest.mark.parametrize("kind", KINDS)
async def test_every_kind_is_drawn(served: Web, open_page: OpenPage, kind: str, hub: Hub) -> None:
    role = "admin" if KINDS[kind].right in RIGHTS_OF["admin"] else "quality_lead"
    page = await open_page(f"{served.url}/ui/reports?kind={kind}&grain=week&day={DAY}", role=role)
    await expect(page.locator(".report h2")).to_be_visible()
    await expect(page.locator(".report section").first).to_be_visible()


async def test_paper_has_every_row_and_the_screen_says_that_it_goes_on(
    served: Web, open_page: OpenPage, tmp_path: Path, hub: Hub
) -> None:
    """A printed table ended after 12 of 28 rows, with the total of all below them."""
    program = shutil.which("pdftotext")
    if program is None:
        pytest.skip("the program pdftotext is missing (Debian: apt install poppler-utils)")
    page = await open_page(
        f"{served.url}/ui/reports?kind=tmo&grain=day&day={DAY}", color_scheme="dark"
    )
    row = made_report.section().rows[0]
    rows = [f"Asesor {k:03} de la tabla" for k in range(1200)]
    long = made_report.section([[name, *row[1:]] for name in rows])
    made = page_of(made_report.report(sections=[long]))
    await page.locator(".report").evaluate(
        """(place, html) => {
            const ours = place.cloneNode();  // what the page draws in its own place is not seen
            ours.id = "ours";
            ours.innerHTML = html;
            place.before(ours);
            place.style.display = "none";
        }""",
        made.head + made.html,
    )
    rows = rows[:ROWS]
    box = page.locator("#ours .report-scroll")
    await expect(box.locator("tbody tr")).to_have_count(ROWS)
    await expect(page.locator("#ours h3")).to_contain_text("1,200 filas")
    await expect(box).to_have_attribute("data-below", "")
    await box.evaluate("box => box.scrollTo(0, box.scrollHeight)")
    await expect(box).not_to_have_attribute("data-below", "")
    path = tmp_path / "page.pdf"
    await page.pdf(path=path, prefer_css_page_size=True)
    done = subprocess.run([program, "-layout", path, "-"], check=True, capture_output=True)
    printed = done.stdout.decode()
    assert [row for row in rows if row not in printed] == []
    assert "total" in printed and "Se ven 300 de 1,200 filas" in printed
    assert "fecha" in printed, "the last column is on the paper too"


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_everybody_can_use_it(
    served: Web, open_page: OpenPage, theme: str, hub: Hub
) -> None:
    address = f"{served.url}/ui/reports?kind=tmo&grain=month&day={DAY}"
    page = await open_page(address, color_scheme=theme, viewport={"width": 390, "height": 844})
    await expect(page.locator('table[data-section="aht_agents"]')).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390
    found = await Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa"]})
    assert found.response["violations"] == []


async def test_a_report_orders_itself_and_is_there_when_due(
    served: Web, api: httpx.AsyncClient, open_page: OpenPage, clock: SharedClock, hub: Hub
) -> None:
    page = await open_page(f"{served.url}/ui/reports?kind=llamadas&grain=day&day={DAY}")
    await page.locator(".report-order summary").click()
    await page.locator("[data-order] [name=name]").fill("diario")
    await page.locator("[data-order] [name=at]").fill("14:00")
    await page.locator("[data-order] [name=format]").select_option("json")
    await page.locator("[data-order] button").click()
    row = page.locator('[data-list="schedules"] tbody tr')
    await expect(row).to_contain_text("cada día a las 14:00")
    await page.locator(".report-order summary").click()
    await page.locator("[data-order] [name=name]").fill("diario")
    await page.locator("[data-order] button").click()
    await expect(page.locator("[data-order] [data-error]")).to_contain_text("diario")
    given = {"name": "otro", "kind": "llamadas", "at": "06:00", "scope": "team:Nohce"}
    refused = await api.post("/api/v1/reports/schedules", json=given)
    assert refused.status_code == 409 and "hay: Mañana" in refused.json()["detail"]
    clock.set(NOW + 9 * 3_600_000, 0)
    for _ in range(600):
        known = (await api.get("/api/v1/reports/schedules")).json()["runs"]
        runs = [run for run in known if run["name"] == "diario"]
        if runs:
            break
        await page.wait_for_timeout(100)
    (run,) = runs
    assert (run["state"], run["span"]) == ("late", "2026-11-18")
    content = (await api.get(f"/api/v1/reports/runs/diario/{run['due_ms']}")).content
    assert json.loads(content)["cut_off"]["at"].startswith("2026-11-19 15:06")
    await page.reload()
    row = page.locator('[data-list="runs"] tbody tr').filter(has_text="diario")
    await expect(row).to_contain_text("hecho tarde")
    await page.locator("[data-remove]").click()
    await expect(page.locator('[data-list="schedules"]')).to_have_count(0)
    clock.set(NOW, 0)


async def test_it_goes_by_mail_to_whom_the_administrator_lists(
    served: Web, api: httpx.AsyncClient, open_page: OpenPage, place: Path, hub: Hub
) -> None:
    data, boss = DataDir(place), "jefa@centro.pe"
    mail.allow(data, boss, False)
    server = mail.Server(host="correo.centro.pe", port=587, security="starttls", sender=boss)
    mail.set_server(data, server, "")
    page = await open_page(f"{served.url}/ui/reports?kind=llamadas&grain=day&day={DAY}")
    await page.locator(".report-order summary").click()
    await page.locator("[data-order] [name=name]").fill("correo")
    await page.locator("[data-order]").get_by_label(boss).check()
    await page.locator("[data-order] button").click()
    await expect(page.locator('[data-list="schedules"] tbody tr')).to_contain_text(boss)
    (one,) = schedule.schedules(data)
    assert one.to == [boss] and one.by.startswith("admin")
    schedule.stop(data, "correo", "disabled")
    await page.reload()
    row = page.locator('[data-list="schedules"] tbody tr')
    await expect(row).to_contain_text(f"detenido: {one.by} ya no es una cuenta en uso")
    held = page.get_by_role("alert").filter(has_text="diadema resume --data DIR")
    await expect(held).to_have_count(0)
    with changing_standing(data) as standing:
        standing.trial = True
    await page.reload()
    await expect(held).to_be_visible()
    data.standing.unlink()
    body = {"name": "otro", "kind": "llamadas", "at": "06:00", "to": [boss]}
    path = "/api/v1/reports/schedules"
    answer = await api.post(path, json=body)
    assert (answer.status_code, "«hub»" in answer.text) == (409, True), "a program has no account"
    cookies = served.login("admin")
    token = {"x-csrf-token": cookies["diadema_csrf"]}
    async with httpx.AsyncClient(base_url=served.url, cookies=cookies, timeout=300) as client:
        for more in ({"to": ["otra@centro.pe"]}, {"kind": "asistencia"}):
            answer = await client.post(path, json=body | more, headers=token)
            assert answer.status_code == 409, more
    await page.goto(f"{served.url}/ui/reports?kind=asistencia&grain=day&day={DAY}")
    await expect(page.locator("[data-order]")).to_have_count(1)
    await expect(page.locator("[data-order]").get_by_label(boss)).to_have_count(0)
    remove(data, "correo", "es")
    mail.deny(data, boss)


async def test_each_role_has_its_own_kinds(served: Web, open_page: OpenPage, hub: Hub) -> None:
    page = await open_page(f"{served.url}/ui/reports?day={DAY}", role="hr")
    kinds = page.locator(".report-form select[name=kind] option")
    await expect(kinds).to_have_text(["Asistencia"])
    await expect(page.locator(".report h2")).to_contain_text("Asistencia")
    await expect(page.locator('[data-list="schedules"]')).to_have_count(0)
    address = f"{served.url}/ui/reports?kind=llamadas&day={DAY}"
    page = await open_page(address, role="supervisor", teams=["Mañana"])
    rows = page.locator('[data-section="calls_agents"] tbody tr')
    await expect(rows).to_have_count(1)
    await expect(rows).to_contain_text("Rosa Quispe")
    options = page.locator(".report-form select[name=scope] option")
    await expect(options).to_have_text(["mis equipos", "Mañana", "Rosa Quispe Huamán (a001)"])
    page = await open_page(f"{address}&scope=agent:a002", role="supervisor", teams=["Mañana"])
    await expect(page.locator(".report .refused")).to_be_visible()
    page = await open_page(address, role="technician")
    await expect(page.locator(".report-form")).to_have_count(0)


@pytest.mark.parametrize("role", ["hr", "supervisor", "technician"])
async def test_the_api_gives_no_role_more_than_its_own(
    served: Web, api: httpx.AsyncClient, place: Path, role: Role
) -> None:
    data = DataDir(place)
    add(data, order("de-todos"), "es")
    try:
        schedule.run_due(data, NOW)
        due = at_six()
        cookies = served.login(role, teams=["Mañana"] if role == "supervisor" else [])
        async with httpx.AsyncClient(base_url=served.url, cookies=cookies, timeout=300) as client:
            for kind in KINDS:
                answer = await client.get(f"/api/v1/reports/{kind}?span={DAY}")
                allowed = not RIGHTS_OF[role].isdisjoint({KINDS[kind].right})
                assert answer.status_code == (200 if allowed else 403), kind
                assert "a002" not in answer.text or role == "hr", kind
            answer = await client.get(f"/api/v1/reports/runs/de-todos/{due}")
            assert answer.status_code == 403
            answer = await client.get("/api/v1/reports/schedules")
            assert answer.status_code == 403 or answer.json() == {"schedules": [], "runs": []}
            token = {"x-csrf-token": cookies.get("diadema_csrf", "")}
            body = {"name": "x", "kind": "llamadas", "at": "06:00", "scope": "floor"}
            path = "/api/v1/reports/schedules"
            assert (await client.post(path, json=body, headers=token)).status_code == 403
            answer = await client.delete(f"{path}/de-todos", headers=token)
            assert answer.status_code == 403
    finally:
        remove(data, "de-todos", "es")


def at_six() -> int:
    return round(datetime(2026, 11, 19, 6, tzinfo=ZoneInfo("America/Lima")).timestamp() * 1000)


def order(name: str) -> Schedule:
    return Schedule(
        name=name, kind="llamadas", every="day", at="06:00", form="json", since_ms=T0
    )  # fmt: skip
