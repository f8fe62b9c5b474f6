"""The store that a rebuild fills and then throws away. Nobody needs it after a power cut, and it
keeps the events of only those journals in which one number came more than once.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, event

from diadema.store import Writer
from diadema.store.database import open_database
from diadema.store.writer import EventRow


class FreshWriter(Writer):
    """Counts the events that come through, by journal."""

    def __init__(self, engine: Engine, key: bytes) -> None:
        super().__init__(engine, key)
        self.keeps = False  # from the next batch on; nothing may be under way
        self.through: Counter[tuple[str, int]] = Counter()

    def store(self, tx: Connection, rows: Sequence[EventRow]) -> None:
        self.through.update([row[:2] for row in rows])
        if self.keeps:
            super().store(tx, rows)


def open_fresh(path: Path, key: bytes) -> FreshWriter:
    """`key` of the records that are rebuilt. Raises DiademaError."""
    engine = open_database(path, write=True)

    def connected(connection: Any, _: Any) -> None:
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")

    event.listen(engine, "connect", connected)
    engine.dispose()  # the connection there is was made without
    return FreshWriter(engine, key)
