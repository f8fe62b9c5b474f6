"""The station's MQTT client on both interpreters: against a real NATS server with TLS, and against
a TLS peer that withholds what a broker owes.
"""

import asyncio
import base64
from types import SimpleNamespace

import pytest
from diadema.base.certificates import Certificates, PageCertificates

from tests.support.mqtt_bench import (
    INTERPRETERS,
    STATION,
    Authority,
    Peer,
    Station,
    broker,
    running_server,
)

both = pytest.mark.parametrize("which", list(INTERPRETERS))


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path)


@both
async def test_events_arrive_in_order_and_what_comes_down_is_heard(tmp_path, authority, which):
    async with (
        running_server(tmp_path, authority) as server,
        Station(which, broker=server.broker, count=200) as station,
    ):
        await station.says("up")
        await station.says("confirmed 0")
        assert await server.events() == list(range(200))
        client = await server.client()
        await client.publish(f"diadema.v1.{STATION}.ack", b'{"ack":[1,2]}')
        await client.publish(f"diadema.v1.{STATION}.cmd", b'{"cmd":"time"}')
        await client.close()
        assert await station.says("down") == 'down {"ack":[1,2]}'
        assert await station.says("down") == 'down {"cmd":"time"}'


@both
async def test_a_server_killed_and_back_loses_nothing(tmp_path, authority, which):
    async with (
        running_server(tmp_path, authority) as server,
        Station(which, broker=server.broker, count=1500) as station,
    ):
        for at in (200, 600, 1000):
            await station.says(f"published {at}")
            await server.kill()
            await station.says("ended")
            await server.start()
            await station.says("up")
        await station.says("confirmed")
        events = await server.events()
        assert set(events) == set(range(1500))
        first = {n: at for at, n in reversed(list(enumerate(events)))}
        assert sorted(first, key=first.__getitem__) == list(range(1500))


@both
async def test_packet_ids_wrap_and_are_never_zero(tmp_path, authority, which):
    async with (
        running_server(tmp_path, authority) as server,
        Station(which, broker=server.broker, count=40, first_id=65_520) as station,
    ):
        await station.says("confirmed 0")
        assert await server.events() == list(range(40))
    async with (
        Peer(authority, {0x32: b""}) as peer,
        Station(which, broker=broker(authority, peer.port), count=8, first_id=65_533,
                answer_ms=1000) as station,
    ):  # fmt: skip
        await station.says("ended no_answer")
        ids = [int.from_bytes(body[-9:-7]) for first, body in peer.seen if first == 0x32]
        assert ids == [65_534, 65_535, 1, 2, 3, 4, 5, 6]


@both
async def test_a_puback_that_does_not_come_ends_the_connection_and_all_goes_again(
    authority, which
):
    async with (
        Peer(authority, {0xC0: b"\xd0\x00"}) as peer,
        Station(which, broker=broker(authority, peer.port), count=3, answer_ms=500) as station,
    ):
        await station.says("ended no_answer")
        await station.says("up")
        await peer.saw(lambda seen: [first for first, _ in seen].count(0x3A) == 3)
        kinds = [first for first, _ in peer.seen if first != 0xC0]
        assert kinds == [0x10, 0x82, 0x32, 0x32, 0x32, 0x10, 0x82, 0x3A, 0x3A, 0x3A]
        bodies = [body for first, body in peer.seen if first in (0x32, 0x3A)]
        assert bodies[:3] == bodies[3:]


@both
async def test_a_ping_without_an_answer_ends_the_connection(authority, which):
    async with (
        Peer(authority, {}) as peer,
        Station(which, broker=broker(authority, peer.port), count=0, answer_ms=500) as station,
    ):
        await station.says("up")
        await station.says("ended no_answer")
        assert peer.seen[2:3] == [(0xC0, b"")]


def both_told(*authorities):
    """`broker.ca` while the authority is changed: the certificates one behind the other."""
    told = b"".join(base64.b64decode(one.base64) for one in authorities)
    return base64.b64encode(told).decode()


