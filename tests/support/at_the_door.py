"""A station's way to connect by MQTT, and what the ingest is asked about it."""

import asyncio
import json

import aiomqtt
import pytest
from diadema.base.certificates import Certificates

from tests.support.broker_fixtures import IngestProcess
from tests.support.scripted_station import SITE, S
from tests.support.trust import trusting

WIFI = {"ssid": "Piso 3", "password": "contrasena"}


def ingest_with_wifi(broker):
    """Of a site whose stations have Wi-Fi."""
    described = SITE | {"wifi": WIFI, "broker_names": ["localhost"]}
    broker.data.site.write_text(json.dumps(described))
    broker.write_hub()
    return IngestProcess(broker)


def connection(broker, port, password, s=S, **more):
    """As a station connects: its name, its will, the CA it holds."""
    will = aiomqtt.Will(f"diadema/v1/{s}/st/wifi", b'{"up":false}', qos=1, retain=True)
    given = {"timeout": 15, "username": s, "identifier": s, "will": will}
    given["tls_context"] = trusting(Certificates(broker.data.tls))
    return aiomqtt.Client("localhost", port, password=password, **given | more)


async def asked(client, subject, **body):
    reply = await client.request(subject, json.dumps(body).encode(), timeout=60)
    return json.loads(reply.data)


async def credential(client, s=S, **more):
    return (await asked(client, "hub.enrol", s=s, **more))["password"]


async def refused(connecting):
    """What the broker says to it."""
    with pytest.raises(aiomqtt.MqttError) as error:
        async with connecting:
            pass
    return str(error.value)


async def cut_off(connected):
    """The broker ends the connection."""
    with pytest.raises(aiomqtt.MqttError):
        async with asyncio.timeout(300):
            async for _ in connected.messages:
                pass
