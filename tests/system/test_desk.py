"""A whole call at the virtual desk, by clicking what it draws, in a headless Chromium: what the
page shows is read off its canvas, and what it did is in the hub's store.
"""

import asyncio
import base64
from collections.abc import Awaitable, Callable

from diadema_sim import people
from diadema_sim.desk.server import DeskOptions, open_desk
from playwright.async_api import Page, async_playwright, expect

from tests.support.chromium import CHROMIUM, FLAGS
from tests.support.screen_words import as_text, find, label_key, line_key

_LIMIT_S = 300
_PATIENCE_LOOKS = 50  # before a press that did nothing is repeated
_READ = """() => {
  const canvas = document.querySelector("[data-screen]");
  const dot = canvas.width / 128;
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const ram = new Uint8Array(1024);
  const middle = Math.floor(Math.max(dot - 1, 1) / 2);
  for (let y = 0; y < 64; y += 1)
    for (let x = 0; x < 128; x += 1)
      if (data[4 * ((y * dot + middle) * canvas.width + x * dot + middle)] > 99)
        ram[(y >> 3) * 128 + x] |= 1 << (y & 7);
  return btoa(String.fromCharCode(...ram));
}"""


class Hand:
    """Somebody who reads the drawn screen and touches the drawn things."""

    def __init__(self, page: Page) -> None:
        self.page = page

    async def state(self) -> str:
        return await self.page.locator("main").get_attribute("data-state") or ""

    async def screen(self) -> bytes:
        return base64.b64decode(await self.page.evaluate(_READ))

    async def badge(self, person: str) -> None:
        await self.page.click(f'[data-badge="{person}"]')

    async def key(self, key: int) -> None:
        await self.page.click(f'[data-key="{key}"]')

    async def pin(self, pin: str) -> None:
        """Once the screen asks for it; one press a digit."""
        async with asyncio.timeout(_LIMIT_S):
            while not find(await self.screen(), "PIN"):
                await asyncio.sleep(0.02)
        for digit in pin:
            await self.key(int(digit))

    async def until(self, state: str, act: Callable[[], Awaitable[bool]]) -> None:
        """Do `act`, again where it could do nothing yet, until the station is in `state`."""
        try:
            async with asyncio.timeout(_LIMIT_S):
                while await self.state() != state:
                    looks = _PATIENCE_LOOKS if await act() else 1
                    while looks and await self.state() != state:
                        looks -= 1
                        await asyncio.sleep(0.02)
        except TimeoutError:
            shown = as_text(await self.screen())
            raise AssertionError(f"{await self.state()}, not {state}:\n{shown}") from None

    async def label(self, label: str, state: str) -> None:
        """Press the key under this soft label, until it did what it says."""

        async def press() -> bool:
            key = label_key(await self.screen(), label)
            if key:
                await self.key(key)
            return key is not None

        await self.until(state, press)

    async def lines(self, lines: list[str], state: str, label: str = "") -> None:
        """Pick of each list the first of these lines that it has, and say yes where it is asked;
        `label` opens the first one.
        """

        async def pick() -> bool:
            before = await self.screen()
            found = [3] if find(before, "3 Sí") else [line_key(before, line) for line in lines]
            key = next((key for key in (*found, label_key(before, label)) if key), None)
            if key is None:
                return False
            await self.key(key)
            for _ in range(_PATIENCE_LOOKS):
                if await self.screen() != before:
                    break
                await asyncio.sleep(0.02)
            return False

        await self.until(state, pick)


async def test_a_call_from_badge_to_badge(system_program):
    chromium = system_program(CHROMIUM, CHROMIUM)
    me = people.desks(1)[0].person
    faults = []
    async with open_desk(DeskOptions(port=0)) as desk, async_playwright() as playwright:
        desk.failure.add_done_callback(lambda ended: faults.append(repr(ended)))
        browser = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = await browser.new_page(viewport={"width": 1280, "height": 800})
        page.set_default_timeout(1000 * _LIMIT_S)
        expect.set_options(timeout=1000 * _LIMIT_S)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda line: faults.append(line.text) if line.type == "error" else 0)
        await page.goto(desk.url)
        main = page.locator("main")
        hand = Hand(page)

        await hand.badge("unknown")
        newest = page.locator("[data-said] li span").first
        await expect(newest).to_have_text("Fotocheck no reconocido.")
        await hand.badge(me.id)
        await hand.pin(me.pin)
        await expect(main).to_have_attribute("data-state", "not_ready")
        await expect(page.locator("[data-who]")).to_have_text(me.name)
        await hand.label("Disp.", "ready")
        await expect(page.locator('[data-light="ready"]')).to_have_attribute("data-lit", "")

        await page.click('[data-do="ring"]')
        await expect(main).to_have_attribute("data-state", "offered")
        await hand.key(1)
        await expect(main).to_have_attribute("data-state", "talking")
        await hand.label("Espera", "held")
        await hand.label("Volver", "talking")
        await hand.lines(["Tarjetas", "Transferir"], "wrapup", label="Menú")
        await hand.lines(["Saldo", "Cuentas", "Consultas"], "ready")

        async def log_out() -> bool:
            key = line_key(await hand.screen(), "Cerrar sesión")
            await (hand.key(key) if key else hand.badge(me.id))
            return True

        await hand.until("logged_out", log_out)
        await expect(page.locator("[data-stored]")).to_have_text("todo guardado en el servidor")
        kinds = await page.locator("[data-said] li").evaluate_all(
            "lines => lines.map((line) => line.dataset.kind)"
        )
        assert faults == []
        await browser.close()
        assert desk.centre and await desk.centre.drain() == 0
        reader = desk.centre.reader()
        stored = [event.event for event in reader.events_of(desk.about["station"])]
        (contact,) = reader.contacts()
        (session,) = reader.sessions()
        reader.close()
    assert (contact.agent, contact.outcome, contact.ended_by) == (me.id, "answered", "transfer")
    assert (contact.code, contact.queue) == ("111", "Banca")
    wanted = [
        "session.denied", "attendance.marked", "session.opened", "contact.offered",
        "contact.answered", "contact.held", "contact.resumed", "contact.transferred",
        "contact.ended", "wrapup.started", "contact.typified", "wrapup.ended", "session.closed",
    ]  # fmt: skip
    happened = [event["k"] for event in stored]
    assert _in_order(wanted, kinds[::-1]) and _in_order(kinds[::-1], happened), happened
    assert (session.agent, session.reason) == (me.id, "agent")


def _in_order(some: list[str], of: list[str]) -> bool:
    left = iter(of)
    return all(kind in left for kind in some)
