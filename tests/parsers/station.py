"""What must hold of each parser of the station, run here on CPython, whatever bytes it is given;
and that the host takes what the station makes of it. Same form as `parsers.host`.
"""

import asyncio
import base64
import contextlib
import json
import shutil
import tempfile
from pathlib import Path
from types import SimpleNamespace

import diadema.wire.frames
import lib.app
import msgspec
from diadema.ingest.decode import decode
from diadema.site import station_config
from diadema.wire.frames import Joiner, cut
from diadema.wire.journal import walk
from lib.config import Config
from lib.config_check import ConfigError, validate
from lib.config_store import ConfigStore
from lib.do_command import FIELDS, wrong_field
from lib.errors import JournalError, LinkError
from lib.frames import DOWN_LIMIT, Decoder, Pieces, encode
from lib.improv import Packets, credentials, packet
from lib.journal import EVENT, Journal
from lib.mqtt import Client, _packet
from lib.seal import sealed

from tests.firmware.suite.test_lib_app import STATION, Bench
from tests.parsers import host, images
from tests.support.nor import Nor

KEY = bytes(range(32))
_PACKET_LIMIT = 1152
_IMPROV_LIMIT = 265
_LOOP = asyncio.new_event_loop()
# MicroPython writes UTF-8 where CPython would write \uXXXX, and lengths are counted in bytes
JSON = SimpleNamespace(
    loads=json.loads, dumps=lambda value, **more: json.dumps(value, ensure_ascii=False, **more)
)


def prepare() -> None:
    """Make this process's firmware behave as MicroPython does. For a fuzzer's own process."""
    lib.app.json = JSON


def serial_frames(data: bytes) -> None:
    """As the host's decoder, and both find the same frames."""
    line, bodies = host.framed(data)
    whole, pieces = Decoder(), Decoder()
    found = whole.feed(line)
    rest = iter(found)
    assert all(body in rest for body in bodies if len(body) <= DOWN_LIMIT), "a whole frame is lost"
    again: list[bytes] = []
    for at in range(0, len(line), step := 1 + len(data) % 61):
        again += pieces.feed(line[at : at + step])
    assert again == found
    assert (pieces.bad, pieces.oversize, pieces.text) == (whole.bad, whole.oversize, whole.text)
    if b"\r\n" not in line:  # which only the host takes for an end
        assert diadema.wire.frames.Decoder(DOWN_LIMIT).feed(line) == found
    assert whole.feed(b"\n" + diadema.wire.frames.encode(b"{}"))[-1:] == [b"{}"]
    assert diadema.wire.frames.encode(data) == encode(data)


def pieces(data: bytes) -> None:
    """As the host's; memory stays bounded, and the next message comes whole, whatever was."""
    ours, theirs = Pieces(), Joiner()
    for text in filter(None, data.split(b"\n")):
        whole = ours.take(text)
        got, also = theirs.take(text)
        assert (ours.got or b"", whole) == (got and encode(got), also)
        assert len(ours._buffer) == DOWN_LIMIT
        if got:
            number, piece = json.loads(got)["got"]
            assert 0 < number <= 65535 and piece > 0
    last = b'{"ack":[1,%d]}' % len(data) + b" " * 300
    number = ours._number % 65535 + 1
    heard = [ours.take(Decoder().feed(frame)[0]) for frame in cut(max(number, 1), last)]
    assert heard[-1] == last and not any(heard[:-1])


def improv_packets(data: bytes) -> None:
    """Pieces make no difference, memory stays bounded, and no frame beside them is lost."""
    line, bodies = host.framed(data)
    pieces, decoder = Packets(), Decoder()
    again: list[tuple[int | None, bytes]] = []
    frames: list[bytes] = []
    for at in range(0, len(line), step := 1 + len(data) % 61):
        again += pieces.feed(line[at : at + step])
        frames += decoder.feed(line[at : at + step])
        assert len(pieces._held) < _IMPROV_LIMIT
    assert again == Packets().feed(line)
    rest = iter(frames)
    assert all(body in rest for body in bodies if len(body) <= DOWN_LIMIT), "a whole frame is lost"
    for kind, content in again:
        assert kind is None or packet(kind, content) in line
        with contextlib.suppress(ValueError):
            ssid, password = credentials(content[2:])
            assert 0 < len(ssid.encode()) <= 32 and len(password.encode()) <= 64


