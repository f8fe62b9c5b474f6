"""Both ways of the real firmware to its host: cable, and Wi-Fi with TLS to a real NATS server."""

import asyncio
import itertools
import json
from pathlib import Path

import pytest

from tests.support import improv_client, pictures
from tests.support.mqtt_bench import Authority, running_server
from tests.support.wire_host import WireHost

WRONG_PASSWORD = Path(__file__).parent / "pictures" / "wrong_wifi_password.txt"
SSID, PASSWORD = "Piso 3", "una clave larga"
TWICE_MS = 120_000  # what is to be mended is tried again after 60 to 90 s (`test_lib_links`)


async def test_another_network_is_joined_in_place_of_the_one_that_is_there(chips):
    console = await chips("""
import network
from drivers.wifi import Wifi
async def main():
    network._wifi({"networks": {"A": "clave de A", "B": ""}})
    radio = Wifi()
    for name, password in (("A", "clave de A"), ("B", ""), ("B", "")):
        if not radio.is_on(name, password):
            await radio.connect(name, password, radio.scan())
        print(radio.connected, network.WLAN().config("ssid"), Wifi().connected, radio.tries)
""")
    assert console == ["True A True 1", "True B True 2", "True B True 2"]


class TwoWays(WireHost):
    """The host behind a gateway and a broker: what goes down goes both ways, as from the hub."""

    def __init__(self, station, site, server):
        super().__init__(station, site)
        self._numbers = itertools.count(100)  # the host before had the first ones
        self._server = server
        self.cable = True
        self.ways = {}  # n → where it came first
        self._from = "usb"
        self._client = None
        self._sending = set()

    async def open(self):
        self._client = await self._server.client()
        await self._client.subscribe(f"diadema.v1.{self._station.id}.>", cb=self._message)

    async def shut(self):
        await self._client.close()
        self.close()

    async def _message(self, message):
        body = json.loads(message.data)
        kind = message.subject.split(".", 3)[3]
        self._from = "wifi"
        if kind == "ev":
            self._frame(body)
        elif kind == "st.wifi" and body["up"]:
            self._frame({"hello": body | {"way": "wifi"}})
        self._from = "usb"
        self.heard.beat()

    def _frame(self, frame):
        if self._from == "usb" and not self.cable:
            return
        before = len(self.events)
        super()._frame(frame)
        for event in self.events[before:]:
            self.ways[event["n"]] = self._from

    def send(self, body):
        if self.cable:
            super().send(body)
        if self._client:
            kind = "ack" if "ack" in body else "cmd"
            subject = f"diadema.v1.{self._station.id}.{kind}"
            task = asyncio.create_task(self._client.publish(subject, json.dumps(body).encode()))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)

    def with_wifi(self, password=PASSWORD):
        """Send the configuration with the way to the broker in it."""
        content = json.loads(self.configuration())
        content |= {"wifi": {"ssid": SSID, "password": password}, "broker": self._server.broker}
        return self.configure(json.dumps(content).encode())

    def over(self, way):
        """Kinds of the events that came that way."""
        return [event["k"] for event in self.events if self.ways[event["n"]] == way]


@pytest.fixture
def authority(tmp_path):
    (tmp_path / "ca").mkdir()
    return Authority(tmp_path / "ca")


@pytest.fixture
async def server(tmp_path, authority):
    (tmp_path / "nats").mkdir()
    async with running_server(tmp_path / "nats", authority) as server:
        yield server


async def begin(bench, site, server):
    """The bench's host gives way to one with both ways; knows where the other stood."""
    asyncio.get_running_loop().remove_reader(bench.host._port)
    host = bench.host = TwoWays(bench.station, site, server)
    await host.open()
    host.send({"hello": {}})
    await bench.until(lambda: host.hellos)
    return host


async def air(bench, networks):
    await bench.station.ask({"do": "wifi", "networks": networks})


async def test_events_move_to_wifi_when_the_cable_is_silent_and_back(desk, site, server):
    async with desk() as bench:
        host = await begin(bench, site, server)
        await air(bench, {SSID: PASSWORD})
        assert (await host.answer(host.with_wifi()))["k"] == "station.config"
        await bench.until(lambda: any(hello.get("way") for hello in host.hellos))
        await bench.station.tap(bench.badges[0])
        await bench.until(lambda: "session.opened" in host.over("usb"))
        host.cable = False
        await bench.keys(3)
        await bench.until(lambda: "presence.changed" in host.over("wifi"))
        number = host.command("ring", contact="C-1", direction="in", queue="Q", pbx="1")
        assert (await host.answer(number))["k"] == "contact.offered"
        await bench.keys(1)
        await bench.until(lambda: "contact.answered" in host.over("wifi"))
        host.cable = True
        host.send({"hello": {}})
        await bench.world.sleep(2000)
        await bench.keys(1)
        await bench.until(lambda: "contact.ended" in host.over("usb"))
        await bench.until(lambda: [e["k"] for e in host.events] == bench.kinds())
        assert [event["n"] for event in host.events] == list(range(1, len(host.events) + 1))
        await host.shut()


