"""/ui/quality/evaluate: the form by keyboard, what was begun after a reload, what is final. Its
sound is heard in `tests/system/test_evaluate_walk.py`.
"""

import asyncio

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, Route, expect

from tests.support.broker_fixtures import until
from tests.support.evaluation_stage import EvaluationStage, entered
from tests.support.web_stage import Hub, Web
from tests.support.web_viewer import OpenPage

pytestmark = pytest.mark.asyncio(loop_scope="session")
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
ASSIGNMENTS = "/api/v1/quality/assignments"
WORDS = "Dice su nombre y no el de la empresa"
LAPTOP, PHONE = {"width": 1366, "height": 768}, {"width": 390, "height": 844}


async def check_axe(page: Page, width: int) -> None:
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
    found = await Axe().run(page, options={"runOnly": {"type": "tag", "values": WCAG}})
    assert found.response["violations"] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [LAPTOP, PHONE])
async def test_axe_finds_nothing(
    stage: EvaluationStage, quality_web: Web, hub: Hub, open_page: OpenPage,
    size: dict[str, int], scheme: str,
) -> None:  # fmt: skip
    q = stage.assign(0)
    page = await open_page(
        f"{quality_web.url}/ui/quality/evaluate/{q}?lang=es",
        cookies=entered(quality_web, "ana"), viewport=size, color_scheme=scheme,
    )  # fmt: skip
    await expect(page.get_by_text("De esta llamada no hay grabación.")).to_be_visible()
    await expect(page.get_by_text("0:25 En espera")).to_be_visible()
    await expect(page.get_by_text("La llamada puede decir un nombre")).to_be_visible()
    await check_axe(page, size["width"])


async def test_it_is_done_by_keyboard_and_is_final(
    stage: EvaluationStage, quality_web: Web, hub: Hub, open_page: OpenPage
) -> None:
    hub.answer = stage.answer
    q = stage.assign(1)
    page = await open_page(
        f"{quality_web.url}/ui/quality/evaluate/{q}?lang=es",
        cookies=entered(quality_web, "ana"), viewport=LAPTOP,
    )  # fmt: skip
    await expect(page.get_by_text("Saluda y dice su nombre")).to_be_visible()
    press = page.keyboard.press
    for key in ("ArrowDown", "1", "ArrowDown", "9", "5", "ArrowDown", "1", "ArrowDown"):
        await press(key)
    coded = page.get_by_role("group", name="Tipifica lo que se trató")
    await coded.get_by_role("combobox").select_option("112")
    await coded.get_by_role("button", name="Confirmar código").click()
    await expect(coded.get_by_text("El asesor puso: 112 · CTS")).to_be_visible()
    for key in ("1", "ArrowDown", "n", "c"):
        await press(key)
    await page.keyboard.type("El usuario cortó antes: n5")
    await page.get_by_role("button", name="Guardar comentario").click()
    await expect(page.locator(".score .figure")).to_have_text("100.0")
    await page.reload()
    await expect(page.get_by_text("El usuario cortó antes: n5")).to_be_visible()
    await expect(coded.get_by_role("combobox")).to_have_count(0)
    await page.get_by_role("button", name="Enviar evaluación").click()
    await page.get_by_role("button", name="Seguir revisando").click()
    assert not any(one["of"][2] == int(q.split("-")[1]) for one in stage.asked)
    await page.get_by_role("button", name="Enviar evaluación").click()
    await page.get_by_role("button", name="Sí, enviar").click()
    await expect(page.get_by_role("heading", name="Evaluación enviada")).to_be_visible()
    assert stage.asked[-1]["answers"] == "1511-"
    await expect(page.get_by_role("button", name="Enviar evaluación")).to_have_count(0)
    assert await page.locator("input[type=radio]:enabled").count() == 0
    await expect(page.get_by_text("El asesor aún no la ve.")).to_be_visible()
    await check_axe(page, LAPTOP["width"])
    stage.release(q)
    await page.reload()
    await expect(page.get_by_text("Publicada: es de Rosa Quispe Huamán.")).to_be_visible()


