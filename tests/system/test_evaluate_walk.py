"""Calls that a switch recorded, from the files to the report (UC2-E1.1, E1.2, E1.3, E1.5): the hub
commits to a secret, links the recordings and draws; in a browser the coordinator reads the draw,
the monitor hears and evaluates, and both papers of the period have the evaluation. Nothing that
was paused reaches the browser, and the register has the seconds that were really served.
"""

import asyncio
import contextlib
import json
import os
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from axe_playwright_python.async_playwright import Axe
from diadema.access import Accounts
from diadema.access.roles import THE_HUB
from diadema.base.clock import SharedClock
from diadema.base.paths import DataDir
from diadema.recordings import settings
from diadema.site import description as sites
from diadema.site.directory.book import Directory
from diadema.site.directory.freezing import publish_quality
from diadema.site.directory.publishing import begin
from diadema.store import open_reader, open_writer, tables
from playwright.async_api import Page, Response, async_playwright, expect

from tests.support.broker_fixtures import IngestProcess, running_broker, until
from tests.support.chromium import CHROMIUM, FLAGS
from tests.support.evaluation_stage import ITEMS, SECTIONS, entered
from tests.support.informed import inform
from tests.support.recorded_calls import CALLER, needs_voices
from tests.support.scripted_station import SITE, T0
from tests.support.spoken_calls import SpokenCall, SpokenCalls, is_heard, paused_is_silent
from tests.support.supervisor import LIMIT_MS
from tests.support.targeted import put
from tests.support.web_stage import ACCOUNT_PASSWORD, Web

pytestmark = [pytest.mark.asyncio, needs_voices]
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
MIDNIGHT = T0 - (6 * 3600 + 6 * 60 + 40) * 1000  # of that day in Lima
EVENING, MORNING = MIDNIGHT + 23 * 3_600_000, MIDNIGHT + 28 * 3_600_000
DAY = datetime.fromtimestamp(T0 / 1000, ZoneInfo(SITE["zone"])).date()
PAPERS = {
    "speech": "Evaluación de la calidad del speech",
    "personal": "Reporte del personal a cargo",
}
HEARD = ("plain", "gsm", "ogg", "late", "drift", "given", "taken")
WHOLE = """async ({ sound, size }) => {
  let count = 0;
  while (count < size) {
    const range = `bytes=${count}-${Math.min(count + 160000, size) - 1}`;
    const answer = await fetch(sound, { headers: { range }, cache: "no-store" });
    if (answer.status === 429) {
      await new Promise((go) => setTimeout(go, 1000 * answer.headers.get("retry-after")));
      continue;
    }
    if (answer.status !== 206) return answer.status;
    count += (await answer.arrayBuffer()).byteLength;
  }
  return count;
}"""


@pytest.fixture
def chromium(system_program: Callable[[str, str], str]) -> str:
    return system_program(CHROMIUM, CHROMIUM)


class Received:
    """What reached the browser: the address that a hearing got, and its bytes by their place."""

    def __init__(self, page: Page) -> None:
        self.told: dict[str, Any] = {}
        self.parts: list[tuple[int, bytes]] = []
        self._waiting: list[asyncio.Task[None]] = []
        page.on("response", self._begin)

    def _begin(self, answer: Response) -> None:
        self._waiting.append(asyncio.ensure_future(self._take(answer)))

    async def _take(self, answer: Response) -> None:
        if answer.url.endswith("/hearing") and answer.ok:
            self.told, self.parts = await answer.json(), []
        elif answer.url.endswith("/sound") and answer.status == 206:
            found = re.match(r"bytes (\d+)-", answer.headers["content-range"])
            assert found is not None and answer.headers["cache-control"] == "no-store"
            self.parts.append((int(found[1]), await answer.body()))

    async def settled(self) -> None:
        await asyncio.gather(*self._waiting)

    def whole(self) -> bytes:
        size = self.told["frames"] * self.told["sides"] * 2
        made = bytearray(b"\xff" * size)  # what did not come is not silent
        for at, part in self.parts:
            made[at : at + len(part)] = part
        return bytes(made)

    @property
    def served_ms(self) -> float:
        wide = self.told["sides"] * 2 * self.told["rate"] / 1000
        return sum(len(part) for _, part in self.parts) / wide


def said(data: Any, *kinds: str) -> list[dict[str, Any]]:
    """What the hub wrote down, in order."""
    row = tables.events.c
    query = tables.events.select().where(row.k.in_(kinds)).order_by(row.s, row.e, row.n)
    with open_reader(data.store) as reader, reader.engine.connect() as tx:
        return [json.loads(one.body) for one in tx.execute(query)]


