"""What must hold of each parser of the host, whatever bytes it is given. One function a parser.

The hypothesis tests and the bench's coverage-guided fuzzer call them. A broken promise shows as
an AssertionError or as whatever the parser should not have raised.
"""

import asyncio
import contextlib
import json
import os
from pathlib import Path

import msgspec
from diadema.gateway.cable import Cable
from diadema.hub import nats_jwt
from diadema.hub.stream import StreamBroken, StreamReader
from diadema.ingest.decode import BadEvent, UnknownEvent, decode, decode_known
from diadema.ingest.intake import Intake
from diadema.ingest.messages import PREFIX, Changes, Message, target_of
from diadema.site.description import SiteError, parse
from diadema.site.station_config import ConfigMaker, blocks, check_sizes
from diadema.web.floor.feed import Floor
from diadema.wire import events, journal
from diadema.wire.commands import ANY_ON_REQUEST, is_station
from diadema.wire.frames import (
    DOWN_LIMIT,
    UP_LIMIT,
    Decoder,
    encode,
)

from tests.parsers import images

STATION = "DIA-0200000000a1"
_LAST = b'{"last":1}'
_CONSOLE = 64 * 1024
_OURS = ("a fault of ours", "stored, but not worked out")  # how the ingest tells of its own bugs


def framed(data: bytes) -> tuple[bytes, list[bytes]]:
    """A line from any bytes: what stands between two 0x1C becomes a whole frame, the rest is
    garbage that ends with its line. Gives the line and the frames' bodies.
    """
    line, bodies = b"", []
    for at, piece in enumerate(data.split(b"\x1c")):
        body = piece[:DOWN_LIMIT].replace(b"\x1e", b"").replace(b"\n", b"").rstrip(b"\r")
        if at % 2 and body:
            line += encode(body)
            bodies.append(body)
        else:
            line += piece + b"\n"
    return line, bodies


def serial_frames(data: bytes) -> None:
    """Pieces make no difference, whole frames come through, and memory stays bounded."""
    line, bodies = framed(data)
    whole, pieces = Decoder(), Decoder()
    found = whole.feed(line)
    assert all(0 < len(body) <= UP_LIMIT for body in found)
    rest = iter(found)
    assert all(body in rest for body in bodies if len(body) <= UP_LIMIT), "a whole frame is lost"
    console = b""
    again: list[bytes] = []
    for at in range(0, len(line), step := 1 + len(data) % 61):
        again += pieces.feed(line[at : at + step])
        console += pieces.take_console()
    assert again == found
    assert whole.dump() == {**pieces.dump(), "console_dropped": whole.counts.console_dropped}
    assert len(whole.take_console()) <= _CONSOLE
    assert whole.feed(b"\n" + encode(_LAST))[-1:] == [_LAST]


class _Bridge:
    def __init__(self) -> None:
        self.name = ""

    def event(self, s: str, body: bytes) -> None:
        assert s == self.name
        assert len(body) <= UP_LIMIT

    def hello(self, cable: Cable, s: str, greeting: dict[str, object]) -> None:
        assert is_station(s)
        self.name = s
        msgspec.json.encode(greeting | {"gw": "g"})

    def cable_gone(self, cable: Cable) -> None:
        raise AssertionError("nobody pulled it")

    def refuse(self, cable: Cable, why: str) -> None:
        assert why


def gateway_frames(data: bytes) -> None:
    """Whatever stands in whole frames, a cable names only stations, and passes only theirs."""
    cable = Cable("none", _Bridge(), lambda _: Path(os.devnull))
    for body in data.split(b"\n"):
        cable.line.take(encode(body.replace(b"\x1e", b"")))
    cable.line.take(data)


def event(data: bytes) -> None:
    """BadEvent, or an event whose place can be acknowledged; the two decoders agree."""
    try:
        kind, found, unknown = decode(data)
    except BadEvent as error:
        assert error.reason
        assert (error.e is None) == (error.n is None)
        with contextlib.suppress(*events.UNREADABLE):
            decode_known(data)
            assert len(data) > events.EVENT_LIMIT, "the fast decoder takes what is refused here"
        return
    assert len(data) <= events.EVENT_LIMIT
    assert 0 <= found.epoch < 2**32 and 1 <= found.sequence < 2**53
    assert all(len(name) <= 64 for _, name in unknown)
    if isinstance(found, UnknownEvent):
        assert kind not in events.KINDS
        return
    assert msgspec.json.decode(msgspec.json.encode(found), type=events.ANY_EVENT) == found
    try:
        assert decode_known(data) == found
    except events.UNREADABLE:
        assert unknown or _twice(data), "refused for no reason"


def _twice(data: bytes) -> bool:
    """A key is there twice; the last one counts, and only the slow decoder passes the first."""
    pairs: list[tuple[str, object]] = json.loads(data, object_pairs_hook=list)
    return len(pairs) > len(dict(pairs))


