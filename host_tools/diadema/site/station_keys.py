"""The stations' keys, in `keys.json` (mode 0600), and the seal that they put on what goes down.

One that holds a key obeys nothing else. A key that was sent is not sent again: `renew` makes
another, and those that the station may hold stay known until it has shown which it is. Only
the ingest writes the file; lost keys can only be replaced by `diadema provision`, after a factory
reset of each station.
"""

import hashlib
import hmac
import os
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from diadema.base.errors import DiademaError
from diadema.base.paths import write_whole
from diadema.words import Sentence

_BEFORE = 8  # that one station may hold


class _Key(Struct):
    """In hex; `sent`: it left this machine, at least in part. `before`: what was last shown, and
    what was sent since.
    """

    key: str
    sent: bool = True
    before: list[str] = []

    def __post_init__(self) -> None:
        bytes.fromhex(self.key + "".join(self.before))


class StationKeys:
    """Raises DiademaError when the file cannot be read, or others may read it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._keys = _load(path)

    def make(self, stations: Iterable[str]) -> None:
        """A key for each of `stations` that has none."""
        self._write({s: _Key(_random(), sent=False) for s in stations if s not in self._keys})

    def renew(self, s: str) -> None:
        """Another key."""
        old = self._keys.get(s)
        before = [] if old is None else [*old.before, *([old.key] if old.sent else [])]
        before = before[:1] + before[1:][1 - _BEFORE :]
        self._write({s: _Key(_random(), sent=False, before=before)})

    def mark_sent(self, s: str) -> None:
        """Before it is sent."""
        old = self._keys[s]
        if not old.sent:
            self._write({s: _Key(old.key, sent=True, before=old.before)})

    def shown(self, s: str, key: bytes) -> None:
        """The station holds this one."""
        known, its = self._keys[s], key.hex()
        if its == known.key:
            new = _Key(its)
        else:
            others = [key for key in known.before if key != its]
            new = _Key(known.key, known.sent, [its, *others])
        if new != known:
            self._write({s: new})

    def of(self, s: str) -> bytes | None:
        known = self._keys.get(s)
        return None if known is None else bytes.fromhex(known.key)

    def sent(self, s: str) -> bool:
        return s in self._keys and self._keys[s].sent

    def before(self, s: str) -> list[bytes]:
        """The keys of before, one of which the station holds while it has not shown the present
        one; the last one shown first.
        """
        known = self._keys.get(s)
        return [bytes.fromhex(key) for key in known.before] if known is not None else []

    def seal(
        self, s: str, boot: int, text: bytes, *, giving: bool = False, held: bytes | None = None
    ) -> bytes:
        """The frame with `h`, for a station that has a key; else as it is. `giving`: the present
        key is on its way; `held`: the one that it showed last.
        """
        key = held or self.of(s)
        if held is None and (giving or not self.sent(s)):
            key = next(reversed(self.before(s)), key)
        return text if key is None else seal(key, s, boot, text)

    def _write(self, new: dict[str, _Key]) -> None:
        if new:
            keys = self._keys | new
            stored = {s: _encoded(key) for s, key in sorted(keys.items())}
            write_whole(self._path, msgspec.json.encode(stored), 0o600)
            self._keys = keys


def _random() -> str:
    return secrets.token_bytes(32).hex()


def _encoded(key: _Key) -> Any:
    return key.key if key.sent and not key.before else key


def _read(stored: str | dict[str, Any]) -> _Key:
    if isinstance(stored, str):
        return _Key(stored)
    if isinstance(before := stored.get("before", []), str | None):  # of an older version
        stored["before"] = [before] if before else []
    return msgspec.convert(stored, _Key)


def seal(key: bytes, s: str, boot: int, text: bytes) -> bytes:
    """A JSON object's text with `h` as its last member: the first 8 bytes of HMAC-SHA256(key,
    station id, newline, boot counter, newline, text), in hex.
    """
    mark = hmac.digest(key, b"%b\n%d\n%b" % (s.encode(), boot, text), hashlib.sha256)[:8]
    return b'%b,"h":"%b"}' % (text[:-1], mark.hex().encode())


def _load(path: Path) -> dict[str, _Key]:
    try:
        if os.name == "posix" and path.stat().st_mode & 0o077:
            raise DiademaError(Sentence("errors.access.path_can_read_others_run", path=path))
        stored = msgspec.json.decode(path.read_bytes(), type=dict[str, str | dict[str, Any]])
        return {s: _read(key) for s, key in stored.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise DiademaError(
            Sentence("errors.site.cannot_read_path_error_restore", path=path, error=error)
        ) from error
