"""/ui/quality/notices: who was informed of what; it is sent to stations, noted, and taken in."""

import asyncio
import itertools
import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from diadema.hub.own_journal import Refused
from playwright.async_api import Page, expect

from tests.support.notice_room import DAY_MS, NoticeRoom
from tests.support.web_stage import PASSWORD, TOKEN, Hub, Nats, Web, headers_of
from tests.support.web_viewer import LIMIT_S, OpenPage

pytestmark = pytest.mark.asyncio(loop_scope="session")
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
_number = itertools.count(1)
API = "/api/v1/quality/notices"
CROWD = [
    {"id": f"b{n:03}", "name": f"Asesora Inventada {n}", "short": f"B{n}", "alias": f"B{n}",
     "team": "Tarde", "badges": []} for n in range(60)
]  # fmt: skip
HEAD = "Asesor;Fecha;Número de documento;Cómo;Testigos\n"


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NoticeRoom]:
    made = NoticeRoom(tmp_path_factory.mktemp("notices"), more=CROWD[:1])
    yield made
    made.end()


@pytest.fixture(scope="module")
def notice_web(room: NoticeRoom, nats_server: Nats) -> Iterator[Web]:
    secrets = json.loads(room.data.secrets.read_bytes())
    room.data.secrets.write_text(json.dumps(secrets | {"host": PASSWORD, "api": TOKEN}))
    made = Web(room.data.root, nats_server.url)
    made.start()
    yield made
    made.kill()


@pytest_asyncio.fixture(loop_scope="session")
async def web(room: NoticeRoom, notice_web: Web, hub: Hub) -> Web:
    """The desk answers in the place of the hub."""

    def answer(body: dict[str, Any]) -> dict[str, Any]:
        try:
            return room.desk.act(body)[0]
        except Refused as error:
            return {"error": error.error, "status": error.status, "values": error.values}

    hub.answer = answer
    async with client(notice_web) as http, asyncio.timeout(LIMIT_S / 5):
        nobody = {"json": {"agents": ["x9"]}}
        while (await http.post(f"{API}/nada/messages", **nobody)).status_code == 503:
            await asyncio.sleep(0.1)  # it has no connection yet
    return notice_web


@pytest.fixture
def code(room: NoticeRoom) -> str:
    """A notice to agents of this test alone."""
    name = f"aviso{next(_number)}"
    room.publish(name)
    return name


def of(room: NoticeRoom, code: str) -> list[tuple[str, str | None]]:
    """Who signed it, and the document."""
    return [(one.agent, one.document) for one in room.signatures() if one.notice == code]


def client(web: Web, role: Any = "hr", **more: Any) -> httpx.AsyncClient:
    headers = headers_of(web.login(role, **more)) | {"accept-language": "es"}
    return httpx.AsyncClient(base_url=web.url, headers=headers, timeout=300)


async def states(web: Web, code: str) -> dict[str, str]:
    async with client(web) as http:
        told = (await http.get(API)).json()
    (its,) = (one for one in told["notices"] if one["code"] == code)
    return {one["a"]: one["state"] for one in its["agents"]}


async def opened(web: Web, open_page: OpenPage, **more: Any) -> Page:
    more = {"role": "quality_lead"} | more
    return await open_page(f"{web.url}/ui/quality/notices?lang=es", **more)


async def test_a_notice_goes_to_the_station_and_is_signed_there(
    web: Web, room: NoticeRoom, open_page: OpenPage, code: str
) -> None:
    page = await opened(web, open_page)
    card = page.locator(".notice-card", has_text=f"{code} ·")
    await expect(card).to_contain_text("0 de 3 asesores informados")
    await expect(card).to_contain_text("Sus llamadas se graban y se escuchan.")
    await expect(card).to_contain_text(re.compile(f"{code} · versión 1, desde 2026-11-1[89]"))
    caller = page.locator(".notice-card", has_text="A quien llama")
    await expect(caller).to_contain_text("lo dice una grabación al entrar la llamada")
    await expect(caller.locator("table")).to_have_count(0)
    await card.get_by_role("button", name="Enviar a la estación (3)").click()
    await expect(page.get_by_role("status")).to_contain_text("Enviado a 1 estación")
    await expect(page.get_by_role("status")).to_contain_text("a002 no tiene sesión")
    (message,) = (one for one in room.messages() if f".{code}." in one.sent.m)
    assert (message.sent.agent, message.sent.by[:12]) == ("a001", "quality_lead")
    room.answer("a001", message.sent.m)
    assert room.settle() == 1
    await page.reload()
    await expect(card).to_contain_text("1 de 3 asesores informados · 2 por informar")
    await expect(card.locator("tbody tr")).to_have_count(2)
    await card.get_by_label("Mostrar").select_option("Todos")
    row = card.locator("tbody tr", has_text="Rosa Quispe")
    await expect(row).to_contain_text("informado, v1")
    await expect(row).to_contain_text("con su fotocheck")
    await expect(row).to_contain_text(re.compile("2026-11-1[89] "))


