"""Opens the database: SQLite in WAL mode, each commit on the disk before it returns."""

from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event

from diadema.errors import DiademaError
from diadema.store.tables import VERSION, metadata

BUSY_MS = 2000  # how long to wait for another process's lock before saying so


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
    if not write and not path.exists():
        raise DiademaError(f"no store at {path}: start `diadema hub` first, or check --data")
    engine = create_engine(f"sqlite:///{path}")

    def connected(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
        cursor.execute("PRAGMA journal_mode = WAL" if write else "PRAGMA query_only = 1")
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA wal_autocheckpoint = 8000")
        cursor.execute("PRAGMA cache_size = -65536")
        cursor.close()

    def begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    event.listen(engine, "connect", connected)
    event.listen(engine, "begin", begin)
    with engine.begin() as connection:
        version = int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())
        if write and version < VERSION:
            metadata.create_all(connection)
            _add_columns(connection)
            connection.exec_driver_sql(f"PRAGMA user_version = {VERSION}")
        elif version != VERSION:
            raise DiademaError(
                f"{path} has layout {version}, this program knows {VERSION}: "
                "use the program that wrote it, or another --data"
            )
    return engine
