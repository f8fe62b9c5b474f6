"""A station without its firmware: the same wire over MQTT and TLS, light enough for a thousand
in one process. What it journals is a `Script`; `press` lets it have the next event of it.

The rules are those of `firmware/lib/mqtt.py` and `uplink.py`: one write a packet, 8 messages on
their way to the broker, 32 events on their way to the hub, sealed frames only.
"""

import asyncio
import contextlib
import hmac
import json
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable
from ssl import SSLContext

import msgspec
from diadema.base.certificates import Certificates
from diadema.base.paths import DataDir
from diadema.site.station_keys import StationKeys, seal

from tests.support.scripted_station import Script
from tests.support.trust import trusting

_FLIGHT = 8
_WINDOW = 32
_ANSWER_S = 10.0
_KEEP_ALIVE_S = 20
_RESEND_S = 5.0
_HELLO_S = 1.0
_LONGEST_S = 300.0
_AWAY_S = 7.0  # the longest wait for another connection, but for its chance
_LOOK_S = 1.0  # how exactly what is due by the clock is done
_TAIL = 24  # of a sealed frame: ,"h":"<16 hex>"}
_CONNECT, _CONNACK, _PUBLISH, _PUBACK = 0x10, 0x20, 0x30, 0x40
_SUBSCRIBE, _SUBACK, _PINGREQ, _PINGRESP = 0x82, 0x90, 0xC0, 0xD0
_TROUBLE = (OSError, EOFError, TimeoutError)


class Access(msgspec.Struct):
    """What a station's configuration tells it about its way in."""

    s: str
    password: str
    key: str  # hex
    port: int
    name: str  # of the broker, as its certificate has it


async def accesses(nats, data: DataDir, stations: Iterable[str]) -> list[Access]:
    """Of stations of the site, from the hub that runs there."""
    keys = StationKeys(data.keys)
    found = []
    for s in stations:
        reply = await nats.request("hub.enrol", json.dumps({"s": s}).encode(), timeout=60)
        told = json.loads(reply.data)
        key = keys.of(s).hex()
        found.append(Access(s, told["password"], key, told["port"], told["host"]))
    return found


class Refused(OSError):
    """The broker said no, or something that it may not say."""


