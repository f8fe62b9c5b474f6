"""Brings the databases of a directory to the layouts that this program knows, and says before what
that will do. Roll-ups are sums: of another version they are made anew by whoever reads them.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from msgspec import Struct

from diadema.access import database as accounts
from diadema.base.backups import last_backup
from diadema.base.clock import Clock
from diadema.base.errors import DiademaError
from diadema.base.locks import alone
from diadema.base.paths import DataDir
from diadema.base.sqlite import other_layout
from diadema.figures import rollups
from diadema.site.directory import tables as directory
from diadema.store import database as store_layouts
from diadema.store import open_writer
from diadema.store.tables import VERSION as STORE
from diadema.switch import journal as switch_journal
from diadema.words import Sentence

BACKUP_MS = 86_400_000  # one that is older is none of what stands now
# guesses on the safe side, not measured: rows written anew, or all events taken in again
_WRITTEN_A_SECOND = 20 << 20
_REBUILT_A_SECOND = 10_000


class Step(Struct, frozen=True, kw_only=True):
    """One database. `has` and `wants`: layouts; `bytes`: its size. `seconds`: roughly, and
    `rebuild_seconds` those of a `diadema rebuild --apply`, if what it has lacks something that
    only that works out.
    """

    file: str
    has: int
    wants: int
    bytes: int
    seconds: int = 0
    rebuild_seconds: int | None = None

    @property
    def is_due(self) -> bool:
        return self.has < self.wants

    @property
    def is_newer(self) -> bool:
        return self.has > self.wants


def plan(data: DataDir) -> list[Step]:
    """What is there, database by database; nothing is written. Raises DiademaError."""
    found = []
    for file, wants in (
        (data.store, STORE),
        (data.directory, directory.VERSION),
        (data.accounts, accounts.VERSION),
        (data.switch_journal, switch_journal.VERSION),
        (data.rollups, rollups.VERSION),
    ):
        if file.exists():
            with reading(file) as tx:
                has = _rollups_of(tx) if file == data.rollups else _layout_of(tx)
                if has or file == data.rollups:
                    found.append(_step(tx, file, has, wants, data))
    return found


def upgrade(
    data: DataDir, clock: Clock, *, without_backup: bool = False, tell: Callable[[Step], None]
) -> list[Step]:
    """Do it, one database after the other; gives what was due. Raises DiademaError: a hub runs, a
    database is of a newer program, or no backup of the last day is known.
    """
    if not data.root.exists():
        return []
    with alone(data, "upgrade"):
        steps = plan(data)
        for step in steps:
            if step.is_newer and step.file != data.rollups.name:
                raise other_layout(data.root / step.file, step.has, step.wants)
        due = [step for step in steps if step.is_due and step.file != data.rollups.name]
        if due and not without_backup:
            _need_backup(data, clock)
        for step in due:
            _OPEN[step.file](data)
            tell(step)
        return due


def _need_backup(data: DataDir, clock: Clock) -> None:
    made = last_backup(data)
    if made is None or clock.now_ms() - made.made_ms > BACKUP_MS:
        raise DiademaError(Sentence("errors.maintenance.no_backup_before_upgrade"))


@contextmanager
def reading(file: Path) -> Iterator[sqlite3.Connection]:
    """Only that; raises DiademaError where it is no database."""
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as tx:
            yield tx
    except sqlite3.Error as error:
        raise DiademaError(
            Sentence("errors.maintenance.cannot_read_database", path=file, error=error)
        ) from error


def _layout_of(tx: sqlite3.Connection) -> int:
    return int(tx.execute("PRAGMA user_version").fetchone()[0])


def _rollups_of(tx: sqlite3.Connection) -> int:
    if not tx.execute("SELECT 1 FROM sqlite_master WHERE name = 'state'").fetchone():
        return 0
    row = tx.execute("SELECT body FROM state").fetchone()
    return rollups.version_of(row[0]) if row else 0


def _step(tx: sqlite3.Connection, file: Path, has: int, wants: int, data: DataDir) -> Step:
    size = file.stat().st_size
    writes_rows = has < wants and (
        file == data.directory or (file == data.store and store_layouts.writes_rows(has))
    )
    seconds = 1 + (size // _WRITTEN_A_SECOND if writes_rows else 0)
    rebuild = None
    if file == data.store and has < wants and store_layouts.lacks(has):
        (events,) = tx.execute("SELECT count(*) FROM events").fetchone()
        rebuild = 1 + events // _REBUILT_A_SECOND
    return Step(file=file.name, has=has, wants=wants, bytes=size,
                seconds=seconds if has < wants else 0, rebuild_seconds=rebuild)  # fmt: skip


def _open_store(data: DataDir) -> None:
    open_writer(data.store).close()


def _open_directory(data: DataDir) -> None:
    directory.open_tables(data.directory).dispose()


def _open_accounts(data: DataDir) -> None:
    accounts.open_accounts(data.accounts).dispose()


def _open_switch(data: DataDir) -> None:
    switch_journal.Journal(data.switch_journal, "").close()


_OPEN = {
    "store.sqlite3": _open_store,
    "directory.sqlite3": _open_directory,
    "accounts.sqlite3": _open_accounts,
    "switch.sqlite3": _open_switch,
}
