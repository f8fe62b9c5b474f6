"""Bench tests on the pages of the fleet and by the API: begun, refused in words, and recorded on
paper.
"""

import json
import re
from collections.abc import Iterator
from types import SimpleNamespace

import httpx
import pytest
from axe_playwright_python.async_playwright import Axe
from diadema.base.paths import DataDir
from diadema.hub.commanding import Commands
from diadema.hub.inspections import Inspections
from diadema.ingest.core import Ingest
from diadema.site.description import parse
from diadema.store import open_reader, open_writer
from nats.aio.msg import Msg
from playwright.async_api import expect

from tests.support.scripted_station import SITE, T0, S, Script
from tests.support.web_stage import BEARER, Hub, Nats, Web
from tests.support.web_viewer import STAYS, OpenPage

pytestmark = pytest.mark.asyncio(loop_scope="session")
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


def fill(data: DataDir) -> None:
    """A station that was not fit and then was, and one that nobody tested."""
    described = json.dumps(SITE).encode()
    data.make()
    data.site.write_bytes(described)
    writer = open_writer(data.store)
    reader = open_reader(data.store)
    ingest = Ingest(writer, parse(described), SimpleNamespace(now_ms=lambda: T0))
    commands = Commands(ingest, None)
    bench = Inspections(data, ingest, commands, reader)
    script = Script().boot().clock()
    ingest.take([script.hello_message(), *script.messages()], "stream", "server")
    for word in ("failed", "ok"):
        answer, _ = bench.begin({"s": S, "by": "tecnica"})
        told = {"checks": {"keys": "ok", "microphone": word}, "bench": True, "i": answer["i"]}
        if word == "failed":
            told["reason"] = "microphone"
        script.add("station.selftest", 60_000, fit=word == "ok", **told)
        ingest.take(script.messages(first=script.n), "stream", "server")
        bench.make()
    reader.close()
    writer.close()


@pytest.fixture(scope="module")
def bench_web(
    nats_server: Nats, shared_hub: Hub, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Web]:
    folder = tmp_path_factory.mktemp("bench")
    fill(DataDir(folder))
    web = Web(folder, nats_server.url)
    web.start()
    yield web
    web.kill()


async def test_the_last_test_is_listed_and_the_records_are_printed(
    bench_web: Web, hub: Hub, open_page: OpenPage
) -> None:
    asked = []
    answers = [
        {"error": "somebody_there", "detail": "x", "status": 409,
         "values": {"seat": "A-01", "a": "a001"}},
        {"s": S, "seat": "A-01", "i": 7},
    ]  # fmt: skip

    async def answer(message: Msg) -> None:
        asked.append(json.loads(message.data))
        await message.respond(json.dumps(answers[len(asked) - 1]).encode())

    told = await hub.client.subscribe("hub.selftest", cb=answer)
    page = await open_page(f"{bench_web.url}/ui/fleet", role="technician")
    first = page.get_by_role("row", name=re.compile("^A-01"))
    await expect(first).to_contain_text("operativa · 18/11")
    second = page.get_by_role("row", name=re.compile("^A-02"))
    await expect(second).to_contain_text("sin autoprueba")
    await first.get_by_role("link").click()
    await expect(page.get_by_role("heading", name="Autoprueba")).to_be_visible()
    rows = page.locator("tbody tr", has_text="tecnica")
    await expect(rows).to_have_count(2)
    await expect(rows.nth(1)).to_contain_text("no operativa")
    await expect(rows.nth(1)).to_contain_text("Micrófono")
    link = await rows.nth(0).get_by_role("link").get_attribute("href")
    paper = await page.request.get(f"{bench_web.url}{link}", timeout=300_000)
    assert paper.headers["content-type"] == "application/pdf"
    assert (await paper.body()).startswith(b"%PDF")
    assert (await Axe().run(page, options={"runOnly": WCAG})).violations_count == 0
    button = page.get_by_role("button", name="Autoprueba")
    await page.evaluate(STAYS)
    await button.click()
    await expect(page.get_by_text("En A-01 tiene sesión a001")).to_be_visible()
    await button.click()
    await expect(page.get_by_text("Comenzó en A-01")).to_be_visible()
    assert {one["s"] for one in asked} == {S} and all(one["by"] for one in asked)
    await told.unsubscribe()


async def test_programs_read_records_and_begin_tests(bench_web: Web, hub: Hub) -> None:
    async def refuse(message: Msg) -> None:
        refused = {"error": "link_lost", "detail": "x", "status": 409, "values": {"seat": "A-01"}}
        await message.respond(json.dumps(refused).encode())

    told = await hub.client.subscribe("hub.selftest", cb=refuse)
    path = f"{bench_web.url}/api/v1/stations/{S}/inspections"
    async with httpx.AsyncClient(headers=BEARER, timeout=300) as client:
        found = (await client.get(path)).json()
        assert [(one["record"]["fit"], one["standing"]) for one in found] == [
            (True, "right"), (False, "right"),
        ]  # fmt: skip
        none = await client.get(f"{path}/7/99.pdf")
        assert (none.status_code, none.json()["detail"]) == (404, "Esa constancia no existe.")
        refused = await client.post(path)
        assert refused.status_code == 409 and "--port" in refused.json()["detail"]
    await told.unsubscribe()
