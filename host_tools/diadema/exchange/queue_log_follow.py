"""Follows a switch's queue_log as it is written, into a running hub.

Nothing is remembered here: a log's events are the same each time that it is read from its first
row, and the hub says how many of them it has. So whichever of the two ends, and however, each
event is stored once. A log that was rotated is finished first, by the copies beside it.
"""

import asyncio
import logging
import os
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import BinaryIO

import msgspec
import nats
from nats.aio.client import Client
from nats.errors import Error as NatsError

from diadema.base import credentials
from diadema.base.errors import DiademaError
from diadema.base.paths import DataDir
from diadema.exchange.queue_log_events import Translator
from diadema.exchange.queue_log_import import epoch
from diadema.exchange.queue_log_rows import BadRow, is_text, text_row
from diadema.store.rows import SWITCH
from diadema.words import Sentence

EVERY_S = 0.25
HEARD_S = 2.0  # how often the hub hears of us when nobody calls
_RETRY_S = 1.0
_ANSWER_S = 10.0
_REQUEST_EVENTS = 400  # events of a request
_READ = 1 << 20

log = logging.getLogger("diadema.follow")


class _Silent(DiademaError):
    """The hub did not answer."""


class _Behind(DiademaError):
    """The hub has less than it once said: another store."""


class Tail:
    """One log from its first row on. Raises OSError when it cannot be read."""

    def __init__(self, path: Path, s: str, key: str, queues: Sequence[str]) -> None:
        self.path = path
        self._file: BinaryIO = path.open("rb")
        self._translator: Translator | None = None
        self._made = s, key, queues
        self._rest = b""
        self._line = 0
        self._first = b""
        self.e = -1  # until there is a row
        self.bad = 0
        self.sent: int | None = None  # events that the hub has; None until it was asked
        self.waiting: list[bytes] = []  # events after those
        self._skip = 0

    def close(self) -> None:
        self._file.close()

    def read(self) -> bool:
        """Whether there was anything new."""
        new = self._file.read(_READ)
        *lines, self._rest = (self._rest + new).split(b"\n")
        for line in lines:
            self._line += 1
            if line.strip():
                self._take(line)
        return bool(new)

    def begin(self, sent: int) -> None:
        """The hub has so many of its events."""
        self.sent = sent
        self._skip = max(0, sent - len(self.waiting))
        del self.waiting[:sent]

    @property
    def replaced(self) -> bool:
        """Another file stands in its place, or its content was cut off."""
        try:
            there = self.path.stat()
        except FileNotFoundError:
            return False  # the switch will begin another
        ours = os.fstat(self._file.fileno())
        if not os.path.samestat(there, ours) or there.st_size < self._file.tell():
            return True
        return bool(self._first) and _first_line(self.path) != self._first

    def _take(self, line: bytes) -> None:
        if self._translator is None:
            if not is_text(line):
                raise DiademaError(Sentence("errors.exchange.path_no_text_log_so", path=self.path))
            self._first = line.strip()
            s, key, queues = self._made
            self.e = epoch(self._first, queues)
            self._translator = Translator(s, self.e, key, queues)
        row = text_row(self._line, line)
        taken = row if isinstance(row, BadRow) else self._translator.take(row)
        if isinstance(taken, BadRow):
            self.bad += 1
            log.warning("%s, line %d is left out: %s", self.path, taken.line, taken.why)
        else:
            self.waiting += taken[self._skip :]
            self._skip = max(0, self._skip - len(taken))


