"""Reads a JetStream pull consumer, and nothing else: the ingest's hot way in.

Why not nats-py here: it runs a mail parser over the headers of each message, ten times what all
else costs; and every message from the MQTT side has headers. Everything that is not hot
(consumers, key-value, requests) goes through nats-py.
"""

import asyncio
import secrets
import time
from collections import deque
from typing import cast
from urllib.parse import urlsplit

import msgspec

from diadema.base.errors import DiademaError
from diadema.ingest.messages import Message, place_of

BATCH = 16_000  # messages given, and asked for, at a time; at most two requests are open
_FEW = 500  # not worth waiting for
_GATHER_S = 0.05  # how long a batch may grow while more is known to wait
_EXPIRES_S = 30
_HEARTBEAT_S = 1
_REST_LIMIT = 2 << 20  # bytes; the broker's largest message has half as many
_SUBJECTS_LIMIT = 100_000
_SILENCE_S = 3.0  # no message and no heartbeat: the consumer is gone
_INBOX = b"_INBOX.diadema."


class StreamBroken(DiademaError):
    """The connection or the consumer is gone, or a message is missing: begin again after the last
    one that was committed."""


class StreamReader(asyncio.Protocol):
    """One consumer's messages, in order and complete. Make it with `open_stream`."""

    def __init__(self, stream: str, consumer: str, user: str, password: str) -> None:
        self._next = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}".encode()
        self._login = msgspec.json.encode(
            {
                "user": user,
                "pass": password,
                "name": "ingest-stream",
                "lang": "python",
                "version": "1",
                "verbose": False,
                "pedantic": False,
                "headers": True,
                "no_responders": True,
                "protocol": 1,
            }
        )
        # its own: the broker still answers what a killed reader had asked for
        self._inbox = _INBOX + secrets.token_hex(8).encode()
        self._transport: asyncio.Transport | None = None
        self._rest = b""
        self._ready: list[Message] = []
        self._since = 0.0  # when the first of the ready ones came
        self._requested: deque[int] = deque()  # messages still due to each open request
        self._delivered = 0
        self._waiting = 0  # messages that the broker still has for us
        self._subjects: dict[bytes, str] = {}
        self._wake = asyncio.Event()
        self._heard = time.monotonic()  # of the consumer
        self._broken: str | None = None

    @property
    def idle(self) -> bool:
        """Nothing more has arrived, nor is about to."""
        return not self._ready and self._waiting < _FEW

    async def read(self) -> list[Message]:
        """What has arrived, at least one message. While more is known to wait the batch grows, for
        a short time: a large one costs much less a message. Raises StreamBroken.
        """
        self._ask()
        while not self._enough():
            if self._broken:
                raise StreamBroken(self._broken)
            self._wake.clear()
            try:
                async with asyncio.timeout(_GATHER_S if self._ready else _SILENCE_S):
                    await self._wake.wait()
            except TimeoutError:
                silent = time.monotonic() - self._heard >= _SILENCE_S  # else it was we who slept
                if silent and not self._ready:
                    self._broken = "the broker is silent"
            self._ask()
        messages, self._ready = self._ready[:BATCH], self._ready[BATCH:]
        self._since = time.monotonic()
        return messages

    def _enough(self) -> bool:
        if not self._ready:
            return False
        if self._broken or self._waiting < _FEW or len(self._ready) >= BATCH:
            return True
        return time.monotonic() - self._since >= _GATHER_S

    def write(self, frames: bytes) -> None:
        """Send what is written in the broker's protocol already."""
        if self._transport is not None and not self._broken:
            self._transport.write(frames)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def _ask(self) -> None:
        """Keep one request open and, while messages flow, a second behind it."""
        if self._transport is None or self._broken or len(self._ready) > BATCH:
            return
        while len(self._requested) < 2 and sum(self._requested) <= BATCH // 2:
            wanted = {
                "batch": BATCH,
                "expires": _EXPIRES_S * 10**9,
                "idle_heartbeat": _HEARTBEAT_S * 10**9,
            }
            body = msgspec.json.encode(wanted)
            self._transport.write(
                b"PUB %b %b %d\r\n%b\r\n" % (self._next, self._inbox, len(body), body)
            )
            self._requested.append(BATCH)

    # -- asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass of it
        self._transport.write(b"CONNECT %b\r\nSUB %b 1\r\n" % (self._login, self._inbox))

    def connection_lost(self, _: Exception | None) -> None:
        self._break("the connection to the broker ended")

    def data_received(self, data: bytes) -> None:
        if self._broken:
            return
        try:
            self._take(data)
            if len(self._rest) > _REST_LIMIT:
                raise ValueError("a message without an end")
        except (ValueError, IndexError) as error:
            self._rest = b""
            self._break(f"the broker does not keep to its protocol: {error}")

    def _take(self, data: bytes) -> None:
        if self._rest:
            data = self._rest + data
        find, size, names, ready = data.find, len(data), self._subjects, self._ready
        before, at, reply = len(ready), 0, b""
        while (end := find(b"\r\n", at)) >= 0:
            words = data[at:end].split(b" ")
            if words[0] == b"HMSG":
                start, head = end + 2, int(words[-2])
            elif words[0] == b"MSG":
                start, head = end + 2, 0
            else:
                self._control(data[at:end])
                at = end + 2
                continue
            end = start + int(words[-1])
            if end < start:
                raise ValueError("a size below zero")
            if size < end + 2:
                break
            at = end + 2
            if head and data[start + 8 : start + 9] == b" ":
                self._status(data[start : start + head])  # "NATS/1.0 404 …"
                continue
            if len(words) != (6 if head else 5):
                continue
            reply = words[3]
            name = names.get(words[1]) or self._name(words[1])
            ready.append(Message(reply, name, data[start + head : end]))
        self._rest = data[at:]
        if len(ready) > before:
            self._count(len(ready) - before, reply)

    def _name(self, subject: bytes) -> str:
        if len(self._subjects) > _SUBJECTS_LIMIT:
            self._subjects.clear()
        return self._subjects.setdefault(subject, subject.decode())

    def _count(self, arrived: int, last: bytes) -> None:
        """They come in order over one connection: if the last one's number fits, so do all."""
        self._heard = time.monotonic()
        _, delivered, self._waiting = place_of(last)
        self._delivered += arrived
        if self._broken or delivered != self._delivered:
            del self._ready[-arrived:]
            self._break(f"{delivered - self._delivered} messages of the consumer are missing")
            return
        if len(self._ready) == arrived:
            self._since = time.monotonic()
        while arrived and self._requested:
            met = min(arrived, self._requested[0])
            arrived -= met
            self._requested[0] -= met
            if not self._requested[0]:
                self._requested.popleft()
        self._ask()
        self._wake.set()

    def _status(self, headers: bytes) -> None:
        self._heard = time.monotonic()
        code = headers[9:12]
        if code == b"408":  # the request ran out of time
            if self._requested:
                self._requested.popleft()
        elif code != b"100":
            self._break(headers.partition(b"\r\n")[0].decode(errors="replace"))
        self._wake.set()

    def _control(self, line: bytes) -> None:
        if line == b"PING" and self._transport is not None:
            self._transport.write(b"PONG\r\n")
        elif line.startswith(b"-ERR"):
            self._break(line.decode(errors="replace"))

    def _break(self, reason: str) -> None:
        self._broken = self._broken or reason
        self._wake.set()


async def open_stream(
    url: str, user: str, password: str, stream: str, consumer: str
) -> StreamReader:
    """Connect. Raises OSError."""
    at = urlsplit(url)
    _, reader = await asyncio.get_running_loop().create_connection(
        lambda: StreamReader(stream, consumer, user, password), at.hostname or "", at.port or 4222
    )
    return reader
