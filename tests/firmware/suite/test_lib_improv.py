"""Improv Wi-Fi over serial, byte by byte as improv-wifi.com/serial has it, and the answers."""

import asyncio
import json
import os
from binascii import unhexlify

from lib import saved_wifi
from lib.checked import Damaged
from lib.config import Config
from lib.errors import PartError
from lib.frames import encode
from lib.improv import Packets, credentials, packet, result

from tests.firmware.suite.test_lib_app import CONFIG, STATION, Bench, Serial


def of(text):
    return unhexlify(text.replace(" ", ""))


HEAD = "49 4d 50 52 4f 56 01 "
ASK_STATE = of(HEAD + "03 02 02 00 e5")
ASK_ABOUT = of(HEAD + "03 02 03 00 e6")
ASK_SCAN = of(HEAD + "03 02 04 00 e7")
# the page's own example
SEND_WIFI = of(
    HEAD + "03 20 01 1e 0c 4d 79 57 69 72 65 6c 65 73 73 41 50"
    "10 6d 79 73 65 63 75 72 65 70 61 73 73 77 6f 72 64 c1"
)
NO_ERROR = of(HEAD + "02 01 00 e1")
INVALID = of(HEAD + "02 01 01 e2")
UNKNOWN = of(HEAD + "02 01 02 e3")
UNABLE = of(HEAD + "02 01 03 e4")
NOT_AUTHORIZED = of(HEAD + "02 01 04 e5")
OTHER = of(HEAD + "02 01 ff e0")
READY = of(HEAD + "01 01 02 e2")
JOINING = of(HEAD + "01 01 03 e3")
JOINED = of(HEAD + "01 01 04 e4")
WITHOUT = {"ssid": "MyWirelessAP", "password": "mysecurepassword"}


def test_packets_are_written_as_the_page_has_them():
    assert packet(3, b"\x02\x00") == ASK_STATE
    assert packet(1, b"\x02") == READY
    assert packet(2, b"\xff") == OTHER
    assert result(1, ()) == of(HEAD + "04 02 01 00 e5")
    assert result(4, ("MyNetwork", "-60", "YES")) == of(
        HEAD + "04 14 04 12 09 4d 79 4e 65 74 77 6f 72 6b 03 2d 36 30 03 59 45 53 4f"
    )
    assert result(2, ("ñ",)) == packet(4, b"\x02\x03\x02\xc3\xb1")


def test_packets_are_read_whole_in_pieces_and_between_others():
    wanted = [(3, b"\x02\x00"), (3, SEND_WIFI[9:-1])]
    line = b"noise\r\n" + ASK_STATE + b"\n" + encode(b'{"hello":{}}') + SEND_WIFI + b"IMPRO"
    assert Packets().feed(line) == wanted
    packets, found = Packets(), []
    for byte in line:
        found += packets.feed(bytes((byte,)))
    assert found == wanted
    assert packets.feed(ASK_STATE[5:]) == [(3, b"\x02\x00")]


def test_a_wrong_sum_is_told_and_a_cut_packet_ends_where_the_next_begins():
    bent = ASK_STATE[:-1] + b"\x00"
    assert Packets().feed(bent + ASK_ABOUT) == [(None, b""), (3, b"\x03\x00")]
    for size in range(7, len(SEND_WIFI)):
        found = Packets().feed(SEND_WIFI[:size] + ASK_ABOUT)
        assert found[-1] == (3, b"\x03\x00"), size
        assert found[:-1] in ([], [(None, b"")]), size
    assert Packets().feed(ASK_STATE.replace(b"V\x01", b"V\x02")) == []


def test_a_packet_within_a_packets_data_is_not_two():
    whole = packet(3, b"\x01\x09" + ASK_STATE[:7])
    assert Packets().feed(whole) == [(3, b"\x01\x09" + ASK_STATE[:7])]


