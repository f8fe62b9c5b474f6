"""What a chip's radio does that a kinder one would not, and what the station makes of it: a status
of the try before, codes of ESP-IDF 5, two access points of one name, a name that nobody answers.
"""

# ruff: noqa: F811 - fixtures of another file

import json

import pytest

from tests.station.test_wifi import (
    PASSWORD,
    SSID,
    Authority,
    air,
    authority,  # noqa: F401 - a fixture
    begin,
    running_server,
    server,  # noqa: F401
)
from tests.support.station_bench import STATION

KEY = "0123456789abcdef" * 4
NEAR, FAR = "02000000000a", "02000000000b"


def points(*more, key=PASSWORD):
    """Two access points of one name; the farther one is heard first."""
    far = {"key": key, "bssid": FAR, "channel": 1, "rssi": -80}
    near = {"key": key, "bssid": NEAR, "channel": 11, "rssi": -50}
    return {SSID: [far | more[0] if more else far, near]}


async def seen(bench):
    """What somebody beside the station sees of its radio."""
    return await bench.station.ask({"do": "air"})


async def manners(bench, **figures):
    await bench.station.ask({"do": "manners", "figures": figures})


async def faults(bench):
    return [
        (seen.event["k"], seen.event["code"])
        for seen in bench.world.witness.events(STATION)
        if seen.event.get("part") == "wifi"
    ]


def with_way(host, **wifi):
    content = json.loads(host.configuration())
    content |= {"wifi": {"ssid": SSID, "password": PASSWORD} | wifi, "broker": host._server.broker}
    return host.configure(json.dumps(content).encode())


async def greeted(bench, after=0):
    """A hello came over the air."""
    host = bench.host
    await bench.until(lambda: sum("way" in hello for hello in host.hellos) > after)
    return sum("way" in hello for hello in host.hellos)


@pytest.mark.parametrize("told", [15, 202, 204])
async def test_a_wrong_password_mended_then_wrong_again(desk, site, server, told):
    async with desk() as bench:
        host = await begin(bench, site, server)
        await manners(bench, wrong_password=told)
        await air(bench, {SSID: PASSWORD})
        for password in ("no es esta", "tampoco esta"):
            since = bench.since()
            with_way(host, password=password)
            fault = await bench.event("station.fault", since, part="wifi")
            assert fault["code"] == "wrong_password"
            hellos = sum("way" in hello for hello in host.hellos)
            with_way(host)
            await greeted(bench, hellos)
            await bench.event("station.fault_cleared", since, part="wifi")
        told = [kind for kind, _ in await faults(bench)]
        assert told == ["station.fault", "station.fault_cleared"] * 2
        await host.shut()


async def test_the_radio_stays_awake_and_says_who_it_is(desk, site, server):
    async with desk() as bench:
        host = await begin(bench, site, server)
        await air(bench, {SSID: PASSWORD})
        with_way(host)
        hellos = await greeted(bench)
        told = await seen(bench)
        assert (told["pm"], told["hostname"]) == (0, "diadema-" + STATION[-6:])
        await air(bench, {})
        await bench.world.sleep(90_000)
        await air(bench, {SSID: PASSWORD})
        await greeted(bench, hellos)
        assert (await seen(bench))["pm"] == 0
        await host.shut()


@pytest.mark.parametrize(
    ("wifi", "point"),
    [
        ({"ssid": "Abierta", "password": ""}, {"key": ""}),
        ({"ssid": "n" * 32, "password": PASSWORD}, {"key": PASSWORD}),
        ({"ssid": SSID, "password": KEY}, {"key": KEY, "security": 6}),
        ({"ssid": "Oculta", "password": PASSWORD}, {"key": PASSWORD, "hidden": True}),
    ],
)
async def test_each_kind_of_network_is_joined(desk, site, server, wifi, point):
    async with desk() as bench:
        host = await begin(bench, site, server)
        await air(bench, {"Vecino": "otra clave", wifi["ssid"]: [point]})
        with_way(host, **wifi)
        await greeted(bench)
        assert await faults(bench) == []
        await host.shut()


