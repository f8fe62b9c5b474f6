"""Sessions of browsers: a random secret in a cookie, kept here as a hash, and its two ends."""

from collections.abc import Callable, Collection
from typing import Any

from msgspec import Struct
from sqlalchemy import Engine, Row, Select, delete, select, update

from diadema.access.codes import hashed, new_secret
from diadema.access.database import accounts, sessions
from diadema.access.roles import Person
from diadema.base.sqlite import writing

IDLE_MS = 4 * 3600 * 1000
WHOLE_MS = 12 * 3600 * 1000
_TOUCH_MS = 60_000
_BROWSER = 200


class Session(Struct, kw_only=True, frozen=True):
    """One open session; `key` is its hash, which lets nobody in."""

    key: str
    account: str
    made_ms: int
    seen_ms: int
    until_ms: int
    address: str
    browser: str


class Sessions:
    def __init__(self, engine: Engine, now: Callable[[], int]) -> None:
        self._engine = engine
        self._now = now

    def begin(self, account: str, address: str, browser: str = "") -> str:
        """The secret for the cookie. Sessions that are over are cleared away."""
        secret, now = new_secret(), self._now()
        with writing(self._engine) as tx:
            over = (sessions.c.until_ms <= now) | (sessions.c.seen_ms <= now - IDLE_MS)
            tx.execute(delete(sessions).where(over))
            row = {
                "hash": hashed(secret), "account": account, "made_ms": now, "seen_ms": now,
                "until_ms": now + WHOLE_MS, "address": address, "browser": browser[:_BROWSER],
            }  # fmt: skip
            tx.execute(sessions.insert(), row)
        return secret

    def person(self, secret: str, address: str) -> Person | None:
        """Who came with this cookie; keeps the session from idling out."""
        key, now = hashed(secret), self._now()
        with self._engine.connect() as connection:
            found = connection.execute(_of(now).where(sessions.c.hash == key)).first()
        if found is None:
            return None
        if now - found.seen_ms >= _TOUCH_MS:
            with writing(self._engine) as tx:
                tx.execute(update(sessions).where(sessions.c.hash == key).values(seen_ms=now))
        return _person(found, address)

    def again(self, person: Person) -> Person | None:
        """The same person as of now, or None when the session is over."""
        with self._engine.connect() as connection:
            query = _of(self._now()).where(sessions.c.hash == person.session)
            found = connection.execute(query).first()
        return None if found is None else _person(found, person.address)

    def open(self, keys: Collection[str]) -> set[str]:
        """Which of these still are."""
        query = _of(self._now()).where(sessions.c.hash.in_(keys))
        with self._engine.connect() as connection:
            return {row.hash for row in connection.execute(query)}

    def all(self, account: str | None = None) -> list[Session]:
        """Open ones, the newest first."""
        query = _of(self._now()).order_by(sessions.c.made_ms.desc())
        if account is not None:
            query = query.where(sessions.c.account == account)
        with self._engine.connect() as connection:
            return [
                Session(
                    key=row.hash, account=row.account, made_ms=row.made_ms, seen_ms=row.seen_ms,
                    until_ms=row.until_ms, address=row.address, browser=row.browser,
                )
                for row in connection.execute(query)
            ]  # fmt: skip

    def end(self, key: str) -> None:
        with writing(self._engine) as tx:
            tx.execute(delete(sessions).where(sessions.c.hash == key))


def _of(now: int) -> Select[Any]:
    joined = sessions.join(accounts, accounts.c.id == sessions.c.account)
    lives = (sessions.c.until_ms > now) & (sessions.c.seen_ms > now - IDLE_MS)
    who = accounts.c
    return (
        select(sessions, who.name, who.role, who.agent, who.teams, who.language, who.must_change)
        .select_from(joined)
        .where(lives & ~accounts.c.disabled)
    )


def _person(row: Row[Any], address: str) -> Person:
    return Person(
        id=row.account, name=row.name, role=row.role, agent=row.agent, teams=frozenset(row.teams),
        language=row.language, session=row.hash, address=address, must_change=row.must_change,
    )  # fmt: skip
