"""A second machine that is ready to take over a site from its hub.

It copies the stations' stream, message by message under the same numbers, into a NATS of its own,
and each quarter of an hour, or as often as it is told, and as soon as something was erased takes a
sealed backup. All of it lies in `.standby` of its data directory. Taking over is a restore of that
backup whose stream is the copy, which the ingest reads from where the store stands.
"""

import asyncio
import contextlib
import logging
import os
import shutil
import sqlite3
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import msgspec
from msgspec import Struct
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError

from diadema.access.roles import Person
from diadema.base import credentials
from diadema.base.clock import Clock
from diadema.base.errors import DiademaError
from diadema.base.locks import alone
from diadema.base.paths import DataDir, write_whole
from diadema.base.processes import end_broker
from diadema.base.reaching import obstacle
from diadema.base.standing import changing_standing
from diadema.hub.broker import Broker, stream_config
from diadema.hub.child import Child
from diadema.hub.fence import ask_term, trusting
from diadema.maintenance.backup import check
from diadema.maintenance.restore import Restored, restore
from diadema.wire.ask_hub import STREAM
from diadema.wire.mirror import Piece
from diadema.words import Sentence

_AGAIN_S = 15.0  # after a backup that did not come
_RETRY_S = 0.5
_ANSWER_S = 30.0
_SAVE_S = 1.0
_STREAMS = "jetstream"
_PATH = "/api/v1/standby/"
_TROUBLE = (httpx.HTTPError, NatsError, OSError, TimeoutError, msgspec.DecodeError)

log = logging.getLogger("diadema.standby")


class Credential(Struct, kw_only=True):
    """What an administrator of the hub gives: a token of the role `standby`, and the pages' CA."""

    token: str
    ca: str


class State(Struct, kw_only=True):
    """`created` is of the hub's stream, `copied` of ours: the same numbers mean the same messages.
    `stored` is the last of ours, `last` of the hub's when it was `heard_ms`, and `hub_ms` by its
    own clock, which made the backup at `backup_ms`. 0: not known.
    """

    of: str
    here: str
    credential: Credential
    created: str = ""
    copied: str = ""
    stored: int = 0
    last: int = 0
    heard_ms: int = 0
    hub_ms: int = 0
    erased_ms: int = 0
    backup_ms: int = 0
    every_s: int = 0

    @property
    def behind(self) -> int:
        """Messages that the hub had at its last word and we do not."""
        return max(self.last - self.stored, 0)

    def backup_age_s(self, now_ms: int) -> int | None:
        """By the hub's clock as far as it told it, and by ours since then."""
        if not (self.backup_ms and self.hub_ms):
            return None
        return max(self.hub_ms - self.backup_ms + now_ms - self.heard_ms, 0) // 1000


class TakenOver(Struct, kw_only=True):
    """`behind`: messages that the hub had at its last word and we do not. The RPO are seconds, of
    stations' events and of accounts and people; None: it is not known.
    """

    restored: Restored
    term: int
    heard_ms: int
    behind: int
    events_rpo_s: float | None
    people_rpo_s: float | None


class _Files:
    def __init__(self, data: DataDir) -> None:
        self.hub = DataDir(data.standby)  # of which only NATS is used
        self.state = data.standby / "state.json"
        self.backup = data.standby / "newest.backup"
        self.incoming = data.standby / "incoming.backup"
        self.streams = self.hub.nats / _STREAMS

    def read(self) -> State:
        """Raises DiademaError where no standby ran."""
        try:
            return msgspec.json.decode(self.state.read_bytes(), type=State)
        except (OSError, msgspec.DecodeError) as error:
            raise DiademaError(
                Sentence("errors.hub.standby_none", path=self.state, error=error)
            ) from error

    def write(self, state: State) -> None:
        write_whole(self.state, msgspec.json.encode(state))


def read_credential(file: Path) -> Credential:
    """Raises DiademaError."""
    try:
        if os.name == "posix" and file.stat().st_mode & 0o077:
            raise DiademaError(Sentence("errors.access.path_can_read_others_run", path=file))
        found = msgspec.json.decode(file.read_bytes(), type=Credential)
        trusting(found.ca)
    except (OSError, ValueError, msgspec.MsgspecError) as error:
        raise DiademaError(
            Sentence("errors.hub.standby_credential", file=file, error=error)
        ) from error
    return found


def _address(url: str) -> str:
    """Raises DiademaError for one over which the credential would go in clear."""
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname:
        raise DiademaError(Sentence("errors.hub.standby_plain", url=url))
    return f"https://{parts.netloc}"


