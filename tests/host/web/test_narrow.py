"""A narrow window, as a telephone's: the figures on top stay whole and nothing hangs out."""

import pytest
from diadema.access.roles import Person
from diadema.site.directory.kinds import KINDS
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


async def test_the_first_tile_is_within_the_first_screen_of_a_telephone(
    web: Web, hub: Hub, open_page: OpenPage
) -> None:
    """Below the head's figures, the totals and four alerts; filters are folded, and unfold."""
    await fill(hub)
    page = await open_page(f"{web.url}/ui/?lang=es", viewport={"width": 390, "height": 844})
    await expect(page.locator(".tile")).to_have_count(11)
    await expect(page.locator(".alert")).to_have_count(4)
    await expect(page.locator(".notice")).to_be_hidden()
    tile = await page.locator(".tile:visible").first.bounding_box()
    assert tile is not None and tile["y"] + tile["height"] <= 844
    group = page.get_by_label("Agrupar por")
    await expect(group).to_be_hidden()
    await page.get_by_role("button", name="Filtros").click()
    await group.select_option("state")
    await expect(page.locator(".group").nth(1)).to_be_visible()


FIGURES = """() => {
  const boxes = [...document.querySelectorAll('.stat')].map((one) => {
    const range = document.createRange();
    range.selectNodeContents(one.firstElementChild);
    return range;
  });
  const broken = boxes.filter((one) => one.getClientRects().length > 1);
  const cut = document.querySelectorAll('.stat b');
  const wide = [...cut].filter((one) => one.scrollWidth > one.clientWidth + 1);
  return [broken.length, wide.length];
}"""


@pytest.mark.parametrize("width", [390, 1366])
async def test_figures_of_the_head_neither_break_nor_touch(
    web: Web, hub: Hub, open_page: OpenPage, width: int
) -> None:
    await fill(hub)
    page = await open_page(f"{web.url}/ui/?lang=es", viewport={"width": width, "height": 844})
    await expect(page.locator(".tile")).to_have_count(11)
    await page.evaluate(
        """() => { for (const one of document.querySelectorAll('.stat b')) {
          one.textContent = '100.0 %'; } }"""
    )
    assert await page.evaluate(FIGURES) == [0, 0]


async def test_a_table_that_is_cut_says_so_and_begins_with_what_matters(
    worked_web: Web, hub: Hub, open_page: OpenPage
) -> None:
    page = await open_page(
        f"{worked_web.url}/ui/agents?lang=es", viewport={"width": 390, "height": 844}
    )
    heads = page.locator("thead th")
    await expect(heads.first).to_contain_text("Asesor")
    await expect(heads.nth(1)).to_contain_text("TMO")
    await expect(heads.nth(2)).to_contain_text("Atenciones")
    box = await heads.nth(1).bounding_box()
    assert box is not None and box["x"] + box["width"] <= 390
    shade = """() => {
      const one = document.querySelector('.q-table__middle');
      const look = getComputedStyle(one);
      return [one.scrollWidth > one.clientWidth, look.backgroundAttachment.includes('local'),
        getComputedStyle(one.firstElementChild).backgroundColor];
    }"""
    assert await page.evaluate(shade) == [True, True, "rgba(0, 0, 0, 0)"]


async def test_people_and_places_are_one_choice_on_a_telephone(
    worked_web: Web, hub: Hub, open_page: OpenPage
) -> None:
    page = await open_page(
        f"{worked_web.url}/ui/people?lang=es", viewport={"width": 390, "height": 844}
    )
    choice = page.get_by_role("combobox", name="Qué se edita")
    await choice.select_option("seats")
    await expect(page.locator(".kind-body .list-foot, .kind-body .empty").first).to_be_attached()
    assert "kind=seats" in page.url
    names = await choice.locator("option").evaluate_all("all => all.map(one => one.value)")
    may = [
        name
        for name, kind in KINDS.items()
        if Person(id="ada", name="Ada", role="admin").may(*kind.rights)
    ]
    assert sorted(names) == sorted(may) and len(may) < len(KINDS)
    await page.set_viewport_size({"width": 1366, "height": 800})
    await expect(choice).to_be_hidden()
    await expect(page.locator("[role=group] .kind")).to_have_count(len(may))