def mqtt_packets(data: bytes) -> None:
    """LinkError or the end of the line; until then each message is heard, whole and in order."""
    heard: list[bytes] = []

    async def read() -> BaseException | None:
        client = Client({}, STATION, [], ("t", "w"), hear, lambda: None, lambda: 0)
        client._reader = asyncio.StreamReader()
        client._reader.feed_data(data)
        client._reader.feed_eof()
        client._received = b""
        client._flight = [[1, b"", 0], [2, b"", 0]]
        await client._read()
        assert len(client._flight) <= 2
        return client._error

    async def hear(payload: bytes) -> None:
        heard.append(payload)

    error = _LOOP.run_until_complete(read())
    assert isinstance(error, EOFError | LinkError), repr(error)
    assert heard == _published(data)
    for body in heard:
        assert len(body) < _PACKET_LIMIT
    packet = bytes(_packet(0x30, b"\x00\x01t" + data[:1100]))
    assert _published(packet) == [data[:1100]]


def _published(data: bytes) -> list[bytes]:
    """The payloads of the QoS 0 messages before anything that is none and no answer."""
    found, at = [], 0
    while at < len(data):
        first, at = data[at], at + 1
        size = shift = 0
        while at < len(data):
            size |= (data[at] & 127) << shift
            shift += 7
            at += 1
            if data[at - 1] < 128 or size > _PACKET_LIMIT or shift > 28:
                break
        else:
            break
        if size > _PACKET_LIMIT or shift > 28 or at + size > len(data):
            break
        body, at = data[at : at + size], at + size
        topic_end = 2 + int.from_bytes(body[:2])
        if first & 0xF6 == 0x30 and size > 2 and topic_end <= size:
            found.append(body[topic_end:])
        elif not (first == 0x40 and size == 2) and first != 0xD0:
            break
    return found


def config(data: bytes) -> None:
    """ConfigError, or a configuration that is used now and after the next boot."""
    text = data
    try:
        fields = json.loads(data)
    except (ValueError, RecursionError):
        fields = None
    if isinstance(fields, dict) and "station" in fields:
        fields["station"] = STATION
        text = json.dumps(fields).encode()
    folder = tempfile.mkdtemp(prefix="diadema-fuzz-")
    try:
        _configured(text, folder)
    finally:
        shutil.rmtree(folder)


def _configured(text: bytes, folder: str) -> None:
    store = ConfigStore(STATION, folder + "/")
    done = None
    try:
        for number, block in enumerate(_blocks(text), 1):
            done = store.add(block | {"i": 7})
            assert done is None or number == block["parts"]
    except ConfigError as error:
        assert error.key and error.reason
        assert ConfigStore(STATION, folder + "/").load().generation == 0
        return
    if done is not None:
        assert isinstance(done, Config)
        again = ConfigStore(STATION, folder + "/")
        assert vars(again.load()) == vars(done)
        assert not again.broken


def _blocks(text: bytes) -> list[dict[str, object]]:
    try:
        return list(station_config.blocks(text))
    except (msgspec.MsgspecError, UnicodeDecodeError, KeyError, TypeError, RecursionError):
        return list(station_config.blocks(b'{"generation":1}'))  # not what the host would send


def config_file(data: bytes) -> None:
    """A file that is not whole is found broken and changes nothing; the other one is used."""
    folder = tempfile.mkdtemp(prefix="diadema-fuzz-")
    try:
        Path(folder, "config.0").write_bytes(data)
        Path(folder, "config.1").write_bytes(data[::-1])
        found = ConfigStore(STATION, folder + "/").load()
        assert found.generation >= 0
    finally:
        shutil.rmtree(folder)


