"""Puts what was rebuilt in the place of what stands, in one transaction; raw events stay."""

import contextlib
import sqlite3
from pathlib import Path

from diadema.base.errors import DiademaError
from diadema.store import tables

_REPLACED = (
    tables.positions,
    tables.losses,
    tables.untimed,
    tables.unknown,
    tables.contacts,
    tables.trails,
    tables.sessions,
    tables.marks,
    tables.mark_hours,
    tables.tickets,
    tables.queue_calls,
    tables.queue_rings,
    tables.acts,
    tables.corrections,
    tables.messages,
    tables.receipts,
    tables.pin_choices,
    tables.anchors,
    tables.updates,
    tables.bench_tests,
    tables.inspections,
    tables.live,
)


def put_in_place(store: Path, fresh: Path) -> None:
    """Raises DiademaError; then nothing was replaced."""
    try:
        with contextlib.closing(sqlite3.connect(store, isolation_level=None)) as connection:
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("ATTACH ? AS fresh", [str(fresh)])
            connection.execute("BEGIN IMMEDIATE")
            for table in _REPLACED:
                column_names = [column.name for column in table.c]
                columns = ", ".join(f'"{name}"' for name in column_names)
                connection.execute(f"DELETE FROM main.{table.name}")
                connection.execute(
                    f"INSERT INTO main.{table.name} ({columns}) "
                    f"SELECT {columns} FROM fresh.{table.name}"
                )
            connection.execute(
                "UPDATE main.stations SET state = "
                "(SELECT state FROM fresh.stations AS new WHERE new.s = stations.s) "
                "WHERE s IN (SELECT s FROM fresh.stations)"
            )
            connection.execute(
                "INSERT OR IGNORE INTO main.stations (s, state, hello, next_i) "
                "SELECT s, state, hello, next_i FROM fresh.stations"
            )
            connection.execute(
                "UPDATE main.commands SET (status, answer) = "
                "(SELECT status, answer FROM fresh.commands AS new "
                "WHERE new.s = commands.s AND new.i = commands.i)"
            )
            connection.execute("COMMIT")
    except sqlite3.Error as error:
        raise DiademaError(f"cannot write {store}: {error}; nothing was replaced") from error
