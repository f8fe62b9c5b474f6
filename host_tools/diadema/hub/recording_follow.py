"""Follows the switch's recordings while a hub runs: a thread looks through their folders, and
gives what its index has and the store does not, as events, each once and again when it changed.

The hub's loop takes them in its own time and keeps them; no file is touched in it.
"""

import logging
import threading
from collections.abc import Callable
from typing import Any

from msgspec import Struct
from sqlalchemy.exc import SQLAlchemyError

from diadema.base.errors import DiademaError
from diadema.base.locks import AlreadyLocked, locked
from diadema.base.paths import DataDir
from diadema.recordings import settings
from diadema.recordings.decoding import Decoders
from diadema.recordings.index import DELETED, GONE, Index, Link
from diadema.recordings.scan import Scan
from diadema.site.directory.people_of import CachedPeople, day_at
from diadema.store import Reader, open_reader
from diadema.store.quality import recordings
from diadema.store.quality_rows import Recording

EVERY_S = 30.0
_AT_ONCE = 50  # contacts that are compared, and said, together
_FORMAT = 12  # characters that an event has for it
_COMPARED = ("how", "hash", "ms", "rate", "channels", "format", "offset_ms", "pauses", "reason")

log = logging.getLogger("diadema.ingest")

type NewEvent = tuple[str, dict[str, Any]]  # kind and fields


class Following(Struct, frozen=True):
    """How it goes. `absent`: folders that cannot be read, so that nothing is missing meanwhile;
    `trouble`: why nothing can be looked for at all.
    """

    absent: tuple[str, ...] = ()
    trouble: str = ""


class Follower:
    """`begin()` starts its thread, which looks every half minute."""

    def __init__(self, data: DataDir, now_ms: Callable[[], int]) -> None:
        self.following = Following()
        self._data, self._now_ms = data, now_ms
        self._people = CachedPeople(data)
        self._taken = threading.Condition()
        self._offered: list[NewEvent] = []
        self._ended = threading.Event()
        self._whole = True
        self._thread: threading.Thread | None = None

    def begin(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="recordings", daemon=True)
            self._thread.start()

    def close(self) -> None:
        self._ended.set()
        with self._taken:
            self._taken.notify_all()

    def take(self) -> list[NewEvent]:
        """Some of what is to be published; it comes again until `confirm()` says that it was."""
        return self._offered

    def confirm(self) -> None:
        with self._taken:
            self._offered = []
            self._taken.notify_all()

    def _run(self) -> None:
        while not self._ended.is_set():
            self.look()
            self._ended.wait(EVERY_S)

    def look(self) -> None:
        """Once; it waits while the hub keeps what was found."""
        try:
            self._look()
        except (DiademaError, SQLAlchemyError, OSError) as error:
            self._trouble(str(error))
        except Exception:  # a fault of ours must not end it
            log.exception("a look for recordings failed")

    def _look(self) -> None:
        found = settings.read(self._data)
        if found is None or not self._data.store.exists():
            self.following = Following()
            return
        with (
            open_reader(self._data.store) as reader,
            Index(self._data.recordings_index) as index,
        ):
            absent = self._scan(found, reader, index)
            if absent != self.following.absent:
                log.warning("%d folders of recordings cannot be read", len(absent))
            self.following = Following(absent)
            if self._whole:
                index.publish_again()
                self._whole = False
            self._tell(reader, index)

    def _scan(self, found: settings.Settings, reader: Reader, index: Index) -> tuple[str, ...]:
        if not found.folders:  # another platform has them
            return ()
        now_ms = self._now_ms()
        people = self._people.read(day_at(self._data, now_ms))
        lock = self._data.recordings_index.with_suffix(".lock")
        try:
            with locked(lock, note="diadema hub"), Decoders() as decoders:
                scan = Scan(found, index, reader, people, decoders, now_ms)
                return tuple(scan.run(self._whole).absent)
        except AlreadyLocked:  # the command looks for them just now
            return self.following.absent

    def _tell(self, reader: Reader, index: Index) -> None:
        """All that changed; what the hub did not keep stays untold."""
        while links := index.unpublished(_AT_ONCE):
            with reader.engine.connect() as tx:
                known = recordings(tx, [one.call for one, _ in links])
            events = [_event(link, state) for link, state in links]
            said = [known.get(link.call) for link, _ in links]
            if not self._hand_over(
                [
                    one
                    for one, its in zip(events, said, strict=True)
                    if its is None or its.recording is None or not _is_said(one, its.recording)
                ]
            ):
                return
            index.mark_published(one for one, _ in links)

    def _hand_over(self, events: list[NewEvent]) -> bool:
        """Whether the hub has kept them; it waits for that."""
        with self._taken:
            self._offered = events
            self._taken.wait_for(lambda: not self._offered or self._ended.is_set())
            return not self._offered

    def _trouble(self, said: str) -> None:
        if said != self.following.trouble:
            log.warning("recordings cannot be looked for: %s", said)
        self.following = Following(self.following.absent, said)


def _event(link: Link, state: str) -> NewEvent:
    about = {"a": link.agent, "call": link.call}
    if state in (GONE, DELETED) or link.file is None:
        return "recording.missing", about | {"reason": (link.reason or state)[:16]}
    fields = {
        "how": link.how, "hash": link.hash, "ms": link.ms, "rate": link.rate,
        "channels": link.channels, "format": link.format[:_FORMAT], "offset_ms": link.offset_ms,
        "pauses": link.pauses,
    }  # fmt: skip
    return "recording.linked", about | fields


def _is_said(event: NewEvent, known: Recording) -> bool:
    kind, fields = event
    same = all(getattr(known, name) == fields.get(name) for name in _COMPARED)
    return same and known.kind == kind.rpartition(".")[2]
