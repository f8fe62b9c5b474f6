"""The virtual desk's page in a browser: mouse, touch and keyboard, what it draws and says."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from diadema.words import text
from diadema_sim.desk import commands
from diadema_sim.desk.commands import (
    Down,
    Refused,
    Tap,
    Up,
)
from playwright.async_api import Page, expect

from tests.support.desk_stage import STANDING, Stage, desk_stage, face
from tests.support.web_viewer import STAYS, OpenPage

pytestmark = pytest.mark.asyncio(loop_scope="session")
CUT = """() => [...document.querySelectorAll('main *, .bar *')]
  .filter(one => one.checkVisibility() && !one.closest('svg, .unseen'))
  .filter(one => getComputedStyle(one).position !== 'absolute')
  .filter(one => one.getBoundingClientRect().right > innerWidth + 1
    || one.getBoundingClientRect().left < -1)
  .map(one => one.className + ': ' + one.textContent)"""
DOT = """([x, y]) => {
  const canvas = document.querySelector('[data-screen]');
  const dot = canvas.width / 128;
  return [...canvas.getContext('2d').getImageData(x * dot, y * dot, 1, 1).data].slice(0, 3);
}"""


@pytest_asyncio.fixture(loop_scope="session")
async def stage() -> AsyncIterator[Stage]:
    async with desk_stage() as stage:
        yield stage


async def opened(stage: Stage, open_page: OpenPage, query: str = "", **options: Any) -> Page:
    page = await open_page(f"{stage.url}/desk{query}", **options)
    await expect(page.locator("[data-badge]")).to_have_count(3)
    return page


async def asked(stage: Stage) -> Any:
    return await stage.executor.asked.get()


async def test_a_key_is_held_as_long_as_the_mouse_is(stage: Stage, open_page: OpenPage) -> None:
    page = await opened(stage, open_page)
    await page.hover('[data-key="4"]')
    await page.mouse.down()
    assert await asked(stage) == Down(4)
    await page.mouse.move(5, 5)
    assert stage.executor.asked.empty()
    await page.mouse.up()
    assert await asked(stage) == Up(4)


async def test_a_finger_presses_a_key_too(stage: Stage, open_page: OpenPage) -> None:
    page = await opened(stage, open_page, has_touch=True)
    await page.tap('[data-key="2"]')
    assert [await asked(stage), await asked(stage)] == [Down(2), Up(2)]
    await page.tap('[data-badge="a002"]')
    assert await asked(stage) == Tap("a002")


async def test_the_keyboard_has_the_whole_desk(stage: Stage, open_page: OpenPage) -> None:
    page = await opened(stage, open_page)
    await page.evaluate(STAYS)
    await page.keyboard.down("6")
    await page.keyboard.down("1")
    await page.keyboard.up("6")
    await page.keyboard.up("1")
    for expected in (Down(6), Down(1), Up(6), Up(1)):
        assert await asked(stage) == expected
    for keys, expected in (
        ("b2", Tap("a002")), ("b3", Tap("unknown")), ("t", commands.Ring()),
        ("r", commands.Withdraw()), ("k", commands.HangUp()), ("h", commands.Headset(False)),
        ("c", commands.Cable(False)), ("p", commands.Power(False)), ("+", Down(4)),
    ):  # fmt: skip
        for key in keys:
            await page.keyboard.press(key)
        assert await asked(stage) == expected
    assert await asked(stage) == Up(4)  # a long press, let go of by itself


async def test_a_badge_is_waited_for_only_a_moment(stage: Stage, open_page: OpenPage) -> None:
    page = await opened(stage, open_page)
    await page.evaluate(STAYS)
    hint = page.locator("[data-tray-hint]")
    await page.keyboard.press("b")
    await expect(hint).to_have_text("¿Qué fotocheck? 1 a 3")
    await page.keyboard.press("Escape")
    await expect(hint).to_have_text(text("desk.tray.hint"))
    await page.keyboard.press("2")
    assert await asked(stage) == Down(2)


async def test_a_message_is_written_without_pressing_keys(
    stage: Stage, open_page: OpenPage
) -> None:
    page = await opened(stage, open_page)
    await page.keyboard.press("m")
    await page.keyboard.type("Pase 2 minutos")
    await page.keyboard.press("Enter")
    assert await asked(stage) == commands.Message("Pase 2 minutos")
    assert await page.input_value("#text") == ""


async def test_enter_on_a_key_is_a_short_press(stage: Stage, open_page: OpenPage) -> None:
    page = await opened(stage, open_page)
    await page.focus('[data-key="5"]')
    await page.keyboard.press("Enter")
    assert await asked(stage) == commands.Press(5)


async def test_a_key_is_let_go_when_the_window_loses_the_keyboard(
    stage: Stage, open_page: OpenPage
) -> None:
    page = await opened(stage, open_page)
    await page.keyboard.down("3")
    assert await asked(stage) == Down(3)
    await page.evaluate("dispatchEvent(new Event('blur'))")
    assert await asked(stage) == Up(3)


@pytest.mark.parametrize("scale", [1, 1.5, 2, 3])
async def test_a_dot_is_a_whole_number_of_pixels(
    stage: Stage, open_page: OpenPage, scale: float
) -> None:
    page = await opened(stage, open_page, device_scale_factor=scale)
    width, shown = await page.evaluate(
        "(() => { const one = document.querySelector('[data-screen]');"
        " return [one.width, one.getBoundingClientRect().width * devicePixelRatio]; })()"
    )
    assert width % 128 == 0
    assert abs(width - shown) < 0.5
    ram = bytearray(1024)
    ram[3 * 128 + 40] = 1 << 5  # column 40, row 29
    stage.room.tell(face(bytes(ram)))
    stage.room.tell({"standing": STANDING | {"volume": 71}})
    await expect(page.locator("[data-volume]")).to_have_text("71")
    assert min(await page.evaluate(DOT, [40, 29])) > 150
    for x, y in ((39, 29), (41, 29), (40, 28), (40, 30)):
        assert max(await page.evaluate(DOT, [x, y])) < 50


async def test_what_stands_is_shown(stage: Stage, open_page: OpenPage) -> None:
    page = await opened(stage, open_page)
    await expect(page.locator("[data-state-word]")).to_have_text("disponible")
    await expect(page.locator('[data-light="ready"]')).to_have_attribute("data-lit", "")
    stage.room.tell({"standing": STANDING | {"plugged": False, "cable": False, "reading": "a002"}})
    for name, state in (("headset", "false"), ("cable", "false"), ("power", "true")):
        switch = page.locator(f'button[data-toggle="{name}"]')
        await expect(switch).to_have_attribute("aria-checked", state)
    await expect(page.locator(".held")).to_have_text("JP")
    stage.room.tell(face(on=False))
    stage.room.tell({"standing": STANDING | {"powered": False}})
    await expect(page.locator("[data-resting]")).to_have_text("Sin energía")
    await expect(page.locator("[data-who]")).to_have_text("")


async def test_what_the_hub_has_not_is_marked(stage: Stage, open_page: OpenPage) -> None:
    page = await opened(stage, open_page)
    stored = page.locator("[data-stored]")
    await expect(stored).to_have_text("todo guardado en el servidor")
    entry = {"id": 3, "n": 3, "t": 1_795_000_002_000, "k": "contact.held", "tone": "call"}
    stage.room.tell({"said": [entry | {"text": "<b>Llamada</b> en espera."}]})
    newest = page.locator("[data-said] li").first
    await expect(newest.locator("span")).to_have_text("<b>Llamada</b> en espera.")
    await expect(newest).to_have_attribute("data-waits", "")
    await expect(stored).to_contain_text("1 en el diario de la estación")
    stage.room.tell({"standing": STANDING | {"stored": 3}})
    await expect(newest).not_to_have_attribute("data-waits", "")
    await expect(stored).to_have_text("todo guardado en el servidor")


@pytest.mark.parametrize("language", ["es", "en"])
async def test_a_refusal_is_said_and_can_be_put_away(
    stage: Stage, open_page: OpenPage, language: str
) -> None:
    page = await opened(stage, open_page, f"?lang={language}")
    await page.evaluate(STAYS)
    stage.executor.refusal = Refused("no_cable")
    await page.click('[data-do="ring"]')
    notice = page.locator("[data-notice]")
    await expect(notice).to_contain_text(text("desk.error.no_cable", language))
    await page.click("[data-notice-close]")
    await expect(notice).to_be_hidden()


@pytest.mark.parametrize("width", [320, 390, 768, 1024, 1280, 1920])
@pytest.mark.parametrize("language", ["es", "en"])
async def test_nothing_hangs_out(
    stage: Stage, open_page: OpenPage, width: int, language: str
) -> None:
    page = await opened(
        stage, open_page, f"?lang={language}", viewport={"width": width, "height": 800}
    )
    assert await page.evaluate(CUT) == []
    assert await page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_it_is_accessible(stage: Stage, open_page: OpenPage, theme: str) -> None:
    page = await opened(stage, open_page, f"?theme={theme}")
    # colours in the middle of a fade are nobody's
    await page.emulate_media(reduced_motion="reduce")
    results = await Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa"]})
    assert results.violations_count == 0, results.generate_report()
