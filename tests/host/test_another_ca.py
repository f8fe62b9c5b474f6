"""The broker's CA is changed: whose word is waited for, what stands at the door, who gets in."""

import asyncio
import json
import ssl
from contextlib import suppress

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from diadema.base.certificates import Certificates, PageCertificates, ca_mark
from diadema.stations.fleet import all_stations

from tests.support.at_the_door import asked, connection, credential, ingest_with_wifi, refused
from tests.support.broker_fixtures import until
from tests.support.mosquitto_door import Mosquitto
from tests.support.scripted_station import S, Script
from tests.support.trust import trusting

S2 = "DIA-0123456789ac"


@pytest.fixture
async def ingest(broker, stack):
    return await stack.enter_async_context(ingest_with_wifi(broker))


@pytest.fixture
def tls(broker):
    return Certificates(broker.data.tls)


class Station:
    """It holds the authorities of when it was made."""

    def __init__(self, broker, password, s, port):
        self.script = Script(s=s).boot().clock()
        self._context = trusting(Certificates(broker.data.tls))
        self._open = lambda: connection(broker, port, password, s, tls_context=self._context)

    async def say(self):
        """All that it has to tell."""
        async with self._open() as mqtt:
            for body in self.script.bodies:
                await mqtt.publish(f"diadema/v1/{self.script.s}/ev", body, qos=1)

    async def confirm(self, ca):
        told = {"generation": 2, "hash": "0" * 16, "i": 1, "ca": ca}
        self.script.add("station.config", **told)
        await self.say()


@pytest.fixture
def station(broker, client):
    async def made(s, port=None):
        password = await credential(client, s)
        found = Station(broker, password, s, port or broker.broker.ports.mqtt)
        await found.confirm(Certificates(broker.data.tls).mark())
        while not known(broker, s):
            await found.say()  # again, as a station does: the broker may have restarted
            with suppress(TimeoutError):
                await until(lambda: known(broker, s), 5)
        return found

    return made


def known(broker, s):
    return s in [row.station for row in all_stations(broker.data, 0) if row.generation]


def due(broker):
    return [row.station for row in all_stations(broker.data, 0) if row.ca_due]


def is_by(pem, der):
    """Whether a client that holds this CA alone would take that certificate."""
    ca = x509.load_der_x509_certificate(der)
    try:
        x509.load_pem_x509_certificate(pem.encode()).verify_directly_issued_by(ca)
    except (InvalidSignature, ValueError):
        return False
    return True


async def shown(port):
    return await asyncio.to_thread(ssl.get_server_certificate, ("localhost", port))


async def test_the_old_one_stays_until_the_last_has_said_so(broker, ingest, client, tls, station):
    one, two = await station(S), await station(S2)
    old, port = tls.ca_der(), broker.broker.ports.mqtt
    only_old = trusting(tls)
    assert due(broker) == []
    assert (await asked(client, "hub.ca"))["generation"] == 2
    assert "already" in (await asked(client, "hub.ca"))["detail"]
    assert (await asked(client, "hub.enrol", s=S))["ca"] == tls.broker_ca()
    assert due(broker) == [S, S2]
    await one.confirm(tls.mark())
    await until(lambda: due(broker) == [S2])
    # a program of before takes what it is told, and cannot say that it holds both
    two.script.add("station.config", generation=2, hash="0" * 16, i=2)
    await two.say()
    await ingest.stop(kill=True)
    await ingest.start()
    assert due(broker) == [S2] and is_by(await shown(port), old)
    two.script.boot(ca=tls.mark())  # it was brought up
    await two.say()
    await until(lambda: not tls.changing)
    new = tls.ca_der()
    assert old not in new and is_by(await shown(port), new)
    await until(lambda: due(broker) == [])
    assert (await asked(client, "hub.enrol", s=S))["ca"] == tls.broker_ca()
    password = await credential(client)
    said = await refused(connection(broker, port, password, tls_context=only_old))
    assert "certificate verify failed" in said
    async with connection(broker, port, password):
        pass


async def test_who_is_revoked_or_was_never_there_is_not_waited_for(
    broker, ingest, client, tls, station
):
    await station(S)
    await asked(client, "hub.ca")
    assert due(broker) == [S]
    await asked(client, "hub.enrol", s=S, revoke=True)
    await until(lambda: not tls.changing)


async def test_a_gateway_elsewhere_gets_its_file_first(broker, ingest, client, tls):
    """It carries a station that has no Wi-Fi, so no configuration brings it the new one."""
    file = await asked(client, "hub.enrol", s="gw-row2")
    held, script = ca_mark(file["ca"]), Script().boot()

    async def greet():
        hello = script.hello(gw="row2", gw_ca=held)
        subject = f"$MQTT.msgs.diadema.v1.gw-row2.{S}.st"
        await client.publish(subject, json.dumps(hello).encode())

    await greet()
    await until(lambda: [row.station for row in all_stations(broker.data, 0) if row.ways])
    await asked(client, "hub.ca")
    (row, _) = all_stations(broker.data, 0)
    assert (row.gw_due, row.ca_due) == ("row2", False)
    assert tls.changing
    held = ca_mark((await asked(client, "hub.enrol", s="gw-row2"))["ca"])
    assert held == tls.mark()
    await greet()
    await until(lambda: not tls.changing)
    # one that is no more is not waited for either
    await asked(client, "hub.ca")
    assert all_stations(broker.data, 0)[0].gw_due == "row2"
    await asked(client, "hub.enrol", s="gw-row2", revoke=True)
    await until(lambda: not tls.changing)


async def test_mosquitto_shows_the_new_one_and_its_bridge_takes_it(
    broker, ingest, client, tls, station, stack
):
    door = Mosquitto(broker)
    await asked(client, "hub.mosquitto", port=door.port, host="127.0.0.1")
    stack.push_async_callback(door.stop, kill=True)
    await door.start()
    one = await station(S, door.port)
    old = tls.ca_der()
    await asked(client, "hub.ca")
    await until(lambda: due(broker) == [S])
    await one.confirm(tls.mark())
    await until(lambda: not tls.changing)
    assert old not in tls.ca_der()
    assert is_by(await shown(door.port), tls.ca_der())
    again = Station(broker, await credential(client), S, door.port)
    again.script = one.script.add("station.health", heap=1, journal=1, discards=0, bad_frames=0)
    await broker.stop(kill=True)  # the bridge has to come back
    await broker.start()

    async def carried():
        await again.say()  # mosquitto takes it, and drops it while its bridge is down
        return [row for row in all_stations(broker.data, 0) if row.heap == 1]

    await until(carried)


async def test_a_stolen_key_of_the_pages_makes_no_broker_and_the_other_no_page(broker, tls):
    pages = PageCertificates(broker.data.tls)
    pages.make(["localhost"])
    for held, shows in ((tls, pages), (pages, tls)):
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.load_cert_chain(shows.server, shows.server_key)
        listening = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0, ssl=server)
        port = listening.sockets[0].getsockname()[1]
        trust = ssl.create_default_context(cafile=held.ca)
        with pytest.raises(ssl.SSLCertVerificationError):
            await asyncio.open_connection("localhost", port, ssl=trust)
        right = ssl.create_default_context(cafile=shows.ca)
        _, writer = await asyncio.open_connection("localhost", port, ssl=right)
        writer.close()
        listening.close()
