"""Random secrets that let somebody in, the hash by which they are known again, and one-use codes:
the set-up's, which the hub prints, and a link from this machine into a page.

Secrets have 128 bits or are short-lived and throttled, so a plain SHA-256 is enough for them.
"""

import hashlib
import secrets
from collections.abc import Callable

from sqlalchemy import Engine, delete, select

from diadema.access.database import accounts, codes
from diadema.base.sqlite import writing

_CODE = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's: none looks like another
_MISREAD = str.maketrans("OIL", "011")
_SET_UP = ""
_SET_UP_MS = 24 * 3600 * 1000
_ENTRY_MS = 10 * 60 * 1000


def new_secret() -> str:
    return secrets.token_urlsafe(24)


def new_code() -> str:
    """Twelve characters (60 bits) that a person can type."""
    drawn = "".join(secrets.choice(_CODE) for _ in range(12))
    return "-".join((drawn[:4], drawn[4:8], drawn[8:]))


def as_typed(code: str) -> str:
    """The code without what people change when they copy it."""
    signs = "".join(sign for sign in code.upper() if sign.isalnum()).translate(_MISREAD)
    return "-".join((signs[:4], signs[4:8], signs[8:]))


def hashed(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


class Codes:
    def __init__(self, engine: Engine, now: Callable[[], int]) -> None:
        self._engine = engine
        self._now = now

    def set_up(self) -> str:
        """A new code to make the first administrator with; the one before it is void."""
        code = new_code()
        with writing(self._engine) as tx:
            tx.execute(delete(codes).where(codes.c.account == _SET_UP))
            tx.execute(codes.insert(), self._row(code, _SET_UP, _SET_UP_MS))
        return code

    def sets_up(self, typed: str) -> bool:
        """Whether it is that code, while there is no account. It stays good until there is one."""
        where = (codes.c.hash == hashed(as_typed(typed))) & (codes.c.account == _SET_UP)
        lives = codes.c.until_ms > self._now()
        with self._engine.connect() as connection:
            nobody = not connection.execute(select(1).select_from(accounts).limit(1)).first()
            return nobody and bool(connection.execute(select(1).where(where & lives)).first())

    def entry(self, account: str) -> str:
        """Lets one browser of this machine in as that account, once, within ten minutes."""
        code = new_secret()
        with writing(self._engine) as tx:
            tx.execute(codes.insert(), self._row(code, account, _ENTRY_MS))
        return code

    def enters(self, code: str) -> str | None:
        """The account, and the code is used up."""
        with writing(self._engine) as tx:
            tx.execute(delete(codes).where(codes.c.until_ms <= self._now()))
            where = (codes.c.hash == hashed(code)) & (codes.c.account != _SET_UP)
            account: str | None = tx.execute(select(codes.c.account).where(where)).scalar()
            tx.execute(delete(codes).where(where))
        return account

    def _row(self, code: str, account: str, ms: int) -> dict[str, object]:
        return {"hash": hashed(code), "account": account, "until_ms": self._now() + ms}
