"""The bar of every page: groups that say what is behind them, by hand, by keyboard and by ear."""

import re

import pytest
from axe_playwright_python.async_playwright import Axe
from diadema.access.roles import Person, Role
from diadema.site.directory.kinds import KINDS
from diadema.web.shell import NAV
from diadema.words import LANGUAGES, section, text
from playwright.async_api import Page, expect

from tests.host.web.test_floor_page import fill
from tests.support.web_stage import Hub, Web
from tests.support.web_viewer import OpenPage

pytestmark = pytest.mark.asyncio(loop_scope="session")
PATHS = [path for _, ways in NAV for _, path, *_ in ways if path != "/wall"]
ADMIN = Person(id="x", name="", role="admin")


def reader_of(path: str) -> Role:
    """An administrator, where they have that page at all."""
    rights = next((rights for _, ways in NAV for _, its, *rights in ways if its == path), ())
    others: tuple[Role, ...] = ("admin", "quality_lead", "area")
    able = [one for one in others if not rights or Person(id="x", name="", role=one).may(*rights)]
    return able[0]


@pytest.mark.parametrize("language", LANGUAGES)
async def test_no_name_is_there_twice(language: str) -> None:
    """A link says no group's name, and none of the lists of people and places."""
    people = section("people", language)
    names = [people[f"kind.{kind}"] for kind in KINDS]
    names += [text(word, language) for word, _ in NAV]
    names += [text(word, language) for _, ways in NAV for word, *_ in ways]
    assert sorted({name for name in names if names.count(name) > 1}) == []


async def test_every_way_is_of_somebody() -> None:
    """An administrator has all but an area's own page, and what the monitors do."""
    for path in PATHS:
        role = reader_of(path)
        rights = next(rights for _, ways in NAV for _, its, *rights in ways if its == path)
        assert Person(id="x", name="", role=role).may(*rights)
        assert (role == "area") == (path == "/ui/area")


async def _shown(page: Page) -> list[str]:
    return [await one.inner_text() for one in await page.locator(".bar-group a:visible").all()]


@pytest.mark.parametrize("path", ["/ui/", "/ui/accounts", "/account"])
async def test_a_group_opens_by_keyboard_and_closes(
    web: Web, hub: Hub, open_page: OpenPage, path: str
) -> None:
    page = await open_page(f"{web.url}{path}?lang=es", viewport={"width": 1366, "height": 800})
    figures = page.get_by_role("button", name="Cifras")
    await expect(figures).to_have_attribute("aria-expanded", "false")
    assert await _shown(page) == []
    await expect(page.locator("[data-theme-button] svg")).to_be_visible()  # the bar has its module
    await figures.focus()
    await page.keyboard.press("Enter")
    await expect(figures).to_have_attribute("aria-expanded", "true")
    assert await _shown(page) == ["TMO y llamadas", "Tipificación del día", "Reportes"]
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="TMO y llamadas")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(figures).to_be_focused()
    assert await _shown(page) == []
    await figures.click()
    await page.get_by_role("button", name="Personas").click()
    assert (await _shown(page))[0] == "Asesores del día"
    await page.mouse.click(700, 780)
    assert await _shown(page) == []


@pytest.mark.parametrize("path", [*PATHS, "/wall", "/account", "/ui/reports?kind=tmo&grain=week"])
async def test_axe_finds_nothing(
    worked_web: Web, hub: Hub, open_page: OpenPage, path: str
) -> None:
    """By all of its rules, on a centre with two days of work, laptop and telephone."""
    page = await open_page(f"{worked_web.url}{path}", role=reader_of(path))
    await expect(page.locator("h1").first).to_be_attached()
    await page.wait_for_load_state("networkidle")
    for width in (1366, 390):
        await page.set_viewport_size({"width": width, "height": 800})
        found = await Axe().run(page, options={"resultTypes": ["violations"]})
        assert found.violations_count == 0, f"{width}: {found.generate_report()}"


@pytest.mark.parametrize("path", PATHS)
async def test_every_page_is_inside_and_says_where_one_is(
    web: Web, hub: Hub, open_page: OpenPage, path: str
) -> None:
    """One title, one place that is the page, one bar of at most two lines."""
    page = await open_page(
        f"{web.url}{path}?lang=es",
        role=reader_of(path),
        viewport={"width": 1366, "height": 800},
    )
    here = page.locator(".bar-group [aria-current=page]")
    await expect(here).to_have_count(1)
    assert await here.get_attribute("href") == f"{path}?lang=es"
    await expect(page.locator(".bar-group[data-here]")).to_have_count(1)
    await expect(page.locator("h1")).to_have_count(1)
    await expect(page.get_by_role("main")).to_have_count(1)
    title = await page.locator("h1").inner_text()
    assert title not in [await one.inner_text() for one in await page.locator("h2, h3").all()]
    bar = await page.locator("header.bar").bounding_box()
    assert bar is not None and bar["height"] <= 64
    await page.set_viewport_size({"width": 390, "height": 844})
    bar = await page.locator("header.bar").bounding_box()
    assert bar is not None and bar["height"] <= 96
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390


async def test_on_a_telephone_one_button_has_all_ways(
    web: Web, hub: Hub, open_page: OpenPage
) -> None:
    await fill(hub)
    page = await open_page(f"{web.url}/ui/?lang=es", viewport={"width": 390, "height": 844})
    await expect(page.locator(".tile")).to_have_count(11)
    assert await _shown(page) == []
    await page.get_by_role("button", name="Páginas").click()
    assert await _shown(page) == [
        text(word) for _, ways in NAV for word, _, *rights in ways if ADMIN.may(*rights)
    ]
    await expect(page.get_by_role("button", name="Salir")).to_be_visible()
    await page.keyboard.press("Escape")
    assert await _shown(page) == []


async def test_who_has_less_sees_less(web: Web, hub: Hub, open_page: OpenPage) -> None:
    groups = {
        "technician": ["Floor", "Figures", "Stations"],
        "area": ["Floor"],
    }
    for role, names in groups.items():
        page = await open_page(f"{web.url}/account?lang=en", role=role)
        shown = page.locator(".bar-group > button")
        await expect(shown).to_have_text([re.compile(name) for name in names])


async def test_while_it_is_read_its_shape_stands_there(
    worked_web: Web, hub: Hub, open_page: OpenPage
) -> None:
    """Held up for good, the list of people is a shape that has a word for ears."""
    page = await open_page(f"{worked_web.url}/ui/fleet?lang=es")
    await page.route("**/api/v1/people/agents?*", lambda route: None)
    await page.goto(f"{worked_web.url}/ui/people?lang=es")
    shape = page.locator(".kind-body .skeleton")
    await expect(shape).to_be_visible()
    await expect(shape).to_have_text("Cargando…")
    box = await shape.bounding_box()
    assert box is not None and box["height"] > 200
    await page.unroute_all(behavior="ignoreErrors")