async def prepared(folder: Path) -> SpokenCalls:
    """Files and a directory with a published form and a plan of each day; no event yet."""
    calls = SpokenCalls(folder)
    for path in calls.centre.root.rglob("*.*"):
        os.utime(path, ns=((T0 + 3_600_000) * 1_000_000,) * 2)
    data = DataDir(folder / "data")
    data.make()
    data.site.write_text(json.dumps(SITE))
    open_writer(data.store).close()
    settings.write(data, calls.centre.settings)
    with Directory(data.directory) as book:
        begin(book, sites.load(data.site), 1)
    inform(data, MIDNIGHT - 1, ("a001", "a002"))
    accounts = Accounts(data)
    accounts.book.add(THE_HUB, "ana", "Ana Paz", "monitor", password=ACCOUNT_PASSWORD)
    accounts.close()
    put(data, "scorecards", code="atencion", name="Atención")
    for order, (code, name) in enumerate(SECTIONS, 1):
        put(data, "scorecard_sections", scorecard="atencion", code=code, name=name, order=order)
    for order, item in enumerate(ITEMS, 1):
        put(data, "scorecard_items", scorecard="atencion", order=order, **item)
    put(data, "sample_plans", code="diario", name="Diario", scorecard="atencion", period="day",
        per_agent=20, twice_share=0, twice_least=0, plan_days=5, monitors=["ana"])  # fmt: skip

    async def ask(subject: str, body: dict[str, Any]) -> dict[str, Any]:
        return {}

    with Directory(data.directory) as book:
        await publish_quality(book, "scorecards", by="luz", at_ms=2, ask=ask)
    calls.centre.data = data
    return calls


def q_of(data: Any, call: SpokenCall) -> str:
    (one,) = (each for each in said(data, "sample.assigned") if each["call"] == [*call.key])
    return f"{one['e']}-{one['n']}"


async def test_a_call_is_drawn_heard_evaluated_and_reported(tmp_path: Path, chromium: str) -> None:
    calls = await prepared(tmp_path)
    data = calls.data
    async with contextlib.AsyncExitStack() as held:
        broker = await held.enter_async_context(running_broker(data.root))
        clock = SharedClock(data.root / "clock", create=True)
        clock.set(MIDNIGHT + 1000, 1)
        hub = IngestProcess(broker, data.root / "clock")
        await hub.start()
        await until(lambda: said(data, "sample.planned"))
        await hub.stop()
        calls.store()
        clock.set(EVENING, 1)
        await held.enter_async_context(hub)
        await until(lambda: len(said(data, "recording.linked")) >= len(HEARD))
        assert not said(data, "sample.drawn"), "the day is not over"
        clock.set(MORNING, 1)
        await until(lambda: len(said(data, "sample.assigned")) >= len(HEARD))
        twins = calls["twins"]
        assert [*twins.key] not in [one["call"] for one in said(data, "sample.assigned")]

        web = Web(data.root, broker.url, data.root / "clock")
        web.start()
        held.callback(web.kill)
        playwright = await held.enter_async_context(async_playwright())
        browser = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        held.push_async_callback(browser.close)
        expect.set_options(timeout=LIMIT_MS)
        faults: list[str] = []

        async def page_of(account: str) -> Page:
            context = await browser.new_context(viewport={"width": 1366, "height": 900})
            await context.add_cookies(
                [
                    {"name": name, "value": one, "url": web.url}
                    for name, one in entered(web, account).items()
                ]
            )
            page = await context.new_page()
            page.set_default_timeout(LIMIT_MS)
            page.on("pageerror", lambda error: faults.append(str(error)))
            return page

        coordinator, page = await page_of("luz"), await page_of("ana")
        await drawn(coordinator, web, data)
        received = Received(page)
        for name in HEARD:
            await heard(page, web, data, calls[name], received)
        await evaluated(page, web, data, calls["plain"], received)
        await reported(coordinator, web)
        assert faults == []
        logs = (data.root / "web.log").read_text() + data.log("ingest").read_text()
        for word in (CALLER, "Rosa", "a001", str(calls.centre.root)):
            assert word not in logs


async def drawn(page: Page, web: Web, data: Any) -> None:
    """The plan, and of its draw what anybody can check."""
    await page.goto(f"{web.url}/ui/quality/samples?lang=es")
    plan = page.locator("[data-plan=diario]")
    await expect(plan).to_contain_text(re.compile(r"0 de \d+ evaluadas"))
    await plan.get_by_role("link", name="Diario").click()
    await page.get_by_role("link", name=DAY.isoformat()).click()
    (draw,) = said(data, "sample.drawn")
    main = page.locator("main")
    for one in (draw["frame_hash"], draw["secret"], "Ana Paz"):
        await expect(main).to_contain_text(one)


