"""What the bridge keeps across its own end: events that the hub has not stored yet, the callers
and recordings that these say are there, which call is at which station, how many went out of which
telephone, and who listened in.

An event is on the disk before it is sent, under a number without a gap; the hub says up to which
it has them, and those are let go.
"""

import secrets
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from diadema.base.errors import DiademaError
from diadema.base.paths import cannot_write
from diadema.switch.exchange import Caller, Known
from diadema.wire.events import (
    EVENT_LIMIT,
    Event,
    QueueAbandoned,
    QueueConnected,
    QueueEntered,
    QueueLeft,
    RecordingStarted,
    RecordingStopped,
)
from diadema.words import Sentence

VERSION = 1
_DAY_MS = 86_400_000
_LISTENED = 1_000_000  # times that somebody listened in, which are remembered
_TABLES = (
    "CREATE TABLE IF NOT EXISTS identity (epoch INTEGER NOT NULL, next INTEGER NOT NULL)",
    "CREATE TABLE IF NOT EXISTS events (n INTEGER PRIMARY KEY, body BLOB NOT NULL)",
    "CREATE TABLE IF NOT EXISTS callers (queue TEXT NOT NULL, pbx TEXT NOT NULL, "
    "entered_ms INTEGER NOT NULL, agent TEXT, answered_ms INTEGER, PRIMARY KEY (queue, pbx))",
    "CREATE TABLE IF NOT EXISTS recordings (pbx TEXT PRIMARY KEY, linked TEXT NOT NULL, "
    "utc_ms INTEGER NOT NULL)",
    "CREATE TABLE IF NOT EXISTS starts (start TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS calls (call TEXT PRIMARY KEY, station TEXT NOT NULL, "
    "utc_ms INTEGER NOT NULL)",
    "CREATE TABLE IF NOT EXISTS listening (linked TEXT NOT NULL, listener TEXT NOT NULL, "
    "begun INTEGER NOT NULL, utc_ms INTEGER NOT NULL)",
    "CREATE TABLE IF NOT EXISTS dialled (phone TEXT NOT NULL, utc_ms INTEGER NOT NULL)",
)


