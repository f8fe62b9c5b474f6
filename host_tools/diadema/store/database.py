"""Opens the database: SQLite in WAL mode, each commit on the disk before it returns."""

import logging
import sqlite3
from pathlib import Path

from sqlalchemy import Connection, Engine, select, update
from sqlalchemy.exc import DBAPIError

from diadema.base.errors import DiademaError, StoreDamaged, StoreMissing, is_damage
from diadema.base.sqlite import other_layout, sqlite_engine
from diadema.store.contact_rows import from_columns, from_names
from diadema.store.loading import replacement
from diadema.store.tables import CONTACT_FIELDS, VERSION, contacts, metadata, stations
from diadema.words import Sentence

BUSY_MS = 2000  # how long to wait for another process's lock before saying so
_CONTACTS_AS_ARRAYS = 5  # the layout that began it
_PRESSES = 10  # the layout that called them so; before it they were tickets
_LACKS = {
    8: "times in each state",
    9: "what the switch told of rings, talk and transfers",
    10: "board and firmware of each report of a fault",
}
_PRAGMAS = ("wal_autocheckpoint = 8000", "cache_size = -65536")
_ROWS = 2000

log = logging.getLogger("diadema.store")


def writes_rows(version: int) -> bool:
    """Whether a store of this layout has rows to be written anew, and not tables to get alone."""
    return 0 < version < _CONTACTS_AS_ARRAYS


def lacks(version: int) -> list[str]:
    """What of the past only a rebuild can work out."""
    return [what for layout, what in _LACKS.items() if version < layout]


def _upgrade(connection: Connection, version: int) -> None:
    """Give a store of an older layout, or a new one, what it lacks."""
    if not version:
        metadata.create_all(connection, checkfirst=False)
        connection.exec_driver_sql(CONTACT_FIELDS)
        return
    old = writes_rows(version)
    if 5 < version < _PRESSES:
        connection.exec_driver_sql("DROP INDEX IF EXISTS tickets_open")
        connection.exec_driver_sql("ALTER TABLE tickets RENAME TO presses")
    if old:
        connection.exec_driver_sql("DROP INDEX IF EXISTS contacts_start")
        connection.exec_driver_sql("ALTER TABLE contacts RENAME TO old_contacts")
    metadata.create_all(connection)
    _add_columns(connection)
    for table in metadata.sorted_tables:
        for index in table.indexes:
            index.create(connection, checkfirst=True)
    if old:
        found = connection.exec_driver_sql("SELECT * FROM old_contacts")
        write = replacement(contacts)
        for rows in found.mappings().partitions(_ROWS):
            write.run(connection, [*from_columns(dict(row) for row in rows)])
        connection.exec_driver_sql("DROP TABLE old_contacts")
        for s, state in connection.execute(select(stations.c.s, stations.c.state)).all():
            change = update(stations).where(stations.c.s == s)
            connection.execute(change.values(state=from_names(state)))
    connection.exec_driver_sql("DROP VIEW IF EXISTS contact_fields")
    connection.exec_driver_sql(CONTACT_FIELDS)


def _add_columns(connection: Connection) -> None:
    """What an older layout's tables lack; a column that came later may be null."""
    for table in metadata.sorted_tables:
        info = connection.exec_driver_sql(f"PRAGMA table_info({table.name})")
        there = {row[1] for row in info}
        for column in table.c:
            if column.name not in there:
                kind = column.type.compile(dialect=connection.dialect)
                connection.exec_driver_sql(
                    f"ALTER TABLE {table.name} ADD COLUMN {column.name} {kind}"
                )


def open_database(path: Path, *, write: bool) -> Engine:
    """The engine of the store at `path`; the writer makes the tables. Raises DiademaError."""
    if not path.exists():
        if not write:
            raise StoreMissing(path)
        _create(path)
    if path.stat().st_size == 0:
        raise StoreDamaged(path, Sentence("errors.store.empty_which_no_store_ours"))
    return _open(path, write=write)


def _create(path: Path) -> None:
    """Beside it first, and then whole: so an empty file was never a store."""
    new = path.with_name(path.name + ".new")
    for name in ("", "-wal", "-shm"):
        new.with_name(new.name + name).unlink(missing_ok=True)
    _open(new, write=True).dispose()
    new.replace(path)


def _open(path: Path, *, write: bool) -> Engine:
    engine = sqlite_engine(path, busy_ms=BUSY_MS, pragmas=_PRAGMAS, writes=write)
    try:
        with engine.begin() as connection:
            _settle_layout(connection, path, write=write)
    except (DBAPIError, sqlite3.DatabaseError) as error:
        engine.dispose()
        cause = error.orig if isinstance(error, DBAPIError) else error
        if is_damage(cause):
            raise StoreDamaged(path, str(cause)) from error
        raise DiademaError(
            Sentence("errors.store.cannot_open_store_path_cause", path=path, cause=cause)
        ) from error
    return engine


def _settle_layout(connection: Connection, path: Path, *, write: bool) -> None:
    version = int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())
    if write and version < VERSION:
        _upgrade(connection, version)
        if version and (missing := lacks(version)):
            log.warning(
                "%s had layout %d: %s begin now; for those of the past end the hub and run "
                "`diadema rebuild --apply`",
                path,
                version,
                " and ".join(missing),
            )
        connection.exec_driver_sql(f"PRAGMA user_version = {VERSION}")
    elif write and version == VERSION:
        metadata.create_all(connection)  # tables that this layout got later
    elif version != VERSION:
        raise other_layout(path, version, VERSION)