async def test_a_browser_gives_another_network_after_a_factory_reset(desk, site, server):
    async with desk() as bench:
        host = await begin(bench, site, server)
        await air(bench, {SSID: PASSWORD, "Otra": ""})
        host.with_wifi()
        await bench.until(lambda: any(hello.get("way") for hello in host.hellos))
        number = host.command("factory_reset", confirm=bench.station.id)
        assert (await host.answer(number))["generation"] == 0
        host.send_raw(improv_client.command(improv_client.SCAN))
        heard = improv_client.packet(improv_client.RESULT, bytes([improv_client.SCAN, 0]))
        since_ms = bench.world.now_ms()
        await bench.until(lambda: heard in b"".join(bench.station.console))
        assert bench.world.now_ms() - since_ms < 10_000, "no link of before holds the radio"
        host.send_raw(improv_client.wifi("Otra", ""))
        joined = improv_client.packet(improv_client.RESULT, bytes([improv_client.WIFI, 0]))
        await bench.until(lambda: joined in b"".join(bench.station.console))
        reset = next(at for at, hello in enumerate(host.hellos) if not hello["generation"])
        assert not any(hello.get("way") for hello in host.hellos[reset + 1 :])
        host.send_raw(improv_client.command(improv_client.TELL))
        again = improv_client.packet(improv_client.RESULT, bytes([improv_client.TELL, 0]))
        await bench.until(lambda: again in b"".join(bench.station.console))
        await host.shut()


async def test_a_broker_that_dies_and_comes_back_loses_nothing(desk, site, server):
    async with desk() as bench:
        host = await begin(bench, site, server)
        await air(bench, {SSID: PASSWORD})
        host.with_wifi()
        await bench.until(lambda: any(hello.get("way") for hello in host.hellos))
        host.cable = False
        await bench.station.tap(bench.badges[0])
        await bench.until(lambda: "session.opened" in host.over("wifi"))
        await host._client.close()
        await server.kill()
        await bench.keys(3)
        await bench.world.sleep(120_000)
        await server.start()
        await host.open()
        await bench.until(lambda: [e["k"] for e in host.events] == bench.kinds())
        assert "presence.changed" in host.over("wifi")
        assert bench.station.restarts == []
        await host.shut()


async def test_a_wrong_password_is_told_and_not_tried_wildly(desk, site, server):
    async with desk() as bench:
        host = await begin(bench, site, server)
        await air(bench, {SSID: "another"})
        since = bench.since()
        host.with_wifi()
        fault = await bench.event("station.fault", since, part="wifi")
        assert fault["code"] == "wrong_password"
        await bench.world.sleep(30)
        # the line of detail alone, moved or not: how late it is depends on a real network
        ram = await bench.station.screen()
        shown = [pictures.as_text(at).split("\n")[17:27] for at in (ram, ram[1:] + b"\0")]
        assert WRONG_PASSWORD.read_text().split("\n") in shown
        await bench.world.sleep(TWICE_MS)
        assert b"".join(bench.station.console).count(b"wifi: wifi: wrong_password") == 2
        await air(bench, {SSID: PASSWORD})
        await bench.until(lambda: "station.fault_cleared" in bench.kinds(since))
        await host.shut()


async def test_an_absent_network_never_restarts_the_station(desk, site, server):
    async with desk() as bench:
        host = await begin(bench, site, server)
        host.with_wifi()
        await bench.event("station.fault", part="wifi", code="no_network")
        await bench.world.sleep(600_000)
        assert bench.station.restarts == []
        assert bench.kinds().count("station.fault") == 1
        await bench.station.tap(bench.badges[0])
        await bench.until(lambda: "session.opened" in host.over("usb"))
        await host.shut()


FAILS = [
    ("made", "RuntimeError", "radio"),
    ("made", "MemoryError", "no_memory"),
    ("active", "OSError", "radio"),
    ("config", "OSError", "radio"),
    ("scan", "RuntimeError", "radio"),
    ("disconnect", "OSError", "radio"),
    ("connect", "RuntimeError", "radio"),
    ("connect", "OSError", "radio"),
    ("connect", "MemoryError", "no_memory"),
    ("status", "RuntimeError", "radio"),
    ("isconnected", "OSError", "radio"),
]


@pytest.mark.parametrize(("where", "error", "code"), FAILS)
async def test_a_radio_that_fails_is_a_fault_and_the_cable_goes_on(
    desk, site, server, where, error, code
):
    async with desk() as bench:
        host = await begin(bench, site, server)
        await air(bench, {SSID: PASSWORD})
        await bench.station.ask({"do": "radio", "fails": {where: error}})
        since = bench.since()
        assert (await host.answer(host.with_wifi()))["k"] == "station.config"
        fault = await bench.event("station.fault", since, part="wifi")
        assert fault["code"] == code
        await bench.ready()
        await bench.until(lambda: "presence.changed" in host.over("usb"))
        before = b"".join(bench.station.console).count(b"wifi: wifi: ")
        await bench.until(lambda: b"".join(bench.station.console).count(b"wifi: wifi: ") > before)
        await bench.station.ask({"do": "radio", "fails": {}})
        await bench.until(lambda: any(hello.get("way") for hello in host.hellos))
        await bench.event("station.fault_cleared", since, part="wifi")
        assert bench.station.restarts == []
        assert b"Traceback" not in b"".join(bench.station.console), "or an update is rolled back"
        await host.shut()


@pytest.mark.parametrize("free", [1_000, 20_000])
async def test_no_memory_for_tls_is_no_wrong_certificate(desk, site, server, free):
    """Of less than an authority takes, and of less than a connection."""
    async with desk() as bench:
        host = await begin(bench, site, server)
        await air(bench, {})
        host.with_wifi()
        await bench.until(lambda: b"no_network" in b"".join(bench.station.console))
        await bench.station.ask({"do": "squeeze", "free": free})
        since = bench.since()
        await air(bench, {SSID: PASSWORD})
        fault = await bench.event("station.fault", since, part="wifi")
        assert fault["code"] == "no_memory"
        await bench.station.ask({"do": "squeeze"})
        await bench.until(lambda: any(hello.get("way") for hello in host.hellos))
        await bench.event("station.fault_cleared", since, part="wifi")
        await host.shut()
