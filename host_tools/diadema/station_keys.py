"""The stations' keys, in `keys.json` (mode 0600), and the seal that they put on what goes down.

Made once a station: one that holds a key obeys nothing else. Only the ingest writes the file; lost
keys can only be replaced over the cable, after a factory reset of each station.
"""

import hashlib
import hmac
import os
import secrets
from collections.abc import Iterable
from pathlib import Path

import msgspec

from diadema.errors import DiademaError
from diadema.paths import write_whole


class StationKeys:
    """Raises DiademaError when the file cannot be read, or others may read it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._keys = _load(path)

    def make(self, stations: Iterable[str]) -> None:
        """A key for each of `stations` that has none."""
        new = {s: secrets.token_bytes(32) for s in stations if s not in self._keys}
        if new:
            keys = self._keys | new
            told = {s: key.hex() for s, key in sorted(keys.items())}
            write_whole(self._path, msgspec.json.encode(told), 0o600)
            self._keys = keys

    def of(self, s: str) -> bytes | None:
        return self._keys.get(s)

    def seal(self, s: str, boot: int, text: bytes) -> bytes:
        """The frame with `h`, for a station that has a key; else as it is."""
        key = self._keys.get(s)
        return text if key is None else seal(key, s, boot, text)


def seal(key: bytes, s: str, boot: int, text: bytes) -> bytes:
    """A JSON object's text with `h` as its last member: the first 8 bytes of HMAC-SHA256(key,
    station id, newline, boot counter, newline, text), in hex.
    """
    mark = hmac.digest(key, b"%b\n%d\n%b" % (s.encode(), boot, text), hashlib.sha256)[:8]
    return b'%b,"h":"%b"}' % (text[:-1], mark.hex().encode())


def _load(path: Path) -> dict[str, bytes]:
    try:
        if os.name == "posix" and path.stat().st_mode & 0o077:
            raise DiademaError(f"{path} can be read by others: run chmod 600 on it")
        told = msgspec.json.decode(path.read_bytes(), type=dict[str, str])
        return {s: bytes.fromhex(key) for s, key in told.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise DiademaError(
            f"cannot read {path} ({error}): restore it from a backup. "
            "Stations obey nobody else than the holder of their keys."
        ) from error
