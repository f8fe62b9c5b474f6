"""Signed updates for simulated stations: the key is made for the run and is nobody's."""

import hashlib
import json
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

PART = 480  # bytes of the bundle in a command


class Signer:
    def __init__(self) -> None:
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=3072)

    @property
    def update_key(self) -> str:
        """As the configuration has it."""
        modulus = self._key.public_key().public_numbers().n
        return b64encode(modulus.to_bytes(384)).decode()

    def bundle(self, body: bytes, **manifest: Any) -> bytes:
        """`manifest`: board, version, made, or what shall be wrong in it."""
        told = {
            "board": "sim", "version": "2", "length": len(body), "made": 2_000_000_000,
            "sha256": hashlib.sha256(body).hexdigest(), "micropython": "1.23", **manifest,
        }  # fmt: skip
        line = json.dumps(told).encode()
        signature = self._key.sign(line, padding.PKCS1v15(), SHA256())
        return line + b"\n" + b64encode(signature) + b"\n" + body


def parts(bundle: bytes) -> Iterator[dict[str, Any]]:
    """The commands that bring it, without their number, in order."""
    count = -(-len(bundle) // PART)
    digest = hashlib.sha256(bundle).hexdigest()
    for part in range(count):
        data = b64encode(bundle[part * PART : (part + 1) * PART]).decode()
        yield {"cmd": "update", "sha256": digest, "part": part + 1, "parts": count, "data": data}
