"""The floor in a browser and the report say the same at the same cut-off: while one station is
offline, and after it has sent what it kept.
"""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import msgspec
import pytest
import pytest_asyncio
from diadema.base.clock import SharedClock
from diadema.base.paths import DataDir
from diadema.figures.days import cutoff_of
from diadema.ingest.core import Ingest
from diadema.site import description as sites
from diadema.site.directory.people import of_site
from diadema.store import open_reader, open_writer
from diadema.words.formatting import clock as duration
from playwright.async_api import Page, expect

from tests.support.scripted_station import SITE, T0, Script
from tests.support.web_stage import Hub, Nats, Web, headers_of
from tests.support.web_viewer import OpenPage

pytestmark = pytest.mark.asyncio(loop_scope="session")
DAY = "2026-11-18"


class Centre:
    """Real ingest over a store; what it shows goes into the bucket with its cut-off."""

    def __init__(self, folder: Path, clock: SharedClock, hub: Hub) -> None:
        data = DataDir(folder)
        data.make()
        data.site.write_text(json.dumps(SITE))
        self.site = sites.parse(data.site.read_bytes())
        self.clock, self.hub = clock, hub
        self._writer, self._reader = open_writer(data.store), open_reader(data.store)
        self.ingest = Ingest(self._writer, self.site, clock)

    def close(self) -> None:
        self._reader.close()
        self._writer.close()

    async def take(self, *messages: object) -> None:
        self.ingest.take(messages, "stream", "server")  # type: ignore[arg-type]
        self.ingest.save((), self.ingest.floor.agents())
        for a, row in self.ingest.floor.rows.items():
            await self.hub.put_raw(f"agent.{a}", row)
        with self._reader.engine.connect() as tx:
            cut = cutoff_of(tx, of_site(self.site), self.clock.now_ms())
        owing = [[one.seat, one.since_utc] for one in cut.pending_stations]
        zone = {"zone": self.site.zone}
        await self.hub.site(cut={"at": cut.at_ms, "position": cut.position}, owing=owing, **zone)


@pytest_asyncio.fixture(loop_scope="session")
async def centre(own_nats: Nats, tmp_path: Path) -> AsyncIterator[Centre]:
    clock = SharedClock(tmp_path / "clock", create=True)
    clock.set(T0 + 3_600_000, 1)
    hub = await Hub.open(own_nats.url)
    centre = Centre(tmp_path, clock, hub)
    yield centre
    centre.close()
    await hub.close()


def lucky(agent: str, s: str) -> Script:
    """A desk with calls that were taken, put on hold, missed and refused."""
    script = Script(s=s, agent=agent).boot().clock().login().ready()
    for k in range(3):
        script.call(f"{agent}-{k}", talk=61_500 + 7_000 * k, hold=9_400 * (k % 2), wrap=12_300)
        script.ready(2_000)
    script.offer(f"{agent}-m").contact("missed", f"{agent}-m", 20_000, cause="no_answer")
    return script


async def report(web: Web, kind: str, section: str) -> dict[str, int]:
    async with httpx.AsyncClient(
        base_url=web.url, headers=headers_of(web.cookies), timeout=60
    ) as api:
        answer = await api.get(f"/api/v1/reports/{kind}", params={"span": DAY}, timeout=300)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    total: dict[str, int] = next(s for s in told["sections"] if s["section"] == section)["total"]
    return total | {
        "position": told["cut_off"]["position"],
        "owing": len(told["cut_off"]["owing"]),
    }


async def floor_says_the_same(web: Web, page: Page, owing: int) -> None:
    calls = await report(web, "llamadas", "calls_agents")
    handling = await report(web, "tmo", "aht_agents")
    assert calls["owing"] == owing
    spoken = calls["answered"] + calls["connected"]
    figures = page.locator(".today b")
    await expect(figures).to_have_text(
        [str(spoken), duration(handling["aht_s"]), str(calls["missed"])]
    )
    await expect(page.locator(".cut")).to_contain_text(f"evento {calls['position']}")
    said = page.locator(".cut summary")
    if owing:
        await expect(said).to_contain_text("falta 1 posición desde")
    else:
        await expect(said).to_be_hidden()


async def test_floor_and_report_agree_before_and_after_a_station_comes_back(
    centre: Centre, own_nats: Nats, tmp_path: Path, open_page: OpenPage
) -> None:
    near, far = lucky("a001", "DIA-0123456789ab"), lucky("a002", "DIA-0123456789ac")
    kept = far.n - 12  # what it has sent before its link went
    web = Web(tmp_path, own_nats.url, tmp_path / "clock")
    web.start()
    try:
        page = await open_page(f"{web.url}/ui/")
        gone = msgspec.structs.replace(far.hello_message(), data=b'{"up":false}')
        await centre.take(
            near.hello_message(), *near.messages(), far.hello_message(last=kept),
            *far.messages(last=kept), gone,
        )  # fmt: skip
        await expect(page.locator('.tile[data-a="a002"]')).to_have_attribute("data-link", "lost")
        await floor_says_the_same(web, page, owing=1)
        before = await page.locator(".today b").all_inner_texts()
        await centre.take(far.hello_message(), *far.messages(first=kept + 1))
        await expect(page.locator('.tile[data-a="a002"]')).to_have_attribute("data-link", "up")
        await floor_says_the_same(web, page, owing=0)
        assert await page.locator(".today b").all_inner_texts() != before
    finally:
        web.kill()
