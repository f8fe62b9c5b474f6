"""Many rows by few statements. SQLite works a statement off without Python's lock, so that the
ingest can go on meanwhile; `executemany` would take and give the lock for each row.
"""

from collections.abc import Sequence
from itertools import chain
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects.sqlite import Insert, dialect
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

_VALUES = 20_480  # of one statement; SQLite takes 32 766


class Bulk:
    """Inserts rows of all columns into one table; `replace`: over those with the same key.

    A row that cannot be inserted fails the statement but leaves the rows before it (OR FAIL: no
    copy of each page is kept to undo the statement alone), so the transaction must be rolled back.
    """

    def __init__(self, table: Table, *, replace: bool) -> None:
        statement: Insert = sqlite_insert(table).prefix_with("OR FAIL")
        if replace:
            key = [column.name for column in table.primary_key]
            others = {c.name: statement.excluded[c.name] for c in table.c if c.name not in key}
            statement = statement.on_conflict_do_update(index_elements=key, set_=others)
        self._one = str(statement.compile(dialect=dialect()))
        self._row = "(" + ", ".join("?" * len(table.c)) + ")"
        assert self._row in self._one
        self._most = 1 << (_VALUES // len(table.c)).bit_length() - 1
        self._statements: dict[int, str] = {}

    def insert(self, tx: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
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
