"""Stations go on after a restore: what they journaled since the backup is accepted, none of it is
lost and none is stored twice.
"""

import asyncio
import json
import shutil

import pytest
from diadema.access.roles import Person
from diadema.base.clock import SystemClock
from diadema.base.paths import DataDir
from diadema.maintenance.backup import back_up
from diadema.maintenance.restore import restore
from diadema.store import open_reader

from tests.support.broker_fixtures import IngestProcess, RunningBroker
from tests.support.light_station import running_crowd
from tests.support.scripted_station import SITE

ME = Person(id="shell:yo", name="Yo", role="service")
STATIONS = [f"DIA-0300000000{number:02x}" for number in range(6)]
WORDS = b"cinco palabras que nadie adivina"


async def up(stack, broker):
    await broker.start(mqtt=False)
    await broker.stop()
    await broker.start()
    stack.push_async_callback(broker.stop, kill=True)
    broker.write_hub()
    return await stack.enter_async_context(IngestProcess(broker))


@pytest.fixture
async def broker(tmp_path):
    made = RunningBroker(tmp_path / "hub")
    seats = [{"id": s, "seat": f"B-{number:02}"} for number, s in enumerate(STATIONS)]
    made.data.site.write_text(json.dumps(SITE | {"stations": seats}))
    return made


async def crowd_of(stack, broker, *, holds_all):
    nats = await broker.client()
    crowd = await stack.enter_async_context(
        running_crowd(nats, broker.data, STATIONS, holds_all=lambda _: holds_all)
    )
    await nats.close()
    return crowd


def works(crowd, name):
    """Each has a call, and is sent what it has as soon as may be."""
    for station in crowd:
        station.script.call(name)
        while station.last < station.script.n:
            station.press() if station.connected else journaled(station)


def journaled(station):
    station.last += 1


async def held(crowd):
    await asyncio.gather(*(station.until_held(station.last) for station in crowd))


@pytest.mark.parametrize("stream", [True, False], ids=["the stream goes on", "the disk is gone"])
async def test_stations_go_on_after_a_restore(stack, broker, tmp_path, stream):
    ingest = await up(stack, broker)
    crowd = await crowd_of(stack, broker, holds_all=not stream)
    await asyncio.gather(*(station.until_held(2) for station in crowd))
    for station in crowd:
        station.script.login().ready()
    works(crowd, "before")
    file = tmp_path / "a.backup"
    making = asyncio.create_task(
        asyncio.to_thread(back_up, broker.data, file, WORDS, SystemClock(), ME)
    )
    number = 0
    while not making.done():
        works(crowd, f"beside-{number}")
        number += 1
        await held(crowd)
    made = await making
    works(crowd, "after")
    await held(crowd)
    await ingest.stop(kill=True)
    await broker.stop(kill=True)
    works(crowd, "alone")
    if not stream:
        shutil.rmtree(broker.data.root)
    new = DataDir(tmp_path / "new")
    old = broker.data if stream else None
    done = await asyncio.to_thread(restore, file, WORDS, new, SystemClock(), ME, old=old)
    assert done.stream == stream and done.manifest.position == made.position
    again = RunningBroker(new.root)
    await up(stack, again)
    for station in crowd:
        station.access.port = again.broker.ports.mqtt
    await held(crowd)
    works(crowd, "since")
    await held(crowd)
    store = open_reader(new.store)
    stack.callback(store.close)
    for station in crowd:
        assert [one.body for one in store.events_of(station.access.s)] == station.script.bodies
    status = store.status()
    assert status["events"] == sum(station.script.n for station in crowd) > made.position
    assert (status["lost"], status["conflicts"], status["dead_letters"]) == (0, 0, 0)
