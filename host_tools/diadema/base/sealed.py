"""A file that only its passphrase opens: AES-256-GCM in pieces of 1 MiB, under a key by argon2id.

What seals a piece has its number, whether it is the last, and the file's first line in it: so one
that was changed, cut off, moved, or taken from another file is found.
"""

import hmac
import os
import secrets
from pathlib import Path
from typing import IO

import msgspec
from argon2.low_level import Type, hash_secret_raw
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec import Struct

from diadema.base.errors import DiademaError, why
from diadema.words import Sentence

_FORMAT = 1
_PIECE = 1 << 20
_TAG = 16
_KEY, _PROOF = 32, 16  # bytes: of AES-256, and of what tells another passphrase
_LINE = 1024
_PASSES, _MEMORY_KIB, _LANES = 3, 1 << 16, 4  # RFC 9106, second recommended option
_MOST_PASSES, _MOST_MEMORY_KIB, _MOST_LANES = 16, 1 << 20, 16
_LETTERS = 12


class SealBroken(DiademaError):
    """Another passphrase, or not what was written."""


class OtherPassphrase(SealBroken):
    """Or its first line was changed: which, nobody can tell."""


class _Head(Struct):
    """The first line. `passes` 0: the secret is a key already."""

    format: int
    salt: str
    passes: int
    memory_kib: int
    lanes: int
    proof: str = ""


def read_passphrase(file: Path) -> bytes:
    """One that keeps a copy closed. Raises DiademaError."""
    found = read_secret(file)
    if len(found.decode(errors="replace")) < _LETTERS:
        raise DiademaError(Sentence("errors.base.passphrase_too_short", file=file, least=_LETTERS))
    return found


def read_secret(file: Path) -> bytes:
    """Its first line, where nobody else can read it. Raises DiademaError."""
    try:
        if os.name == "posix" and file.is_file() and file.stat().st_mode & 0o077:
            raise DiademaError(Sentence("errors.access.path_can_read_others_run", path=file))
        return file.read_bytes().partition(b"\n")[0].strip()
    except OSError as error:
        raise DiademaError(
            Sentence("errors.cli.cannot_read_file_reason", file=file, reason=why(error))
        ) from error


def _keys(head: _Head, secret: bytes) -> tuple[bytes, bytes]:
    """The key, and what proves it."""
    salt = bytes.fromhex(head.salt)
    if not head.passes:
        both = hmac.digest(secret, salt, "sha512")
    else:
        both = hash_secret_raw(
            secret, salt, head.passes, head.memory_kib, head.lanes, _KEY + _PROOF, Type.ID
        )
    return both[:_KEY], both[_KEY : _KEY + _PROOF]


def _nonce(number: int, last: bool) -> bytes:
    return number.to_bytes(11) + bytes([last])


class Sealer:
    """Writes one file; without `end` it has none, and cannot be opened."""

    def __init__(self, file: IO[bytes], secret: bytes, *, is_key: bool = False) -> None:
        hard = (0, 0, 0) if is_key else (_PASSES, _MEMORY_KIB, _LANES)
        head = _Head(_FORMAT, secrets.token_hex(16), *hard)
        key, proof = _keys(head, secret)
        head.proof = proof.hex()
        self._file = file
        self._cipher = AESGCM(key)
        self._line = msgspec.json.encode(head) + b"\n"
        self._waiting = bytearray()
        self._number = 0
        file.write(self._line)

    def write(self, data: bytes) -> int:
        self._waiting += data
        while len(self._waiting) > _PIECE:
            self._put(bytes(self._waiting[:_PIECE]), last=False)
            del self._waiting[:_PIECE]
        return len(data)

    def end(self) -> None:
        self._put(bytes(self._waiting), last=True)

    def _put(self, piece: bytes, *, last: bool) -> None:
        nonce = _nonce(self._number, last)
        self._file.write(self._cipher.encrypt(nonce, piece, self._line))
        self._number += 1


class Unsealer:
    """Reads one; what `read` gives is as it was written. Raises SealBroken."""

    def __init__(self, file: IO[bytes], secret: bytes) -> None:
        self._file = file
        self._name = getattr(file, "name", "")
        self._line = file.readline(_LINE)
        try:
            head = msgspec.json.decode(self._line, type=_Head)
            if not _is_bearable(head):
                raise ValueError("no such head")
            key, proof = _keys(head, secret)
        except (ValueError, msgspec.DecodeError) as error:
            raise self._broken("errors.base.sealed_no_such_file") from error
        if not hmac.compare_digest(proof.hex(), head.proof):
            raise OtherPassphrase(Sentence("errors.base.sealed_other_passphrase", file=self._name))
        self._cipher = AESGCM(key)
        self._next = file.read(_PIECE + _TAG)
        self._number = 0
        self._ready = b""
        self._over = False

    def read(self, size: int) -> bytes:
        """Up to so many bytes; none at the end, and only there."""
        while not self._ready and not self._over:
            self._open()
        given, self._ready = self._ready[:size], self._ready[size:]
        return given

    def drain(self) -> None:
        """To its end, which is then the one that was written."""
        while self.read(_PIECE):
            pass

    def _open(self) -> None:
        piece, self._next = self._next, self._file.read(_PIECE + _TAG)
        self._over = not self._next
        try:
            nonce = _nonce(self._number, self._over)
            self._ready = self._cipher.decrypt(nonce, piece, self._line)
        except (InvalidTag, ValueError) as error:
            raise self._broken("errors.base.sealed_changed", at=self._number) from error
        self._number += 1

    def _broken(self, sentence: str, **values: int) -> SealBroken:
        return SealBroken(Sentence(sentence, file=self._name, **values))


def _is_bearable(head: _Head) -> bool:
    """Nobody's first line makes us work for hours."""
    return (
        head.format == _FORMAT
        and 0 <= head.passes <= _MOST_PASSES
        and 0 <= head.memory_kib <= _MOST_MEMORY_KIB
        and 0 <= head.lanes <= _MOST_LANES
    )
