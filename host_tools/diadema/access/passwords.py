"""Passwords: argon2id, and what makes one too weak."""

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from diadema.access.secret import new_code
from diadema.base.errors import DiademaError

LEAST = 10
MOST = 256
_hasher = PasswordHasher(time_cost=3, memory_cost=32 * 1024, parallelism=1)


class WeakPassword(DiademaError):
    """`word` says why: short, long, same."""

    def __init__(self, word: str) -> None:
        self.word = word
        super().__init__(f"a password has {LEAST} to {MOST} characters, not all the same ({word})")


def check(password: str, account: str) -> None:
    """Raises WeakPassword."""
    if len(password) < LEAST:
        raise WeakPassword("short")
    if len(password) > MOST:
        raise WeakPassword("long")
    if len(set(password)) < 5 or password.casefold() == account.casefold():
        raise WeakPassword("same")


def make(password: str) -> str:
    """What is kept of it. Takes tens of milliseconds and 32 MB, on purpose."""
    return _hasher.hash(password)


def fits(kept: str | None, password: str) -> bool:
    """As slow for an account that does not exist as for one that does."""
    try:
        return _hasher.verify(kept or _nobody(), password) and kept is not None
    except (VerificationError, InvalidHashError):
        return False


def random_password() -> str:
    """One for a first day, that can be read out to somebody."""
    return new_code().lower()


@cache
def _nobody() -> str:
    return make(new_code())
