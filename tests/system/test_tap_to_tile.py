"""From a badge on a simulated station to the tile in a supervisor's browser, nothing left out:
real firmware in the VM, pseudo-terminal, gateway, NATS, ingest, store, web, Chromium.
"""

import time

from diadema_sim import people
from diadema_sim.centre import open_centre
from playwright.async_api import async_playwright, expect

from tests.support.chromium import CHROMIUM, FLAGS


async def test_badge_and_call_change_the_tile(tmp_path, system_program):
    chromium = system_program(CHROMIUM, CHROMIUM)
    desks = people.desks(2)
    me = desks[0].person
    async with open_centre(
        desks,
        name="Centro de muestra",
        zone="America/Lima",
        tree=people.LIMA_TREE,
        start_utc_ms=int(time.time() * 1000),
        data=tmp_path / "data",
    ) as centre:
        await centre.switch_on()
        desk = centre.agents[0]
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)
            page = await browser.new_page()
            expect.set_options(timeout=300_000)
            await page.goto(centre.entry_link())
            tile = page.locator(f'[data-a="{me.id}"]')
            await expect(tile).to_have_attribute("data-state", "logged_out")
            await desk.log_in()
            await expect(tile).to_have_attribute("data-state", "not_ready")
            await expect(tile).to_contain_text(me.name)
            await expect(tile).to_contain_text(desks[0].seat)
            await desk.get_ready()
            await expect(tile).to_have_attribute("data-state", "ready")
            await desk.ring("C-1", queue="Consultas")
            await expect(tile).to_have_attribute("data-state", "offered")
            await desk.answer("C-1")
            await expect(tile).to_have_attribute("data-state", "talking")
            await desk.hang_up("C-1")
            await expect(tile).to_have_attribute("data-state", "wrapup")

            wall = await browser.new_page()
            await wall.goto(centre.web + "/wall")
            public = wall.locator(f'[data-a="{me.id}"], :text-is("{me.alias}")').first
            await expect(public).to_be_visible()
            assert me.name not in await wall.content()
            await browser.close()
