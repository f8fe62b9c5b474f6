"""/ui/fleet: what is wrong with stations stands before anything else, and a roll-out that stopped
says why.
"""

import json
import re
import zipfile
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from axe_playwright_python.async_playwright import Axe
from diadema.base.paths import DataDir
from diadema.ingest.core import Ingest
from diadema.ingest.messages import PREFIX, Message
from diadema.site.description import parse
from diadema.store import open_writer, tables
from diadema.store.host_rows import Seat
from msgspec.structs import astuple
from nats.aio.msg import Msg
from playwright.async_api import expect

from tests.support.scripted_station import SITE, T0, Script
from tests.support.web_stage import Hub, Nats, Web
from tests.support.web_viewer import OpenPage

pytestmark = pytest.mark.asyncio(loop_scope="session")
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
SICK = "DIA-050000000003"
OLD, LOST = "DIA-050000000007", "DIA-05000000000a"  # without PSRAM


def fill(data: DataDir, count: int) -> None:
    """So many stations, as a hub knows them after a roll-out that stopped."""
    names = [f"DIA-05000000{number:04x}" for number in range(count)]
    seats = [{"id": s, "seat": f"A-{number + 1:03}"} for number, s in enumerate(names)]
    described = json.dumps(SITE | {"stations": seats}).encode()
    data.make()
    data.site.write_bytes(described)
    writer = open_writer(data.store)
    clock = SimpleNamespace(now_ms=lambda: T0)
    ingest = Ingest(writer, parse(described), clock)
    messages = []
    for number, s in enumerate(names):
        build, psram = ("OTA", 0) if s == OLD else ("SPIRAM", 0 if s == LOST else 4_182_544)
        script = Script(s=s, e=number + 1)
        script.boot(board="lyrat_v4_3", micropython="1.28.0", build=f"ESP32_GENERIC-{build}",
                    psram=psram).clock(T0 + number * 1000)  # fmt: skip
        script.add("station.config", generation=1, hash="0")
        for part in range(8):
            heap = 90_000 - 700 * part - 13 * number
            script.add("station.health", 900_000, heap=heap, journal=part, discards=0,
                       bad_frames=0, rssi=-50 - number % 30)  # fmt: skip
        if s == SICK:
            script.add("station.fault", part="codec", code="no_answer")
        messages += script.messages()
        if number % 9:
            messages.append(script.hello_message(board="lyrat_v4_3"))
        if s == OLD:
            safe = {"up": False, "safe": True, "s": s, "cause": "old_image", "gw": "test",
                    "board": "lyrat_v4_3", "micropython": "1.28.0",
                    "build": "ESP32_GENERIC-OTA"}  # fmt: skip
            messages.append(Message(999, f"{PREFIX}gw-test.{s}.st", json.dumps(safe).encode()))
    ingest.take(messages, "stream", "server")
    with writer.transaction() as tx:
        writer.put(tx, tables.generations, [(1, "0" * 64, T0, "none")])
        seats = [Seat(number=1, station=s, stage=0, utc=T0) for s in names[1::2]]
        for seat in seats:
            seat.phase = {SICK: "failed", OLD: "passed"}.get(seat.station, "good")
        writer.put(tx, tables.rollout_seats, [astuple(seat) for seat in seats])
    writer.close()


@pytest.fixture(scope="module")
def fleet_web(
    nats_server: Nats, shared_hub: Hub, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Web]:
    folder = tmp_path_factory.mktemp("fleet")
    fill(DataDir(folder), 60)
    (folder / "logs" / f"{SICK}.log").write_text("codec: no answer <script>alert(1)</script>\n")
    web = Web(folder, nats_server.url)
    web.start()
    yield web
    web.kill()


STOPPED = {
    "number": 1, "status": "stopped", "stage": 1, "why": "failures", "seat": "A-004",
    "detail": "rolled_back: codec",
    "plan": {"board": "sim", "version": "0.2.0", "stages": ["2", "all"], "stop_after": 2,
             "what": "micropython"},
    "at": SICK,
    "seats": [
        {"s": SICK, "seat": "A-004", "phase": "failed", "reason": "rolled_back: codec"},
        {"s": "x", "seat": "A-007", "phase": "failed", "reason": "silent"},
        {"s": "y", "seat": "A-009", "phase": "good", "reason": None},
    ],
}  # fmt: skip
OLDER = STOPPED | {"number": 0, "why": "asked", "seats": [], "detail": None}


