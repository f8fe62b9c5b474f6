"""/ui/quality/scorecards: begun from the template, seen as the monitor will, compared with what is
in force and published; every version stays readable.
"""

from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from diadema.site.directory.book import Directory
from playwright.async_api import expect

from tests.support.quality_stage import QualityStage
from tests.support.web_stage import Hub, Nats, headers_of
from tests.support.web_viewer import OpenPage

pytestmark = pytest.mark.asyncio(loop_scope="session")
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
PATH = "/ui/quality/scorecards"
API = "/api/v1/quality/scorecards"


@pytest_asyncio.fixture(loop_scope="session")
async def stage(own_nats: Nats, tmp_path) -> AsyncIterator[QualityStage]:
    hub = await Hub.open(own_nats.url)
    await hub.client.close()  # the stage answers in its place
    made = QualityStage(tmp_path / "stage", own_nats.url)
    client = await made.listen()
    yield made
    await client.close()
    made.close()


def api(stage: QualityStage, account: str = "luz", language: str = "es") -> httpx.AsyncClient:
    headers = headers_of(stage.cookies(account)) | {"accept-language": language}
    return httpx.AsyncClient(base_url=stage.web.url, headers=headers, timeout=300)


async def found(stage: QualityStage, code: str) -> dict:
    async with api(stage) as client:
        boards = (await client.get(API)).json()
    return next(one for one in boards if one["code"] == code)


async def test_it_begins_from_the_template_and_is_published_whole(
    stage: QualityStage, open_page: OpenPage
) -> None:
    page = await open_page(
        f"{stage.web.url}{PATH}?lang=es", cookies=stage.cookies("luz"), role="quality_lead"
    )
    await expect(page.locator("main")).to_contain_text("Todavía no hay ninguna planilla.")
    await page.get_by_label("Código").fill("atencion")
    await page.get_by_label("Motivo").fill("campaña nueva")
    await page.get_by_role("button", name="Crear").click()
    await page.wait_for_url(f"**{PATH}/atencion*")
    await expect(page.locator(".part")).to_have_count(4)
    await expect(page.locator(".items > li")).to_have_count(13)
    first = page.locator(".items > li").first
    await expect(first.locator(".options span")).to_have_text(["sí", "no"])
    await expect(page.locator("main")).to_contain_text("Nunca se publicó")
    await page.get_by_role("button", name="Publicar la versión 1").click()
    await expect(page.locator(".standing")).to_contain_text("publicada")
    await expect(page.locator(".standing")).to_contain_text("Versión 1, en vigor desde 30/11/2026")
    await expect(page.locator("main")).to_contain_text("no hay nada nuevo que publicar")
    (asked,) = stage.asked
    assert (asked["k"], asked["catalogue"], asked["by"]) == (
        "catalogue.published", "scorecard.atencion", "luz",
    )  # fmt: skip
    results = await Axe().run(page, options={"runOnly": WCAG, "resultTypes": ["violations"]})
    assert results.violations_count == 0, results.generate_report()


async def test_what_is_other_than_in_force_is_shown_and_the_old_version_stays(
    stage: QualityStage, open_page: OpenPage
) -> None:
    stage.scorecard()
    async with api(stage) as client:
        done = (await client.post(f"{API}/atencion/publish")).json()
        assert (done["version"], len(done["hash"])) == (1, 64)
        again = (await client.post(f"{API}/atencion/publish")).json()
        assert again == {"code": "atencion", "version": None, "hash": None}
    with Directory(stage.data.directory) as book:
        body = book.entry("scorecard_items", "atencion/escucha").body
    stage.put("scorecard_items", **body | {"weight": 30, "text": "<b>Escucha</b> activa"})
    stage.retire("scorecard_items", "atencion/dudas")
    stage.put("scorecard_items", scorecard="atencion", code="voz", section="actitudes",
              text="Modula la voz", weight=5)  # fmt: skip
    board = await found(stage, "atencion")
    assert (board["state"], board["version"]) == ("changed", 1)
    assert [(one["what"], one["code"]) for one in board["differences"]] == [
        ("changed", "escucha"), ("added", "voz"), ("removed", "dudas"),
    ]  # fmt: skip
    assert {one["field"] for one in board["differences"][0]["fields"]} == {"weight", "text"}
    page = await open_page(
        f"{stage.web.url}{PATH}/atencion?lang=es", cookies=stage.cookies("luz"), role="admin"
    )
    listed = page.locator(".differences > li")
    await expect(listed).to_have_count(3)
    await expect(listed.first).to_contain_text("<b>Escucha</b> activa")
    await expect(listed.first).to_contain_text("10 → 30")
    await expect(listed.last).to_contain_text("se quita")
    await page.get_by_role("button", name="Publicar la versión 2").click()
    await expect(page.locator(".standing")).to_contain_text("Versión 2")
    async with api(stage) as client:
        first = (await client.get(f"{API}/atencion/versions/1")).json()
        second = (await client.get(f"{API}/atencion/versions/2")).json()
        assert (await client.get(f"{API}/atencion/versions/3")).status_code == 404
    weights = [{one["code"]: one["weight"] for one in its["items"]} for its in (first, second)]
    assert [its["escucha"] for its in weights] == [10, 30]
    assert "dudas" in weights[0] and "dudas" not in weights[1]
    await page.get_by_role("link", name="Versión 1", exact=True).click()
    await expect(page.locator("h1")).to_contain_text("versión 1")
    await expect(page.locator(".items")).to_contain_text(["dudas"])
    await expect(page.get_by_role("button", name="Publicar")).to_have_count(0)
    stage.retire("scorecards", "atencion")
    board = await found(stage, "atencion")
    assert (board["state"], board["version"], board["items"]) == ("retired", 2, 13)


