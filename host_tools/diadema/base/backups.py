"""backups.json: when backups are made, where they lie, and what came of the last one."""

from contextlib import AbstractContextManager

import msgspec
from msgspec import Struct

from diadema.base.errors import DiademaError
from diadema.base.locks import changing
from diadema.base.paths import DataDir
from diadema.words import Sentence


class Made(Struct):
    """`position`: how many events are in it."""

    file: str
    bytes: int
    made_ms: int
    position: int
    files: int


class Schedule(Struct, kw_only=True):
    """At `at` of the site's clock each day, into `folder`. A copy goes when `number` newer ones
    are there and it is older than `days`.
    """

    folder: str
    at: str
    number: int
    days: int
    since_ms: int


class Backups(Struct, kw_only=True):
    """`places`: folders with copies; `due_ms`: the last scheduled run that is done; `last`: made
    by one or by hand; `tried_ms` and `reason`: of a run that failed since.
    """

    schedule: Schedule | None = None
    places: list[str] = []
    due_ms: int = 0
    last: Made | None = None
    tried_ms: int = 0
    reason: str | None = None


def read_backups(data: DataDir) -> Backups:
    """Raises DiademaError."""
    try:
        return msgspec.json.decode(data.backups.read_bytes(), type=Backups)
    except FileNotFoundError:
        return Backups()
    except (OSError, msgspec.DecodeError) as error:
        raise DiademaError(
            Sentence("errors.maintenance.backups_unreadable", path=data.backups, error=error)
        ) from error


def changing_backups(data: DataDir) -> AbstractContextManager[Backups]:
    """To be changed by one process at a time. Raises DiademaError."""
    return changing(data.backups, lambda: read_backups(data))


def last_backup(data: DataDir) -> Made | None:
    """None when none is known, also for a file that cannot be read."""
    try:
        return read_backups(data).last
    except DiademaError:
        return None