class Standby:
    """Raises DiademaError where it cannot begin, and once the hub refuses its credential. What
    keeps it from copying it says in that language.
    """

    def __init__(
        self,
        data: DataDir,
        of: str,
        here: str,
        credential: Credential,
        clock: Clock,
        language: str,
        every_s: int,
    ) -> None:
        self._data = data
        self._files = _Files(data)
        self._clock = clock
        self._language = language
        self._state = State(
            of=_address(of), here=_address(here), credential=credential, every_s=every_s
        )
        self._erased = asyncio.Event()
        self._saved = 0.0
        self._level = False

    async def run(self) -> None:
        """Until cancelled."""
        data, files = self._data, self._files
        if data.store.exists():
            raise DiademaError(Sentence("errors.maintenance.restore_used", root=data.root))
        files.hub.make()
        data.root.chmod(0o700)
        with alone(data, "standby"):
            self._go_on()
            await asyncio.to_thread(end_broker, files.hub)  # of one that was killed
            broker = Broker(files.hub, credentials.load_or_create(files.hub))
            nats = Child(
                "nats", lambda: _command(broker), broker.answers, files.hub.nats / "nats.log"
            )
            tasks: list[asyncio.Task[None]] = []
            try:
                await nats.start()
                async with self._http() as http:
                    copying = self._patiently(_RETRY_S, lambda: self._copy(http, broker))
                    sealing = self._patiently(_AGAIN_S, lambda: self._back_up(http))
                    tasks = [asyncio.create_task(one) for one in (copying, sealing)]
                    await asyncio.gather(*tasks)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
                await nats.stop()

    def _go_on(self) -> None:
        """With what is here of the same hub."""
        if self._files.state.exists():
            before = self._files.read()
            if before.of == self._state.of:
                given = self._state
                before.here, before.credential = given.here, given.credential
                before.every_s = given.every_s
                self._state = before
        self._files.write(self._state)

    def _http(self) -> httpx.AsyncClient:
        credential = self._state.credential
        return httpx.AsyncClient(
            base_url=self._state.of + _PATH,
            verify=trusting(credential.ca),
            trust_env=False,
            timeout=_ANSWER_S,
            headers={"Authorization": f"Bearer {credential.token}"},
        )

    async def _patiently(self, pause_s: float, work: Callable[[], Awaitable[None]]) -> None:
        said = ""
        while True:
            try:
                await work()
            except _TROUBLE as error:
                sentence = Sentence(
                    "errors.hub.standby_away", url=self._state.of, reason=obstacle(error)
                )
                if (now := sentence.say(self._language)) != said:
                    said = now
                    log.warning("%s", said)
            await asyncio.sleep(pause_s)

    def _look_at(self, answer: httpx.Response) -> None:
        """Raises DiademaError for one who may not, and httpx.HTTPError for what may pass."""
        if answer.status_code in (401, 403):
            raise DiademaError(Sentence("errors.hub.standby_refused", url=self._state.of))
        if answer.status_code != 200:
            raise httpx.RemoteProtocolError(f"status {answer.status_code}")

    # -- the stream

    async def _copy(self, http: httpx.AsyncClient, broker: Broker) -> None:
        client = await broker.connect()
        try:
            jetstream = client.jetstream(timeout=5)
            await self._settle(jetstream)
            while True:
                query: dict[str, str | int] = {
                    "after": self._state.stored,
                    "here": self._state.here,
                    "backup_ms": self._state.backup_ms,
                    "every_s": self._state.every_s,
                }
                answer = await http.get("stream", params=query)
                self._look_at(answer)
                piece = msgspec.msgpack.decode(answer.content, type=Piece)
                await self._take(client, jetstream, piece)
        finally:
            self._level = False
            with contextlib.suppress(*_TROUBLE):
                await client.close()

    async def _settle(self, jetstream: JetStreamContext) -> None:
        """How far the copy is, by itself."""
        state = self._state
        try:
            info = await jetstream.stream_info(STREAM)
        except NotFoundError:
            state.copied, state.stored = "", 0
            return
        if str(info.created) == state.copied:
            state.stored = info.state.last_seq
        else:
            await self._drop(jetstream)

    async def _drop(self, jetstream: JetStreamContext) -> None:
        with contextlib.suppress(NotFoundError):
            await jetstream.delete_stream(STREAM)
        self._state.copied, self._state.stored = "", 0

    async def _take(self, client: Client, jetstream: JetStreamContext, piece: Piece) -> None:
        state = self._state
        if piece.created != state.created or piece.last < state.stored:
            await self._drop(jetstream)
            state.created = piece.created
            return
        if piece.messages:
            await self._store(client, jetstream, piece)
        if piece.erased_ms != state.erased_ms:
            self._erased.set()
        state.last, state.erased_ms = piece.last, piece.erased_ms
        state.heard_ms, state.hub_ms = self._clock.now_ms(), piece.now_ms
        is_level = state.stored >= state.last
        if is_level and not self._level:
            log.info("level with %s at message %d", state.of, state.stored)
        if is_level != self._level or time.monotonic() - self._saved > _SAVE_S:
            self._level, self._saved = is_level, time.monotonic()
            self._files.write(state)

    async def _store(self, client: Client, jetstream: JetStreamContext, piece: Piece) -> None:
        """Under the numbers that they have there. What is missing there is missing here."""
        state, first, last = self._state, piece.messages[0], piece.messages[-1]
        if not state.copied or first.sequence != state.stored + 1:
            await self._drop(jetstream)
            made = await jetstream.add_stream(stream_config(piece.most_bytes, first.sequence))
            state.copied = str(made.created)
            self._files.write(state)
        for one in piece.messages[:-1]:
            await client.publish(one.subject, one.data, headers=one.headers)
        done = await jetstream.publish(last.subject, last.data, headers=last.headers)
        if done.seq != last.sequence:
            await self._drop(jetstream)
            raise OSError(f"message {last.sequence} came to be {done.seq}: copied anew")
        state.stored = done.seq

    # -- backups

    async def _back_up(self, http: httpx.AsyncClient) -> None:
        while True:
            self._erased.clear()
            wait = self._state.every_s if await self._pull(http) else _AGAIN_S
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._erased.wait(), wait)

    async def _pull(self, http: httpx.AsyncClient) -> bool:
        """Whether a whole one came, which takes the place of the one before."""
        incoming = self._files.incoming
        async with http.stream("GET", "backup") as answer:
            self._look_at(answer)
            with incoming.open("wb") as file:
                async for piece in answer.aiter_bytes():
                    file.write(piece)
                file.flush()
                os.fsync(file.fileno())
        token = self._state.credential.token.encode()
        found = await asyncio.to_thread(check, incoming, token)
        if found.faults or found.manifest is None:
            log.error("the backup is not whole: %s", found.faults[0])
            return False
        size = incoming.stat().st_size / 1e6
        incoming.replace(self._files.backup)
        self._state.backup_ms = found.manifest.made_ms
        self._files.write(self._state)
        log.info("backup of %d events, %.1f MB", found.manifest.position, size)
        return True


