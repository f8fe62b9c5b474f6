"""Why the store took nothing. Each means: nothing was written."""

import sqlite3
from pathlib import Path

from diadema.base.errors import DiademaError

_DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


class StoreTrouble(DiademaError):
    """Any of these."""


class StoreUnavailable(StoreTrouble):
    """The disk is full, or another program holds the database: try again."""


class StoreStale(StoreTrouble):
    """The store knows more than its writer believed: read it again, then repeat the batch."""


class StoreBehind(StoreTrouble):
    """The store has less of the broker's stream than it had: take the stream from there again."""


class StoreDamaged(StoreTrouble):
    """What is in the file is no database, or a broken one: only a person can help."""

    def __init__(self, path: Path | str, what: str) -> None:
        super().__init__(
            f"{path} is damaged ({what}). End the hub, move it and those beside it with -wal and "
            "-shm away, and put a backup of it there: the stream of the broker brings the last "
            "7 days in again, and stations send what was never acknowledged."
        )


def is_damage(error: BaseException | None) -> bool:
    """Whether SQLite says that the file itself is broken."""
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in _DAMAGE
