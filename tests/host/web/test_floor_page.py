"""The floor in a real browser: under /ui and on the bare /wall, by eye, keyboard and ear."""

import re

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import expect

from tests.support.web_stage import Hub, Web
from tests.support.web_viewer import OpenPage

pytestmark = pytest.mark.asyncio(loop_scope="session")
PAGES = ["/ui/", "/wall"]
STATES = ["ready", "offered", "dialing", "talking", "held", "consulting", "wrapup", "not_ready"]
STATES += ["logged_out"]


async def fill(hub: Hub, now: int = 1_795_000_000_000) -> None:
    """Somebody in each state, one with a lost link, one at two seats."""
    for k, state in enumerate(STATES):
        seen = None if state == "logged_out" else now - 1000 * k
        row = {"a": f"a{k:03d}", "name": f"Asesor {k}", "alias": f"N{k}", "state": state}
        row |= {"since": seen, "t": seen, "seat": f"A-{k:02d}", "contacts": k, "tmo": 60 + k}
        await hub.put(**row, team="Ventas" if k % 2 else "Soporte")
    await hub.put(
        a="a100", name="Lejos", alias="LJ", state="talking", since=now, t=now, link="lost"
    )
    await hub.put(a="a101", name="Doble", alias="DB", state="ready", since=now, warn="two_seats")


@pytest.mark.parametrize("path", PAGES)
async def test_a_tile_follows_its_row(web: Web, hub: Hub, open_page: OpenPage, path: str) -> None:
    await hub.put(state="not_ready", reason="r", reason_label="Refrigerio", since=1_000, t=1_000)
    page = await open_page(web.url + path)
    tile = page.locator(".tile")
    await expect(tile).to_have_attribute("data-state", "not_ready")
    await expect(tile).to_contain_text("auxiliar · Refrigerio")
    await expect(page.locator("h1")).to_have_text("Centro")
    await hub.put(state="talking", since=2_000, t=2_000, c="c-9", queue="Cobranza", contacts=7)
    await expect(tile).to_have_attribute("data-state", "talking")
    await expect(tile).to_have_attribute("data-t", "2000")
    await expect(tile).to_contain_text("en llamada")
    await expect(page.locator("[data-total=talking] b")).to_have_text("1")
    await expect(page.locator("[data-total=not_ready] b")).to_have_text("0")


async def test_the_floor_shows_all_and_the_wall_no_more_than_alias_state_and_clock(
    web: Web, hub: Hub, open_page: OpenPage
) -> None:
    row = {"state": "held", "seat": "B-07", "c": "c-33", "queue": "Reclamos", "contacts": 12}
    await hub.put(**row, tmo=245, since=1_000, t=1_000)
    floor = (await open_page(f"{web.url}/ui/")).locator(".tile")
    for shown in ("Rosa Quispe Huamán", "B-07", "Reclamos", "c-33", "12", "TMO 4:05", "en espera"):
        await expect(floor).to_contain_text(shown)
    wall = (await open_page(f"{web.url}/wall")).locator(".tile")
    await expect(wall).to_have_text(re.compile(r"^RQ[\d:]+en espera$"))


async def test_help_and_fault_are_on_the_tile_and_not_on_the_wall(
    web: Web, hub: Hub, open_page: OpenPage
) -> None:
    asked = {"help": 1_795_000_000_000, "help_topic": "Procedimiento"}
    await hub.put(state="talking", since=1_000, t=1_000, seat="A-01", c="c-9", **asked)
    page = await open_page(f"{web.url}/ui/")
    tile = page.locator(".tile")
    await expect(tile).to_have_attribute("data-warn", "")
    await expect(tile).to_contain_text(re.compile(r"A-01.*ayuda [\d:]+ · Procedimiento"))
    await hub.put(state="talking", since=1_000, t=2_000, seat="A-01", **asked, help_by="Ana Ruiz")
    await expect(tile).to_contain_text(re.compile(r"ayuda [\d:]+ · Ana Ruiz"))
    await hub.put(state="ready", since=1_000, t=3_000, seat="A-01", fault=0, fault_by="Teo")
    await expect(tile).to_contain_text("falla · Teo")
    wall = (await open_page(f"{web.url}/wall")).locator(".tile")
    await expect(wall).to_have_text(re.compile(r"^RQ[\d:]+disponible$"))
    await hub.put(state="ready", since=1_000, t=4_000, seat="A-01", c="c-9")
    await expect(tile).not_to_have_attribute("data-warn", "")
    await expect(tile.locator(".warn")).to_be_hidden()


