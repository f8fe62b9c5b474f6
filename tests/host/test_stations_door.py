"""The stations' own way in: MQTT over TLS, as a real client of one station finds it."""

import asyncio
import contextlib
import json
import ssl
from base64 import b64decode

import aiomqtt
import pytest
from diadema.base.certificates import Certificates
from diadema.base.errors import DiademaError
from diadema.hub.enrolment import enrol

from tests.support.at_the_door import (
    WIFI,
    asked,
    connection,
    credential,
    cut_off,
    ingest_with_wifi,
    refused,
)
from tests.support.broker_fixtures import until
from tests.support.scripted_station import S, Script
from tests.support.trust import trusting

S2 = "DIA-0123456789ac"


@pytest.fixture
async def ingest(broker, stack):
    return await stack.enter_async_context(ingest_with_wifi(broker))


def station(broker, password, s=S, **more):
    return connection(broker, broker.broker.ports.mqtt, password, s, **more)


async def test_a_station_sends_and_hears_over_tls(broker, ingest, client, store):
    script = Script().boot().clock().login()
    async with station(broker, await credential(client)) as mqtt:
        await mqtt.subscribe([(f"diadema/v1/{S}/ack", 0), (f"diadema/v1/{S}/cmd", 0)])
        hello = {name: value for name, value in script.hello().items() if name != "gw"}
        topic = f"diadema/v1/{S}/st/wifi"
        await mqtt.publish(topic, json.dumps(hello), qos=1, retain=True)
        for body in script.bodies:
            await mqtt.publish(f"diadema/v1/{S}/ev", body, qos=1)
        parts, acked, last = {}, 0, None
        async with asyncio.timeout(300):
            async for message in mqtt.messages:  # the two come in either order
                frame = json.loads(message.payload)
                if frame.get("cmd") == "config":
                    parts[frame["part"]] = b64decode(frame["data"])
                    last = frame["parts"]
                elif "ack" in frame:
                    acked = frame["ack"][1]
                if acked == script.n and len(parts) == last:
                    break
    config = json.loads(b"".join(parts[part] for part in sorted(parts)))
    assert config["wifi"] == WIFI
    told = config["broker"]
    assert (told["host"], told["port"]) == ("localhost", broker.broker.ports.mqtt)
    assert told["user"] == S and len(told["password"]) == 43
    ca = ssl.DER_cert_to_PEM_cert(b64decode(told["ca"]))
    assert "".join(ca.split()) == "".join(Certificates(broker.data.tls).ca.read_text().split())
    async with station(broker, told["password"]):
        pass
    assert [event.body for event in store.events_of(S)] == script.bodies


async def test_who_is_refused(broker, ingest, client):
    password, other = await credential(client), await credential(client, S2)
    assert password != other
    for wrong in ("", "x" * 43, other):
        assert "ot authorized" in await refused(station(broker, wrong))
    assert "ot authorized" in await refused(station(broker, password, identifier=S2))
    assert "ot authorized" in await refused(station(broker, password, s="DIA-ffffffffffff"))
    assert (await asked(client, "hub.status"))["refused"] == 5
    async with station(broker, password), station(broker, other, s=S2):
        pass


async def test_nobody_connects_without_tls_or_with_another_ca(broker, ingest, client, tmp_path):
    password = await credential(client)
    assert await refused(station(broker, password, tls_context=None, timeout=2))
    stranger = Certificates(tmp_path / "other")
    stranger.make(["localhost"])
    said = await refused(station(broker, password, tls_context=trusting(stranger)))
    assert "certificate verify failed" in said


async def test_a_station_cannot_speak_or_hear_as_another(broker, ingest, client, store):
    script, own = Script(s=S2).boot(), Script().boot()
    async with station(broker, await credential(client)) as mqtt:
        topics = [f"diadema/v1/{S2}/cmd", "diadema/v1/+/ack", "diadema/v1/#", "#", "hub/#"]
        granted = await mqtt.subscribe([(topic, 0) for topic in topics])
        assert [code.value for code in granted] == [128] * len(topics)
        for topic in (f"{S2}/ev", f"{S2}/st/wifi", f"{S}/st/usb", f"{S}/cmd", "gw-test/st"):
            body = script.bodies[0] if topic.endswith("/ev") else b'{"up":false}'
            with contextlib.suppress(aiomqtt.MqttError):
                await mqtt.publish(f"diadema/v1/{topic}", body, qos=1)
        await mqtt.publish(f"diadema/v1/{S}/ev", own.bodies[0], qos=1)
        await until(lambda: store.position(S, 7) == 1)

    async def counted():
        return (await asked(client, "hub.status"))["publish_violations"] == 5

    await until(counted)
    assert store.position(S2, 7) == 0
    assert [event.station for event in store.events_of(S)] == [S]
    assert store.dead_letters() == []
    assert "may not" in broker.data.log("ingest").read_text()


