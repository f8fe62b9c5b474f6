"""Reads a JetStream pull consumer, and nothing else: the ingest's hot way in.

Why not nats-py here: it runs a mail parser over the headers of each message, ten times what all
else costs; and every message from the MQTT side has headers. Everything that is not hot
(consumers, key-value, requests) goes through nats-py.
"""

import asyncio
from collections import deque
from typing import cast
from urllib.parse import urlsplit

import msgspec

from diadema.errors import DiademaError
from diadema.ingest.messages import Message

BATCH = 4000  # messages asked for at a time; at most two requests are open
_EXPIRES_S = 30
_HEARTBEAT_S = 5
_SILENCE_S = 15.0  # no message and no heartbeat: the consumer is gone
_INBOX = b"_INBOX.diadema.ingest"


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
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._ready: list[Message] = []
        self._asked: deque[int] = deque()  # messages still due to each open request
        self._delivered = 0
        self._subjects: dict[bytes, str] = {}
        self._wake = asyncio.Event()
        self._broken: str | None = None

    @property
    def idle(self) -> bool:
        """Nothing more has arrived."""
        return not self._ready

    async def read(self) -> list[Message]:
        """All that has arrived, at least one message. Raises StreamBroken."""
        self._ask()
        while not self._ready:
            if self._broken:
                raise StreamBroken(self._broken)
            self._wake.clear()
            try:
                await asyncio.wait_for(self._wake.wait(), _SILENCE_S)
            except TimeoutError:
                self._broken = "the broker is silent"
            self._ask()
        messages, self._ready = self._ready[:BATCH], self._ready[BATCH:]
        return messages

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def _ask(self) -> None:
        """Keep one request open and, while messages flow, a second behind it."""
        if self._transport is None or self._broken or len(self._ready) > BATCH:
            return
        while len(self._asked) < 2 and sum(self._asked) <= BATCH // 2:
            wanted = {
                "batch": BATCH,
                "expires": _EXPIRES_S * 10**9,
                "idle_heartbeat": _HEARTBEAT_S * 10**9,
            }
            body = msgspec.json.encode(wanted)
            self._transport.write(
                b"PUB %b %b %d\r\n%b\r\n" % (self._next, _INBOX, len(body), body)
            )
            self._asked.append(BATCH)

    # -- asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass of it
        self._transport.write(b"CONNECT %b\r\nSUB %b 1\r\n" % (self._login, _INBOX))

    def connection_lost(self, _: Exception | None) -> None:
        self._break("the connection to the broker ended")

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer
        buffer += data
        at = 0
        while (end := buffer.find(b"\r\n", at)) >= 0:
            head = bytes(buffer[at : at + 5])
            if head != b"HMSG " and head[:4] != b"MSG ":
                self._control(bytes(buffer[at:end]))
                at = end + 2
                continue
            words = bytes(buffer[at:end]).split(b" ")
            start = end + 2
            size = int(words[-1])
            if len(buffer) < start + size + 2:
                break
            headers = int(words[-2]) if head == b"HMSG " else 0
            if headers and buffer[start + 8 : start + 9] == b" ":  # "NATS/1.0 404 …"
                self._status(bytes(buffer[start : start + headers]))
            elif len(words) == (6 if headers else 5):
                self._message(words[1], words[3], bytes(buffer[start + headers : start + size]))
            at = start + size + 2
        del buffer[:at]
        if self._ready:
            self._wake.set()

    def _message(self, subject: bytes, reply: bytes, body: bytes) -> None:
        # $JS.ACK.[domain.account.]stream.consumer.deliveries.sequence.delivered.time.pending[.x]
        words = reply.split(b".")
        at = 5 if len(words) == 9 else 7
        self._delivered += 1
        if int(words[at + 1]) != self._delivered:
            self._break(f"message {self._delivered} of the consumer is missing")
            return
        if self._asked:
            self._asked[0] -= 1
            if not self._asked[0]:
                self._asked.popleft()
        name = self._subjects.get(subject)
        if name is None:
            if len(self._subjects) > 100_000:
                self._subjects.clear()
            name = self._subjects[subject] = subject.decode()
        if not self._broken:
            self._ready.append(Message(int(words[at]), name, body))

    def _status(self, headers: bytes) -> None:
        code = headers[9:12]
        if code == b"408":  # the request ran out of time
            if self._asked:
                self._asked.popleft()
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
