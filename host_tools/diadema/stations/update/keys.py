"""The key that signs updates: RSA-3072, for a station checks one with a single power. The private
part stays in one file of the machine that signs; stations are told the public one.
"""

import hashlib
import os
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from diadema.base.errors import UpdateError, why
from diadema.base.paths import write_whole
from diadema.words import Sentence

BITS = 3072
EXPONENT = 65537
_BYTES = BITS // 8


@dataclass(frozen=True)
class PublicKey:
    """A public key by its modulus, which is all that a station keeps of it."""

    modulus: bytes

    @property
    def text(self) -> str:
        """As the configuration tells it (`update_key`), and a public file holds it."""
        return b64encode(self.modulus).decode()

    @property
    def fingerprint(self) -> str:
        """A short form to compare by eye."""
        digest = hashlib.sha256(self.modulus).hexdigest()[:32]
        return " ".join(digest[at : at + 4] for at in range(0, 32, 4))

    def signed(self, message: bytes, signature: bytes) -> bool:
        key = rsa.RSAPublicNumbers(EXPONENT, int.from_bytes(self.modulus)).public_key()
        try:
            key.verify(signature, message, padding.PKCS1v15(), SHA256())
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True)
class PrivateKey:
    key: rsa.RSAPrivateKey

    @property
    def public(self) -> PublicKey:
        return PublicKey(self.key.public_key().public_numbers().n.to_bytes(_BYTES))

    def sign(self, message: bytes) -> bytes:
        return self.key.sign(message, padding.PKCS1v15(), SHA256())


def generate() -> PrivateKey:
    return PrivateKey(rsa.generate_private_key(public_exponent=EXPONENT, key_size=BITS))


def make(path: Path, passphrase: str | None = None) -> PublicKey:
    """A new key in `path` (mode 0600), its public part beside it as `.pub`. Raises UpdateError
    when there is one.
    """
    if path.exists():
        raise UpdateError(Sentence("errors.stations.there_key_path_stations_trust", path=path))
    key = generate()
    how: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if passphrase:
        how = serialization.BestAvailableEncryption(passphrase.encode())
    form = serialization.PrivateFormat.PKCS8
    try:
        written = key.key.private_bytes(serialization.Encoding.PEM, form, how)
        write_whole(path, written, 0o600)
        write_whole(public_path(path), key.public.text.encode() + b"\n")
    except OSError as error:
        raise UpdateError(
            Sentence("errors.cli.cannot_write_output_reason", output=path, reason=why(error))
        ) from error
    return key.public


def public_path(path: Path) -> Path:
    return path.with_name(path.name + ".pub")


def load(path: Path, passphrase: str | None = None) -> PrivateKey:
    """The private key of a file. Raises UpdateError; NeedsPassphrase when the file has one."""
    try:
        mode, data = path.stat().st_mode, path.read_bytes()
    except OSError as error:
        raise UpdateError(
            Sentence("errors.cli.cannot_read_file_reason", file=path, reason=why(error))
        ) from error
    if _is_public(data):
        beside = Sentence("errors.stations.file_beside")
        private = path.with_suffix("") if path.suffix == ".pub" else beside
        raise UpdateError(
            Sentence("errors.stations.path_public_half_key_which", path=path, private=private)
        )
    if os.name == "posix" and mode & 0o077:
        raise UpdateError(Sentence("errors.access.path_can_read_others_run", path=path))
    try:
        key = serialization.load_pem_private_key(data, passphrase.encode() if passphrase else None)
    except TypeError:
        raise NeedsPassphrase(Sentence("errors.stations.path_has_passphrase", path=path)) from None
    except (ValueError, UnsupportedAlgorithm) as error:
        word = "is_passphrase_right" if passphrase else "keys_make"
        what = Sentence(f"errors.stations.{word}")
        raise UpdateError(
            Sentence("errors.stations.path_no_private_key_can", path=path, what=what)
        ) from error
    if not isinstance(key, rsa.RSAPrivateKey) or key.key_size != BITS:
        raise UpdateError(Sentence("errors.stations.path_no_rsa_bits_key", path=path, bits=BITS))
    if key.public_key().public_numbers().e != EXPONENT:
        raise UpdateError(
            Sentence(
                "errors.stations.path_has_another_exponent_than", path=path, exponent=EXPONENT
            )
        )
    return PrivateKey(key)


def _is_public(data: bytes) -> bool:
    try:
        parse_public(data.decode("ascii"))
    except ValueError:
        return False
    return True


class NeedsPassphrase(UpdateError):
    """The file is encrypted."""


def load_public(path: Path) -> PublicKey:
    """The key of a `.pub` file. Raises UpdateError."""
    try:
        return parse_public(path.read_text("ascii"))
    except OSError as error:
        raise UpdateError(
            Sentence("errors.cli.cannot_read_file_reason", file=path, reason=why(error))
        ) from error
    except ValueError as error:
        raise UpdateError(
            Sentence("errors.stations.path_no_public_key_diadema", path=path, error=error)
        ) from error


def parse_public(text: str) -> PublicKey:
    """The key of a text as `PublicKey.text` gives it. Raises ValueError."""
    try:
        modulus = b64decode(text.strip(), validate=True)
    except Base64Error as error:
        raise ValueError("it is not base64") from error
    if len(modulus) != _BYTES or not modulus[0] & 0x80 or not modulus[-1] & 1:
        raise ValueError(f"it is not a modulus of {BITS} bits")
    return PublicKey(modulus)
