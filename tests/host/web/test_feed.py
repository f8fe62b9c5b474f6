"""What the web shows stays true when NATS, ingest, or a subscription goes away and comes back."""

import asyncio
import json
from pathlib import Path

import pytest
from diadema.base.clock import SystemClock
from diadema.base.paths import DataDir
from diadema.web.settings import Settings
from diadema.web.web_app import WebApp
from nats.js.errors import ServerError

from tests.support.scripted_station import SITE
from tests.support.web_stage import Hub, Nats, Web
from tests.support.web_viewer import viewing


async def test_nats_killed_and_started_again_loses_no_value(
    own_nats: Nats, own_hub: Hub, own_web: Web
) -> None:
    await own_hub.put(state="ready")
    async with viewing(own_web) as viewer:
        await viewer.until(state="ready")
        own_nats.kill()
        own_nats.start()
        await asyncio.wait_for(_put_when_back(own_hub), 60)
        await viewer.until(state="talking", c="c-8")


async def _put_when_back(hub: Hub) -> None:
    while True:
        try:
            await asyncio.wait_for(hub.put(state="talking", c="c-8"), 2)
        except Exception as error:
            assert "nats" in type(error).__module__ or isinstance(error, TimeoutError), error
        else:
            return


async def test_without_ingest_the_floor_says_since_when(own_hub: Hub, own_web: Web) -> None:
    await own_hub.put(state="ready")
    async with viewing(own_web) as viewer:
        await viewer.until(state="ready")
        while "down" in (message := await viewer.take()) or "snap" in message:
            pass
        await own_hub.close()
        while "down" not in (message := await viewer.take()):
            pass
        assert 0 < message["down"] < message["now"]
        assert viewer.rows[0]["state"] == "ready"


async def test_a_dead_subscription_is_noticed(own_hub: Hub, own_web: Web) -> None:
    await own_hub.put(state="ready")
    async with viewing(own_web) as viewer:
        await viewer.until(state="ready")
        jetstream = own_hub.client.jetstream(timeout=60)
        for consumer in await jetstream.consumers_info("KV_live"):
            await jetstream.delete_consumer("KV_live", consumer.name)
        await own_hub.put(state="held")
        await viewer.until(state="held")


@pytest.mark.parametrize("late", [False, True])
async def test_a_bucket_that_comes_later_or_anew_is_followed(
    own_nats: Nats, own_hub: Hub, own_web: Web, late: bool
) -> None:
    async with viewing(own_web) as viewer:
        if late:
            await own_hub.put(a="a001")
            await viewer.until(a="a001")
        await own_hub.client.jetstream(timeout=60).delete_stream("KV_live")
        again = await _open_anew(own_nats.url)
        await again.put(a="a002", state="ready")
        await viewer.until(a="a002", state="ready")
        assert [row["a"] for row in viewer.rows] == ["a002"]
        await again.close()


async def _open_anew(url: str) -> Hub:
    """Whose bucket was just deleted: nats-server refuses while a consumer's files still go."""
    async with asyncio.timeout(300):
        while True:
            try:
                return await Hub.open(url)
            except ServerError:
                await asyncio.sleep(0.2)


def test_hours_are_in_the_sites_zone_before_the_hub_says_it(tmp_path: Path) -> None:
    """The first page after a start must not be in UTC."""
    data = DataDir(tmp_path)
    data.site.write_text(json.dumps(SITE | {"zone": "America/Lima", "language": "en"}))
    settings = Settings(data.root, "nats://127.0.0.1:1", "u", "p", "t" * 32)
    web_app = WebApp(settings, SystemClock(), "b")
    assert (web_app.zone.key, web_app.floor.site.language) == ("America/Lima", "en")
    data.site.write_text("{")
    assert WebApp(settings, SystemClock(), "b").zone.key == "UTC"