@pytest.mark.parametrize(
    ("point", "code"),
    [
        ({"security": 5}, "other_security"),  # WPA2-Enterprise
        ({"security": 5, "hidden": True}, "other_security"),  # which the scan does not tell
        ({"security": 2}, "other_security"),  # WPA of the first day
        ({"key": ""}, "other_security"),  # open, and a password is given
        ({"fails": 212}, "too_weak"),
    ],
)
async def test_a_network_that_does_not_suit_has_a_name(desk, site, server, point, code):
    async with desk() as bench:
        host = await begin(bench, site, server)
        await air(bench, {SSID: [{"key": PASSWORD} | point]})
        with_way(host)
        fault = await bench.event("station.fault", part="wifi")
        assert fault["code"] == code
        await air(bench, {SSID: PASSWORD})
        await greeted(bench)
        assert await faults(bench) == [("station.fault", code), ("station.fault_cleared", code)]
        await host.shut()


async def test_the_nearer_of_two_access_points_is_taken_and_then_the_other(
    desk,
    site,
    server,
):
    async with desk() as bench:
        host = await begin(bench, site, server)
        await air(bench, points())
        with_way(host)
        hellos = await greeted(bench)
        assert (await seen(bench))["bssid"] == NEAR
        both = points()
        await air(bench, {SSID: both[SSID][:1]})  # the nearer one dies
        hellos = await greeted(bench, hellos)
        assert (await seen(bench))["bssid"] == FAR
        # it is back, but lets nobody in
        await air(bench, {SSID: [both[SSID][0], both[SSID][1] | {"fails": 203}]})
        await bench.station.ask({"do": "radio", "dead": True})
        await greeted(bench, hellos)
        assert (await seen(bench))["bssid"] == FAR
        assert [code for _, code in await faults(bench)] == []
        await host.shut()


async def test_what_an_access_point_says_while_it_starts_is_no_wrong_password(desk, site, server):
    async with desk() as bench:
        host = await begin(bench, site, server)
        await air(bench, {SSID: PASSWORD})
        with_way(host)
        hellos = await greeted(bench)
        await air(bench, {})
        await bench.world.sleep(60_000)
        await air(bench, {SSID: [{"key": PASSWORD, "fails": 15}]})
        console = len(b"".join(bench.station.console))
        await bench.until(lambda: b"wrong_password" in b"".join(bench.station.console)[console:])
        since_ms = bench.world.now_ms()
        await air(bench, {SSID: PASSWORD})
        await greeted(bench, hellos)
        assert bench.world.now_ms() - since_ms <= 20_000
        codes = {code for _, code in await faults(bench)}
        assert codes == {"no_network"}
        await host.shut()


async def test_an_association_that_died_unseen_is_renewed(desk, site, server):
    async with desk() as bench:
        host = await begin(bench, site, server)
        await air(bench, {SSID: PASSWORD})
        with_way(host)
        hellos = await greeted(bench)
        await bench.station.ask({"do": "radio", "dead": True})
        await greeted(bench, hellos)
        await host.shut()


async def test_a_name_that_nobody_answers_is_told_and_stops_nothing(desk, site, server):
    server.broker["host"] = "localhost"
    async with desk() as bench:
        host = await begin(bench, site, server)
        await bench.station.ask({"do": "names", "names": {"localhost": None}})
        await air(bench, {SSID: PASSWORD})
        with_way(host)
        await bench.ready()
        fault = await bench.event("station.fault", part="wifi")
        assert fault["code"] == "no_name"
        assert (await seen(bench))["stood_ms"] == 0, "a look-up of 7 s, a scan of 2 s stop nobody"
        await bench.station.ask({"do": "names", "names": {"localhost": "127.0.0.1"}})
        hellos = await greeted(bench)
        # once met, the hub is found without a name server
        await bench.station.ask({"do": "names", "names": {"localhost": None}})
        await host._client.close()
        await server.kill()
        await bench.world.sleep(60_000)
        await server.start()
        await host.open()
        await greeted(bench, hellos)
        await host.shut()