def stream_messages(data: bytes) -> None:
    """One message a line. What is wrong is buried, and nothing of it is a fault of ours."""
    ends = (
        f"{STATION}.ev", f"gw-a.{STATION}.st", f"{STATION}.st.wifi", "gw-a.st",
        f"gw-a.{STATION}.ev", "else",
    )  # fmt: skip
    messages = []
    for at, line in enumerate(data.split(b"\n"), 1):
        end = ends[line[0] - 0x30] if line[:1] in (b"1", b"2", b"3", b"4", b"5") else ends[0]
        messages.append(Message(at, PREFIX + end, line[end != ends[0] :]))
    intake = Intake({}, {}, Changes(lambda *_: ([], []), lambda *_: None))
    intake.take(messages)
    intake.finish()
    for dead in intake.batch.dead:
        assert not dead[5].startswith(_OURS), dead
    for e, n in intake.effects.acks.values():
        assert 0 <= e < 2**32 and 0 <= n < 2**53
    with contextlib.suppress(UnicodeDecodeError):
        target = target_of(PREFIX + data.decode())
        assert target.kind != "ev" or is_station(target.name)


def site(data: bytes) -> bytes | None:
    """SiteError, or a site whose configuration can be made; gives one station's."""
    try:
        found = parse(data)
        check_sizes(found)
    except SiteError as error:
        assert error.reason and "site.json" in str(error)
        return None
    text = json.dumps(msgspec.to_builtins(found), ensure_ascii=False).encode()
    assert parse(text) == found
    for agent in found.agents:
        assert "\n" not in agent.id, "an agent's id is a key of the live bucket"
    if not found.stations:
        return None
    config = ConfigMaker(found, "5a" * 32, -300, 1, card_key="c4" * 16).build(found.stations[0].id)
    assert b"".join(msgspec.json.encode(block) for block in blocks(config))
    return config


def command(data: bytes) -> bytes | None:
    """ValidationError, or a command that fits a frame; gives its JSON with a number."""
    try:
        asked = msgspec.convert(msgspec.json.decode(data, type=dict), ANY_ON_REQUEST)
    except events.UNREADABLE:
        return None
    told = msgspec.to_builtins(asked)
    told = {name: value for name, value in told.items() if value is not None}
    body = msgspec.json.encode({"cmd": told.pop("cmd"), "i": 2**40, **told})
    assert len(body) + len(',"h":"0123456789abcdef"') <= DOWN_LIMIT
    return body


def token(data: bytes) -> None:
    """Claims, or a ValueError."""
    with contextlib.suppress(ValueError):
        assert isinstance(nats_jwt.claims_of(data), dict)


def live_rows(data: bytes) -> None:
    """A bad value is counted, and the last good one stays."""
    floor = Floor()
    floor.put("agent.a001", b'{"a":"a001"}')
    before = floor.rows["a001"]
    floor.put("agent.a001", data)
    assert floor.rows["a001"] is before or floor.changes == 2
    assert not floor.rejected or floor.rows["a001"] is before
    floor.put("meta", data)
    assert len(floor.rows) == 1


def flash_image(data: bytes) -> None:
    """Two readings of one image agree: all at once, and followed while it is programmed."""
    image = images.image_of(data)
    content = journal.walk(image)
    followed = bytearray(b"\xff" * len(image))
    walker = journal.JournalWalker(followed)
    seen = []
    for at in range(0, len(image), 512):
        followed[at : at + 512] = image[at : at + 512]
        seen += walker.programmed(at, 512)
    placed = [(found.epoch, found.sequence, found.payload) for found in seen]
    for found in content.events():
        assert len(found.payload) <= 512
        assert (found.epoch, found.sequence, found.payload) in placed
    assert 0 <= content.unreadable <= len(image) // journal.SECTOR
    for sector in content.sectors:
        assert all(record.offset < journal.SECTOR for record in sector.records)


class _Wire(asyncio.Transport):
    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert data


def broker_stream(data: bytes) -> None:
    """Messages in order or StreamBroken, and pieces make no difference."""
    results = []
    for step in (len(data) or 1, 1 + len(data) % 13):
        reader = StreamReader("s", "c", "u", "p")
        reader.connection_made(_Wire())
        for at in range(0, len(data), step):
            reader.data_received(data[at : at + step])
        results.append((reader._ready, reader._broken is None))
        reader.connection_lost(None)
        if not reader._ready:
            try:
                reader.read().send(None)
            except StreamBroken as error:
                assert str(error)
    (whole, whole_right), (pieces, pieces_right) = results
    assert not (whole_right and pieces_right) or whole == pieces
    assert whole[: len(pieces)] == pieces[: len(whole)]