async def test_what_is_wrong_is_seen_and_why_an_update_stopped(
    fleet_web: Web, hub: Hub, open_page: OpenPage
) -> None:
    asked = []

    async def answer(message: Msg) -> None:
        asked.append(json.loads(message.data))
        went_on = any(body["do"] == "resume" for body in asked)
        newest = STOPPED | ({"status": "running", "why": None} if went_on else {})
        await message.respond(json.dumps({"rollouts": [OLDER, newest]}).encode())

    told = await hub.client.subscribe("hub.update", cb=answer)
    page = await open_page(f"{fleet_web.url}/ui/fleet", role="technician")
    await expect(page.locator("tbody tr")).to_have_count(50)
    await expect(page.locator("#main")).to_contain_text("60 estaciones · 52 con enlace")
    sick = page.locator("tr", has_text="A-004")
    await expect(sick).to_contain_text("Falla: códec de audio: no responde")
    rollout = page.locator("section.rollout", has_text="detenida").first
    await expect(rollout).to_contain_text("la última en A-004: volvió al anterior: códec de audio")
    await expect(rollout).to_contain_text("sim MicroPython 0.2.0")
    await expect(rollout).to_contain_text("A-007: no contestó en diez minutos")
    assert (await Axe().run(page, options={"runOnly": WCAG})).violations_count == 0
    await expect(rollout.get_by_role("button")).to_have_count(2)
    await rollout.get_by_role("button", name="Continuar sin las que fallaron").click()
    await expect(page.locator("section.rollout", has_text="en curso")).to_be_visible()
    assert {"do": "resume", "number": 1, "stop_after": 3} in asked
    await page.get_by_label("Buscar posición o estación").fill("a-058")
    await expect(page.locator("tbody tr")).to_have_count(1)
    await page.get_by_label("Buscar posición o estación").fill("")
    # the older one, of the same board, is over: no way leads back to it
    await expect(page.locator("section.rollout").get_by_role("button")).to_have_count(1)
    await sick.get_by_role("link").click()
    await expect(page.get_by_role("heading", name="Salud")).to_be_visible()
    await expect(page.locator("pre")).to_contain_text("<script>alert(1)</script>")
    await expect(page.locator(".chart")).to_have_count(3)
    await expect(page.locator("#main")).to_contain_text("Revise su cable y su alimentación.")
    async with page.expect_download() as begun:
        await page.get_by_role("button", name="Descargar etiqueta").click()
    label = await begun.value
    assert label.suggested_filename == "A-004.pdf"
    assert (await label.path()).read_bytes().startswith(b"%PDF")
    async with page.expect_download() as begun:
        await page.get_by_role("button", name="Descargar diagnóstico").click()
    with zipfile.ZipFile(await (await begun.value).path()) as made:
        assert f"{SICK}/events.jsonl" in made.namelist()
    await told.unsubscribe()


async def test_a_roll_out_that_was_held_too_long_names_who_and_who_is_out_of_it(
    fleet_web: Web, hub: Hub, open_page: OpenPage
) -> None:
    gone = {"s": "z", "seat": "A-011", "phase": "gone", "reason": None}
    held = STOPPED | {"why": "away", "detail": None, "seats": [*STOPPED["seats"][2:], gone]}
    waits = held | {"number": 2, "status": "running", "seats": []}

    async def answer(message: Msg) -> None:
        await message.respond(json.dumps({"rollouts": [held, waits]}).encode())

    told = await hub.client.subscribe("hub.update", cb=answer)
    page = await open_page(f"{fleet_web.url}/ui/fleet", role="technician")
    rollout = page.locator("section.rollout", has_text="detenida")
    await expect(rollout).to_contain_text("Se detuvo: A-004 no tiene enlace desde hace tres días.")
    await expect(rollout).to_contain_text("1 de 1 hechas")
    await expect(rollout).to_contain_text("A-011: fuera de la actualización")
    running = page.locator("section.rollout", has_text="en curso")
    await expect(running).to_contain_text("Espera a A-004: no tiene enlace.")
    await told.unsubscribe()


async def test_who_needs_another_image_is_seen_with_what_to_do(
    fleet_web: Web, hub: Hub, open_page: OpenPage
) -> None:
    passed = {"s": OLD, "seat": "A-008", "phase": "passed", "reason": "old_image"}
    over = STOPPED | {"status": "done", "why": None, "detail": None,
                      "seats": [*STOPPED["seats"][2:], passed]}  # fmt: skip

    async def answer(message: Msg) -> None:
        await message.respond(json.dumps({"rollouts": [over]}).encode())

    told = await hub.client.subscribe("hub.update", cb=answer)
    page = await open_page(f"{fleet_web.url}/ui/fleet?show=wrong", role="technician")
    old, lost = page.locator("tr", has_text="A-008"), page.locator("tr", has_text="A-011")
    await expect(old).to_contain_text("En modo seguro: necesita otra imagen")
    await expect(old).to_contain_text("la de ESP32_GENERIC-SPIRAM; la suya no usa la PSRAM")
    await expect(old).to_contain_text("fuera de la actualización")
    await expect(lost).to_contain_text("No encuentra su PSRAM")
    rollout = page.locator("section.rollout")
    await expect(rollout).to_contain_text("1 de 1 hechas")
    await expect(rollout).to_contain_text("A-008 queda fuera y no es una falla")
    await expect(rollout).to_contain_text("necesita otra imagen, la suya no usa la PSRAM")
    assert (await Axe().run(page, options={"runOnly": WCAG})).violations_count == 0
    await old.get_by_role("link").click()
    await expect(page.locator("header.page-head")).to_contain_text(
        "MicroPython 1.28.0 ESP32_GENERIC-OTA"
    )
    await expect(page.locator("#main")).to_contain_text("necesita otra imagen")
    await expect(page.locator("#main")).to_contain_text("Descargue ESP32_GENERIC-SPIRAM-…-v1.28")
    await expect(page.get_by_role("heading", name="Salud")).to_be_visible()
    await told.unsubscribe()


async def test_only_those_with_something_wrong(
    fleet_web: Web, hub: Hub, open_page: OpenPage
) -> None:
    page = await open_page(f"{fleet_web.url}/ui/fleet?show=wrong&lang=en", role="technician")
    await expect(page.locator("tbody tr").first).to_be_visible()
    rows = await page.locator("tbody tr").all_inner_texts()
    assert len(rows) == 3 and any("A-004" in row for row in rows)
    await expect(page.locator("#main")).to_contain_text("The hub does not answer")
    await page.get_by_role("link", name="Flash stations").click()
    await expect(page).to_have_url(re.compile("/flasher"))
