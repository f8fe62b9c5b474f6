"""Opens `accounts.sqlite3`, which nobody but the hub's own user may read."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError

from diadema.access.tables import VERSION, metadata
from diadema.base.errors import DiademaError
from diadema.base.paths import cannot_write

_BUSY_MS = 5000
_WRITES = "accounts_write"


def open_accounts(path: Path) -> Engine:
    """Its tables are there afterwards. Raises DiademaError."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        if os.name == "posix" and path.stat().st_mode & 0o077:
            raise DiademaError(f"{path} can be read by others: run chmod 600 on it")
    except OSError as error:
        raise cannot_write(path.parent, error) from error
    engine = create_engine(URL.create("sqlite", database=str(path)))
    event.listen(engine, "connect", _connected)
    event.listen(engine, "begin", _begin)
    try:
        with writing(engine) as tx:
            version = int(tx.exec_driver_sql("PRAGMA user_version").scalar_one())
            if version in (0, VERSION):  # also the tables that this layout got later
                metadata.create_all(tx)
            if version == 0:
                tx.exec_driver_sql(f"PRAGMA user_version = {VERSION}")
            elif version != VERSION:
                raise DiademaError(f"{path} has layout {version}, this program knows {VERSION}")
    except (DBAPIError, sqlite3.DatabaseError) as error:
        engine.dispose()
        raise DiademaError(
            f"cannot use {path} ({error}): restore it from a backup, or look at its permissions"
        ) from error
    return engine


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that nobody else writes beside; whole on the disk when it ends."""
    with engine.connect() as plain:
        connection = plain.execution_options(**{_WRITES: True})
        with connection.begin():
            yield connection


def _connected(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.close()


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
