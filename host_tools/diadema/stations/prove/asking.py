"""Questions to one station over its cable, sealed with its key, and its sealed answers. A number
is asked once, so an answer to it is of now.
"""

import asyncio
import contextlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import msgspec
from msgspec import Raw, Struct

from diadema.gateway.station_line import StationLine
from diadema.site.station_keys import seal
from diadema.stations.prove.errors import ProveError
from diadema.wire.commands import Hello
from diadema.wire.events import UNREADABLE
from diadema.words import text

_OPEN_S = 1.5
_SEALED = b',"h":"'
_MARK = len(_SEALED) + 16 + len(b'"}')


class _Up(Struct):
    proof: Raw = Raw(b"")
    hello: Hello | None = None


class Station:
    """Made by `asking`. `forged`: answers that the station's key did not seal; `old`: those to a
    question of before. None of them counts.
    """

    def __init__(self, port: str, s: str, boot: int, key: bytes, language: str) -> None:
        self.forged = self.old = 0
        self._s, self._boot, self._key, self._language = s, boot, key, language
        self._number = 0
        self._opened = asyncio.Event()
        self._answer: asyncio.Future[dict[str, Any]] | None = None
        self.line = StationLine(
            port, opened=self._opened.set, message=self._take, closed=self._gone, quiet=True
        )

    async def open(self) -> None:
        """Raises ProveError."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_OPEN_S):
                await self._opened.wait()
        if not self.line.is_open:
            why = f"{self.line.error}{self.line.hint}"
            raise ProveError(text("prove.no_port", self._language, port=self.line.path, why=why))

    async def ask(self, step: str, limit_s: float, **fields: Any) -> dict[str, Any]:
        """What the station answers; `failed` in it says why it could not. Raises ProveError when
        it says nothing, refuses, or starts anew.
        """
        # grows over all runs in one start of the station, which takes none twice
        self._number = max(self._number + 1, time.time_ns() // 1_000_000)
        asked = {"cmd": "prove", "i": self._number, "step": step, **fields}
        body = json.dumps(asked, separators=(",", ":")).encode()
        self._answer = asyncio.get_running_loop().create_future()
        self.line.send(seal(self._key, self._s, self._boot, body))
        try:
            async with asyncio.timeout(limit_s):
                answer = await self._answer
        except TimeoutError:
            word = "forged" if self.forged or self.old else "silent"
            told = text(f"prove.{word}", self._language, s=self._s, step=step)
            raise ProveError(told) from None
        if "refused" in answer:
            raise ProveError(text("prove.refused", self._language, s=self._s))
        return answer

    def _take(self, body: bytes) -> None:
        with contextlib.suppress(*UNREADABLE):
            up = msgspec.json.decode(body, type=_Up)
            if up.hello is not None:
                self._greeted(up.hello)
            elif up.proof:
                self._told(body, up.proof)

    def _told(self, body: bytes, proof: Raw) -> None:
        plain = body[:-_MARK] + b"}"
        right = seal(self._key, self._s, self._boot, plain)
        answer = msgspec.json.decode(proof)
        asked = self._answer
        if not hmac.compare_digest(right, body) or not isinstance(answer, dict):
            self.forged += 1
        elif answer.get("i") != self._number:
            self.old += 1
        elif asked and not asked.done():
            asked.set_result(answer)

    def _greeted(self, hello: Hello) -> None:
        if hello.s != self._s or hello.b != self._boot:
            self._fail("prove.restarted")

    def _gone(self) -> None:
        self._opened.clear()
        self._fail("prove.gone")

    def _fail(self, word: str) -> None:
        if self._answer and not self._answer.done():
            told = text(word, self._language, s=self._s, port=self.line.path)
            self._answer.set_exception(ProveError(told))


@contextlib.asynccontextmanager
async def asking(
    port: str, s: str, boot: int, key: bytes, language: str
) -> AsyncIterator[Station]:
    """The station `s` in its start `boot`. Raises ProveError."""
    station = Station(port, s, boot, key, language)
    running = asyncio.create_task(station.line.run())
    try:
        await station.open()
        yield station
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