async def test_a_paper_and_a_refusal_are_noted_for_who_was_chosen(
    web: Web, room: NoticeRoom, open_page: OpenPage, code: str
) -> None:
    page = await opened(web, open_page, role="hr")
    card = page.locator(".notice-card", has_text=f"{code} ·")
    await card.get_by_label("Elegir a Luis Pari").check()
    await card.get_by_role("button", name="Anotar una constancia").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog.locator("option:checked").first).to_contain_text("Luis Pari")
    await dialog.get_by_label("Fecha en que se firmó").fill("2026-11-17")
    await dialog.get_by_label("Cómo").select_option("se negó ante dos testigos")
    await dialog.get_by_label("Testigo 1").fill("Teo Paz")
    await dialog.get_by_label("Testigo 2").fill("teo paz")
    await dialog.get_by_role("button", name="Guardar").click()
    await expect(dialog.get_by_role("alert")).to_contain_text("dos nombres distintos")
    await dialog.get_by_label("Testigo 2").fill("Sol Vera")
    await dialog.get_by_role("button", name="Guardar").click()
    await expect(page.get_by_role("status")).to_contain_text("1 constancia anotada")
    await card.get_by_label("Mostrar").select_option("Todos")
    row = card.locator("tbody tr", has_text="Luis Pari")
    await expect(row).to_contain_text("se negó ante dos testigos")
    await expect(row).to_contain_text("Teo Paz y Sol Vera")
    (signed,) = (one for one in room.signatures() if one.notice == code)
    assert signed.agent == "a002" and signed.by.startswith("hr")


async def test_a_sheet_is_looked_at_and_then_taken_in(
    web: Web, room: NoticeRoom, open_page: OpenPage, code: str
) -> None:
    page = await opened(web, open_page, role="hr")
    card = page.locator(".notice-card", has_text=f"{code} ·")
    await card.get_by_role("button", name="Importar constancias").click()
    dialog = page.get_by_role("dialog")
    look, apply = (dialog.get_by_role("button", name=name) for name in ("Revisar", "Aplicar"))
    bad = HEAD + "a001;2026-11-17;RH-9;;\nx9;2026-11-17;;;\n"
    await dialog.locator("input[type=file]").set_input_files(
        {"name": "firmas.csv", "mimeType": "text/csv", "buffer": bad.encode()}
    )
    await look.click()
    await expect(dialog).to_contain_text("no hay asesor con el código «x9»")
    await expect(apply).to_be_disabled()
    good = HEAD + "a001;2026-11-17;RH-9;;\na002;2026-11-17;RH-10;;\n"
    await dialog.locator("input[type=file]").set_input_files(
        {"name": "firmas.csv", "mimeType": "text/csv", "buffer": good.encode()}
    )
    await look.click()
    await expect(dialog).to_contain_text("2 filas: 2 nuevas, 0 ya anotadas")
    assert of(room, code) == []
    await apply.click()
    await expect(page.get_by_role("status")).to_contain_text("2 constancias anotadas")
    assert of(room, code) == [("a001", "RH-9"), ("a002", "RH-10")]
    async with client(web) as http:
        again = (await http.post(f"{API}/{code}/import?dry_run=false", content=good)).json()
    assert (again["added"], again["unchanged"], again["done"]) == (0, 2, False)
    assert len(of(room, code)) == 2


async def test_every_paper_of_a_sheet_is_noted_though_the_request_has_one_name(
    web: Web, room: NoticeRoom, code: str
) -> None:
    text = HEAD + "".join(f"{a};2026-11-17;RH-{a};;\n" for a in ("a001", "a002", "b000"))
    async with client(web) as http:
        named = {"idempotency-key": "once"}
        path = f"{API}/{code}/import?dry_run=false"
        for _ in range(2):
            told = await http.post(path, content=text, headers=named)
            assert told.json().get("done") is True, told.text
    assert of(room, code) == [(a, f"RH-{a}") for a in ("a001", "a002", "b000")]


