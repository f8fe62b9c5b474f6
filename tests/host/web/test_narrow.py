"""A narrow window, as a telephone's: the figures on top stay whole and nothing hangs out."""

import pytest
from playwright.async_api import expect

from tests.host.web.test_floor_page import PAGES, fill
from tests.support.web_stage import Hub, Web
from tests.support.web_viewer import OpenPage

pytestmark = pytest.mark.asyncio(loop_scope="session")
CUT = """() => [...document.querySelectorAll('.total, .total b, .total span, .bar *')]
  .filter(one => one.offsetParent && getComputedStyle(one).position !== 'absolute')
  .filter(one => one.scrollWidth > one.clientWidth + 1 && one.clientWidth
    || one.getBoundingClientRect().right > innerWidth + 1
    || one.getBoundingClientRect().left < -1)
  .map(one => one.className + ': ' + one.textContent)"""


@pytest.mark.parametrize("width", [320, 400])
@pytest.mark.parametrize("language", ["es", "en"])
@pytest.mark.parametrize("path", PAGES)
async def test_nothing_on_top_is_cut(
    web: Web, hub: Hub, open_page: OpenPage, path: str, language: str, width: int
) -> None:
    await fill(hub)
    page = await open_page(
        f"{web.url}{path}?lang={language}", viewport={"width": width, "height": 800}
    )
    await expect(page.locator(".tile")).to_have_count(11)
    assert await page.evaluate(CUT) == []
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