def test_credentials_are_two_strings_of_a_fitting_length():
    assert credentials(SEND_WIFI[11:-1]) == ("MyWirelessAP", "mysecurepassword")
    assert credentials(b"\x04Piso\x00") == ("Piso", "")
    assert credentials(b"\x03\xc3\xb1o\x08secreto1") == ("ño", "secreto1")
    for wrong in (
        b"", b"\x00\x00", b"\x04Piso", b"\x05Piso\x00", b"\x04Piso\x02a", b"\x04Piso\x00x",
        b"\x02\xff\xfe\x00", b"\x21" + b"s" * 33 + b"\x00", b"\x01s\x41" + b"p" * 65,
    ):  # fmt: skip
        try:
            credentials(wrong)
        except ValueError:
            continue
        raise AssertionError(wrong)


class Radio:
    """Knows one network."""

    def __init__(self):
        self.tried = []
        self.up = False
        self.offs = 0

    def is_on(self, ssid, password):
        return False

    async def connect(self, ssid, password, heard):
        assert heard == self.scan()
        self.tried.append((ssid, password))
        if (ssid, password) != ("MyWirelessAP", "mysecurepassword"):
            raise PartError("wifi", "wrong_password")
        self.up = True

    def scan(self):
        return [
            (b"MyWirelessAP", b"", 1, -77, 3, False), (b"", b"", 1, -20, 3, True),
            (b"Abierta", b"", 6, -81, 0, False), (b"MyWirelessAP", b"", 11, -60, 3, False),
            (b"\xff", b"", 1, -50, 3, False), (b"MyWirelessAP", b"", 6, -80, 3, False),
        ]  # fmt: skip

    def off(self):
        self.up = False
        self.offs += 1


class Line(Serial):
    """What is written to it, in the order of the packets."""

    def __init__(self):
        super().__init__()
        self.told = b""

    async def write(self, data):
        self.told += data


def kept():
    """The network that a start would know."""
    config = Config()
    saved_wifi.settle(config)
    return config.wifi


def talk(*asked, config=None, radio=None, parts=("wifi",)):
    """(what is answered, bench, radio) by a station with that configuration."""
    saved_wifi.remove()
    bench = Bench(parts=parts)
    app = bench.app
    app.adopt(config or Config())
    app.serial = line = Line()
    line.incoming = list(asked)
    radio = radio or Radio()
    app.parts.made = {"wifi": radio} if parts else {}

    async def main():
        await app.host.listen()
        looks = 0  # at which nothing was to do; a radio in another thread takes its time
        while looks < 2:
            await asyncio.sleep(0.02)
            improv = app.host.improv
            waiting = improv and (improv._waiting or improv._flag.is_set())
            looks = 0 if waiting or app.radio_lock.locked() else looks + 1

    asyncio.run(main())
    return line.told.split(b"\n")[:-1], bench, radio


def test_a_station_without_a_hub_is_ready_and_says_who_it_is():
    for cut in (1, 6, 7, 9, 11):
        told, bench, _ = talk(ASK_STATE[:cut], ASK_STATE[cut:] + b"\n" + ASK_ABOUT)
        about = result(3, ("Diadema test", bench.app.machine.firmware, "test", STATION))
        assert told == [NO_ERROR, READY, NO_ERROR, about], cut


def test_it_tells_the_networks_that_it_hears():
    told, _, _ = talk(ASK_SCAN)
    assert told[0] == NO_ERROR and told[-1] == result(4, ()) and len(told) == 4
    assert set(told[1:3]) == {
        result(4, ("MyWirelessAP", "-60", "YES")), result(4, ("Abierta", "-81", "NO")),
    }  # fmt: skip
    assert talk(ASK_SCAN, parts=())[0] == [NO_ERROR, OTHER, READY]


def test_it_joins_keeps_the_network_and_says_so():
    told, bench, radio = talk(SEND_WIFI, ASK_STATE)
    assert told == [NO_ERROR, JOINING, JOINED, result(1, ()), NO_ERROR, JOINED, result(2, ())]
    assert kept() == bench.app.machine.config.wifi == WITHOUT
    assert radio.up


