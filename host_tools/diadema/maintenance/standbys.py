"""standbys.json: what each standby of this hub last said of itself, by the name of its token.

One whose token was revoked was taken out of service on purpose, and is forgotten. One whose token
only ended is not: it has fallen silent, and nobody may have meant that.
"""

import logging
import threading
import time

import msgspec
from msgspec import Struct

from diadema.access.tokens import Token, Tokens
from diadema.base.errors import DiademaError
from diadema.base.paths import DataDir, write_whole
from diadema.words import Sentence

_SAVE_S = 10.0

log = logging.getLogger("diadema.web")

type Known = dict[str, Heard]


class Heard(Struct, kw_only=True):
    """`stored`: up to which message of the stream it has; `last`: of the hub's then, None where
    that was not known. `backup_ms`: of the last whole backup that it has, 0 for none; `every_s`:
    how often it takes one, 0 where it does not say.
    """

    seen_ms: int
    stored: int
    last: int | None = None
    backup_ms: int = 0
    every_s: int = 0

    def behind(self, last: int | None = None) -> int | None:
        """How many messages it lacks, of those up to `last`, or of those of then."""
        until = self.last if last is None else last
        return None if until is None else max(until - self.stored, 0)


def read_standbys(data: DataDir) -> Known:
    """Raises DiademaError."""
    try:
        return msgspec.json.decode(data.standbys.read_bytes(), type=dict[str, Heard])
    except FileNotFoundError:
        return {}
    except (OSError, msgspec.DecodeError) as error:
        raise DiademaError(
            Sentence("errors.maintenance.standbys_unreadable", path=data.standbys, error=error)
        ) from error


def in_service(tokens: Tokens) -> dict[str, Token]:
    """The newest token of each standby, but of those that were revoked."""
    newest: dict[str, Token] = {}
    for one in tokens.all():
        if one.role == "standby":
            newest.setdefault(one.name, one)
    return {name: one for name, one in newest.items() if one.revoked_ms is None}


class Standbys:
    """As the web hears them, from any thread; the file follows within seconds."""

    def __init__(self, data: DataDir, tokens: Tokens) -> None:
        self._data = data
        self._tokens = tokens
        self._lock = threading.Lock()
        self._heard: Known | None = None
        self._saved: dict[str, float] = {}

    def note(self, name: str, heard: Heard) -> None:
        """What cannot be written down stops no standby."""
        with self._lock:
            self._known()[name] = heard
            if time.monotonic() - self._saved.get(name, float("-inf")) < _SAVE_S:
                return
            self._saved[name] = time.monotonic()
            try:
                write_whole(self._data.standbys, msgspec.json.encode(self._watched()))
            except OSError as error:
                log.warning("%s cannot be written: %s", self._data.standbys, error)

    def heard(self) -> Known:
        """Of those in service that ever asked."""
        with self._lock:
            return self._watched()

    def _known(self) -> Known:
        if self._heard is None:
            try:
                self._heard = read_standbys(self._data)
            except DiademaError as error:
                log.warning("%s; it is begun anew", error)
                self._heard = {}
        return self._heard

    def _watched(self) -> Known:
        wanted = in_service(self._tokens)
        return {name: one for name, one in self._known().items() if name in wanted}
