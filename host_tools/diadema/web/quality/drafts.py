"""Evaluations that are begun and not submitted: an SQLite file of its own, by account and
assignment, so that nothing of one is lost with a browser. It is no record: what is submitted goes.

The code that the monitor said the call should have is set once: from then on the one that the
agent gave is known.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import msgspec
from msgspec import Struct, field

from diadema.base.errors import DiademaError
from diadema.store.assistance import Key
from diadema.wire.quality_actions import SaidNote
from diadema.words import Sentence

_BUSY_MS = 10_000
_TABLE = (
    "CREATE TABLE IF NOT EXISTS drafts (account TEXT NOT NULL, s TEXT NOT NULL, "
    "e INTEGER NOT NULL, n INTEGER NOT NULL, body TEXT NOT NULL, right_code TEXT, "
    "utc INTEGER NOT NULL, PRIMARY KEY (account, s, e, n))"
)
_OF = "account = ? AND s = ? AND e = ? AND n = ?"


class Draft(Struct, kw_only=True):
    """`answers`: by the item's code. `utc`: when it was kept, UTC ms; 0: never."""

    answers: dict[str, str] = field(default_factory=dict)
    notes: list[SaidNote] = field(default_factory=list)
    right_code: str | None = None
    utc: int = 0


class _Body(Struct):
    answers: dict[str, str]
    notes: list[SaidNote]


class Drafts:
    """Raises DiademaError where the file cannot be opened, read or written."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._trouble():
            self._tx = sqlite3.connect(path, isolation_level=None, timeout=_BUSY_MS / 1000)
            self._tx.execute("PRAGMA journal_mode = WAL")
            self._tx.execute(_TABLE)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._tx.close()

    @contextmanager
    def _trouble(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise DiademaError(
                Sentence("errors.quality.drafts_broken", path=self._path.name, error=error)
            ) from error

    def of(self, account: str, assignment: Key) -> Draft:
        with self._trouble():
            query = f"SELECT body, right_code, utc FROM drafts WHERE {_OF}"
            row = self._tx.execute(query, (account, *assignment)).fetchone()
        if row is None:
            return Draft()
        body = msgspec.json.decode(row[0], type=_Body)
        return Draft(answers=body.answers, notes=body.notes, right_code=row[1], utc=row[2])

    def begun(self, account: str) -> set[Key]:
        """The assignments of which the account has one."""
        with self._trouble():
            query = "SELECT s, e, n FROM drafts WHERE account = ?"
            return {(s, e, n) for s, e, n in self._tx.execute(query, (account,))}

    def keep(self, account: str, assignment: Key, draft: Draft) -> None:
        """Its answers and notes, in place of those before."""
        body = msgspec.json.encode(_Body(draft.answers, draft.notes)).decode()
        with self._trouble():
            self._tx.execute(
                "INSERT INTO drafts (account, s, e, n, body, utc) VALUES (?, ?, ?, ?, ?, ?) "
                "ON CONFLICT DO UPDATE SET body = excluded.body, utc = excluded.utc",
                (account, *assignment, body, draft.utc),
            )

    def name_code(self, account: str, assignment: Key, code: str, utc: int) -> str:
        """The code that the call should have; gives what was said first, which stands."""
        empty = msgspec.json.encode(_Body({}, [])).decode()
        with self._trouble():
            self._tx.execute(
                "INSERT INTO drafts (account, s, e, n, body, right_code, utc) "
                "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
                "right_code = coalesce(right_code, excluded.right_code)",
                (account, *assignment, empty, code, utc),
            )
            query = f"SELECT right_code FROM drafts WHERE {_OF}"
            return str(self._tx.execute(query, (account, *assignment)).fetchone()[0])

    def drop(self, account: str, assignment: Key) -> None:
        with self._trouble():
            self._tx.execute(f"DELETE FROM drafts WHERE {_OF}", (account, *assignment))