async def test_running_time_is_the_hubs_and_ticks(web: Web, hub: Hub, open_page: OpenPage) -> None:
    page = await open_page(f"{web.url}/ui/")
    await page.clock.install(time=0)  # a viewer's clock that is wrong by decades
    await page.reload()
    await hub.put(state="ready", since=1_000, t=1_000)
    clock = page.locator(".tile .clock")
    await expect(clock).to_have_text(re.compile(r"^\d{6}:\d\d:\d\d$"))


@pytest.mark.parametrize("path", PAGES)
async def test_a_lost_link_is_no_logout(
    web: Web, hub: Hub, open_page: OpenPage, path: str
) -> None:
    await hub.put(state="talking", since=1_000, t=1_000)
    page = await open_page(web.url + path)
    tile = page.locator(".tile")
    await expect(tile).to_contain_text("en llamada")
    await expect(tile.locator(".link")).to_be_hidden()
    await hub.put(state="talking", since=1_000, t=1_000, link="lost")
    await expect(tile).to_have_attribute("data-link", "lost")
    await expect(tile.locator(".link")).to_have_text("sin conexión")
    await expect(tile).to_have_attribute("data-state", "talking")
    await expect(page.locator("[data-total=lost] b")).to_have_text("1")
    await expect(page.locator("[data-total=talking] b")).to_have_text("1")


async def test_names_are_text_and_never_markup(web: Web, hub: Hub, open_page: OpenPage) -> None:
    name = "<img src=x onerror=document.title=1><b>Ñ</b>"
    await hub.put(name=name, alias=name, state="ready", since=1, queue=name, seat=name)
    await hub.site(name=name)
    for path in PAGES:
        page = await open_page(web.url + path)
        await expect(page.locator(".tile .name")).to_have_text(name)
        await expect(page.locator("h1")).to_have_text(name)
        assert await page.locator(".tile img, .tile b, h1 img").count() == 0


async def test_arrows_move_along_the_tiles(web: Web, hub: Hub, open_page: OpenPage) -> None:
    await fill(hub)
    page = await open_page(f"{web.url}/ui/")
    await expect(page.locator(".tile")).to_have_count(11)
    await page.locator("select").last.focus()
    for _ in range(3):  # what is hidden is no stop
        await page.keyboard.press("Tab")
        if await page.locator(".tile:focus").count():
            break
    focused = page.locator(".tile:focus")
    await expect(focused).to_have_attribute("data-a", "a000")
    label = await focused.get_attribute("aria-label")
    assert label is not None and label.startswith("Asesor 0, posición A-00, disponible, ")
    await page.keyboard.press("ArrowRight")
    await expect(focused).to_have_attribute("data-a", "a001")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("ArrowUp")
    await expect(focused).to_have_attribute("data-a", "a001")
    await page.keyboard.press("End")
    await expect(focused).to_have_attribute("data-a", "a100")
    await page.keyboard.press("Home")
    await expect(focused).to_have_attribute("data-a", "a000")
    assert await page.locator('.tile[tabindex="0"]').count() == 1


async def test_focus_stays_with_the_agent_when_the_order_changes(
    web: Web, hub: Hub, open_page: OpenPage
) -> None:
    await fill(hub)
    page = await open_page(f"{web.url}/ui/?sort=state")
    held = page.locator('.tile[data-a="a004"]')
    await held.focus()
    await hub.put(a="a004", name="Asesor 4", state="ready", since=1, seat="A-04")
    await expect(page.locator(".tile").first).to_have_attribute("data-a", "a004")
    await expect(held).to_be_focused()


