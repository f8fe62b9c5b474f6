"""Nobody comes in as somebody else, over a cable or by a credential of the stations' side."""

import asyncio
import contextlib
import json

import aiomqtt
import msgspec
import nats
import pytest
from diadema.base import credentials
from diadema.base.clock import SharedClock
from diadema.base.errors import DiademaError
from diadema.base.paths import DataDir
from diadema.gateway import access as gateway_access
from diadema.gateway.bridge import Gateway
from diadema.hub.enrolment import enrol
from diadema.hub.own_journal import ME
from nats.errors import Error as NatsError

from tests.host.test_gateway import Wire
from tests.support.at_the_door import asked, connection, cut_off, refused
from tests.support.broker_fixtures import IngestProcess, until
from tests.support.scripted_station import T0, S, Script

S2 = "DIA-0123456789ac"
HOSTS = (ME, "WEB-main", "PBX-central")


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    """A gateway that gave a slow broker up would send again what the tests count."""
    monkeypatch.setattr("diadema.gateway.bridge._ANSWER_S", 15)


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


async def test_a_gateway_speaks_for_its_own_cables_only(broker, ingest, store, client):
    """Not for the hub, not for a station on Wi-Fi, not for one that another gateway carries."""
    carried, other, wifi = Script().boot(), Script(s=S2).boot(), "DIA-0123456789ad"
    async with broker.mqtt("other") as mqtt:
        await mqtt.publish(f"diadema/v1/gw-other/{S2}/st", json.dumps(other.hello()), qos=1)
        await until(lambda: links(client, up=1))
    lie = {"up": True, "e": 777_947, "first": 2**53 - 1, "last": 2**53 - 1, "b": 1}
    async with broker.mqtt() as mqtt:
        for s in (*HOSTS, S2, wifi):
            bodies = [*forged(s).bodies, b'{"up":false}', json.dumps(lie | {"s": s}).encode()]
            for root in (f"diadema/v1/{s}", f"host/{s}", f"diadema/v1/gw-other/{s}"):
                for leaf in ("ev", "st", "st/usb", "st/wifi"):
                    for body in bodies:
                        await mqtt.publish(f"{root}/{leaf}", body, qos=1)
        for s in (*HOSTS, S2):
            await mqtt.publish(f"diadema/v1/gw-test/{s}/ev", forged(s).bodies[0], qos=1)
        await mqtt.publish("diadema/v1/gw-other/st", b'{"up":false}', qos=1)
        topic = f"diadema/v1/gw-test/{S}/"
        await mqtt.publish(topic + "st", json.dumps(carried.hello()), qos=1)
        await mqtt.publish(topic + "ev", carried.bodies[0], qos=1)
        await until(lambda: store.position(S, 7) == 1)
    assert speakers(store) == {S}
    assert store.corrections() == []
    assert await links(client, up=2)
    act = {"action": "note", "a": "a001", "kind": "orientacion", "note": "tarde"}
    answer = await asked(client, "hub.act", **act, by="elena", who="Elena Soto")
    _, e, n = answer["of"]
    assert e != 777_947 and n == 1


async def links(client, **wanted):
    told = (await asked(client, "hub.status"))["links"]
    return told == {"up": 0, "late": 0, "lost": 0} | wanted


async def test_a_gateways_credential_is_shown_renewed_and_revoked(
    broker, ingest, client, tmp_path
):
    topic = f"diadema/v1/gw-row2/{S}/"

    async def said(access, file):
        file.write_text(json.dumps(access))
        file.chmod(0o600)
        gateway = gateway_access.load(file)
        return aiomqtt.Client(
            gateway.host, gateway.port, username=gateway.user, password=gateway.password,
            identifier=gateway.user, tls_context=gateway.context(), timeout=300,
        )  # fmt: skip

    broker.write_hub()
    first = await asyncio.to_thread(enrol, broker.data, "gw-row2")
    assert first["password"] == gateway_access.here(broker.data, "row2").password
    async with await said(first, tmp_path / "first") as mqtt:
        await mqtt.publish(topic + "st", json.dumps(Script().boot().hello()), qos=1)
        second = await asyncio.to_thread(enrol, broker.data, "gw-row2", renew=True)
        await cut_off(mqtt)
    assert "ot authorized" in await refused(await said(first, tmp_path / "first"))
    async with await said(second, tmp_path / "second") as mqtt:
        ended = await asyncio.to_thread(enrol, broker.data, "gw-row2", revoke=True)
        assert ended["password"] is None
        await cut_off(mqtt)
    await ingest.stop()
    await ingest.start()
    assert "ot authorized" in await refused(await said(second, tmp_path / "second"))
    with pytest.raises(DiademaError, match="was revoked"):
        gateway_access.here(broker.data, "row2")
    for name in ("", "Row", "a.b", "x" * 33):
        with pytest.raises(DiademaError, match="lower-case"):
            await asyncio.to_thread(enrol, broker.data, f"gw-{name}")
    (tmp_path / "second").chmod(0o644)
    with pytest.raises(DiademaError, match="chmod 600"):
        gateway_access.load(tmp_path / "second")


async def test_a_gateway_elsewhere_carries_by_its_credential(
    broker, ingest, store, tmp_path, stack
):
    wire = Wire(tmp_path / "port", Script().boot().clock())
    wire.plug()
    stack.callback(wire.pull)
    broker.write_hub()
    told = await asyncio.to_thread(enrol, broker.data, "gw-row2")
    access = msgspec.convert(told, gateway_access.Access)
    elsewhere = DataDir(tmp_path / "elsewhere")
    gateway = Gateway(elsewhere, [str(wire.path)], "row2", access)
    running = asyncio.create_task(gateway.run())
    try:
        await until(lambda: any("ack" in frame for frame in wire.down))
        wire.send()
        await until(lambda: wire.acked)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert store.position(S, 7) == wire.script.n


async def test_a_password_of_the_stations_side_opens_nothing_but_mqtt(broker, ingest):
    gateway = credentials.gateway_password(broker.secrets, "test")
    for user, password in (("gw-test", gateway), ("mosquitto", broker.secrets.bridge)):
        with pytest.raises(NatsError):
            await nats.connect(
                broker.url, user=user, password=password, allow_reconnect=False, connect_timeout=60
            )


async def test_the_hubs_own_users_have_a_password_each_and_no_way_in_by_mqtt(broker, client):
    secrets = broker.secrets
    known = [secrets.host, secrets.system, secrets.gateway, secrets.bridge]
    assert len({*known}) == len(known)
    for user, password in (("host", secrets.host), ("system", secrets.system)):
        said = await refused(
            connection(broker, broker.broker.ports.mqtt, password, user, will=None, timeout=300)
        )
        assert "ot authorized" in said
    with pytest.raises(NatsError):
        await nats.connect(
            broker.url,
            user="system",
            password=secrets.host,
            allow_reconnect=False,
            connect_timeout=60,
        )
