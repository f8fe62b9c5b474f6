"""The key by which a hub signs records of its stations (Ed25519, made at its first use), and the
form of such a record: JSON, with the signature and the signer's public key beside what is signed.
"""

import contextlib
import hashlib
import json
import os
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any

import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from msgspec import Struct

from diadema.base.errors import DiademaError, why
from diadema.base.paths import DataDir, cannot_write, write_whole
from diadema.words import Sentence

_RAW = serialization.Encoding.Raw, serialization.PublicFormat.Raw


class HubKey:
    """The private key of one data directory."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key

    @property
    def public(self) -> str:
        return _text(self._key.public_key())

    def sign(self, message: bytes) -> str:
        return b64encode(self._key.sign(message)).decode().rstrip("=")


def load_or_make(data: DataDir) -> HubKey:
    """The key of the data directory, made at its first use, once also by two at a time. Raises
    DiademaError.
    """
    if (known := load(data)) is not None:
        return known
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    new = data.inspection_key.with_name(f".{data.inspection_key.name}.{os.getpid()}.new")
    try:
        write_whole(new, pem, 0o600)
        with contextlib.suppress(FileExistsError):
            os.link(new, data.inspection_key)
        new.unlink()
    except OSError as error:
        raise cannot_write(data.inspection_key, error) from error
    return load(data) or HubKey(key)


def load(data: DataDir) -> HubKey | None:
    """The key of the data directory; None before its first use. Raises DiademaError."""
    path = data.inspection_key
    try:
        if os.name == "posix" and path.stat().st_mode & 0o077:
            raise DiademaError(Sentence("errors.access.path_can_read_others_run", path=path))
        key = serialization.load_pem_private_key(path.read_bytes(), None)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise DiademaError(
            Sentence("errors.stations.cannot_read_path_error_restore", path=path, error=error)
        ) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise DiademaError(Sentence("errors.stations.path_no_ed25519_key_restore", path=path))
    return HubKey(key)


def public_of(data: DataDir, file: Path | None) -> str:
    """What records are checked against: the key in `file`, else the hub's own. Raises
    DiademaError.
    """
    if file is None:
        known = load(data)
        if known is None:
            raise DiademaError(Sentence("errors.stations.hub_on_root_has_signed", root=data.root))
        return known.public
    try:
        public = file.read_text("ascii").strip()
    except (OSError, ValueError) as error:
        raise DiademaError(
            Sentence("errors.cli.cannot_read_file_reason", file=file, reason=error)
        ) from error
    if _key(public) is None:
        raise DiademaError(Sentence("errors.stations.file_no_public_key_diadema", file=file))
    return public


def is_signed(message: bytes, signature: str, public: str) -> bool:
    key = _key(public)
    if key is None:
        return False
    try:
        key.verify(b64decode(signature + "=" * (-len(signature) % 4), validate=True), message)
    except (InvalidSignature, ValueError):
        return False
    return True


def fingerprint(public: str) -> str:
    """A short form to compare by eye."""
    digest = hashlib.sha256(public.encode()).hexdigest()[:16]
    return " ".join(digest[at : at + 4] for at in range(0, 16, 4))


def _text(key: Ed25519PublicKey) -> str:
    return b64encode(key.public_bytes(*_RAW)).decode()


def _key(public: str) -> Ed25519PublicKey | None:
    try:
        return Ed25519PublicKey.from_public_bytes(b64decode(public, validate=True))
    except ValueError:
        return None


def statement(**parts: Any) -> bytes:
    """The bytes that are signed: the parts by name, as JSON with sorted keys, in ASCII, without
    spaces. Each kind of record has other names, so that none passes for another.
    """
    plain = {name: msgspec.to_builtins(part) for name, part in parts.items()}
    return json.dumps(plain, sort_keys=True, separators=(",", ":")).encode()


def written(signed: Struct) -> bytes:
    plain = msgspec.to_builtins(signed)
    return json.dumps(plain, indent=1, ensure_ascii=False).encode() + b"\n"


def read[T: Struct](file: Path, kind: type[T], command: str) -> T:
    """`command`: who makes such files. Raises DiademaError."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=kind)
    except OSError as error:
        raise DiademaError(
            Sentence("errors.cli.cannot_read_file_reason", file=file, reason=why(error))
        ) from error
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise DiademaError(
            Sentence(
                "errors.stations.file_no_record_command_error",
                file=file,
                command=command,
                error=error,
            )
        ) from error
