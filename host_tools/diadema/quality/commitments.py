"""The secrets of periods that are not drawn yet, each sealed in a file of its own. What is known
of one when its period begins is its hash, and none is made again for a period whose hash is out.

They come with a backup. One that was lost or altered says so, and nothing is drawn with it.
"""

import contextlib
import io
import os
from pathlib import Path

import msgspec
from msgspec import Struct

from diadema.base.errors import DiademaError
from diadema.base.paths import DataDir, cannot_write, write_whole
from diadema.base.sealed import SealBroken, Sealer, Unsealer
from diadema.quality.sampling import commitment, new_secret
from diadema.store.record_heads import key_of, of_purpose
from diadema.words import Sentence

_PURPOSE = "samples"
_SEALED = ".sealed"
_MOST_BYTES = 4096


class SecretLost(DiademaError):
    """There is none, or it is not the one that was committed to."""


class _Secret(Struct):
    plan: str
    period: str
    secret: str


def secret_path(data: DataDir, plan: str, period: str) -> Path:
    return data.samples / f"{plan}.{period}{_SEALED}"


def prepare(data: DataDir, plan: str, period: str) -> bytes:
    """The secret of a period that is about to begin, safe on the disk when this returns: one that
    was made before and of which nothing is published yet, else a new one. Raises DiademaError.
    """
    path = secret_path(data, plan, period)
    with contextlib.suppress(SecretLost):
        return _read(data, path, plan, period)
    secret = new_secret()
    sealed = io.BytesIO()
    sealer = Sealer(sealed, _key(data), is_key=True)
    sealer.write(msgspec.json.encode(_Secret(plan, period, secret.hex())))
    sealer.end()
    try:
        data.samples.mkdir(mode=0o700, exist_ok=True)
        write_whole(path, sealed.getvalue())
        _sync(data.samples)
    except OSError as error:
        raise cannot_write(path, error) from error
    return secret


def secret_of(data: DataDir, plan: str, period: str, commit: str) -> bytes:
    """That to which `commit` was published. Raises SecretLost."""
    found = _read(data, secret_path(data, plan, period), plan, period)
    if commitment(found) != commit:
        raise _lost(plan, period)
    return found


def _read(data: DataDir, path: Path, plan: str, period: str) -> bytes:
    try:
        content = path.read_bytes()
        opened = Unsealer(io.BytesIO(content), _key(data))
        text = opened.read(_MOST_BYTES)
        opened.drain()
        found = msgspec.json.decode(text, type=_Secret)
        secret = bytes.fromhex(found.secret)
    except (OSError, SealBroken, ValueError) as error:
        raise _lost(plan, period) from error
    if (found.plan, found.period) != (plan, period):
        raise _lost(plan, period)
    return secret


def _lost(plan: str, period: str) -> SecretLost:
    return SecretLost(Sentence("errors.quality.secret_lost", plan=plan, period=period))


def _key(data: DataDir) -> bytes:
    return of_purpose(key_of(data.root), _PURPOSE)


def _sync(folder: Path) -> None:
    """The name of a new file is on the disk too."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