async def begun(stage: EvaluationStage, web: Web, open_page: OpenPage, number: int) -> Page:
    """A comment on the first item is being written."""
    page = await open_page(
        f"{web.url}/ui/quality/evaluate/{stage.assign(number)}?lang=es",
        cookies=entered(web, "ana"), viewport=LAPTOP,
    )  # fmt: skip
    await expect(page.get_by_text("Saluda y dice su nombre")).to_be_visible()
    for key in ("ArrowDown", "1", "c"):
        await page.keyboard.press(key)
    await page.keyboard.type(WORDS)
    return page


async def saved(page: Page, address: str = "") -> bool:
    """The server has it."""
    path = (address or page.url).partition("?")[0]
    answer = await page.request.get(path.replace("/ui/quality/evaluate", ASSIGNMENTS))
    return [note["text"] for note in (await answer.json())["notes"]] == [WORDS]


@pytest.mark.parametrize("is_added", [True, False])
async def test_what_was_written_as_the_page_was_read_again_is_there(
    stage: EvaluationStage, quality_web: Web, hub: Hub, open_page: OpenPage, is_added: bool
) -> None:
    page = await begun(stage, quality_web, open_page, 3 + is_added)
    if is_added:
        await page.get_by_role("button", name="Guardar comentario").click()
    await page.reload()
    await expect(page.locator(".comments .text")).to_have_text(WORDS)
    await expect(page.get_by_role("radio", name="Sí").first).to_be_checked()
    await until(lambda: saved(page))
    await until(
        lambda: page.evaluate("JSON.parse(Object.values(sessionStorage)[0]).saved_utc > 0")
    )
    await page.reload()
    await expect(page.locator(".comments .text")).to_have_text(WORDS)


async def test_what_was_on_its_way_as_the_page_was_read_again_is_there(
    stage: EvaluationStage, quality_web: Web, hub: Hub, open_page: OpenPage
) -> None:
    page = await begun(stage, quality_web, open_page, 5)
    waits = asyncio.Event()

    async def hold(route: Route) -> None:
        if WORDS not in (route.request.post_data or ""):
            await route.continue_()
            return
        await waits.wait()
        await route.abort()

    await page.route("**/draft", hold)
    async with page.expect_request(lambda one: WORDS in (one.post_data or "")):
        await page.get_by_role("button", name="Guardar comentario").click()
    await page.unroute("**/draft", hold)
    await page.reload()
    waits.set()
    await expect(page.locator(".comments .text")).to_have_text(WORDS)
    await until(lambda: saved(page))


async def test_what_was_written_as_somebody_left_is_there(
    stage: EvaluationStage, quality_web: Web, hub: Hub, open_page: OpenPage
) -> None:
    page = await begun(stage, quality_web, open_page, 6)
    q = page.url
    await page.goto(f"{quality_web.url}/ui/quality?lang=es")
    await until(lambda: saved(page, q))
    other = await open_page(q, cookies=entered(quality_web, "ana"), viewport=LAPTOP)
    await expect(other.locator(".comments .text")).to_have_text(WORDS)


async def test_another_call_is_asked_for(
    stage: EvaluationStage, quality_web: Web, hub: Hub, open_page: OpenPage
) -> None:
    hub.answer = stage.answer
    q = stage.assign(2)
    page = await open_page(
        f"{quality_web.url}/ui/quality/evaluate/{q}?lang=es",
        cookies=entered(quality_web, "ana"), viewport=PHONE,
    )  # fmt: skip
    await page.get_by_text("No se puede evaluar").click()
    await page.get_by_label("Pedir otra llamada en su lugar").select_option("nobodys")
    await page.get_by_role("button", name="Pedir otra llamada").click()
    await expect(page.get_by_role("heading", name="Sus llamadas")).to_be_visible()
    assert stage.asked[-1]["action"] == "sample_replaced"
    assert stage.asked[-1]["why"] == "nobodys"