async def test_filters_and_order_live_in_the_address(
    web: Web, hub: Hub, open_page: OpenPage
) -> None:
    await fill(hub)
    page = await open_page(f"{web.url}/ui/")
    shown = page.locator(".tile:not([hidden])")
    await page.locator("[data-total=talking]").click()
    await expect(shown).to_have_count(2)
    await page.locator("[data-total=lost]").click()
    await expect(shown).to_have_count(1)
    await page.get_by_label("Ordenar por").select_option("time")
    assert page.url.endswith("/ui/?state=talking&link=lost&sort=time")
    await page.reload()
    await expect(shown).to_have_count(1)
    await expect(page.locator("[data-total=talking]")).to_have_attribute("aria-pressed", "true")
    await expect(page.get_by_role("link", name="English")).to_have_attribute(
        "href", "?state=talking&link=lost&sort=time&lang=en".replace(",", "%2C")
    )
    await page.get_by_role("button", name="Quitar filtros").click()
    await expect(shown).to_have_count(11)
    await page.get_by_role("searchbox").fill("asesor 3")
    await expect(shown).to_have_count(1)
    await page.get_by_role("searchbox").fill("nadie así")
    await expect(page.locator(".empty")).to_have_text("Ningún asesor coincide con los filtros.")


async def test_english_is_there(web: Web, hub: Hub, open_page: OpenPage) -> None:
    await fill(hub)
    page = await open_page(f"{web.url}/ui/?lang=en")
    await expect(page.locator('.tile[data-a="a006"]')).to_contain_text("wrap-up")
    await expect(page.locator("html")).to_have_attribute("lang", "en")
    await page.get_by_role("link", name="Español").click()
    await expect(page.locator('.tile[data-a="a006"]')).to_contain_text("post llamada")


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_no_wcag_violation(
    web: Web, hub: Hub, open_page: OpenPage, path: str, scheme: str
) -> None:
    await fill(hub)
    page = await open_page(web.url + path, color_scheme=scheme, reduced_motion="reduce")
    await expect(page.locator(".tile")).to_have_count(11)
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    results = await Axe().run(page, options={"runOnly": tags, "resultTypes": ["violations"]})
    assert results.violations_count == 0, results.generate_report()


async def test_the_switch_goes_round_the_themes(web: Web, hub: Hub, open_page: OpenPage) -> None:
    page = await open_page(f"{web.url}/wall", color_scheme="dark")
    html = page.locator("html")
    button = page.get_by_role("button", name=re.compile("^Tema"))
    await expect(html).to_have_attribute("data-theme", "dark")
    await button.click()
    await expect(html).to_have_attribute("data-theme", "light")
    await page.reload()
    await expect(html).to_have_attribute("data-theme", "light")
    await expect(button).to_have_accessible_name("Tema: tema claro")


@pytest.mark.parametrize("agents", [4, 60])
async def test_the_wall_fits_the_screen(
    web: Web, hub: Hub, open_page: OpenPage, agents: int
) -> None:
    for k in range(agents):
        await hub.put(a=f"a{k:03d}", alias=f"N{k}", state="talking", since=1)
    page = await open_page(f"{web.url}/wall", viewport={"width": 1280, "height": 720})
    await expect(page.locator(".tile")).to_have_count(agents)
    for tile in await page.locator(".tile").all():
        box = await tile.bounding_box()
        assert box is not None and box["height"] > 20 and box["y"] + box["height"] <= 720
    assert await page.evaluate("document.documentElement.scrollHeight") <= 720


async def test_silence_is_shown_and_a_restart_needs_no_reload(
    own_nats: object, own_web: Web, open_page: OpenPage
) -> None:
    """Killed and started again: both pages grey, then live, never loaded anew."""
    hub = await Hub.open(own_web.nats_url)
    await hub.put(state="ready", since=1_000, t=1_000)
    pages = [await open_page(own_web.url + path) for path in PAGES]
    for page in pages:
        await expect(page.locator(".tile")).to_have_attribute("data-state", "ready")
        await expect(page.locator(".tiles")).to_have_attribute("aria-busy", "false")
        await page.evaluate("window.sameLoad = true")
    own_web.kill()
    for page in pages:
        await expect(page.locator(".tiles")).to_have_attribute("aria-busy", "true")
        await expect(page.locator(".notice")).to_contain_text(re.compile(r"Sin datos desde \d\d:"))
        await expect(page.locator(".tile")).to_contain_text("disponible")
    await hub.put(state="talking", since=2_000, t=2_000)
    own_web.start()
    for page in pages:
        await expect(page.locator(".tile")).to_have_attribute("data-state", "talking")
        await expect(page.locator(".tiles")).to_have_attribute("aria-busy", "false")
        await expect(page.locator(".notice")).to_be_hidden()
        assert await page.evaluate("window.sameLoad === true")
    await hub.close()