async def test_what_cannot_be_published_says_what_to_do(
    stage: QualityStage, open_page: OpenPage
) -> None:
    stage.put("scorecards", code="vacia", name="Vacía")
    stage.put("scorecards", code="ceros", name="Ceros")
    stage.put("scorecard_sections", scorecard="ceros", code="s", name="Única")
    stage.put("scorecard_items", scorecard="ceros", code="i", section="s", text="Algo", weight=0)
    async with api(stage) as client:
        for code, word in (("vacia", "ítem"), ("ceros", "peso")):
            refused = await client.post(f"{API}/{code}/publish")
            assert refused.status_code == 422 and word in refused.json()["detail"], code
        gone = await client.post(f"{API}/nada/publish")
        assert gone.status_code == 404
        row = {"code": "atencion", "reason": "x"}
        assert (await client.post(API, json=row)).status_code == 200
        taken = await client.post(API, json=row)
        assert taken.status_code == 422 and len(taken.json()["errors"]) == 1
        assert "«atencion» ya existe" in taken.json()["detail"]
        bad = await client.post(API, json={"code": "con espacio", "reason": "x"})
        assert bad.status_code == 422
    assert stage.asked == []
    page = await open_page(
        f"{stage.web.url}{PATH}/ceros?lang=es", cookies=stage.cookies("luz"), role="admin"
    )
    await expect(page.locator(".problems")).to_contain_text("peso")
    await expect(page.get_by_role("button", name="Publicar")).to_have_count(0)


async def test_a_hub_that_does_not_run_leaves_it_unpublished(stage: QualityStage) -> None:
    stage.scorecard()
    stage.data.hub.unlink()
    async with api(stage) as client:
        refused = await client.post(f"{API}/atencion/publish")
    assert refused.status_code == 409 and "hub" in refused.json()["detail"].lower()
    assert (await found(stage, "atencion"))["versions"] == []


async def test_a_table_with_rows_that_cannot_be_is_refused_row_by_row(
    stage: QualityStage,
) -> None:
    """By the import of people and places, to which the page leads."""
    stage.scorecard()
    head = "scorecard;code;section;text;weight;auto_fail\n"
    row = "atencion;voz;actitudes;Modula la voz;5;\n"
    fails = "atencion;mal;actitudes;Anula sin ser crítico;5;La sección\n"
    many = "".join(f"atencion;n{at};actitudes;Ítem {at};1;\n" for at in range(48))
    where = "/api/v1/people/import/scorecard_items"
    async with api(stage) as client:
        for rows, said in (
            (row * 2, "está también en la fila 2"),
            (fails, "un ítem normal no anula nada"),
            (many, "60 ítems a lo más"),
        ):
            given = (head + rows).encode()
            answer = (await client.post(where, content=given, params={"dry_run": True})).json()
            (problem,) = answer["problems"]
            assert said in problem["detail"] and problem["row"] > 1, answer
    assert (await found(stage, "atencion"))["items"] == 13


@pytest.mark.parametrize("language", ["es", "en"])
async def test_who_administers_reads_and_changes_nothing(
    stage: QualityStage, open_page: OpenPage, language: str
) -> None:
    stage.scorecard(language=language)
    async with api(stage, "ada") as client:
        assert (await client.get(API)).status_code == 200
        assert (await client.post(f"{API}/atencion/publish")).status_code == 403
    for account in ("ana", "sonia"):
        async with api(stage, account) as client:
            assert (await client.get(API)).status_code == 403
    for path in (PATH, f"{PATH}/atencion"):
        page = await open_page(
            f"{stage.web.url}{path}?lang={language}",
            cookies=stage.cookies("ada"),
            role="admin",
            viewport={"width": 390, "height": 844},
        )
        await expect(page.locator("main")).to_contain_text("atencion")
        await expect(page.locator("form.deed")).to_have_count(0)
        assert await page.evaluate("document.documentElement.scrollWidth") <= 390
        results = await Axe().run(page, options={"runOnly": WCAG, "resultTypes": ["violations"]})
        assert results.violations_count == 0, results.generate_report()


async def test_the_way_to_its_rows_leads_to_its_rows(
    stage: QualityStage, open_page: OpenPage
) -> None:
    stage.scorecard()
    stage.scorecard("ventas")
    page = await open_page(
        f"{stage.web.url}{PATH}/ventas?lang=es", cookies=stage.cookies("luz"), role="admin"
    )
    await page.get_by_role("link", name="Ítems de planilla").click()
    await expect(page.get_by_label("Buscar")).to_have_value("ventas")
    await expect(page.locator("tbody tr")).to_have_count(13)
