"""A host that does nothing but acknowledge: what a station drains to as fast as itself can."""

import asyncio
import json
import time
from typing import Any

from diadema.site.station_keys import StationKeys


class Sink(asyncio.Protocol):
    """One station's connection. `until(n)` waits for event `n`."""

    def __init__(self, keys: StationKeys) -> None:
        self._keys = keys
        self._station = ""
        self._buffer = b""
        self._boot = self._epoch = 0
        self.first_at = self.last_at = 0.0  # monotonic
        self.first = self.last = 0
        self._wanted = 0
        self._there = asyncio.Event()

    async def until(self, n: int) -> None:
        self._wanted = n
        if self.last < n:
            self._there.clear()
            await self._there.wait()

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._buffer = b""

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        answers: list[bytes] = []
        self._owed = False
        while (packet := self._packet()) is not None:
            self._answer(*packet, answers)
        if self._owed:
            answers.append(self._ack())
        if answers:
            self._transport.write(b"".join(answers))
        if self.last >= self._wanted:
            self._there.set()

    def _packet(self) -> tuple[int, bytes] | None:
        size = shift = 0
        for at, byte in enumerate(self._buffer[1:5], 2):  # noqa: B007
            size |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                break
        else:
            return None
        if len(self._buffer) < at + size:
            return None
        first, body = self._buffer[0], self._buffer[at : at + size]
        self._buffer = self._buffer[at + size :]
        return first, body

    def _answer(self, first: int, body: bytes, answers: list[bytes]) -> None:
        match first >> 4:
            case 1:  # CONNECT
                answers.append(b"\x20\x02\x00\x00")
            case 8:  # SUBSCRIBE
                answers.append(b"\x90\x04" + body[:2] + b"\x00\x00")
            case 12:  # PINGREQ
                answers.append(b"\xd0\x00")
            case 3:
                size = 2 + int.from_bytes(body[:2])
                answers.append(b"\x40\x02" + body[size : size + 2])
                self._take(json.loads(body[size + 2 :]))

    def _take(self, message: dict[str, Any]) -> None:
        self._owed = True
        if "k" not in message:  # hello
            self._boot, self._epoch, self.last = message["b"], message["e"], 0
            self._station = message["s"]
        elif message["n"] == self.last + 1:
            self.last += 1
            self.last_at = time.monotonic()
            if not self.first_at:
                self.first, self.first_at = self.last, self.last_at

    def _ack(self) -> bytes:
        topic = f"diadema/v1/{self._station}/ack".encode()
        text = b'{"ack":[%d,%d]}' % (self._epoch, self.last)
        body = len(topic).to_bytes(2) + topic + self._keys.seal(self._station, self._boot, text)
        low, high = len(body) & 127, len(body) >> 7
        return bytes([0x30, low | 128, high]) + body if high else bytes([0x30, low]) + body
