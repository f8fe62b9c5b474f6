"""What one station's credential may leave at the broker: messages as large as ours, each once."""

import asyncio
import json

import aiomqtt
import pytest
from diadema.hub.broker import LARGEST

from tests.support.at_the_door import connection, credential, cut_off, ingest_with_wifi
from tests.support.broker_fixtures import until
from tests.support.scripted_station import S, Script

EV = f"diadema/v1/{S}/ev"


@pytest.fixture
async def ingest(broker, stack):
    return await stack.enter_async_context(ingest_with_wifi(broker))


@pytest.fixture
async def password(ingest, client):
    return await credential(client)


def station(broker, password, **more):
    return connection(broker, broker.broker.ports.mqtt, password, **more)


async def kept(client, stream):
    """Messages and bytes that a stream of the broker has."""
    state = (await client.jetstream(timeout=60).stream_info(stream)).state
    return state.messages, state.bytes


async def thrown_out(broker, password, size, *, qos=1, retain=False, ends=True):
    """Publish so much; `ends`: the broker ends the connection for it."""
    async with station(broker, password) as mqtt:
        sent = asyncio.ensure_future(mqtt.publish(EV, b"x" * size, qos=qos, retain=retain))
        if ends:
            await cut_off(mqtt)
            sent.cancel()
        await asyncio.gather(sent, return_exceptions=True)


async def test_a_large_message_is_stored_nowhere(broker, client, password):
    event = Script().boot().bodies[0]
    async with station(broker, password) as mqtt:
        await mqtt.publish(EV, event + b" " * (1024 - len(event)), qos=1)
        await mqtt.publish(f"diadema/v1/{S}/st/wifi", b"x" * 768, qos=1, retain=True)
    before = await kept(client, "$MQTT_msgs")
    await thrown_out(broker, password, 1300)
    await thrown_out(broker, password, 900_000)
    await thrown_out(broker, password, 900_000, retain=True)
    await thrown_out(broker, password, 900_000, qos=0, retain=True, ends=False)
    will = aiomqtt.Will(f"diadema/v1/{S}/st/wifi", b"x" * 60_000, qos=1, retain=True)
    async with station(broker, password, will=will) as first, station(broker, password):
        await cut_off(first)
    messages, size = await kept(client, "$MQTT_msgs")
    assert messages <= before[0] + 4 and size < before[1] + 1000  # wills
    assert (await kept(client, "$MQTT_rmsgs"))[1] < 4096


async def test_twice_confirmed_messages_are_refused(broker, client, password):
    await thrown_out(broker, password, 900, qos=2)
    assert await kept(client, "$MQTT_qos2in") == (0, 0)


async def test_of_retained_messages_one_small_one_a_topic_is_kept(broker, client, password):
    async with station(broker, password) as mqtt:
        for at in range(30):
            body = json.dumps({"up": True, "at": at}).encode()
            await mqtt.publish(f"diadema/v1/{S}/st/wifi", body, qos=1, retain=True)
            await mqtt.publish(EV, b"x" * 1000, qos=1, retain=True)

    async def few():
        messages, size = await kept(client, "$MQTT_rmsgs")
        return 0 < messages <= 2 and size < 4096

    await until(few)


async def test_a_broker_of_before_gets_the_bounds(broker, client):
    jetstream = client.jetstream(timeout=60)
    for name in ("$MQTT_msgs", "$MQTT_rmsgs"):
        config = (await jetstream.stream_info(name)).config
        config.max_msg_size = -1
        config.max_bytes = -1 if name == "$MQTT_rmsgs" else config.max_bytes
        await jetstream.update_stream(config)
    await broker.broker.settle_stream()
    for name in ("$MQTT_msgs", "$MQTT_rmsgs"):
        config = (await jetstream.stream_info(name)).config
        assert config.max_msg_size == LARGEST and (config.max_bytes or 0) > 0
