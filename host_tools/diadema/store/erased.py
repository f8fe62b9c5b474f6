"""What was erased must not come back, with a backup or from a board: a list of the keyed hashes of
the events as they were, in a file of its own. It tells of nobody, and knows each again.
"""

import contextlib
import hmac
import sqlite3
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct

from diadema.base.errors import DiademaError
from diadema.base.paths import DataDir
from diadema.store.record_heads import key_of, of_purpose
from diadema.words import Sentence

ERASED = "erased"  # of an entry of the records
_BYTES = 16
_TABLES = (
    "CREATE TABLE IF NOT EXISTS erased (hash BLOB PRIMARY KEY) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS erasures (number INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, "
    "before_ms INTEGER NOT NULL, marks_before_ms INTEGER NOT NULL)",
)


class Erasure(Struct, frozen=True):
    number: int
    at_ms: int
    before_ms: int
    marks_before_ms: int


class ErasedList:
    def __init__(self, path: Path) -> None:
        self._key = of_purpose(key_of(path.parent), "erased")
        self._tx = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._tx.execute("PRAGMA synchronous = FULL")
        for table in _TABLES:
            self._tx.execute(table)

    def close(self) -> None:
        self._tx.close()

    def add(self, bodies: Iterable[bytes]) -> None:
        self._tx.execute("BEGIN IMMEDIATE")
        rows = ((self._hash(body),) for body in bodies)
        self._tx.executemany("INSERT OR IGNORE INTO erased VALUES (?)", rows)
        self._tx.execute("COMMIT")

    def begin(self, at_ms: int, before_ms: int, marks_before_ms: int) -> int:
        """One more erasure; its number."""
        row = "INSERT INTO erasures (at_ms, before_ms, marks_before_ms) VALUES (?, ?, ?)"
        return int(self._tx.execute(row, (at_ms, before_ms, marks_before_ms)).lastrowid or 0)

    def last(self) -> Erasure | None:
        row = self._tx.execute("SELECT * FROM erasures ORDER BY number DESC LIMIT 1").fetchone()
        return Erasure(*row) if row else None

    def has(self, body: bytes) -> bool:
        one = "SELECT 1 FROM erased WHERE hash = ?"
        return self._tx.execute(one, (self._hash(body),)).fetchone() is not None

    def _hash(self, body: bytes) -> bytes:
        return hmac.new(self._key, body, "sha256").digest()[:_BYTES]


def erased_list(data: DataDir) -> ErasedList | None:
    """None where nothing was ever erased."""
    return ErasedList(data.erased) if data.erased.exists() else None


def last_erasure(data: DataDir) -> Erasure | None:
    if not data.erased.exists():
        return None
    with contextlib.closing(ErasedList(data.erased)) as erased:
        return erased.last()


def check_obeyed(data: DataDir) -> None:
    """Raises DiademaError where the store is of before an erasure."""
    last = last_erasure(data)
    if last is None or not data.store.exists():
        return
    with contextlib.closing(sqlite3.connect(data.store)) as tx:
        try:
            query = "SELECT max(detail ->> 'erasure') FROM record_entries WHERE what = ?"
            (found,) = tx.execute(query, (ERASED,)).fetchone()
        except sqlite3.DatabaseError:  # of an older layout, or none: others say what is wrong
            found = None
    if (found or 0) < last.number:
        day = datetime.fromtimestamp(last.at_ms / 1000, UTC).date()
        raise DiademaError(
            Sentence("errors.store.store_before_erasure_day_which", store=data.store, day=day)
        )
