"""A PIN's verifier: what is kept in place of it, here and in every station's roster.

`salt:hash` in hex: 8 random bytes, and the first 16 of PBKDF2-HMAC-SHA256 over the six digits with
1000 rounds, which is what a station can do while the agent waits. The PIN itself is stored
nowhere, but whoever reads a verifier can try all 46 656 in 5.7 s of one core (hashlib, x86-64):
it is as much of a secret as the PIN. With `:until`, a second of UTC, it is that of a code for one
use, in place of which the agent chooses another.
"""

import hashlib
import hmac
import re
import secrets

from diadema.base.errors import DiademaError
from diadema.words import Sentence

ROUNDS = 1000
_SALT_BYTES, _HASH_BYTES = 8, 16
_PIN = re.compile(r"^[1-6]{6}\Z")  # the keys of a station
_RUNS = ("123456", "654321")


def check_pin(pin: str) -> None:
    """Raises DiademaError for what is no PIN, or one that anybody tries first."""
    if not _PIN.match(pin):
        raise DiademaError(Sentence("errors.site.pin_has_six_digits_each"))
    if pin in _RUNS or len(set(pin)) == 1:
        raise DiademaError(Sentence("errors.site.anybody_would_try_pin_first"))


def make_verifier(pin: str, salt: bytes | None = None) -> str:
    """`salt`: 8 bytes of the caller's, for samples that must always be the same. Raises
    DiademaError.
    """
    check_pin(pin)
    salt = secrets.token_bytes(_SALT_BYTES) if salt is None else salt
    return f"{salt.hex()}:{_derive(pin, salt).hex()}"


def random_pin() -> str:
    """One that nobody would try first."""
    while True:
        pin = "".join(secrets.choice("123456") for _ in range(6))
        if pin not in _RUNS and len(set(pin)) > 1:
            return pin


def for_one_use(code: str, until_s: int) -> str:
    return f"{make_verifier(code)}:{until_s}"


def until_of(verifier: str) -> int:
    """Of a code for one use; 0 for a PIN that the agent chose."""
    return int(verifier.split(":")[2]) if verifier.count(":") == 2 else 0


def wire(verifier: str) -> bytes:
    """As a station holds it."""
    salt_and_hash = bytes.fromhex("".join(verifier.split(":")[:2]))
    until = until_of(verifier)
    return salt_and_hash + (until.to_bytes(4, "big") if until else b"")


def unsealed(sealed: str, key: bytes) -> str | None:
    """The verifier that a station tells under its key: the salt, and the hash under a pad that the
    salt makes; None for what is none.
    """
    try:
        decoded = bytes.fromhex(sealed)
    except ValueError:
        return None
    salt, hidden = decoded[:_SALT_BYTES], decoded[_SALT_BYTES:]
    if len(hidden) != _HASH_BYTES:
        return None
    pad = hmac.digest(key, b"pin" + salt, hashlib.sha256)
    return f"{salt.hex()}:{bytes(a ^ b for a, b in zip(hidden, pad, strict=False)).hex()}"


def _derive(pin: str, salt: bytes) -> bytes:
    return hashlib.pbkdf2_hmac("sha256", pin.encode(), salt, ROUNDS, _HASH_BYTES)