class Follower:
    """`run` until cancelled."""

    def __init__(self, path: Path, data: DataDir, name: str, queues: Sequence[str] = ()) -> None:
        self._path, self._data = path, data
        self._s, self._queues = SWITCH + name, queues
        self._key = credentials.load(data).badge_key
        self._client: Client | None = None
        self._spoke = 0.0
        self._trouble = ""

    async def run(self) -> None:
        """Raises DiademaError for what is no text log."""
        try:
            while True:
                try:
                    await self._follow()
                except _Silent as error:
                    self._complain(error)
                    await self._hang_up()
                    await asyncio.sleep(_RETRY_S)
                except _Behind as error:
                    log.warning("%s: sending again what it lacks", error)
                except OSError as error:
                    self._complain(error)
                    await asyncio.sleep(_RETRY_S)
        finally:
            await self._hang_up()

    def _complain(self, error: Exception) -> None:
        """Once for as long as it is the same."""
        if str(error) != self._trouble:
            log.warning("%s; trying again until it is mended", error)
        self._trouble = str(error)

    async def _follow(self) -> None:
        """All that is there, and then what comes."""
        for older in await self._unfinished():
            with self._tail(older) as tail:
                log.info("finishing %s", older)
                while tail.read():
                    await self._send(tail)
        with self._tail(self._path) as tail:
            while True:
                news = tail.read()
                await self._send(tail)
                if news:
                    continue
                if tail.replaced:
                    while tail.read():  # what was written until then
                        await self._send(tail)
                    return
                if time.monotonic() - self._spoke > HEARD_S:
                    await self._ask(max(tail.e, 0), ())
                await asyncio.sleep(EVERY_S)

    async def _unfinished(self) -> list[Path]:
        """Copies beside the log from the newest on that the hub knows, the oldest first: what
        came in them since. None when it knows none.
        """
        copies = []
        for path in self._path.parent.glob(self._path.name + "?*"):
            first = _first_line(path)
            if first and is_text(first):
                row = text_row(1, first)
                if not isinstance(row, BadRow):
                    copies.append((row.utc_ms, path, epoch(first, self._queues)))
        found: list[Path] = []
        current = _first_line(self._path)
        known = await self._ask(epoch(current, self._queues), ()) if current else 0
        for _, path, e in sorted(copies, reverse=True):
            if current and e == epoch(current, self._queues):
                continue
            found.append(path)
            if await self._ask(e, ()):
                return found[::-1]
            if known:
                break  # the log itself was begun, so all before it was finished
        return []

    def _tail(self, path: Path) -> "closing[Tail]":
        return closing(Tail(path, self._s, self._key, self._queues))

    async def _send(self, tail: Tail) -> None:
        """Returns when the hub has stored what was read."""
        if tail.sent is None:
            if tail.e < 0:
                return
            tail.begin(await self._ask(tail.e, ()))
        assert tail.sent is not None
        while tail.waiting:
            batch = tail.waiting[:_REQUEST_EVENTS]
            position = await self._ask(tail.e, batch)
            if position < tail.sent + len(batch):
                raise _Behind(f"the hub has {position} events where it had {tail.sent}")
            tail.sent += len(batch)
            del tail.waiting[: len(batch)]

    async def _ask(self, e: int, bodies: Sequence[bytes]) -> int:
        """How far the hub has that log. Raises _Silent."""
        events = [body.decode() for body in bodies]
        body = {"s": self._s, "e": e, "events": events, "live": True}
        try:
            client = self._client = self._client or await self._connect()
            reply = await client.request("hub.queue", msgspec.json.encode(body), _ANSWER_S)
        except (NatsError, OSError, TimeoutError) as error:
            raise _Silent(f"the hub does not answer ({error!r})") from error
        answer = msgspec.json.decode(reply.data)
        if "error" in answer:
            raise _Silent(f"the hub refuses: {answer.get('detail')}")
        if self._trouble:
            log.info("going on")
        self._spoke, self._trouble = time.monotonic(), ""
        return int(answer["position"])

    async def _connect(self) -> Client:
        hub = self._data.read_hub()
        if hub is None:
            raise _Silent(f"no hub runs on {self._data.root}")
        return await nats.connect(
            hub.nats,
            user="host",
            password=credentials.load(self._data).host,
            allow_reconnect=False,
            connect_timeout=2,
            max_reconnect_attempts=1,  # it would try for two minutes; we try again ourselves
            error_cb=_note,  # else each would be printed with its traceback
        )

    async def _hang_up(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            try:
                await client.close()
            except (NatsError, OSError) as error:
                log.debug("while hanging up: %r", error)


async def _note(error: Exception) -> None:
    log.debug("nats: %r", error)


def _first_line(path: Path) -> bytes:
    """Its first row that is whole; empty when it has none, or cannot be read."""
    try:
        with path.open("rb") as file:
            for line in file:
                if line.strip():
                    return line.strip() if line.endswith(b"\n") else b""
    except OSError as error:
        log.debug("%s", error)
    return b""