def down(data: bytes) -> None:
    """One frame's text a line: nothing crashes, and the host takes each event that follows.

    `[7,` at the head of an acknowledgement becomes the journal's own epoch.
    """
    bench = Bench(Nor(8))
    bench.store.add = _refuse
    bench.step("badge", ("0" * 32, "a001"))
    bench.step("key3")
    app = bench.app
    for at, text in enumerate(data.split(b"\n")[:24]):
        bench.ticks += 100
        text = text.replace(b"[7,", b"[%d," % app.journal.epoch)
        app.host.take(text, bench.ticks if at % 2 else None)
        while app._inputs:
            app._step(*app._inputs.popleft())
        app._timed(bench.ticks)
    bench.step("tick")
    bench.step("key4")
    assert app.crashes == 0
    assert app.discards == 0, "an answer that could not be written"
    journaled(app.journal)


def _refuse(command: dict[str, object], room: object = None) -> None:
    raise ConfigError("data", f"{command.get('part')!r} is not this one")


def journaled(journal: Journal) -> None:
    """What a station wrote, the host knows."""
    n = journal.first
    while (found := journal.read(n)) is not None and found[1] is not None:
        n = found[0]
        head = f'{{"s":"{STATION}","e":{journal.epoch},"n":{n},'
        _, _, unknown = decode(head.encode() + found[1][1:])
        assert not unknown, unknown
        n += 1


def forged(data: bytes) -> None:
    """Without the hub's seal nothing changes; the station says so once."""
    assert not sealed(KEY, STATION, 1, data)
    bench = Bench(Nor(8))
    app = bench.app
    app.machine.config.key = KEY
    last = app.journal.last
    for text in data.split(b"\n")[:24]:
        app.host.take(text, 5)
    assert not app._inputs
    assert app.journal.acked == 0
    assert app.machine.provisional
    assert app.journal.last - last == (app.host.foreign > 0)


def host_command(data: bytes) -> None:
    """What the host accepts, the station does not call wrong."""
    body = host.command(data)
    if body is not None:
        fields = json.loads(body)
        assert wrong_field(fields, FIELDS[fields["cmd"]]) == ""


def host_site(data: bytes) -> None:
    """A site that the host accepts makes configurations that the station accepts."""
    text = host.site(data)
    if text is not None:
        fields = json.loads(text)
        validate(fields, fields["station"])
        assert Config(fields).generation == 1


def boot_scan(data: bytes) -> None:
    """JournalError, or a journal of which the host reads the same events."""
    image = images.image_of(data)
    journal = Journal(Nor(image=bytearray(image)))
    visited: list[tuple[int, int, bytes]] = []
    try:
        journal.mount(lambda *record: visited.append(record))
    except JournalError as error:
        assert error.code
        return
    known = {(e.epoch, e.sequence, e.payload) for e in walk(journal.partition.image).events()}
    for kind, n, payload in visited:
        if kind == EVENT:
            assert (journal.epoch, n, payload) in known
    n, reads = journal.first, 0
    while (found := journal.read(n)) is not None and found[1] is not None:
        assert (journal.epoch, *found) in known
        n, reads = found[0] + 1, reads + 1
        assert reads <= len(known)


class _Worn(Nor):
    """Holds anything at first, so a program over old bytes leaves both, as on a real chip."""

    def writeblocks(self, block: int, buf: bytes, offset: int | None = None) -> None:
        assert offset is not None and offset + len(buf) <= images.SECTOR
        at = block * images.SECTOR + offset
        for step, byte in enumerate(bytes(buf)):
            self.image[at + step] &= byte


def boot(data: bytes) -> None:
    """Whatever the flash holds, the station starts, and tells what is wrong."""
    bench = Bench(_Worn(image=bytearray(images.image_of(data))))
    assert bench.app.crashes == 0
    assert bench.app.boot >= 1
    assert bench.app.desk.boot >= 0


def sealing(data: bytes) -> None:
    """Any bytes but the hub's own are no seal."""
    assert not sealed(KEY, STATION, 1, data)
    seal = base64.b16encode(data[:8]).lower()
    assert not sealed(KEY, STATION, 1, data + b',"h":"' + seal + b'"}')
