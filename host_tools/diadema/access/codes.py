"""One-use codes: the set-up's, which the hub prints, and a link from this machine into a page."""

from collections.abc import Callable

from sqlalchemy import Engine, delete, select

from diadema.access.database import accounts, codes
from diadema.access.secret import (
    as_typed,
    hashed,
    new_code,
    new_secret,
)
from diadema.base.sqlite import writing

_SET_UP = ""
_SET_UP_MS = 24 * 3600 * 1000
_ENTRY_MS = 10 * 60 * 1000


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
