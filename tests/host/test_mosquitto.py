"""Mosquitto as the stations' door: a real one with the configuration that we make, real NATS, real
ingest, and clients that speak a station's wire.
"""

import asyncio
import contextlib
import json
import sys

import aiomqtt
import pytest
from diadema.base.certificates import Certificates
from diadema.hub import mosquitto
from diadema.hub.broker import LOOPBACK, free_port
from diadema.site.station_keys import StationKeys, seal

from tests.support.at_the_door import (
    asked,
    connection,
    credential,
    cut_off,
    ingest_with_wifi,
    refused,
)
from tests.support.broker_fixtures import until
from tests.support.mosquitto_door import Mosquitto
from tests.support.scripted_station import S, Script
from tests.support.trust import trusting

S2 = "DIA-0123456789ac"


@pytest.fixture
async def ingest(broker, stack):
    return await stack.enter_async_context(ingest_with_wifi(broker))


@pytest.fixture
async def door(broker, ingest, client, stack):
    door = Mosquitto(broker)
    made = await asked(client, "hub.mosquitto", port=door.port, host=LOOPBACK)
    assert made == {"conf": str(broker.data.mosquitto / "mosquitto.conf")}
    stack.push_async_callback(door.stop, kill=True)
    await door.start()
    return door


async def links(client):
    return (await asked(client, "hub.status"))["links"]


class Station:
    """Keeps to the wire as the firmware does: hello until it is acknowledged, all that is not
    acknowledged again on each connection and whenever nothing comes for a second.
    """

    def __init__(self, broker, door, password, script):
        self._make = lambda: connection(broker, door.port, password, script.s)
        self._script = script
        self._sent = asyncio.Event()
        self.connections = 0
        self.answered = False
        self.acked = 0
        self.frames = []
        self.mqtt = None

    async def run(self):
        while True:
            with contextlib.suppress(aiomqtt.MqttError, TimeoutError):
                async with self._make() as mqtt:
                    await self._serve(mqtt)
            await asyncio.sleep(0.05)

    async def _serve(self, mqtt):
        s = self._script.s
        self.mqtt, self.answered = mqtt, False
        await mqtt.subscribe([(f"diadema/v1/{s}/ack", 0), (f"diadema/v1/{s}/cmd", 0)])
        self.connections += 1
        async with asyncio.TaskGroup() as tasks:
            hearing = tasks.create_task(self._hear(mqtt))
            while not hearing.done():
                await self._say(mqtt)
                self._sent.clear()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._sent.wait(), 1)

    async def _say(self, mqtt):
        script = self._script
        if not self.answered:
            hello = {k: v for k, v in script.hello(acked=self.acked).items() if k != "gw"}
            topic = f"diadema/v1/{script.s}/st/wifi"
            await mqtt.publish(topic, json.dumps(hello), qos=1, retain=True)
        for body in script.bodies[self.acked :]:
            await mqtt.publish(f"diadema/v1/{script.s}/ev", body, qos=1)

    async def _hear(self, mqtt):
        async for message in mqtt.messages:
            frame = json.loads(message.payload)
            self.answered = True
            self.frames.append((message.payload, frame))
            if "ack" in frame and frame["ack"][0] == self._script.e:
                self.acked = max(self.acked, frame["ack"][1])


@pytest.fixture
async def station(broker, door, client, stack):
    """`await station(script)`: one that runs until the test ends; `.task` ends it earlier."""

    async def begin(script):
        made = Station(broker, door, await credential(client, script.s), script)
        made.task = asyncio.create_task(made.run())

        async def end():
            made.task.cancel()
            await asyncio.gather(made.task, return_exceptions=True)

        stack.push_async_callback(end)
        return made

    return begin


async def test_a_hello_is_answered_and_kept(broker, door, client, store, station):
    script = Script().boot().clock().login()
    one = await station(script)
    await until(lambda: one.acked == script.n)
    assert [event.body for event in store.events_of(S)] == script.bodies
    await until(lambda: any(frame.get("cmd") == "config" for _, frame in one.frames))
    await door.stop(kill=True)
    subject = f"diadema.v1.{S}.st.wifi"
    kept = await client.jetstream(timeout=60).get_last_msg("$MQTT_rmsgs", f"$MQTT.rmsgs.{subject}")
    assert json.loads(kept.data)["e"] == script.e


async def test_commands_come_down_sealed(broker, door, client, station):
    script = Script().boot().clock().login().ready()
    one = await station(script)
    await until(lambda: one.acked == script.n)
    i = (await asked(client, "hub.command", s=S, cmd="text", m="m1", text="Hola"))["i"]
    payload = await until(
        lambda: next((raw for raw, frame in one.frames if frame.get("i") == i), None)
    )
    frame = json.loads(payload)
    body = payload.replace(b',"h":"%b"' % frame["h"].encode(), b"")
    assert json.loads(body)["text"] == "Hola"
    key = StationKeys(broker.data.keys).of(S)
    assert seal(key, S, script.b, body) == payload


