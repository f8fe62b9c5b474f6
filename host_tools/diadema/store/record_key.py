"""The key of a data directory's chains: whoever writes into their files cannot make a link."""

import contextlib
import hashlib
import hmac
import os
import secrets
from functools import lru_cache
from pathlib import Path

from diadema.base.errors import DiademaError
from diadema.base.paths import cannot_write

NAME = "records.key"
_BYTES = 32


@lru_cache(64)
def key_of(root: Path) -> bytes:
    """The key of that directory; a new one where there is none. Raises DiademaError."""
    path = root / NAME
    if not path.exists():
        _make(path)
    return _read(path)


def link(key: bytes, before: str, content: bytes) -> str:
    """The next link of a chain, in hex: HMAC-SHA256 over the one before and the content."""
    return hmac.new(key, before.encode() + content, "sha256").hexdigest()


def old_link(before: str, content: bytes) -> str:
    """As chains were made before they had a key."""
    return hashlib.sha256(before.encode() + content).hexdigest()


def of_purpose(key: bytes, purpose: str) -> bytes:
    """A key of its own for each chain: a link of one is none of another."""
    return hmac.new(key, purpose.encode(), "sha256").digest()


def _make(path: Path) -> None:
    """Whole or not at all; of two who make it at once, the first."""
    beside = path.with_name(f".{NAME}.{os.getpid()}")
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(_BYTES))
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(beside, path)
    except OSError as error:
        raise cannot_write(path.parent, error) from error
    finally:
        beside.unlink(missing_ok=True)


def _read(path: Path) -> bytes:
    try:
        key = bytes.fromhex(path.read_text("ascii"))
    except (OSError, ValueError) as error:
        raise DiademaError(f"cannot read {path} ({error}): restore it from a backup") from error
    if len(key) != _BYTES:
        raise DiademaError(f"{path} is no key: restore it from a backup")
    return key