async def reported(page: Page, web: Web) -> None:
    """One call is too few for a mean: both papers have its score, one says it is too few."""
    for kind, title in PAPERS.items():
        await page.goto(f"{web.url}/ui/reports?kind={kind}&day={DAY}&lang=es")
        main = page.locator("main")
        await expect(main).to_contain_text(title)
        await expect(main).to_contain_text("75.6")
    await expect(main).to_contain_text("muestra insuficiente")


async def opened(
    page: Page, web: Web, data: Any, call: SpokenCall, received: Received | None = None
) -> None:
    await page.goto(f"{web.url}/ui/quality/evaluate/{q_of(data, call)}?lang=es")
    if received is not None:
        received.told, received.parts = {}, []
    await page.get_by_role("button", name="Oír la llamada").click()
    await expect(page.get_by_role("slider")).to_be_visible()


async def heard(page: Page, web: Web, data: Any, call: SpokenCall, received: Received) -> None:
    """By its player, and then all of it at once; nothing of what was paused is in it."""
    await opened(page, web, data, call, received)
    await page.keyboard.press("Space")
    await expect(page.get_by_role("button", name="Pausar")).to_be_visible()
    await until(lambda: received.told and received.parts)
    await page.keyboard.press("Space")
    told = received.told
    size = told["frames"] * told["sides"] * 2
    assert await page.evaluate(WHOLE, {"sound": told["sound"], "size": size}) == size
    await received.settled()
    whole = received.whole()
    assert is_heard(whole, rate=told["rate"], sides=told["sides"])
    start = told["start_ms"] or 0
    assert paused_is_silent(whole, call, rate=told["rate"], sides=told["sides"], start_ms=start), (
        call.name
    )
    before = len(said(data, "listening.ended"))
    answer = await page.evaluate(
        """async (listening) => (await (await import("/static/ask.js")).ask(
          "POST", `/api/v1/listenings/${listening}/end`, {})).heard_ms""",
        told["listening"],
    )
    assert answer == int(received.served_ms)
    await until(lambda: len(said(data, "listening.ended")) > before)
    assert said(data, "listening.ended")[-1]["heard_ms"] == answer


async def evaluated(page: Page, web: Web, data: Any, call: SpokenCall, received: Received) -> None:
    """By keyboard: play, jump, answer, comment; then a reload, and what was begun is there."""
    await opened(page, web, data, call)
    slider = page.get_by_role("slider")
    axe = await Axe().run(page, options={"runOnly": {"type": "tag", "values": WCAG}})
    assert axe.response["violations"] == []
    await page.keyboard.press("ArrowRight")
    await page.keyboard.press("ArrowRight")
    await expect(slider).to_have_attribute("aria-valuetext", re.compile("0:10 de .*pausa"))
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("1")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("3")
    listen = page.get_by_role("group", name="Escucha sin interrumpir")
    await expect(listen.get_by_text("Esta respuesta necesita un comentario.")).to_be_visible()
    await page.keyboard.press("c")
    await page.get_by_label("Comentar en 0:10").fill("Interrumpe al usuario")
    async with page.expect_response(lambda one: "Interrumpe" in (one.request.post_data or "")):
        await page.get_by_role("button", name="Guardar comentario").click()
    await expect(page.get_by_text("Borrador guardado")).to_be_visible()
    await page.reload()
    await expect(page.get_by_text("Interrumpe al usuario")).to_be_visible()
    await expect(listen.locator("input[value='3']")).to_be_checked()
    await page.get_by_role("group", name="Valida la identidad").get_by_text("Sí").click()
    coded = page.get_by_role("group", name="Tipifica lo que se trató")
    await expect(coded.locator("input").first).to_be_disabled()
    await coded.get_by_role("combobox").select_option("112")
    await coded.get_by_role("button", name="Confirmar código").click()
    await expect(coded.get_by_text("El asesor puso: 111")).to_be_visible()
    await coded.locator("label", has_text="No").click()
    closing = page.get_by_role("group", name="Pregunta si queda alguna duda")
    await closing.get_by_text("No aplica").click()
    await closing.get_by_role("button", name="Comentar").click()
    await closing.get_by_role("textbox").fill("El usuario cortó antes")
    await closing.get_by_role("button", name="Guardar comentario").click()
    await expect(page.locator(".score .figure")).to_have_text("75.6")  # 68 of 90
    await page.get_by_role("button", name="Enviar evaluación").click()
    await page.get_by_role("button", name="Sí, enviar").click()
    await expect(page.get_by_text("Evaluación enviada")).to_be_visible()
    (done,) = said(data, "evaluation.submitted")
    assert (done["answers"], done["raw"], done["call"]) == ("1310-", 756, [*call.key])
    notes = said(data, "evaluation.noted")
    assert {one["about"] for one in notes} == {"improve", "code"}
    assert [one["from_ms"] for one in notes if one["text"].startswith("Interrumpe")] == [10_000]
