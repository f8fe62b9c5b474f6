"""Many rows by few statements. SQLite works a statement off without Python's lock, so that the
ingest can go on meanwhile; `executemany` would take and give the lock for each row.
"""

from collections.abc import Sequence
from itertools import chain
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects.sqlite import Insert, dialect, insert

_VALUES = 20_480  # of one statement; SQLite takes 32 766


class Bulk:
    """A statement with VALUES (one row), and how it looks for many.

    A row that fails ends it but leaves the rows before it (OR FAIL: no copy of each page is kept
    to undo the statement alone), so the transaction must be rolled back then.
    """

    def __init__(self, statement: str, columns: int) -> None:
        self._one = statement
        self._row = "(" + ", ".join("?" * columns) + ")"
        assert self._row in statement
        self._most = 1 << (_VALUES // columns).bit_length() - 1
        self._statements: dict[int, str] = {}

    def run(self, tx: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
        at, size = 0, self._most
        while left := len(rows) - at:
            while size > left:
                size //= 2
            values = tuple(chain.from_iterable(rows[at : at + size]))
            tx.exec_driver_sql(self._statement(size), values)
            at += size

    def _statement(self, size: int) -> str:
        """For so many rows, a power of two: few differ, so they stay prepared."""
        if size not in self._statements:
            many = ", ".join([self._row] * size)
            self._statements[size] = self._one.replace(self._row, many, 1)
        return self._statements[size]


def insertion(table: Table) -> Bulk:
    """Of rows of all columns."""
    return Bulk(_compiled(insert(table)), len(table.c))


def replacement(table: Table) -> Bulk:
    """The same, over those with the same key, where there is more than the key."""
    statement = insert(table)
    key = [column.name for column in table.primary_key]
    others = {c.name: statement.excluded[c.name] for c in table.c if c.name not in key}
    if others:
        statement = statement.on_conflict_do_update(index_elements=key, set_=others)
    else:
        statement = statement.on_conflict_do_nothing(index_elements=key)
    return Bulk(_compiled(statement), len(table.c))


def renewal(table: Table) -> Bulk:
    """The same, but what is written again gets a new rowid, the highest: whoever has read up to
    one finds all that changed since beyond it.
    """
    statement = insert(table).prefix_with("OR REPLACE").compile(dialect=dialect())
    return Bulk(str(statement), len(table.c))


def _compiled(statement: Insert) -> str:
    return str(statement.prefix_with("OR FAIL").compile(dialect=dialect()))