async def test_nothing_is_lost_or_doubled_when_mosquitto_is_killed(door, store, station):
    script = Script().boot().clock().login().ready()
    one = await station(script)
    await until(lambda: one.acked == script.n)
    for round_ in range(3):
        await until(lambda: one.connections > round_)  # noqa: B023
        for call in range(30):
            script.call(f"c{round_}-{call}")
        one._sent.set()
        reached = store.position(S, script.e)
        await until(lambda: store.position(S, script.e) > reached)  # noqa: B023
        await door.stop(kill=True)
        await door.start()
    await until(lambda: one.connections > 3 and one.acked == script.n)
    assert [event.body for event in store.events_of(S)] == script.bodies
    assert store.dead_letters() == []


async def test_nats_may_be_killed_behind_mosquitto(broker, door, client, store, station):
    script = Script().boot().clock().login().ready()
    one = await station(script)
    await until(lambda: one.acked == script.n)
    await broker.stop(kill=True)
    script.call("c1")
    one._sent.set()
    await broker.start()
    await until(lambda: one.acked == script.n)
    assert one.connections == 1
    assert [event.body for event in store.events_of(S)] == script.bodies


async def test_a_station_cannot_speak_or_hear_as_another(broker, door, client, store, station):
    password = await credential(client)
    other = await station(Script(s=S2).boot().clock())
    own, forged = Script().boot(), Script(s=S2, e=9).boot()
    await until(lambda: other.acked == 2)
    async with connection(broker, door.port, password, identifier=S2) as mqtt:
        await mqtt.subscribe([("#", 0), (f"diadema/v1/{S2}/cmd", 0), ("diadema/v1/+/ack", 0)])
        for topic in (f"{S2}/ev", f"{S2}/st/wifi", f"{S}/st/usb", f"{S}/cmd", "mosquitto/st"):
            body = forged.bodies[0] if topic.endswith("/ev") else b'{"up":false}'
            await mqtt.publish(f"diadema/v1/{topic}", body, qos=1)
        await asked(client, "hub.command", s=S2, cmd="text", m="m1", text="Hola")
        await until(lambda: any(frame.get("m") == "m1" for _, frame in other.frames))
        await mqtt.publish(f"diadema/v1/{S}/ev", own.bodies[0], qos=1)
        async with asyncio.timeout(300):
            async for message in mqtt.messages:
                assert str(message.topic) == f"diadema/v1/{S}/ack"
                break
    assert other.connections == 1  # nor did taking its client id end the other
    assert store.position(S2, forged.e) == 0
    assert [event.epoch for event in store.events_of(S2)] == [7, 7]
    assert store.position(S, own.e) == 1
    assert store.dead_letters() == []
    assert (await asked(client, "hub.status"))["publish_violations"] == 0


async def test_what_is_too_large_goes_no_further_and_stops_nobody(
    broker, door, client, store, station
):
    """Carried on, it would end the bridge's connection, for all stations and again and again."""
    password, own = await credential(client), Script().boot()
    other = await station(Script(s=S2).boot())
    await until(lambda: other.acked == 1)
    for qos, size in ((1, 3000), (1, 100_000), (2, 500)):
        with contextlib.suppress(aiomqtt.MqttError, TimeoutError):
            async with asyncio.timeout(5), connection(broker, door.port, password) as mqtt:
                await mqtt.publish(f"diadema/v1/{S}/ev", b"x" * size, qos=qos)
                await mqtt.publish(f"diadema/v1/{S}/ev", own.bodies[0], qos=1)
    async with connection(broker, door.port, password) as mqtt:
        await mqtt.publish(f"diadema/v1/{S}/ev", own.bodies[0], qos=1)
        await until(lambda: store.position(S, own.e) == 1)
    assert "port 1883" not in door.log()  # the door that a setting before any listener opens
    assert other.connections == 1 and store.dead_letters() == []
    assert (await client.jetstream(timeout=60).stream_info("$MQTT_msgs")).state.bytes < 20_000


async def test_who_is_refused(broker, door, client):
    password, other = await credential(client), await credential(client, S2)
    for wrong in ("", "x" * 43, other):
        assert "ot authorized" in await refused(connection(broker, door.port, wrong))
    assert "ot authorized" in await refused(
        connection(broker, door.port, password, s="DIA-ffffffffffff")
    )
    anonymous = connection(broker, door.port, None, username=None)
    assert "ot authorized" in await refused(anonymous)
    assert await refused(connection(broker, door.port, password, tls_context=None, timeout=2))
    async with connection(broker, door.port, password):
        pass


async def test_a_station_that_dies_is_lost(broker, door, client, station):
    script = Script().boot().clock()
    heard = await client.subscribe(f"diadema.v1.{S}.st.wifi")
    one = await station(script)
    await until(lambda: one.acked == script.n)
    assert (await links(client))["up"] == 1
    one.task.cancel()
    one.mqtt._client._sock_close()  # power cut: no goodbye
    async with asyncio.timeout(300):
        async for message in heard.messages:
            if json.loads(message.data) == {"up": False}:
                break

    async def lost():
        return (await links(client))["lost"] == 1

    await until(lost)