class Journal:
    """Raises DiademaError where it cannot be opened or written."""

    def __init__(self, path: Path, name: str) -> None:
        """`name` of the exchange: its events are those of `PBX-name`."""
        self.station, self._path = f"PBX-{name}", path
        try:
            self._tx = sqlite3.connect(path, isolation_level=None)
            self._tx.execute("PRAGMA journal_mode = WAL")
            self._tx.execute("PRAGMA synchronous = FULL")
            if self._tx.execute("PRAGMA user_version").fetchone()[0] > VERSION:
                raise DiademaError(Sentence("errors.switch.journal_newer", path=path))
            for table in _TABLES:
                self._tx.execute(table)
            self._tx.execute(f"PRAGMA user_version = {VERSION}")
            row = self._tx.execute("SELECT epoch, next FROM identity").fetchone()
            if row is None:
                row = secrets.randbits(32), 1
                self._tx.execute("INSERT INTO identity VALUES (?, ?)", row)
        except sqlite3.Error as error:
            raise DiademaError(
                Sentence("errors.switch.journal_broken", path=path, error=error)
            ) from error
        except OSError as error:
            raise cannot_write(path, error) from error
        self.epoch, self._next = row

    def close(self) -> None:
        self._tx.close()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """All or nothing. Raises DiademaError."""
        try:
            with self._tx:
                self._tx.execute("BEGIN")
                yield
        except sqlite3.Error as error:
            raise DiademaError(
                Sentence("errors.switch.journal_unwritten", path=self._path, error=error)
            ) from error

    def append(self, events: Sequence[Event]) -> None:
        """With the next numbers, all or none. One that the hub could not read is left out."""
        rows, written, n = [], [], self._next
        for event in events:
            event.station, event.epoch, event.sequence = self.station, self.epoch, n
            event.boot = event.uptime_ms = 0
            if (body := _body(event)) is not None:
                rows.append((n, body))
                written.append(event)
                n += 1
        with self._writing():
            self._tx.executemany("INSERT INTO events VALUES (?, ?)", rows)
            self._tx.execute("UPDATE identity SET next = ?", (n,))
            for event in written:
                self._follow(event)
        self._next = n

    def _follow(self, event: Event) -> None:
        match event:
            case QueueEntered():
                self._tx.execute(
                    "INSERT OR REPLACE INTO callers VALUES (?, ?, ?, NULL, NULL)",
                    (event.queue, event.pbx, event.utc_ms),
                )
            case QueueConnected():
                self._tx.execute(
                    "UPDATE callers SET agent = ?, answered_ms = ? WHERE queue = ? AND pbx = ?",
                    (event.pbx_agent, event.utc_ms, event.queue, event.pbx),
                )
            case QueueAbandoned() | QueueLeft():
                self._tx.execute(
                    "DELETE FROM callers WHERE queue = ? AND pbx = ?", (event.queue, event.pbx)
                )
            case RecordingStarted():
                self._tx.execute(
                    "INSERT OR REPLACE INTO recordings VALUES (?, ?, ?)",
                    (event.pbx, event.linked, event.utc_ms),
                )
            case RecordingStopped():
                self._tx.execute("DELETE FROM recordings WHERE pbx = ?", (event.pbx,))

    def known(self) -> Known:
        """What the events say of the exchange; who rang where is not among it."""
        rows = self._tx.execute(
            "SELECT queue, pbx, entered_ms, agent, answered_ms FROM callers ORDER BY entered_ms"
        )
        callers = tuple(
            Caller(pbx, queue, entered_ms, {"": 0}, answered_ms=answered_ms, member=agent)
            for queue, pbx, entered_ms, agent, answered_ms in rows
        )
        recorded = dict(self._tx.execute("SELECT pbx, linked FROM recordings"))
        start = self._tx.execute("SELECT start FROM starts").fetchone()
        return Known(callers, recorded, start[0] if start else "")

    def note_start(self, start: str) -> None:
        """Of the exchange, as `Up` has it."""
        with self._writing():
            self._tx.execute("DELETE FROM starts")
            self._tx.execute("INSERT INTO starts VALUES (?)", (start,))

    def unsent(self, most: int) -> list[bytes]:
        rows = self._tx.execute("SELECT body FROM events ORDER BY n LIMIT ?", (most,))
        return [body for (body,) in rows]

    @property
    def waiting(self) -> int:
        return int(self._tx.execute("SELECT count(*) FROM events").fetchone()[0])

    def stored(self, position: int) -> None:
        """The hub has 1…position. Raises DiademaError where it has less than it said before: what
        it lacks is gone here.
        """
        first = self._tx.execute("SELECT min(n) FROM events").fetchone()[0] or self._next
        if position < first - 1:
            self._begin_anew()
            return
        with self._writing():
            self._tx.execute("DELETE FROM events WHERE n <= ?", (position,))

    def _begin_anew(self) -> None:
        """A hub that was put back from a copy: what waits goes on under another epoch."""
        epoch, n = secrets.randbits(32), 1
        rows = self._tx.execute("SELECT body FROM events ORDER BY n").fetchall()
        with self._writing():
            self._tx.execute("DELETE FROM events")
            for (body,) in rows:
                event = msgspec.json.decode(body)
                event |= {"e": epoch, "n": n}
                self._tx.execute(
                    "INSERT INTO events VALUES (?, ?)", (n, msgspec.json.encode(event))
                )
                n += 1
            self._tx.execute("UPDATE identity SET epoch = ?, next = ?", (epoch, n))
        self.epoch, self._next = epoch, n

    def restored(self, position: int) -> None:
        """Put back from a copy, beside a store that has 1…position: what of it was sent later is
        there already, and numbers that were used since then are not used again.
        """
        self._tx.execute("DELETE FROM events WHERE n <= ?", (position,))
        self._begin_anew()

    # -- calls

    def give(self, call: str, station: str, utc_ms: int) -> None:
        """That call is at that station; those of two days ago are forgotten."""
        with self._writing():
            old = (utc_ms - 2 * _DAY_MS,)
            self._tx.execute("DELETE FROM calls WHERE utc_ms < ?", old)
            self._tx.execute("DELETE FROM callers WHERE entered_ms < ?", old)
            self._tx.execute("DELETE FROM recordings WHERE utc_ms < ?", old)
            self._tx.execute(
                "INSERT OR REPLACE INTO calls VALUES (?, ?, ?)", (call, station, utc_ms)
            )

    def was_given(self, call: str) -> bool:
        found = self._tx.execute("SELECT 1 FROM calls WHERE call = ?", (call,))
        return found.fetchone() is not None

    def given(self) -> dict[str, str]:
        """call → station, of those that were given to one in the last two days."""
        return dict(self._tx.execute("SELECT call, station FROM calls"))

    def take_back(self, call: str) -> None:
        """It was given to none after all."""
        self._tx.execute("DELETE FROM calls WHERE call = ?", (call,))

    # -- calls out

    def dialled(self, phone: str, after_ms: int, before_ms: int) -> int:
        """How many calls went out of that telephone between these moments."""
        counted = self._tx.execute(
            "SELECT count(*) FROM dialled WHERE phone = ? AND utc_ms > ? AND utc_ms < ?",
            (phone, after_ms, before_ms),
        )
        return int(counted.fetchone()[0])

    def note_dialled(self, phone: str, utc_ms: int, window_ms: int) -> None:
        """One more; what is older than `window_ms` is forgotten."""
        try:
            with self._tx:
                self._tx.execute("BEGIN")
                self._tx.execute("DELETE FROM dialled WHERE utc_ms <= ?", (utc_ms - window_ms,))
                self._tx.execute("INSERT INTO dialled VALUES (?, ?)", (phone, utc_ms))
        except sqlite3.Error as error:
            raise DiademaError(
                Sentence("errors.switch.journal_broken", path=self._path, error=error)
            ) from error

    # -- listening

    def note_listening(self, linked: str, listener: str, begun: bool, utc_ms: int) -> None:
        with self._writing():
            self._tx.execute(
                "INSERT INTO listening VALUES (?, ?, ?, ?)", (linked, listener, begun, utc_ms)
            )
            self._tx.execute(
                "DELETE FROM listening WHERE rowid <= last_insert_rowid() - ?", (_LISTENED,)
            )


def _body(event: Event) -> bytes | None:
    """None for one that is too long, or is none at all."""
    try:
        body = msgspec.json.encode(event)
        msgspec.json.decode(body, type=type(event))
    except (msgspec.ValidationError, OverflowError):
        return None
    return body if len(body) <= EVENT_LIMIT else None