def _command(broker: Broker) -> list[str]:
    broker.choose_ports()
    return broker.command(mqtt=False)


def read_state(data: DataDir) -> State:
    """What a standby left there, or writes. Raises DiademaError where none ran."""
    return _Files(data).read()


# -- taking over


def take_over(
    data: DataDir,
    clock: Clock,
    by: Person,
    progress: Callable[[int, int], None] = lambda *_: None,
) -> TakenOver:
    """Make the data directory. Raises DiademaError; then the standby is as it was."""
    files = _Files(data)
    state = files.read()
    if not files.backup.exists():
        raise DiademaError(Sentence("errors.hub.standby_no_backup", of=state.of))
    trust, token = trusting(state.credential.ca), state.credential.token
    if asyncio.run(ask_term(state.of, trust, token)) is not None:
        raise DiademaError(Sentence("errors.hub.standby_hub_answers", of=state.of))
    end_broker(files.hub)
    term = 0

    def settle(new: DataDir) -> bool:
        nonlocal term
        with changing_standing(new) as standing:
            term = standing.term = standing.term + 1
            standing.peers = {"": state.of}
            standing.trial = False
        if not state.copied:
            return False
        shutil.copytree(files.streams, new.nats / _STREAMS, copy_function=os.link)
        _go_on_by(new, state)
        return True

    done = restore(files.backup, token.encode(), data, clock, by, settle=settle, progress=progress)
    shutil.rmtree(data.standby)
    return TakenOver(
        restored=done,
        term=term,
        heard_ms=state.heard_ms,
        behind=state.behind,
        events_rpo_s=None if state.behind or not state.heard_ms else 0.0,
        people_rpo_s=max(state.hub_ms - done.manifest.made_ms, 0) / 1000 if state.hub_ms else None,
    )


def _go_on_by(new: DataDir, state: State) -> None:
    """Its position in the hub's stream is one in the copy. Not so where the copy ends before it,
    or where the hub began another stream: then all of the copy is read, and what the store has is
    known as such.
    """
    with contextlib.closing(sqlite3.connect(new.store)) as tx, tx:
        tx.execute(
            "UPDATE stream SET created = ? WHERE created = ? AND sequence <= ?",
            (state.copied, state.created, state.stored),
        )
