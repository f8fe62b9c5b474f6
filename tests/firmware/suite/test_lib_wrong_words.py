"""What comes down in right frames and is wrong all the same: nothing follows that the host could
not read, and the journal's numbers stay its own.
"""

import asyncio
import json

from lib.errors import LinkError
from lib.mqtt import Client

from tests.firmware.suite.test_lib_app import ROSA, Bench


def take(bench, message):
    """Events that follow from one message."""
    before = bench.app.journal.last
    bench.app.host.take(json.dumps(message).encode(), bench.ticks)
    while bench.app._inputs:
        bench.app._step(*bench.app._inputs.popleft())
    return bench.since(before)


def test_a_number_that_the_host_could_not_take_back_is_no_command():
    bench = Bench()
    for number in (True, 0, -1, 1.0, "1", None, 1 << 53, 1 << 70):
        assert take(bench, {"cmd": "text", "i": number, "m": "m1", "text": "Hola"}) == []
    assert bench.app.host.decoder.bad == 8
    assert bench.app.desk.command == 0
    highest = (1 << 53) - 1
    assert take(bench, {"cmd": "dance", "i": highest})[0]["i"] == highest


def test_half_a_character_and_what_is_no_utf8_are_no_message():
    bench = Bench()
    last = bench.app.journal.last
    for text in (
        b'{"cmd":"dance\\ud83d","i":1}', b'{"cmd":"x","i":2,"a":"\\uD83D\\uDE00"}',
        b'{"cmd":"dance\xff","i":3}', b'{"cmd":"\xc3","i":4}',
    ):  # fmt: skip
        bench.app.host.take(text, 5)
    assert bench.app.host.decoder.bad == 4
    assert (bench.app.journal.last, len(bench.app._inputs)) == (last, 0)


def test_a_name_that_makes_its_event_too_long_is_refused():
    bench = Bench()
    bench.step("badge", ROSA)
    bench.step("key3")
    quotes = '"' * 64
    ring = {"cmd": "ring", "contact": "c1", "direction": "in", "queue": quotes, "pbx": quotes}
    refused = take(bench, dict(ring, i=1))
    assert [event["reason"] for event in refused] == ["bad_command"]
    assert refused[0]["detail"].startswith("queue: ")
    ring["queue"] = ring["pbx"] = '"' * 32
    assert take(bench, dict(ring, i=2))[0]["queue"] == '"' * 32
    assert bench.app.discards == 0


def test_an_acknowledgement_of_no_journals_number_changes_nothing():
    bench = Bench()
    journal = bench.app.journal
    last = journal.last
    for n in (1 << 30, 1 << 32, 1 << 70, -1, "1", None):
        take(bench, {"ack": [journal.epoch, n]})
    assert (journal.last, journal.acked) == (last, 0)
    assert bench.app.uplink.foreign == 6


def test_records_of_another_firmware_do_not_stop_a_boot():
    bench = Bench()
    journal = bench.app.journal
    for payload in (b"no JSON", b"[1]", b'{"k":"session.opened"}', b"5"):
        journal.append(payload)
    journal._put(0x58, journal.last, b"of a later layout")
    last = journal.last
    bench.boot()
    assert bench.app.crashes == 0
    assert bench.kinds(last)[0] == "station.booted"


class Reader:
    """A connection that brought these bytes and ended."""

    def __init__(self, data):
        self.data = data

    async def read(self, size):
        taken, self.data = self.data[:size], self.data[size:]
        return taken

    async def readexactly(self, size):
        if size > len(self.data):
            raise EOFError
        return await self.read(size)


def read_packets(data):
    """(messages heard, what ended it)"""
    heard = []

    async def hear(payload):
        heard.append(payload)

    client = Client({}, "s", [], ("t", "w"), hear, lambda: None, lambda: 0)
    client._reader = Reader(data)
    client._received = b""
    asyncio.run(client._read())
    return heard, client._error


def test_a_topic_longer_than_its_packet_ends_the_connection():
    whole, longer = b"\x30\x04\x00\x01tx", b"\x30\x04\x00\x09tx"
    heard, error = read_packets(whole + longer + whole)
    assert heard == [b"x"]
    assert isinstance(error, LinkError)
    assert error.code == "protocol"
