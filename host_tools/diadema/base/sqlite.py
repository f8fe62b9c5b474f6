"""Opens an SQLite file with SQLAlchemy: durable, many readers beside one writer (WAL), and with
transactions that say from their beginning whether they write.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event

from diadema.base.errors import DiademaError
from diadema.words import Sentence

_WRITES = "writes"  # execution option of a connection whose transactions write


def sqlite_engine(
    path: Path, *, busy_ms: int, pragmas: tuple[str, ...] = (), writes: bool | None = None
) -> Engine:
    """The engine; nothing is opened yet. `busy_ms`: how long to wait for another process's lock.

    `pragmas`: of each connection, after WAL and `synchronous = FULL`, in their order. `writes`:
    all transactions write, or none can; None: those of `writing` do, and of connections with
    the execution option `writes`.
    """
    engine = create_engine(URL.create("sqlite", database=str(path)))
    journal = "query_only = 1" if writes is False else "journal_mode = WAL"
    settings = (f"busy_timeout = {busy_ms}", journal, "synchronous = FULL", *pragmas)

    def connected(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # BEGIN is said below
        cursor = connection.cursor()
        for setting in settings:
            cursor.execute(f"PRAGMA {setting}")
        cursor.close()

    def begin(connection: Connection) -> None:
        now = connection.get_execution_options().get(_WRITES, False) if writes is None else writes
        connection.exec_driver_sql("BEGIN IMMEDIATE" if now else "BEGIN")

    event.listen(engine, "connect", connected)
    event.listen(engine, "begin", begin)
    return engine


def other_layout(path: Path, version: int, known: int) -> DiademaError:
    """This program reads layout `known` only: the way on from an older one, back from a newer."""
    age = "older" if version < known else "newer"
    return DiademaError(
        Sentence(f"errors.base.layout_is_{age}", path=path, version=version, known=known)
    )


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that nobody else writes beside; whole on the disk when it ends."""
    with engine.connect() as plain:
        connection = plain.execution_options(**{_WRITES: True})
        with connection.begin():
            yield connection
