"""Many stations at once by MQTT over TLS, one loses its connection: all is stored once."""

import asyncio
import json

import pytest
from diadema.store import open_reader

from tests.support.broker_fixtures import IngestProcess, until
from tests.support.light_station import running_crowd
from tests.support.scripted_station import SITE

STATIONS = [f"DIA-0300000000{number:02x}" for number in range(30)]
EVENTS = 20  # of each, two of them at its start


@pytest.fixture
async def crowd(broker, stack):
    """Every station of the site, connecting by itself, with its boot in its journal."""
    seats = [{"id": s, "seat": f"B-{number:02}"} for number, s in enumerate(STATIONS)]
    broker.data.site.write_text(json.dumps(SITE | {"stations": seats}))
    broker.write_hub()
    await stack.enter_async_context(IngestProcess(broker))
    nats = await broker.client()
    stack.push_async_callback(nats.close)
    return await stack.enter_async_context(running_crowd(nats, broker.data, STATIONS))


async def test_each_event_is_stored_once_though_a_connection_is_cut(crowd, broker):
    unlucky = crowd[7]

    async def works(station):
        await station.until_held(2)  # its boot, and the time that the hub told it
        station.script.login().ready().call("c1").call("c2").presence("ready", "not_ready")
        station.script.logout()
        assert station.script.n == EVENTS
        while station.last < EVENTS:
            if station is unlucky and station.last == EVENTS // 2:
                station.press()
                station.cut()  # with that event on its way
            station.press()
            await asyncio.sleep(0)
        await station.until_held(EVENTS)

    async with asyncio.timeout(300):
        await asyncio.gather(*map(works, crowd))
    store = open_reader(broker.data.store)
    for station in crowd:
        stored = [event.body for event in store.events_of(station.access.s)]
        assert stored == station.script.bodies
    status = store.status()
    store.close()
    assert status["events"] == len(crowd) * EVENTS
    assert status["contacts"] == len(crowd) * 2
    assert (status["lost"], status["conflicts"], status["dead_letters"]) == (0, 0, 0)
    assert unlucky.counts["connections tried"] >= 2
    assert all(one.counts["foreign"] == 0 for one in crowd)


async def test_a_frame_that_is_not_the_hubs_changes_nothing_at_a_light_station(crowd, broker):
    """Else the bench would count as acknowledged what anybody said."""
    station = crowd[0]
    await station.until_held(2)
    station.script.login()
    nats = await broker.client()
    await nats.publish(
        f"diadema.v1.{station.access.s}.ack", b'{"ack":[7,3],"h":"0123456789abcdef"}'
    )
    await nats.close()
    await until(lambda: station.counts["foreign"] == 1)
    assert station.base == 2
