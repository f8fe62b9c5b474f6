"""The host's parsers against anything: what each promises stands in `tests/parsers/host.py`."""

import json
import random

import pytest
from diadema.ingest.core import Ingest
from diadema.ingest.messages import PREFIX, Message
from diadema.site.description import SiteError, parse
from diadema.store import open_reader, open_writer
from diadema.wire.commands import Command
from diadema.wire.frames import UP_LIMIT, Decoder, encode
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.parsers import host
from tests.parsers.inputs import inputs
from tests.parsers.mutate import mutated
from tests.support.scripted_station import SITE, Script

STATION = host.STATION
PARSERS = [
    "serial_frames", "gateway_frames", "event", "stream_messages", "site", "command", "token",
    "live_rows", "flash_image", "broker_stream",
]  # fmt: skip
DEEP = b"[" * 100_000
HELLO = b'{"hello":{"s":"%b","x":"\xff"}}' % STATION.encode()
LONG_RECORD = b"\xffDIAJ\x01\xff\x04\x00" + b"\x01\x00\x00\x00" * 6 + b"\x01\x02E" + bytes(200)


@pytest.mark.parametrize("name", PARSERS)
@given(data=st.data())
@settings(max_examples=80, deadline=None)
def test_any_input_keeps_what_the_parser_promises(name: str, data: st.DataObject) -> None:
    getattr(host, name)(data.draw(inputs(f"host.{name}")))


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("site", b'"\xff"'),
        ("site", json.dumps(SITE | {"x": 0}).encode().replace(b'"x": 0', b'"x": ' + DEEP)),
        ("token", b"x.W1tb" + b"W1tb" * 50_000 + b".z"),
        ("live_rows", b'{"a":"\xff"}'),
        ("live_rows", b'{"a":"a001","x":' + DEEP),
        ("gateway_frames", HELLO + b'\n{"s":"DIA-0200000000a1","k":"x"}'),
        ("flash_image", LONG_RECORD),
        ("broker_stream", b"MSG a 1 b x\r\n"),
        ("broker_stream", b"MSG a 1 b -60\r\n"),
        ("broker_stream", b"MSG a 1 $JS.ACK 0\r\n\r\n"),
    ],
)  # fmt: skip
def test_what_once_broke_a_promise(name: str, data: bytes) -> None:
    getattr(host, name)(data)


@pytest.mark.parametrize("place", ["agents", "reasons", "badges", "broker_names"])
def test_a_newline_ends_no_code(place: str) -> None:
    site = json.loads(json.dumps(SITE))
    match place:
        case "agents":
            site["agents"][0]["id"] += "\n"
        case "reasons":
            site["reasons"][0]["code"] += "\n"
        case "badges":
            site["agents"][0]["badges"] = ["iso14443a:04A1B2C3\n"]
        case "broker_names":
            site["broker_names"] = ["hub.lan\n"]
    with pytest.raises(SiteError) as refused:
        parse(json.dumps(site).encode())
    assert refused.value.key.startswith(place.replace("badges", "agents[0].badges"))


@given(body=st.binary(min_size=1, max_size=UP_LIMIT), at=st.integers(0), bit=st.integers(0, 7))
def test_a_frame_with_one_bit_changed_is_no_other_frame(body: bytes, at: int, bit: int) -> None:
    body = body.replace(b"\x1e", b" ").replace(b"\n", b" ")
    wire = bytearray(encode(body))
    wire[at % len(wire)] ^= 1 << bit
    assert Decoder().feed(bytes(wire) + encode(b"next")) in ([b"next"], [body, b"next"], [])


@pytest.mark.parametrize(
    "asked",
    [
        b'{"cmd":"ring","contact":"%b"}' % ("é" * 33).encode(),
        b'{"cmd":"ring","contact":"c","queue":"%b"}' % (b'\\"' * 32 + b"x"),
        b'{"cmd":"text","m":"m","text":"a\\nb"}',
        b'{"cmd":"text","m":"m","text":"%b"}' % ("\U0001f600" * 81).encode(),
    ],
)
def test_what_a_station_would_refuse_is_refused_here(asked: bytes) -> None:
    assert host.command(asked) is None


def test_a_command_of_the_longest_texts_is_taken() -> None:
    asked = {"cmd": "ring", "contact": "é" * 32, "queue": "q" * 32, "pbx": "p" * 48}
    assert host.command(json.dumps(asked).encode()) is not None
    assert Command.__struct_config__.tag_field == "cmd"


@given(
    numbers=st.lists(st.integers(0, 2**32), min_size=1, max_size=12),
    order=st.randoms(use_true_random=False),
)
@example(numbers=[], order=random.Random(1))
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_wild_history_stops_nothing_behind_it(
    tmp_path_factory: pytest.TempPathFactory, clock, site, numbers: list[int], order: random.Random
) -> None:
    """Through the real core into a real store: what is wrong is set apart, the next is taken."""
    wild = Script(STATION).boot().clock().login().ready().call("c1").call("c2").logout().bodies
    for number in numbers:
        at = order.randrange(len(wild))
        wild[at] = mutated(wild[at], random.Random(number))
    sane = Script("DIA-0200000000a2", agent="a002").boot().clock().login().ready()
    subject = f"{PREFIX}{STATION}.ev"
    messages = [Message(at, subject, body) for at, body in enumerate(wild, 1)]
    messages += [
        Message(len(wild) + at, f"{PREFIX}{sane.s}.ev", body)
        for at, body in enumerate(sane.bodies, 1)
    ]
    path = tmp_path_factory.mktemp("wild") / "store.sqlite3"
    writer, reader = open_writer(path), None
    try:
        ingest = Ingest(writer, site, clock)
        effects = ingest.take(messages, "stream", "server")
        reader = open_reader(path)
        assert effects.acks[sane.s] == (sane.e, sane.n)
        assert [event.body for event in reader.events_of(sane.s)] == sane.bodies
        assert not [alarm for alarm in effects.alarms if "fault of ours" in alarm]
        assert not [alarm for alarm in effects.alarms if "not worked out" in alarm]
    finally:
        if reader is not None:
            reader.close()
        writer.close()