async def test_another_certificate_of_the_hub_while_there_is_no_memory(
    desk,
    site,
    server,
    tmp_path,
):
    """First the want of memory is told, and then the certificate."""
    (tmp_path / "other").mkdir()
    (tmp_path / "nats2").mkdir()
    other = Authority(tmp_path / "other")
    async with desk() as bench, running_server(tmp_path / "nats2", other) as changed:
        host = await begin(bench, site, server)
        await air(bench, {})
        content = json.loads(host.configuration())
        broker = changed.broker | {"ca": server.broker["ca"]}
        content |= {"wifi": {"ssid": SSID, "password": PASSWORD}, "broker": broker}
        host.configure(json.dumps(content).encode())
        await bench.event("station.fault", part="wifi", code="no_network")
        await bench.station.ask({"do": "squeeze", "free": 20_000})
        await air(bench, {SSID: PASSWORD})
        await bench.event("station.fault", part="wifi", code="no_memory")
        await bench.station.ask({"do": "squeeze"})
        await bench.event("station.fault", part="wifi", code="certificate")
        with_way(host)
        await greeted(bench)
        told = await faults(bench)
        assert told[-1] == ("station.fault_cleared", "certificate")
        assert bench.station.restarts == []
        await host.shut()


@pytest.mark.parametrize("change", ["network", "broker"])
async def test_another_way_waits_until_the_first_has_let_go(desk, site, server, change):
    async with desk() as bench:
        host = await begin(bench, site, server)
        await air(bench, {SSID: PASSWORD, "Piso 4": "otra clave"})
        with_way(host)
        hellos = await greeted(bench)
        if change == "network":
            number = with_way(host, ssid="Piso 4", password="otra clave")
        else:
            server.broker["host"] = "localhost"
            number = with_way(host)
        await host.answer(number)
        since_ms = bench.world.now_ms()
        hellos = await greeted(bench, hellos)
        assert bench.world.now_ms() - since_ms < 12_000, "nobody switches it off under the new one"
        await bench.world.sleep(60_000)
        told = await seen(bench)
        assert told["active"] and told["bssid"]
        assert sum("way" in hello for hello in host.hellos) == hellos, "and stays"
        assert await faults(bench) == []
        await host.shut()


@pytest.mark.parametrize("away_s", [7, 100, 400])
async def test_a_hub_that_comes_back_is_met_within_20_s(desk, site, server, away_s):
    """Of the station's own time."""
    async with desk() as bench:
        host = await begin(bench, site, server)
        await air(bench, {SSID: PASSWORD})
        with_way(host)
        hellos = await greeted(bench)
        await host._client.close()
        host._client = None
        await server.kill()
        await bench.world.sleep(away_s * 1000)
        await server.start()
        await host.open()
        since_ms = bench.world.now_ms()
        await greeted(bench, hellos)
        assert bench.world.now_ms() - since_ms <= 20_000
        await host.shut()


async def test_a_radio_without_memory_for_it_is_not_touched(desk, site, server):
    async with desk() as bench:
        host = await begin(bench, site, server)
        await bench.station.ask({"do": "squeeze", "free": 40_000})
        await air(bench, {SSID: PASSWORD})
        with_way(host)
        await bench.event("station.fault", part="wifi", code="no_memory")
        assert "active" not in await seen(bench), "nobody made it"
        await bench.station.ask({"do": "squeeze"})
        await greeted(bench)
        await host.shut()


async def test_a_handshake_stops_the_chip_and_a_scan_in_a_thread_does_not(chips):
    """The manners themselves: the clock, of what goes on beside."""
    console = await chips("""
import network, socket, _thread, time
network._wifi({"networks": {"A": "clave de A"}})
async def main():
    wlan = network.WLAN()
    wlan.active(True)
    since = time.ticks_ms()
    wlan.scan()
    print(time.ticks_diff(time.ticks_ms(), since) // 100)
    found = []
    since = time.ticks_ms()
    _thread.start_new_thread(lambda: found.append(wlan.scan()), ())
    print(time.ticks_diff(time.ticks_ms(), since) // 100, found)
    await asyncio.sleep(1)
    print(found)
    await asyncio.sleep(1.1)
    print(len(found))
    for host in ("127.0.0.1", "no.name"):
        since = time.ticks_ms()
        try:
            print(socket.getaddrinfo(host, 80)[0][-1][0])
        except OSError as error:
            print(error)
        print(time.ticks_diff(time.ticks_ms(), since) // 100)
""")
    assert console == ["20", "0 []", "[]", "1", "127.0.0.1", "0", "-202", "70"]