def test_a_network_that_it_cannot_join_is_not_kept():
    wrong = packet(3, b"\x01\x0b\x04Piso\x05nadie")
    told, bench, radio = talk(wrong, ASK_STATE)
    assert told == [NO_ERROR, JOINING, UNABLE, READY, NO_ERROR, READY]
    assert kept() is None and bench.app.machine.config.wifi is None
    assert radio.tried == [("Piso", "nadie")] and not radio.up
    assert talk(SEND_WIFI, parts=())[0] == [NO_ERROR, JOINING, UNABLE, READY]


def test_what_cannot_be_written_is_not_told_as_kept():
    os.mkdir("wifi.json.new")  # noqa: PTH102 - runs on MicroPython
    try:
        told, bench, _ = talk(SEND_WIFI)
    finally:
        os.rmdir("wifi.json.new")  # noqa: PTH106
    assert told == [NO_ERROR, JOINING, OTHER, READY]
    assert bench.app.machine.config.wifi is None


def test_a_configuration_that_names_a_network_replaces_it_for_good():
    saved_wifi.save({"ssid": "x", "password": ""})
    saved_wifi.save(WITHOUT)
    assert kept() == WITHOUT
    with open("wifi.json.new", "w") as file:  # noqa: PTH123 - a cut left it
        file.write("{")
    other = {"ssid": "Piso 4", "password": "otra"}
    config = Config(dict(CONFIG, wifi=other))
    saved_wifi.settle(config)
    assert (config.wifi, kept()) == (other, None)
    assert "wifi.json.new" not in os.listdir()  # noqa: PTH208


def test_a_torn_file_of_the_network_is_told_as_damaged():
    for text in ("", "[]", '{"ssid":"x"', '{"ssid":"x"}*00000000', "7"):
        with open("wifi.json", "w") as file:  # noqa: PTH123
            file.write(text)
        try:
            kept()
        except Damaged:
            continue
        raise AssertionError(text)
    saved_wifi.remove()


def test_a_station_of_a_hub_changes_nothing():
    owned = dict(CONFIG, key="0a" * 32)
    told, _, radio = talk(ASK_STATE, SEND_WIFI, ASK_SCAN, config=Config(owned))
    assert told == [
        NO_ERROR, JOINED, result(2, ()), NO_ERROR, NOT_AUTHORIZED, NO_ERROR, NOT_AUTHORIZED,
    ]  # fmt: skip
    assert kept() is None and radio.tried == []


def test_a_hub_that_configures_it_meanwhile_wins():
    config = Config()

    class Slow(Radio):
        async def connect(self, ssid, password, heard):
            await super().connect(ssid, password, heard)
            config.key = b"0" * 32

    told, _, radio = talk(SEND_WIFI, config=config, radio=Slow())
    assert told == [NO_ERROR, JOINING, NOT_AUTHORIZED]
    assert kept() is None and radio.up


def test_what_is_no_command_is_told_by_its_error():
    assert talk(packet(3, b"\x05\x00"))[0] == [NO_ERROR, UNKNOWN]
    assert talk(packet(3, b"\x02\x01"))[0] == [INVALID]
    assert talk(packet(3, b"\x02"))[0] == [INVALID]
    assert talk(packet(3, b"\x01\x01\x04"))[0] == [NO_ERROR, INVALID]
    assert talk(ASK_STATE[:-1] + b"\x00")[0] == [INVALID]
    assert talk(READY + b"\n" + packet(4, b"\x01\x00"))[0] == []  # its own, given back


def test_frames_between_packets_are_obeyed():
    hello = encode(json.dumps({"hello": {}}).encode())
    for line in (
        hello + ASK_STATE + hello, ASK_STATE[:8] + hello, SEND_WIFI[:20] + hello,
        ASK_STATE + b"\n" + hello, b"IMPROV" + hello,
    ):  # fmt: skip
        _, bench, _ = talk(line)
        assert bench.app.serial.guarded, line


def test_nobody_who_speaks_no_improv_has_it_loaded():
    _, bench, _ = talk(b"IMPROV", b"E\n", encode(b'{"ack":[1,1]}'), b"\x01" * 300)
    assert bench.app.host.improv is None
