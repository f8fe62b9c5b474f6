"""Nobody comes in as somebody else, over a cable or by a credential of the stations' side."""

import asyncio
import contextlib
import json

import nats
import pytest
from at_the_door import asked, connection, refused
from broker_fixtures import IngestProcess, until
from diadema.clock import SharedClock
from diadema.gateway import Gateway
from diadema.ingest.own_journal import ME
from nats.errors import Error as NatsError
from scripted_station import T0, S, Script
from test_gateway import Wire

HOSTS = (ME, "WEB-main", "PBX-central")


@pytest.fixture
async def ingest(broker, tmp_path, stack):
    clock = tmp_path / "clock"
    SharedClock(clock, create=True).set(T0, 0)
    return await stack.enter_async_context(IngestProcess(broker, clock))


def forged(s, e=777_947):
    """What the hub alone may say."""
    script = Script(s=s, e=e)
    script.b, script.offset = 0, T0
    fields = {"a": "a002", "direction": "in", "time": T0 - 9 * 3_600_000}
    return script.add("attendance.corrected", by="adma", reason="olvidó marcar", **fields)


def speakers(store):
    identities = store.keys()
    return {s for s, *_ in identities}


@contextlib.asynccontextmanager
async def gateway_on(broker, *wires):
    broker.write_hub()
    gateway = Gateway(broker.data, [str(wire.path) for wire in wires], "test")
    running = asyncio.create_task(gateway.run())
    try:
        yield gateway
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_a_cable_is_no_hub_no_web_and_no_switch(broker, ingest, store, tmp_path, stack):
    wires = []
    for at, s in enumerate((*HOSTS, "mosquitto", "gw-test", "DIA-0123456789AB", f"{S}\n", S)):
        wire = Wire(tmp_path / f"port{at}", forged(s))
        wire.plug()
        stack.callback(wire.pull)
        wires.append(wire)
    async with gateway_on(broker, *wires) as gateway:
        await until(lambda: gateway.dump()["connected"])
        await until(lambda: gateway.dump()["ports"][str(wires[-1].path)]["station"] == S)
        await until(lambda: all(wire.hellos_asked for wire in wires))
        for wire in wires:
            wire.hello()
            wire.send()
        await until(lambda: store.position(S, 777_947) == 1)
        await until(lambda: gateway.counts["refused"] >= 2 * (len(wires) - 1))
        named = {port["station"] for port in gateway.dump()["ports"].values()}
    assert named == {None, S}
    assert speakers(store) == {S}
    assert store.corrections() == []


async def test_a_gateways_password_makes_nobody_the_hub(broker, ingest, store, client):
    greeting = {"up": True, "e": 777_947, "first": 2**53 - 1, "last": 2**53 - 1, "b": 1}
    async with broker.mqtt() as mqtt:
        for s in HOSTS:
            for topic in (f"diadema/v1/{s}", f"host/{s}", f"$MQTT/msgs/host/{s}"):
                for leaf, body in (("st/usb", json.dumps(greeting | {"s": s}).encode()),
                                   ("ev", forged(s).bodies[0])):  # fmt: skip
                    await mqtt.publish(f"{topic}/{leaf}", body, qos=1)
        last = Script().boot()
        await mqtt.publish(f"diadema/v1/{S}/ev", last.bodies[0], qos=1)
        await until(lambda: store.position(S, 7) == 1)
    assert speakers(store) == {S}
    assert store.corrections() == []
    by = {"by": "elena", "who": "Elena Soto"}
    answer = await asked(
        client, "hub.act", action="note", a="a001", kind="orientacion", note="tarde", **by
    )
    _, e, n = answer["of"]
    assert e != 777_947 and n == 1


@pytest.mark.parametrize("user", ["gw", "mosquitto"])
async def test_a_password_of_the_stations_side_opens_nothing_but_mqtt(broker, client, user):
    password = broker.secrets.gateway if user == "gw" else broker.secrets.bridge
    with pytest.raises(NatsError):
        await nats.connect(broker.url, user=user, password=password, allow_reconnect=False)


async def test_the_hubs_own_users_have_a_password_each_and_no_way_in_by_mqtt(broker, client):
    secrets = broker.secrets
    known = [secrets.host, secrets.system, secrets.gateway, secrets.bridge]
    assert len({*known}) == len(known)
    for user, password in (("host", secrets.host), ("system", secrets.system)):
        said = await refused(
            connection(broker, broker.broker.ports.mqtt, password, user, will=None, timeout=5)
        )
        assert "ot authorized" in said
    with pytest.raises(NatsError):
        await nats.connect(broker.url, user="system", password=secrets.host, allow_reconnect=False)
