"""One rebuild of a data directory's store: a fresh store beside it, compared, and put in place if
that is wanted. The raw events themselves are never written.

Puts what was rebuilt in the place of what stands, in one transaction; raw events stay.
"""

import contextlib
import sqlite3
import tempfile
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from diadema.access.roles import Person
from diadema.base.clock import Clock
from diadema.base.errors import DiademaError
from diadema.base.locks import alone
from diadema.base.paths import DataDir
from diadema.maintenance.rebuild.compare import Difference, compare
from diadema.maintenance.rebuild.replay import replay
from diadema.maintenance.records_keeping import enter
from diadema.site.context import site_of
from diadema.store import open_writer, tables
from diadema.words import Sentence

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
    tables.presses,
    tables.tickets,
    tables.ticket_steps,
    tables.help_steps,
    *tables.QUALITY,
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
        raise DiademaError(
            Sentence(
                "errors.maintenance.cannot_write_store_error_nothing", store=store, error=error
            )
        ) from error


_RECORDS = {"marks", "mark_hours", "corrections"}
_BY = Person(id="rebuild", name="", role="service")
type Progress = Callable[[int, int], None]  # events taken in, of how many


class Outcome(Struct):
    """`came_back`: events once taken as lost; what stands was worked out without them."""

    events: int
    came_back: int
    differences: list[Difference]
    applied: bool


def rebuild(
    data: DataDir, clock: Clock, *, apply: bool = False, progress: Progress = lambda *_: None
) -> Outcome:
    """Raises DiademaError while a hub runs there, or when there is no store."""
    if not data.store.exists():
        raise DiademaError(
            Sentence("errors.maintenance.no_store_store_check_data", store=data.store)
        )
    described = site_of(data)
    with (
        alone(data, "rebuild"),
        tempfile.TemporaryDirectory(prefix=".rebuild-", dir=data.root) as folder,
    ):
        open_writer(data.store).close()  # brings one of an older layout up to date
        fresh = Path(folder) / "store.sqlite3"
        replayed = replay(data.store, fresh, described, clock, progress)
        differences = compare(data.store, fresh, replayed.through)
        if apply and differences:
            put_in_place(data.store, fresh)
            _forget_sums(data.rollups)
            if _RECORDS & {one.table for one in differences}:
                enter(data, clock, _BY, "rebuilt")
        return Outcome(
            replayed.events, replayed.came_back, differences, apply and bool(differences)
        )


def _forget_sums(rollups: Path) -> None:
    """They are of rows that are no more; whoever needs them makes them anew."""
    for name in ("-wal", "-shm", ""):
        rollups.with_name(rollups.name + name).unlink(missing_ok=True)
