"""Sessions of browsers: a random secret in a cookie, kept here as a hash, and its two ends.

One-use codes: the set-up's, which the hub prints, and a link from this machine into a page.

Browsers that an account was let in with: each keeps a sealed cookie by which it is known, so
that others' guesses at that account do not keep it out. It lets nobody in.

Random secrets that let somebody in, and the hash by which they are known again.

They have 128 bits or are short-lived and throttled, so a plain SHA-256 keeps them.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable, Collection
from typing import Any

from msgspec import Struct
from sqlalchemy import Engine, Row, Select, delete, select, update
from starlette.requests import Request
from starlette.responses import Response

from diadema.access.authenticator import is_secure
from diadema.access.database import accounts, codes, sessions, writing
from diadema.access.roles import Person

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
        """Who came with this cookie; keeps his session from idling out."""
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
        """The same person as he is now, or None when his session is over."""
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

    def end_all(self, account: str) -> None:
        with writing(self._engine) as tx:
            tx.execute(delete(sessions).where(sessions.c.account == account))


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


DEVICE_COOKIE = "diadema_device"
_AGE_S = 180 * 86_400


def known_device(request: Request, key: str, account: str) -> str:
    """The device's name, if its cookie is one of this account; else empty."""
    name, _, seal = request.cookies.get(DEVICE_COOKIE, "").partition(".")
    if not name.isalnum() or len(name) > 64:
        return ""
    right = hmac.compare_digest(seal.encode("utf-8", "replace"), _seal(key, account, name))
    return name if right else ""


def know_device(request: Request, answer: Response, key: str, account: str) -> None:
    """Put a cookie on the answer to a right login, the same where there is one."""
    name = known_device(request, key, account) or secrets.token_hex(16)
    value = f"{name}.{_seal(key, account, name).decode()}"
    secure = is_secure(request.scope)
    answer.set_cookie(
        DEVICE_COOKIE, value, _AGE_S, path="/login", secure=secure, httponly=True,
        samesite="strict",
    )  # fmt: skip


def _seal(key: str, account: str, name: str) -> bytes:
    content = f"device:{account}:{name}".encode()
    return hmac.digest(key.encode(), content, "sha256").hex().encode()