async def test_a_station_that_dies_while_mosquitto_is_down_is_lost_too(door, client, station):
    script, other = Script().boot().clock(), Script(s=S2).boot().clock()
    one, two = await station(script), await station(other)
    await until(lambda: one.acked == script.n and two.acked == other.n)
    one.task.cancel()
    await door.stop(kill=True)
    await door.start()

    async def one_is_back():
        return await links(client) == {"up": 1, "late": 0, "lost": 1}

    await until(one_is_back)


async def test_renewed_and_revoked_while_mosquitto_runs(broker, door, client):
    pid = door.process.pid
    first = await credential(client)
    async with connection(broker, door.port, first) as mqtt:
        second = await credential(client, renew=True)
        await cut_off(mqtt)  # at once, not at its next connection
    assert "ot authorized" in await refused(connection(broker, door.port, first))
    async with connection(broker, door.port, second) as mqtt:
        assert await credential(client, revoke=True) is None
        await cut_off(mqtt)
    assert "ot authorized" in await refused(connection(broker, door.port, second))
    new = "DIA-0123456789ad"
    described = json.loads(broker.data.site.read_text())
    described["stations"].append({"id": new, "seat": "A-03"})
    broker.data.site.write_text(json.dumps(described))
    await asked(client, "hub.site")
    password = await credential(client, new)

    async def admitted():
        try:
            async with connection(broker, door.port, password, s=new):
                return True
        except aiomqtt.MqttError:
            return False

    await until(admitted)
    assert door.process.pid == pid and door.process.returncode is None


async def test_stations_are_told_the_door_and_the_files_are_ours(broker, ingest, client):
    told = await asked(client, "hub.enrol", s=S)
    assert told["port"] == broker.broker.ports.mqtt
    port = free_port()
    folder = broker.data.mosquitto
    for _ in range(2):
        await asked(client, "hub.mosquitto", port=port)
        assert folder.stat().st_mode & 0o777 == 0o700
        assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o600}
        assert (await asked(client, "hub.enrol", s=S))["port"] == port
    assert told["password"] not in (folder / "passwords").read_text()
    await asked(client, "hub.mosquitto", remove=True)
    assert list(folder.iterdir()) == []
    assert (await asked(client, "hub.enrol", s=S))["port"] == broker.broker.ports.mqtt
    own = broker.broker.ports.mqtt
    for wrong, said in (({"port": own}, "--port"), ({"port": 0}, "not a port"),
                        ({"port": port, "host": "x\nuser root"}, "no address")):  # fmt: skip
        answer = await asked(client, "hub.mosquitto", **wrong)
        assert said in answer["detail"]
    assert mosquitto.read_listener(broker.data) is None


async def test_the_bridge_may_only_carry(broker, client):
    heard = []

    async def listen(message):
        heard.append(message.subject)

    await client.subscribe("diadema.v1.>", cb=listen)
    await client.flush()
    given = {"username": "mosquitto", "password": broker.secrets.bridge, "identifier": "bridge"}
    given["tls_context"] = trusting(Certificates(broker.data.tls))
    async with aiomqtt.Client(LOOPBACK, broker.broker.ports.mqtt, **given) as bridge:
        topics = ["diadema/v1/+/ev", "diadema/v1/+/ack", "diadema/v1/+/cmd", "#"]
        granted = await bridge.subscribe([(topic, 0) for topic in topics])
        assert [code.value for code in granted] == [128, 0, 0, 128]
        for topic in (f"{S}/cmd", f"{S}/ack", f"{S}/st/usb", "gw-x/st", f"{S}/ev", f"{S}/st/wifi"):
            await bridge.publish(f"diadema/v1/{topic}", b"{}", qos=1)
    await until(lambda: len(heard) >= 2)
    assert heard == [f"diadema.v1.{S}.ev", f"diadema.v1.{S}.st.wifi"]


async def test_the_command_makes_the_files_and_says_how_to_run_it(broker, ingest):
    async def diadema(*arguments):
        process = await asyncio.create_subprocess_exec(
            *[sys.executable, "-m", "diadema", "mosquitto", "--data", str(broker.data.root)],
            *arguments,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate()
        return process.returncode, said.decode()

    conf = broker.data.mosquitto / "mosquitto.conf"
    port = str(free_port())
    assert await diadema("--port", port, "--json") == (0, json.dumps({"conf": str(conf)}) + "\n")
    assert f"mosquitto -c {conf}" in (await diadema("--port", port))[1]
    code, said = await diadema("--port", str(broker.broker.ports.mqtt))
    assert code == 2 and "--mqtt-port" in said
    assert (await diadema("--remove"))[0] == 0
    assert not conf.exists()
