"""A station that the host leaves without the hour asks a real time server; it believes no liar."""

import asyncio
import contextlib
import itertools
import json
import struct

import pytest

from tests.support.wire_host import WireHost

SSID, PASSWORD = "Piso 3", "una clave larga"
DAY_MS = 86_400_000
NO_BROKER = {"host": "127.0.0.1", "port": 1, "ca": "AAAA", "user": "u", "password": "p"}
_1900 = 2_208_988_800


class TimeServer(asyncio.DatagramProtocol):
    """SNTP on a free port of loopback. `answer(server, packet)` gives what goes back."""

    def __init__(self, now_ms):
        self.now_ms = now_ms
        self.answer = TimeServer.honest
        self.questions = []
        self._transport = None

    def connection_made(self, transport):
        self._transport = transport
        self.port = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data, address):
        self.questions.append(data)
        for reply in self.answer(self, data):
            self._transport.sendto(reply, address)

    def reply(self, question, *, ahead_ms=0, origin=None, stratum=2):
        seconds, ms = divmod(self.now_ms() + ahead_ms, 1000)
        stamp = ((seconds + _1900) % 2**32) << 32 | ((ms << 32) + 999) // 1000
        origin = question[40:] if origin is None else origin
        return struct.pack(
            "!BBbbiI4sQ8sQQ", 0x24, stratum, 6, -20, 66, 328, b"TEST", stamp, origin, stamp, stamp
        )

    def honest(self, question):
        return [self.reply(question)]


@contextlib.asynccontextmanager
async def time_server(now_ms):
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(
        lambda: TimeServer(now_ms), local_addr=("127.0.0.1", 0)
    )
    try:
        yield server
    finally:
        transport.close()


@pytest.fixture
def lonely(desk, site):
    """`async with lonely() as (bench, server)`: configured, on Wi-Fi, booted, no host there;
    `with_host_ms` after the configuration came.
    """

    @contextlib.asynccontextmanager
    async def begin(with_host_ms=10_000):
        async with desk() as bench, time_server(bench.world.now_ms) as server:
            host = bench.host
            await bench.station.ask({"do": "wifi", "networks": {SSID: PASSWORD}})
            content = json.loads(host.configuration()) | {
                "wifi": {"ssid": SSID, "password": PASSWORD},
                "broker": NO_BROKER,
                "sntp": f"127.0.0.1:{server.port}",
            }
            number = host.configure(json.dumps(content).encode())
            assert (await host.answer(number))["k"] == "station.config"
            await bench.world.sleep(with_host_ms)
            assert server.questions == []  # the host told the hour
            asyncio.get_running_loop().remove_reader(host._port)
            bench.station.cable.pull()
            await bench.station.power_cut()
            await bench.station.power_on()
            await bench.station.ask({"do": "wifi", "networks": {SSID: PASSWORD}})
            yield bench, server

    return begin


async def asked(bench, server, count):
    """The server has been asked so often; at most three hours of the run."""
    for _ in range(360):
        if len(server.questions) >= count:
            return
        await bench.world.sleep(30_000)
    raise AssertionError("nobody asked")


async def anchored(bench, since, source):
    """The first anchor of that source, and how far it is from the truth, in ms."""
    seen = await bench.world.wait_event(
        bench.station.id,
        lambda event: event["k"] == "station.clock" and event["source"] == source,
        since=since,
        timeout_s=300,
        running=True,
    )
    return seen.event, abs(seen.event["utc"] - seen.at_ms)


async def test_it_asks_the_server_and_the_host_is_believed_before_it(lonely, site):
    async with lonely(with_host_ms=600_000) as (bench, server):
        since = bench.since()
        event, off_ms = await anchored(bench, since, "sntp")
        assert off_ms <= event["uncertainty_ms"] <= 50
        assert event["u"] >= 120_000
        assert "i" not in event
        assert event["t"] == event["utc"]
        assert len(server.questions) == 1
        assert server.questions[0][0] == 0x23 and server.questions[0][1:40] == bytes(39)
        bench.station.cable.plug()
        host = WireHost(bench.station, site)
        host._numbers = itertools.count(100)  # the host before had the first ones
        host.send({"hello": {}})
        event, off_ms = await anchored(bench, since, "host")
        assert off_ms <= event["uncertainty_ms"]
        host.close()


async def test_without_the_host_it_asks_again_after_an_hour(lonely):
    async with lonely() as (bench, server):
        since = bench.since()
        first, _ = await anchored(bench, since, "sntp")
        since = bench.since()
        await asked(bench, server, 2)
        again, off_ms = await anchored(bench, since, "sntp")
        assert again["u"] - first["u"] >= 3_900_000
        assert off_ms <= again["uncertainty_ms"]


async def test_no_lie_is_believed(lonely):
    """Stratum 0, another origin, and what comes too late, each a day ahead; then the truth."""
    async with lonely() as (bench, server):
        since = bench.since()
        kept = []

        def kiss_of_death(server, question):
            forged = server.reply(question, ahead_ms=DAY_MS, origin=bytes(8))
            return [forged, server.reply(question, ahead_ms=DAY_MS, stratum=0)]

        def too_late(server, question):
            kept.append(server.reply(question, ahead_ms=DAY_MS))
            return []

        def the_late_one_then_the_truth(server, question):
            return [b"", b"\x24\x02", *kept, server.reply(question)]

        for count, answer in enumerate((kiss_of_death, too_late, the_late_one_then_the_truth), 1):
            server.answer = answer
            assert "station.clock" not in bench.kinds(since)
            await asked(bench, server, count)
        event, off_ms = await anchored(bench, since, "sntp")
        assert off_ms <= event["uncertainty_ms"] <= 50
        assert bench.kinds(since).count("station.clock") == 1
        assert len(set(server.questions)) == 3
        assert bench.station.restarts == []
