"""A write that names itself is done once. Its name, the `Idempotency-Key` of a person, becomes an
id under which the answer is kept, and a key under which it is sealed: the file tells neither, and
only who asks again with the same name gets it again.
"""

import hashlib
import secrets
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec import Struct

HEADER = "Diadema-Once"  # of a question to the hub
RETENTION_MS = 24 * 3_600_000
MOST_CHARACTERS = 255
_NONCE_BYTES = 12


class OtherRequest(Exception):
    """This name was given to another write."""


class Once(Struct, frozen=True):
    """`id`, `seal` and `request` are SHA-256 in hex: which name, what seals its answer, and what
    was asked by it.
    """

    id: str
    seal: str
    request: str

    @classmethod
    def named(cls, person: str, name: str, request: str) -> Self:
        """`request`: SHA-256 of all that was asked."""
        requested = _digest("request", person, name, request)  # which nobody can guess words by
        return cls(_digest("id", person, name), _digest("seal", person, name), requested)

    @classmethod
    def read(cls, line: str | None) -> Self | None:
        """What `line` says; nothing of what is no such line."""
        parts = (line or "").split(" ")
        return cls(*parts) if len(parts) == 3 and all(map(_is_digest, parts)) else None

    @property
    def line(self) -> str:
        return f"{self.id} {self.seal} {self.request}"

    def sealed(self, answer: bytes) -> bytes:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._cipher().encrypt(nonce, answer, self.request.encode())

    def opened(self, request: str, sealed: bytes) -> bytes | None:
        """What was answered; nothing where the file was altered. Raises OtherRequest."""
        if request != self.request:
            raise OtherRequest
        nonce, body = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        try:
            return self._cipher().decrypt(nonce, body, request.encode())
        except (InvalidTag, ValueError):
            return None

    def _cipher(self) -> AESGCM:
        return AESGCM(bytes.fromhex(self.seal))


def is_name(key: str) -> bool:
    """Whether it can name a write: 1 to 255 visible ASCII characters."""
    return 0 < len(key) <= MOST_CHARACTERS and all("!" <= one <= "~" for one in key)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _is_digest(word: str) -> bool:
    return len(word) == 64 and not set(word) - set("0123456789abcdef")
