"""The host's one exception tree. A message tells the person what happened and what to do next."""

import errno
import sqlite3
from pathlib import Path

from diadema.words import Sentence, said


class DiademaError(Exception):
    """Anything that the person at the command line can act on; the command ends with code 2. It is
    made of a `Sentence`, so that it can be said in any language; `str` gives its English.
    """

    def say(self, language: str) -> str:
        return str(said(self.args[0], language)) if len(self.args) == 1 else str(self)


_COMMON = {
    errno.EPERM, errno.ENOENT, errno.EACCES, errno.EBUSY, errno.EEXIST, errno.ENOTDIR,
    errno.EISDIR, errno.ENOSPC, errno.EROFS,
}  # fmt: skip


def why(error: OSError) -> str | Sentence:
    """What the system says of it, without the path."""
    if error.errno in _COMMON:
        return Sentence(f"errors.system.{errno.errorcode[error.errno]}")
    return error.strerror or str(error)


class ImageError(DiademaError):
    """It cannot be read, or cannot be for this board."""


class FlashError(DiademaError):
    """This board cannot be written, or not now."""


class FleetError(DiademaError):
    """The message says what to do."""


class HookError(DiademaError):
    """A webhook is none, or its receiver did not take what was sent."""


class MailError(DiademaError):
    """Nothing can be sent so, or it was not taken."""


class ProvisionError(DiademaError):
    """The station has not what it needs, or it is not known whether it has."""


class ProveError(DiademaError):
    """It did not begin, or it cannot be believed."""


class SelftestError(DiademaError):
    """It did not begin, or nobody knows how it ended."""


class UpdateError(DiademaError):
    """The message says what to do."""


_DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


class StoreTrouble(DiademaError):
    """Any of these."""


class StoreUnavailable(StoreTrouble):
    """The disk is full, or another program holds the database: try again."""


class StoreMissing(StoreTrouble):
    """There is none yet: the hub makes it at its first start."""

    def __init__(self, path: Path | str) -> None:
        super().__init__(Sentence("errors.base.no_store", path=path))


class StoreStale(StoreTrouble):
    """The store knows more than its writer believed: read it again, then repeat the batch."""


class StoreBehind(StoreTrouble):
    """The store has less of the broker's stream than it had: take the stream from there again."""


class StoreDamaged(StoreTrouble):
    """What is in the file is no database, or a broken one: only a person can help."""

    def __init__(self, path: Path | str, what: str | Sentence) -> None:
        super().__init__(Sentence("errors.base.damaged", path=path, what=what))


def is_damage(error: BaseException | None) -> bool:
    """Whether SQLite says that the file itself is broken."""
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in _DAMAGE
