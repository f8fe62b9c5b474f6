"""Tokens of programs: shown once, kept as a hash, each with a name, a role and an end."""

import re
from collections.abc import Callable, Collection, Iterable
from typing import Any

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import ColumnElement, Engine, Row, select, update

from diadema.access import audit
from diadema.access.book import AccountError
from diadema.access.codes import hashed, new_secret
from diadema.access.database import tokens
from diadema.access.roles import TOKEN, TOKEN_ROLES, Person, Role
from diadema.base.sqlite import writing

PREFIX = "dia_"
MOST_DAYS = 730
_DAY_MS = 86_400_000
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,31}")


class Token(Struct, kw_only=True, frozen=True):
    number: int
    name: str
    role: Role
    teams: list[str]
    by: str
    made_ms: int
    until_ms: int
    revoked_ms: int | None


_FIELDS = [tokens.c[name] for name in Token.__struct_fields__]


class Tokens:
    def __init__(self, engine: Engine, now: Callable[[], int]) -> None:
        self._engine = engine
        self._now = now

    def add(
        self, by: Person, name: str, role: Role, *, days: int = 365, teams: Iterable[str] = ()
    ) -> str:
        """The token itself, which is never shown again. Raises AccountError."""
        if not _NAME.fullmatch(name):
            raise AccountError("bad_id")
        if role not in TOKEN_ROLES:
            raise AccountError("bad_role", roles=", ".join(TOKEN_ROLES))
        if not 1 <= days <= MOST_DAYS:
            raise AccountError("bad_days", most=MOST_DAYS)
        secret, now = PREFIX + new_secret(), self._now()
        row = {
            "hash": hashed(secret), "name": name, "role": role, "teams": sorted(set(teams)),
            "by": by.id, "made_ms": now, "until_ms": now + days * _DAY_MS,
        }  # fmt: skip
        with writing(self._engine) as tx:
            lives = (tokens.c.name == name) & tokens.c.revoked_ms.is_(None)
            if tx.execute(select(1).where(lives & (tokens.c.until_ms > now))).first():
                raise AccountError("taken", account=name)
            tx.execute(tokens.insert(), row)
            audit.append(tx, now, by, "tokens.add", token=name, role=role, teams=row["teams"])
        return secret

    def person(self, secret: str, address: str) -> Person | None:
        """Whose token this is, while it is in force."""
        query = select(tokens).where(tokens.c.hash == hashed(secret), self._in_force())
        with self._engine.connect() as connection:
            row = connection.execute(query).first()
        return None if row is None else replace(_person(row), session=row.hash, address=address)

    def named(self, name: str) -> Person | None:
        """Who acts in the name of that token, while one of it is in force."""
        query = select(tokens).where(tokens.c.name == name, self._in_force())
        with self._engine.connect() as connection:
            row = connection.execute(query).first()
        return None if row is None else _person(row)

    def open(self, keys: Collection[str]) -> set[str]:
        """Which of these, by their hashes, are in force."""
        query = select(tokens.c.hash).where(tokens.c.hash.in_(keys), self._in_force())
        with self._engine.connect() as connection:
            return set(connection.execute(query).scalars())

    def all(self) -> list[Token]:
        """Also those that are over, the newest first."""
        query = select(*_FIELDS).order_by(tokens.c.number.desc())
        with self._engine.connect() as connection:
            return [Token(**row._mapping) for row in connection.execute(query)]

    def revoke(self, by: Person, number: int) -> None:
        """Raises AccountError."""
        now = self._now()
        with writing(self._engine) as tx:
            name = tx.execute(select(tokens.c.name).where(tokens.c.number == number)).scalar()
            if name is None:
                raise AccountError("unknown", account=number)
            where = (tokens.c.number == number) & tokens.c.revoked_ms.is_(None)
            tx.execute(update(tokens).where(where).values(revoked_ms=now))
            audit.append(tx, now, by, "tokens.revoke", token=name)

    def _in_force(self) -> ColumnElement[bool]:
        return tokens.c.revoked_ms.is_(None) & (tokens.c.until_ms > self._now())


def _person(row: Row[Any]) -> Person:
    return Person(
        id=f"{TOKEN}{row.name}", name=row.name, role=row.role, teams=frozenset(row.teams)
    )
