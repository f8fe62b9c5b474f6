"""Random secrets that let somebody in, and the hash by which they are known again.

They have 128 bits or are short-lived and throttled, so a plain SHA-256 keeps them.
"""

import hashlib
import secrets

_CODE = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's: none looks like another
_MISREAD = str.maketrans("OIL", "011")


def new_secret() -> str:
    return secrets.token_urlsafe(24)


def new_code() -> str:
    """Twelve characters (60 bits) that a person can type."""
    drawn = "".join(secrets.choice(_CODE) for _ in range(12))
    return "-".join((drawn[:4], drawn[4:8], drawn[8:]))


def as_typed(code: str) -> str:
    """The code without what people change when they copy it."""
    kept = "".join(sign for sign in code.upper() if sign.isalnum()).translate(_MISREAD)
    return "-".join((kept[:4], kept[4:8], kept[8:]))


def hashed(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
