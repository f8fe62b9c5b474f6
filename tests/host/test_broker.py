"""The broker's own ways that we stand on; if one changes, the design of the ingest must too."""

import asyncio
import json

import pytest
from diadema.base.errors import DiademaError
from diadema.hub import broker as brokers
from diadema.hub import stream as streams
from diadema.hub.broker import STREAM
from diadema.hub.stream import StreamBroken, open_stream
from diadema.ingest.messages import PREFIX

from tests.support.broker_fixtures import until
from tests.support.scripted_station import S, Script


async def consumer(client, first=1):
    from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

    made = await client.jetstream(timeout=60).add_consumer(
        STREAM,
        ConsumerConfig(
            deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
            opt_start_seq=first,
            ack_policy=AckPolicy.NONE,
            inactive_threshold=60.0,
        ),
    )
    return made.name


async def test_the_stream_is_ours_and_keeps_what_nobody_waited_for(broker, gateways, stack):
    script = Script().boot()
    client = await broker.client()
    stack.push_async_callback(client.close)
    async with broker.mqtt() as mqtt:
        await mqtt.publish(f"diadema/v1/gw-test/{S}/ev", script.bodies[0], qos=1)
        await mqtt.publish(f"diadema/v1/gw-test/{S}/st", b"{}", qos=1, retain=True)
    info = await client.jetstream(timeout=60).stream_info(STREAM)
    assert info.config.retention == "limits"
    assert info.state.messages == 2
    await broker.stop(kill=True)
    await broker.start()
    reader = await open_stream(
        broker.url, "host", broker.secrets.host, STREAM, await consumer(await broker.client())
    )
    stack.callback(reader.close)
    messages = await reader.read()
    first = messages[0]
    assert (first.sequence, first.subject, first.data) == (
        1, f"{PREFIX}gw-test.{S}.ev", script.bodies[0],
    )  # fmt: skip
    assert messages[1].subject == f"{PREFIX}gw-test.{S}.st"


async def test_the_will_of_a_gateway_comes_through_the_same_stream(broker, gateways, stack):
    import aiomqtt

    topic = "diadema/v1/gw-test/st"
    will = aiomqtt.Will(topic, b'{"up":false}', qos=1, retain=True)
    client = await broker.client()
    stack.push_async_callback(client.close)
    with pytest.raises(aiomqtt.MqttError):
        async with broker.mqtt(will=will) as mqtt:
            await mqtt.publish(topic, b'{"up":true}', qos=1, retain=True)
            mqtt._client._sock_close()  # as a cable pulled, no goodbye
            await mqtt.publish(topic, b"unsent", qos=1)
    jetstream = client.jetstream(timeout=60)

    async def both():
        return (await jetstream.stream_info(STREAM)).state.messages == 2

    await until(both)
    last = await jetstream.get_last_msg(STREAM, "$MQTT.msgs.diadema.v1.gw-test.st")
    assert last.data == b'{"up":false}'


async def test_a_gateway_may_only_what_it_needs(broker, gateways, stack):
    client = await broker.client()
    stack.push_async_callback(client.close)
    heard = await client.subscribe("hub.>")
    others = [await client.subscribe(f"diadema.v1.{S}.>"), await client.subscribe("host.>")]
    others.append(await client.subscribe("diadema.v1.gw-other.>"))
    others.append(await client.subscribe("switch.>"))
    async with broker.mqtt() as mqtt:
        foreign = [f"diadema/v1/{S}/cmd", "diadema/v1/gw-other/#", "diadema/v1/#", "#",
                   "switch/events", "switch/#", "hub/#", "_INBOX/switch/#"]  # fmt: skip
        granted = await mqtt.subscribe([(topic, 0) for topic in foreign])
        assert [code.value for code in granted] == [128] * len(foreign)
        await mqtt.subscribe("diadema/v1/gw-test/+/+/cmd")
        for subject in ("command", "call", "switch", "queue"):
            await mqtt.publish(f"hub/{subject}", b"{}", qos=0)
        for subject in ("events", "dial"):
            await mqtt.publish(f"switch/{subject}", b"{}", qos=1)
        for topic in (f"{S}/ev", f"{S}/st/wifi", f"gw-other/{S}/ev", "gw-other/st"):
            await mqtt.publish(f"diadema/v1/{topic}", b"{}", qos=1)
        await mqtt.publish(f"host/{S}/ev", b"{}", qos=1)
        await mqtt.publish(f"diadema/v1/gw-test/{S}/ev", b"{}", qos=1)
        await client.publish(f"diadema.v1.gw-test.{S}.0.cmd", b"down")
        message = await anext(aiter(mqtt.messages))
        assert message.payload == b"down"
    assert [one.pending_msgs for one in (heard, *others)] == [0] * 5
    assert (await client.jetstream(timeout=60).stream_info(STREAM)).state.last_seq == 1


