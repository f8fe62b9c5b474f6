"""The real firmware in the VM behind a real mosquitto: what it journals without its cable reaches
the store over Wi-Fi, TLS and the bridge, and what the hub commands reaches it.
"""

import asyncio
import contextlib
import json

from diadema.gateway.bridge import PATH_LIMIT, Gateway
from diadema.hub.broker import LOOPBACK
from diadema.store import open_reader
from diadema_sim.world import World

from tests.support.at_the_door import asked
from tests.support.broker_fixtures import IngestProcess
from tests.support.mosquitto_door import Mosquitto
from tests.support.scripted_station import SITE, T0, S

WIFI = {"ssid": "Piso 3", "password": "una clave larga"}
BADGE = "04A1B2C3D4E5F6"


async def test_a_station_works_through_mosquitto(broker, stack, tmp_path):
    described = SITE | {"wifi": WIFI, "broker_names": ["localhost"]}
    broker.data.site.write_text(json.dumps(described))
    broker.write_hub()
    door = Mosquitto(broker)
    world = await stack.enter_async_context(World(tmp_path / "w", start_utc_ms=T0, mode="fast"))
    await stack.enter_async_context(IngestProcess(broker, world.clock_path))
    client = await broker.client()
    stack.push_async_callback(client.close)

    await asked(client, "hub.mosquitto", port=door.port, host=LOOPBACK)
    stack.push_async_callback(door.stop, kill=True)
    await door.start()
    station = await world.add_station(S)
    named = {"s": S, "gw": "test", "at": station.port[-PATH_LIMIT:]}
    await asked(client, "hub.provision", stations=[named], seconds=60)
    gateway = Gateway(broker.data, [station.port], "test")
    carrying = asyncio.create_task(gateway.run())

    async def pull():
        carrying.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await carrying

    stack.push_async_callback(pull)
    store = open_reader(broker.data.store)
    stack.callback(store.close)

    async def until(true):
        """The clock goes on, but no faster than brokers and store, which live in real time."""
        async with asyncio.timeout(300):
            while not true():
                await world.sleep(500)
                await asyncio.sleep(0.02)

    def kinds():
        return [seen.event["k"] for seen in world.witness.events(S)]

    def stored():
        return [json.loads(event.body)["n"] for event in store.events_of(S)]

    with world.actor():
        await station.power_on()
        await station.ask({"do": "wifi", "networks": {WIFI["ssid"]: WIFI["password"]}})
        await until(lambda: "station.config" in kinds())
        await pull()
        before = len(kinds())
        await station.tap(BADGE)
        await until(lambda: "session.opened" in kinds())
        await until(lambda: len(stored()) == len(kinds()) > before)
        await door.stop(kill=True)
        await station.press(3)
        await until(lambda: kinds()[-1] == "presence.changed")
        await door.start()
        await until(lambda: len(stored()) == len(kinds()))
        await asked(client, "hub.command", s=S, cmd="text", m="m1", text="Hola")
        await until(lambda: "message.shown" in kinds())
        await until(lambda: len(stored()) == len(kinds()))
    assert stored() == list(range(1, len(kinds()) + 1))
    assert store.dead_letters() == []
    assert station.restarts == []