class LightStation:
    """`run` keeps it connected until cancelled. Times are `time.monotonic()`."""

    def __init__(
        self,
        access: Access,
        tls: SSLContext,
        script: Script,
        *,
        generation: int,
        again_s: float = 1.0,
        holds_all: bool = False,
    ) -> None:
        """`script` has what is journaled already; `again_s`: the first wait after a cut.
        `holds_all`: its journal has what was acknowledged too, as a real one has for weeks.
        """
        self.access = access
        self.script = script
        self.last = script.n  # journaled
        self.pressed: dict[int, float] = {}  # n: when
        self.acked: dict[int, float] = {}
        self.connected = False
        self.first_connected: float | None = None
        self.base = 0  # what the hub holds
        self._acknowledged = asyncio.Event()
        self.counts: Counter[str] = Counter()
        self._tls = tls
        self._key = bytes.fromhex(access.key)
        self._generation = generation
        self._again_s = again_s
        self._holds_all = holds_all
        self._topic = f"diadema/v1/{access.s}/"
        self._flight: dict[int, bytearray] = {}
        self._id = 0
        self._writer: asyncio.StreamWriter | None = None
        self._highest_i = 0
        self._cursor = 1
        self._synced = False
        self._rewind = False
        self._hello_at: float | None = None
        self._hello_wait = _HELLO_S
        self._resend_at: float | None = None
        self._resend_wait = _RESEND_S
        self._spoke = 0.0

    def press(self, at: float | None = None) -> None:
        """The next event of the script is journaled, and sent as soon as it may be."""
        self.last += 1
        self.pressed[self.last] = at or time.monotonic()
        self._send_window()

    def cut(self) -> None:
        """The network is gone, with what is still in the buffers."""
        if self._writer is not None:
            self._writer.transport.abort()

    async def until_held(self, n: int) -> None:
        """Until the hub has acknowledged `n`."""
        while self.base < n:
            self._acknowledged.clear()
            await self._acknowledged.wait()

    async def run(self) -> None:
        wait = self._again_s
        while True:
            try:
                await self._connection()
            except* _TROUBLE as errors:
                for error in errors.exceptions:
                    self.counts[f"ended: {type(error).__name__}"] += 1
            if self.connected:
                wait = self._again_s
            self.connected = False
            await asyncio.sleep(wait * random.uniform(1, 1.5))
            wait = min(wait * 2, _AWAY_S)

    # -- a connection

    async def _connection(self) -> None:
        self.counts["connections tried"] += 1
        async with asyncio.timeout(_ANSWER_S):
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", self.access.port, ssl=self._tls, server_hostname=self.access.name
            )
        self._writer = writer
        try:
            async with asyncio.timeout(_ANSWER_S):
                await self._introduce(reader)
            for packet in self._flight.values():
                packet[0] |= 8  # DUP
                self._write(packet)
            self.connected = True
            self.first_connected = self.first_connected or time.monotonic()
            self._ask_hello()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._read(reader))
                tasks.create_task(self._keep())
        finally:
            self._writer = None
            self._synced = False
            writer.close()
            with contextlib.suppress(*_TROUBLE):
                async with asyncio.timeout(1):
                    await writer.wait_closed()

    async def _introduce(self, reader: asyncio.StreamReader) -> None:
        s = self.access.s
        body = _text("MQTT") + b"\x04\xee\x00" + bytes([_KEEP_ALIVE_S])  # clean, will, user
        for part in (s, self._topic + "st/wifi", '{"up":false}', s, self.access.password):
            body += _text(part)
        self._write(_packet(_CONNECT, body))
        if await _receive(reader) != (_CONNACK, b"\0\0"):
            raise Refused("no CONNACK, or a refusal")
        body = _number(1) + b"".join(_text(self._topic + leaf) + b"\0" for leaf in ("ack", "cmd"))
        self._write(_packet(_SUBSCRIBE, body))
        if await _receive(reader) != (_SUBACK, b"\0\1\0\0"):
            raise Refused("may not subscribe")

    async def _read(self, reader: asyncio.StreamReader) -> None:
        while True:
            first, body = await _receive(reader)
            if first & 0xF6 == _PUBLISH:
                self._on_frame(body[2 + int.from_bytes(body[:2]) :])
            elif first == _PUBACK:
                self._flight.pop(int.from_bytes(body), None)
                self._send_window()
            elif first != _PINGRESP:
                raise Refused(f"packet {first:02x} out of place")

    async def _keep(self) -> None:
        while True:
            now = time.monotonic()
            if self._hello_at is not None and now >= self._hello_at:
                self._say_hello()
            if self._resend_at is not None and now >= self._resend_at:
                self.counts["resent"] += self._cursor - self.base - 1
                self._cursor = self.base + 1
                self._resend_wait = min(self._resend_wait * 2, _LONGEST_S)
                self._resend_at = None
                self._send_window()
            if now - self._spoke >= _KEEP_ALIVE_S / 2:
                self._write(bytes([_PINGREQ, 0]))
            await asyncio.sleep(_LOOK_S)

    # -- up

    def _ask_hello(self) -> None:
        self._synced, self._rewind = False, True
        self._resend_at, self._resend_wait = None, _RESEND_S
        self._hello_wait = _HELLO_S
        self._say_hello()

    def _say_hello(self) -> None:
        hello = self.script.hello(acked=self.base, generation=self._generation)
        del hello["gw"]
        hello |= {"first": 1 if self._holds_all else self.base + 1, "last": self.last}
        self._publish("st/wifi", json.dumps(hello).encode(), retain=True)
        self._hello_at = time.monotonic() + self._hello_wait
        self._hello_wait = min(self._hello_wait * 2, _LONGEST_S)

    def _send_window(self) -> None:
        if not self._synced or self._writer is None:
            return
        end = min(self.last, self.base + _WINDOW)
        while self._cursor <= end and len(self._flight) < _FLIGHT:
            self._publish("ev", self.script.bodies[self._cursor - 1])
            self._cursor += 1
        if self._cursor - 1 > self.base and self._resend_at is None:
            self._resend_at = time.monotonic() + self._resend_wait * random.uniform(1, 1.125)

    def _publish(self, leaf: str, payload: bytes, *, retain: bool = False) -> None:
        self._id = self._id % 65535 + 1
        head = _text(self._topic + leaf) + _number(self._id)
        packet = _packet(_PUBLISH | 2 | retain, head + payload)
        self._flight[self._id] = packet
        self._write(packet)

    def _write(self, packet: bytes | bytearray) -> None:
        assert self._writer is not None
        self._writer.write(bytes(packet))
        self._spoke = time.monotonic()

    # -- down

    def _on_frame(self, text: bytes) -> None:
        body = text[:-_TAIL] + b"}"
        if not hmac.compare_digest(seal(self._key, self.access.s, self.script.b, body), text):
            self.counts["foreign"] += 1
            return
        frame = json.loads(body)
        if "ack" in frame:
            self._on_ack(*frame["ack"])
        else:
            self._obey(frame)

    def _obey(self, frame: dict) -> None:
        if frame["i"] > self._highest_i:
            self._highest_i = frame["i"]
            self.counts[f"command {frame['cmd']}"] += 1
            if frame["cmd"] == "time" and self.last == self.script.n:
                self.script.clock(frame["utc"], frame["i"])
                self.press()

    def _on_ack(self, e: int, n: int) -> None:
        if e != self.script.e or n > self.last:
            self.counts["foreign"] += 1
            return
        now = time.monotonic()
        for held in range(self.base + 1, n + 1):
            self.acked[held] = now
        if self._rewind or n > self.base:
            self.base = n
            self._cursor = n + 1 if self._rewind else max(self._cursor, n + 1)
            self._resend_at, self._resend_wait = None, _RESEND_S
        self._rewind, self._hello_at, self._synced = False, None, True
        self._send_window()
        self._acknowledged.set()


def _number(value: int) -> bytes:
    return value.to_bytes(2)


def _text(value: str) -> bytes:
    data = value.encode()
    return _number(len(data)) + data


def _packet(first: int, body: bytes) -> bytearray:
    packet = bytearray([first])
    size = len(body)
    while size > 127:
        packet.append(size & 127 | 128)
        size >>= 7
    packet.append(size)
    return packet + body


async def _receive(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """First byte and body of the next packet."""
    first = (await reader.readexactly(1))[0]
    size = shift = 0
    while True:
        byte = (await reader.readexactly(1))[0]
        size |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return first, await reader.readexactly(size)


@contextlib.asynccontextmanager
async def running_crowd(
    nats,
    data: DataDir,
    stations: Iterable[str],
    *,
    holds_all: Callable[[int], bool] = lambda number: False,
) -> AsyncIterator[list[LightStation]]:
    """One of each name, connecting by itself, with the boot of the agent b00, b01 … in its
    journal. `holds_all`: by its number.
    """
    tls = trusting(Certificates(data.tls))
    crowd = [
        LightStation(
            access, tls, Script(access.s, agent=f"b{number:02}").boot(), generation=1,
            again_s=0.05, holds_all=holds_all(number),
        )
        for number, access in enumerate(await accesses(nats, data, stations))
    ]  # fmt: skip
    running = [asyncio.create_task(station.run()) for station in crowd]
    try:
        yield crowd
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