async def test_a_credential_is_renewed_and_revoked_while_the_broker_runs(broker, ingest, client):
    broker_pid = broker.process.pid
    first = await credential(client)
    async with station(broker, first) as mqtt:
        second = await credential(client, renew=True)
        await cut_off(mqtt)  # at once, not at its next connection
    assert second != first
    assert "ot authorized" in await refused(station(broker, first))
    async with station(broker, second):
        pass
    told = await asyncio.to_thread(enrol, broker.data, S, revoke=True)
    assert told["password"] is None
    assert "ot authorized" in await refused(station(broker, second))
    third = (await asyncio.to_thread(enrol, broker.data, S, renew=True))["password"]
    assert third not in (first, second)
    async with station(broker, third):
        pass
    with pytest.raises(DiademaError, match=r"site\.json"):
        await asyncio.to_thread(enrol, broker.data, "DIA-ffffffffffff")
    assert broker.process.pid == broker_pid and broker.process.returncode is None


async def test_who_is_revoked_is_cut_off_and_stays_out(broker, ingest, client):
    script, password = Script().boot(), await credential(client)
    hello = json.dumps(script.hello(gw=""))

    async def links(**wanted):
        told = (await asked(client, "hub.status"))["links"]
        return told == {"up": 0, "late": 0, "lost": 0} | wanted

    async with station(broker, password) as mqtt:
        await mqtt.publish(f"diadema/v1/{S}/st/wifi", hello, qos=1, retain=True)
        await until(lambda: links(up=1))
        assert await credential(client, revoke=True) is None
        await cut_off(mqtt)
    await until(lambda: links(lost=1))
    assert "ot authorized" in await refused(station(broker, password))
    await ingest.stop(kill=True)
    await ingest.start()
    await asked(client, "hub.site")  # being of the site is no new credential
    await asked(client, "hub.enrol", s=S2)
    assert await credential(client) is None
    async with station(broker, await credential(client, S2), s=S2):  # the door is open
        assert "ot authorized" in await refused(station(broker, password))


async def test_who_is_revoked_is_cut_off_although_others_cannot_be_told(broker, ingest, client):
    password = await credential(client)
    async with station(broker, password) as mqtt:
        Certificates(broker.data.tls).ca.unlink()  # no configuration can be made without it
        assert (await asked(client, "hub.enrol", s=S, revoke=True))["error"] == "internal"
        await cut_off(mqtt)


async def test_a_new_station_of_the_site_is_let_in_at_once(broker, ingest, client):
    new = "DIA-0123456789ad"
    described = json.loads(broker.data.site.read_text())
    described["stations"].append({"id": new, "seat": "A-03"})
    broker.data.site.write_text(json.dumps(described))
    assert (await asked(client, "hub.site"))["generation"] == 2
    async with station(broker, await credential(client, new), s=new):
        pass


async def test_a_station_that_left_the_site_can_be_revoked(broker, ingest, client):
    """As after a theft: taking it out of the site is no reason to keep its way in."""
    password = await credential(client, S2)
    described = json.loads(broker.data.site.read_text())
    described["stations"] = [one for one in described["stations"] if one["id"] != S2]
    broker.data.site.write_text(json.dumps(described))
    await asked(client, "hub.site")
    async with station(broker, password, s=S2):  # what it still holds is not lost
        pass
    async with station(broker, password, s=S2) as mqtt:
        assert await credential(client, S2, revoke=True) is None
        await cut_off(mqtt)
    assert "ot authorized" in await refused(station(broker, password, s=S2))
    assert (await asked(client, "hub.enrol", s=S2, renew=True))["error"] == "unknown_station"


async def test_no_station_before_the_stream_was_looked_at(broker, ingest, client):
    """Not at a broker that just started, and not while no ingest vouches for it."""
    password = await credential(client)
    await ingest.stop(kill=True)
    assert "ot authorized" in await refused(station(broker, password))
    await ingest.start()

    async def admitted():
        try:
            async with station(broker, password):
                return True
        except aiomqtt.MqttError:
            return False

    await until(admitted)
    await broker.stop(kill=True)
    await broker.start()
    await until(admitted)