async def test_reading_from_the_middle_and_in_pieces(broker, stack):
    client = await broker.client()
    stack.push_async_callback(client.close)
    jetstream = client.jetstream(timeout=60)
    for number in range(1, 30):
        await jetstream.publish("$MQTT.msgs.x", b"\r\n" * number, headers={"Nmqtt-Pub": "1"})
    reader = await open_stream(
        broker.url, "host", broker.secrets.host, STREAM, await consumer(client, 11)
    )
    stack.callback(reader.close)
    messages = []
    while len(messages) < 19:
        messages += await reader.read()
    assert [message.sequence for message in messages] == list(range(11, 30))
    assert [len(message.data) // 2 for message in messages] == list(range(11, 30))
    waiting = asyncio.ensure_future(reader.read())
    await jetstream.publish("$MQTT.msgs.x", b"late")
    assert [message.data for message in await waiting] == [b"late"]


async def test_what_a_reader_that_was_killed_had_asked_for_comes_to_no_other(broker, stack):
    client = await broker.client()
    stack.push_async_callback(client.close)
    for number in range(1, 6):
        for killed in (True, False):
            name = await consumer(client, number)
            reader = await open_stream(broker.url, "host", broker.secrets.host, STREAM, name)
            stack.callback(reader.close)
            waiting = asyncio.ensure_future(reader.read())
            if killed:
                await until(lambda reader=reader: reader._requested)
                await client.flush()
                waiting.cancel()
                reader._transport.abort()
        await client.jetstream(timeout=60).publish("$MQTT.msgs.x", b"%d" % number)
        assert [message.data for message in await waiting] == [b"%d" % number]


async def test_a_dead_broker_or_consumer_breaks_the_reading(broker, stack):
    client = await broker.client()
    stack.push_async_callback(client.close)
    name = await consumer(client)
    reader = await open_stream(broker.url, "host", broker.secrets.host, STREAM, name)
    stack.callback(reader.close)
    waiting = asyncio.ensure_future(reader.read())
    await client.flush()
    await client.jetstream(timeout=60).delete_consumer(STREAM, name)
    with pytest.raises(StreamBroken):
        await waiting
    name = await consumer(client)
    reader = await open_stream(broker.url, "host", broker.secrets.host, STREAM, name)
    stack.callback(reader.close)
    waiting = asyncio.ensure_future(reader.read())
    await broker.stop(kill=True)
    with pytest.raises(StreamBroken):
        await waiting


async def test_a_consumer_that_says_nothing_is_given_up(stack, monkeypatch):
    """Its node died, and the connection is to another one: the broker lives, and is silent."""
    said, asked = asyncio.Event(), []

    async def serve(reader, writer):
        await reader.readuntil(b"SUB ")
        asked.append(await reader.readuntil(b"}"))
        while not said.is_set():
            writer.write(
                b"HMSG _INBOX.x 1 37 37\r\nNATS/1.0 100 Idle Heartbeat\r\n\r\n      \r\n\r\n"
            )
            await asyncio.sleep(0.05)
        while await reader.read(1000):
            writer.write(b"PING\r\n")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1")
    stack.push_async_callback(server.wait_closed)
    stack.callback(server.close)
    url = f"nats://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    monkeypatch.setattr(streams, "_SILENCE_S", 3)
    reader = await open_stream(url, "host", "x", STREAM, "c")
    stack.callback(reader.close)
    waiting = asyncio.ensure_future(reader.read())
    await asyncio.sleep(4)
    assert not waiting.done()  # it says that it is there
    wanted = json.loads(asked[0][asked[0].index(b"{") :])
    assert wanted["idle_heartbeat"] == 1e9
    said.set()
    with pytest.raises(StreamBroken, match="silent"):
        await waiting


async def test_a_stream_made_by_the_server_itself_is_put_right(tmp_path, stack):
    from tests.support.broker_fixtures import RunningBroker

    running = RunningBroker(tmp_path)
    stack.push_async_callback(running.stop, kill=True)
    await running.start(mqtt=False)
    client = await running.client()
    stack.push_async_callback(client.close)
    from nats.js.api import RetentionPolicy, StreamConfig

    jetstream = client.jetstream(timeout=60)
    await jetstream.delete_stream(STREAM)
    servers = StreamConfig(
        name=STREAM, subjects=["$MQTT.msgs.>"], retention=RetentionPolicy.INTEREST
    )
    await jetstream.add_stream(servers)
    try:
        await running.broker.settle_stream()
    except DiademaError as error:
        assert "move that folder away" in str(error) or "refuses" in str(error)
    else:
        info = await jetstream.stream_info(STREAM)
        assert info.config.retention == "limits"


async def test_a_stream_at_its_limit_goes_on_without_its_oldest(tmp_path, stack, monkeypatch):
    """They are stored, or still in their stations' journals; nobody must wait for a week."""
    from tests.support.broker_fixtures import RunningBroker

    running = RunningBroker(tmp_path)
    stack.push_async_callback(running.stop, kill=True)
    await running.start(mqtt=False)
    client = await running.client()
    stack.push_async_callback(client.close)
    unlimited = (await client.jetstream(timeout=60).stream_info(STREAM)).config
    unlimited.max_bytes = -1  # as made before there was a limit
    await client.jetstream(timeout=60).update_stream(unlimited)
    await running.stop()
    monkeypatch.setattr(brokers, "LEAST_BYTES", 100_000)
    monkeypatch.setattr(running.broker, "_most", 100_000)
    await running.start()
    stack.push_async_callback((await running.admit_gateways()).close)
    async with running.mqtt() as mqtt:
        for _ in range(300):
            await mqtt.publish(f"diadema/v1/gw-test/{S}/ev", b"x" * 500, qos=1)
    state = (await client.jetstream(timeout=60).stream_info(STREAM)).state
    assert state.last_seq == 300 and state.first_seq > 1 and state.bytes <= 100_000


def test_an_old_server_is_refused(tmp_path, monkeypatch):
    old = tmp_path / "nats-server"
    old.write_text("#!/bin/sh\necho nats-server: v2.10.27\n")
    old.chmod(0o755)
    monkeypatch.setattr(brokers.sys, "executable", str(tmp_path / "python"))
    with pytest.raises(DiademaError, match=r"2\.15\.1 or newer"):
        brokers.find_server()


def test_ports_of_last_time_are_kept_if_free(tmp_path):
    import socket

    from diadema.base import credentials
    from diadema.base.paths import DataDir

    data = DataDir(tmp_path)
    data.make()
    secrets = credentials.load_or_create(data)
    first = brokers.Broker(data, secrets).ports
    assert brokers.Broker(data, secrets).ports == first
    assert json.loads((data.nats / "ports.json").read_bytes())["mqtt"] == first.mqtt
    with socket.socket() as taken:
        taken.bind((brokers.LOOPBACK, first.mqtt))
        taken.listen()
        again = brokers.Broker(data, secrets).ports
    assert again.nats == first.nats
    assert again.mqtt != first.mqtt
