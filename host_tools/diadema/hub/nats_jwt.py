"""The tokens of NATS' auth callout: Ed25519 keys in NATS' notation, and JSON Web Tokens by them.

See https://docs.nats.io/running-a-nats-service/configuration/securing_nats/auth_callout.
"""

import base64
import binascii
import hashlib
import time
from typing import Any

import msgspec
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from diadema.wire.events import UNREADABLE

_ACCOUNT = 0  # the first character of an account's key becomes A
_HEADER = {"typ": "JWT", "alg": "ed25519-nkey"}


class Issuer:
    """Signs as an account. `seed` is 32 bytes."""

    def __init__(self, seed: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        raw = self._key.public_key().public_bytes(
            serialization.Encoding.Raw, serialization.PublicFormat.Raw
        )
        body = bytes([_ACCOUNT << 3]) + raw
        check = binascii.crc_hqx(body, 0).to_bytes(2, "little")  # CRC-16/XMODEM
        self.public = base64.b32encode(body + check).decode().rstrip("=")

    def sign(self, kind: str, subject: str, audience: str, nats: dict[str, Any]) -> str:
        """A token about `subject`; `nats` is what NATS adds to a JWT."""
        claims = {
            "iat": int(time.time()),
            "iss": self.public,
            "sub": subject,
            "aud": audience,
            "nats": nats | {"type": kind, "version": 2},
        }
        digest = hashlib.sha256(msgspec.json.encode(claims)).digest()
        claims["jti"] = base64.b32encode(digest).decode().rstrip("=")
        text = f"{_part(_HEADER)}.{_part(claims)}"
        return f"{text}.{_base64(self._key.sign(text.encode()))}"


def claims_of(token: bytes) -> dict[str, Any]:
    """What a token says; the signature is not looked at. Raises ValueError."""
    try:
        part = token.split(b".")[1]
        text = base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4))
        claims: dict[str, Any] = msgspec.json.decode(text, type=dict[str, Any])
    except (IndexError, binascii.Error, *UNREADABLE) as error:
        raise ValueError(f"no token: {error}") from error
    return claims


def _part(content: dict[str, Any]) -> str:
    return _base64(msgspec.json.encode(content))


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