@both
async def test_of_two_authorities_either_is_taken_and_no_third(tmp_path, authority, which):
    for name in ("next", "third"):
        (tmp_path / name).mkdir()
    coming, third = (Authority(tmp_path / name, name) for name in ("next", "third"))
    for shows, outcome in ((authority, "up"), (coming, "up"), (third, "ended certificate")):
        async with Peer(shows, {}) as peer:
            told = broker(authority, peer.port) | {"ca": both_told(authority, coming)}
            async with Station(which, broker=told, count=0, once=True) as station:
                await station.says(outcome)


@both
async def test_the_authority_of_the_pages_is_good_for_no_broker(tmp_path, which):
    """Whoever has stolen its key."""
    stations, pages = Certificates(tmp_path / "tls"), PageCertificates(tmp_path / "tls")
    for made in (stations, pages):
        made.make(["localhost", "127.0.0.1"])
    for shows, outcome in ((stations, "up"), (pages, "ended certificate")):
        peer = Peer(SimpleNamespace(server=lambda: (shows.server, shows.server_key)), {})  # noqa: B023
        async with peer:
            told = broker(SimpleNamespace(base64=stations.broker_ca()), peer.port)
            async with Station(which, broker=told, count=0, once=True) as station:
                await station.says(outcome)


@both
async def test_what_is_no_certificate_is_told(authority, which):
    async with Peer(authority, {}) as peer:
        for ca in (
            authority.base64[:-8],
            base64.b64encode(b"\x30").decode(),
            "AAEC",
            base64.b64encode(base64.b64decode(authority.base64) + b"\0").decode(),
        ):
            told = broker(authority, peer.port) | {"ca": ca}
            async with Station(which, broker=told, count=0, once=True) as station:
                await station.says("ended ")


@both
async def test_another_authority_is_refused(tmp_path, authority, which):
    (tmp_path / "other").mkdir()
    other = Authority(tmp_path / "other")
    async with (
        Peer(authority, {}) as peer,
        Station(which, broker=broker(other, peer.port), count=0, once=True) as station,
    ):
        await station.says("ended certificate")
        assert peer.seen == []


@both
async def test_a_port_that_speaks_no_tls_has_a_name(authority, which):
    async def answer(reader, writer):
        await reader.read(16)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()

    async with (
        await asyncio.start_server(answer, "127.0.0.1", 0) as plain,
        Station(which, broker=broker(authority, plain.sockets[0].getsockname()[1]), count=0,
                once=True) as station,
    ):  # fmt: skip
        await station.says("ended tls")


@both
async def test_another_name_is_refused(authority, which):
    async with (
        Peer(authority, {}) as peer,
        Station(which, broker=broker(authority, peer.port, "127.0.0.2"), count=0, once=True,
                answer_ms=3000) as station,
    ):  # fmt: skip
        await station.says("ended")
        assert peer.seen == []


@both
async def test_a_wrong_password_is_told(tmp_path, authority, which):
    async with running_server(tmp_path, authority) as server:
        wrong = dict(server.broker, password="x")
        async with Station(which, broker=wrong, count=0, once=True) as station:
            assert (await station.says("ended")).startswith(("ended refused", "ended lost"))


@both
@pytest.mark.parametrize(
    "answer", [b"\x30\xff\x7f" + bytes(20), b"\x30\xff\xff\xff\xff\x7f", b"\x00\x00", b"\x40\x00"]
)
async def test_nonsense_and_packets_without_end_are_not_kept(authority, which, answer):
    async with (
        Peer(authority, {0x32: answer}) as peer,
        Station(which, broker=broker(authority, peer.port), count=1, answer_ms=5000,
                once=True) as station,
    ):  # fmt: skip
        await station.says("ended protocol")


@both
async def test_its_will_says_that_it_is_gone(tmp_path, authority, which):
    async with running_server(tmp_path, authority) as server:
        client = await server.client()
        told = await client.subscribe(f"diadema.v1.{STATION}.st.wifi")
        async with Station(which, broker=server.broker, count=0) as station:
            await station.says("up")
        assert (await told.next_msg(timeout=60)).data == b'{"up":false}'
        await client.close()