async def test_what_cannot_be_is_told_with_what_to_do(
    web: Web, room: NoticeRoom, code: str
) -> None:
    async with client(web) as http:
        for path, sent, status, said in (
            (f"{code}/import", {"content": b"x"}, 422, "no se conoce la columna"),
            ("nada/import", {"content": HEAD}, 404, "no existe «nada»"),
            (f"{code}/import", {"content": b""}, 422, ""),
            ("nada/messages", {"json": {"agents": ["a001"]}}, 404, "No hay ningún aviso"),
            (f"{code}/messages", {"json": {"agents": []}}, 422, ""),
            (f"{code}/messages", {"json": {"agents": ["a002"]}}, 409, "no tiene sesión"),
            (f"{code}/signatures", {"json": {"agents": ["a001"], "how": "paper",
                                           "date": "2026-11-17"}}, 422, "número de su documento"),
            (f"{code}/signatures", {"json": {"agents": ["a001"], "how": "badge",
                                           "date": "2026-11-17"}}, 422, ""),
            (f"{code}/signatures", {"json": {"agents": ["x9"], "how": "paper", "document": "1",
                                           "date": "2026-11-17"}}, 404, "código x9"),
        ):  # fmt: skip
            told = await http.post(f"{API}/{path}", **sent)  # type: ignore[arg-type]
            assert told.status_code == status, (path, told.text)
            assert said in told.json()["detail"], told.text
    assert of(room, code) == []


async def test_the_sheet_to_fill_out_has_who_is_missing(
    web: Web, room: NoticeRoom, code: str
) -> None:
    room.sign("a001", notice=code, document="RH-1")
    async with client(web) as http:
        told = await http.get(f"{API}/{code}/sheet?format=csv&lang=es")
        assert told.headers["content-disposition"] == 'attachment; filename="' + f'{code}.csv"'
        book = await http.get(f"{API}/{code}/sheet?format=xlsx")
    assert told.content.decode("utf-8-sig").splitlines() == [
        "Asesor;Nombre;Fecha;Número de documento;Cómo;Testigos",
        "b000;Asesora Inventada 0;;;;", "a002;Luis Pari;;;;",
    ]  # fmt: skip
    assert book.content[:2] == b"PK"


async def test_a_newer_version_is_published_and_is_to_be_told_again(
    web: Web, room: NoticeRoom, code: str
) -> None:
    room.sign("a001", notice=code, document="RH-1")
    assert (await states(web, code))["a001"] == "informed"
    room.clock.now += DAY_MS
    room.write(code, text="Se graban, se escuchan y se evalúan.")
    async with client(web, "quality_lead") as http:
        told = (await http.get(API)).json()
        assert code in told["drafts"]
        (its,) = (one for one in told["notices"] if one["code"] == code)
        assert its["draft"] and its["version"] == 1
        assert (await http.post(f"{API}/publication")).status_code in (409, 503), "no hub runs"
    room.publish(code, text="Se graban, se escuchan y se evalúan.")
    assert (await states(web, code))["a001"] == "older"


@pytest.mark.parametrize(
    ("role", "status"),
    [("hr", 200), ("quality_lead", 200), ("supervisor", 403), ("monitor", 403), ("admin", 403),
     ("technician", 403), ("agent", 403)],
)  # fmt: skip
async def test_who_may_see_it(web: Web, role: Any, status: int) -> None:
    more = {"agent": "a001"} if role == "agent" else {}
    async with client(web, role, **more) as http:
        assert (await http.get(API)).status_code == status
        if status == 200:
            can = (await http.post(f"{API}/publication")).status_code
            assert (can == 403) == (role == "hr"), "human resources publish nothing"


async def test_human_resources_of_one_team_see_their_own(
    web: Web, room: NoticeRoom, code: str
) -> None:
    async with client(web, "hr", teams=["Mañana"]) as http:
        told = (await http.get(API)).json()
        agents = next(one for one in told["notices"] if one["code"] == code)["agents"]
        assert [one["a"] for one in agents] == ["a001"]
        sent = {"agents": ["a002"], "how": "paper", "date": "2026-11-17", "document": "1"}
        for path, body in (("messages", {"agents": ["a002"]}), ("signatures", sent)):
            assert (await http.post(f"{API}/{code}/{path}", json=body)).status_code == 403
        path = f"{API}/{code}/import?dry_run=false"
        told = await http.post(path, content=HEAD + "a002;2026-11-17;RH-9;;\n")
        assert told.status_code == 403
        sheet = (await http.get(f"{API}/{code}/sheet?format=csv")).text
        assert "a001" in sheet and "a002" not in sheet


@pytest.mark.parametrize("width", [1366, 390])
async def test_it_is_whole_and_axe_finds_nothing(
    web: Web, room: NoticeRoom, open_page: OpenPage, code: str, width: int
) -> None:
    room.sign("a001", notice=code, document="RH-1")
    page = await opened(web, open_page, viewport={"width": width, "height": 800})
    card = page.locator(".notice-card", has_text=f"{code} ·")
    await expect(card).to_contain_text("1 de 3 asesores informados")
    assert not await page.evaluate("document.documentElement.scrollWidth > innerWidth")
    found = await Axe().run(page, options={"runOnly": {"type": "tag", "values": WCAG}})
    assert found.violations_count == 0, found.generate_report()
    await card.get_by_role("button", name="Anotar una constancia").click()
    found = await Axe().run(page, options={"runOnly": {"type": "tag", "values": WCAG}})
    assert found.violations_count == 0, found.generate_report()
