"""The accounts themselves. Every change is recorded in the same transaction, and ends the sessions
that it takes something from.

Passwords: argon2id, and what makes one too weak.
"""

import re
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from msgspec import Struct
from sqlalchemy import Connection, Engine, delete, func, select, update

from diadema.access import audit
from diadema.access.codes import hashed, new_code
from diadema.access.database import accounts, sessions, subjects
from diadema.access.roles import PEOPLE_ROLES, PROVIDED_ROLES, Person, Role
from diadema.base.errors import DiademaError
from diadema.base.sqlite import writing
from diadema.site.directory.kinds import ACCOUNT
from diadema.words import Sentence

LEAST = 10
MOST = 256
_hasher = PasswordHasher(time_cost=3, memory_cost=32 * 1024, parallelism=1)


class WeakPassword(DiademaError):
    """`word` says why: short, long, same."""

    def __init__(self, word: str) -> None:
        self.word = word
        super().__init__(Sentence(f"accounts.weak.{word}", least=LEAST))


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


def fits(password_hash: str | None, password: str) -> bool:
    """As slow for an account that does not exist as for one that does."""
    try:
        return _hasher.verify(password_hash or _nobody(), password) and password_hash is not None
    except (VerificationError, InvalidHashError):
        return False


def random_password() -> str:
    """One for a first day, that can be read out to somebody."""
    return new_code().lower()


@cache
def _nobody() -> str:
    return make(new_code())


_ID = re.compile(ACCOUNT)


class AccountError(DiademaError):
    """`word` of the catalogue `accounts` says what is wrong."""

    def __init__(self, word: str, **values: object) -> None:
        self.word = word
        self.values = values
        super().__init__(Sentence(f"accounts.error.{word}", **values))


class Account(Struct, kw_only=True, frozen=True):
    """`issuer` and `subject` are of one that a provider of sign-on gave; None of a local one."""

    id: str
    name: str
    role: Role
    agent: str | None
    teams: list[str]
    language: str | None
    must_change: bool
    disabled: bool
    made_ms: int
    changed_ms: int
    issuer: str | None
    subject: str | None

    @property
    def person(self) -> Person:
        """Who acts in its name; of no session."""
        return Person(
            id=self.id, name=self.name, role=self.role, agent=self.agent,
            teams=frozenset(self.teams),
        )  # fmt: skip


_BOTH = accounts.outerjoin(subjects, subjects.c.account == accounts.c.id)
_FIELDS = [
    (subjects if name in ("issuer", "subject") else accounts).c[name]
    for name in Account.__struct_fields__
]


class Book:
    def __init__(self, engine: Engine, now: Callable[[], int]) -> None:
        self._engine = engine
        self._now = now

    def is_empty(self) -> bool:
        with self._engine.connect() as connection:
            return not connection.execute(select(1).select_from(accounts).limit(1)).first()

    def all(self) -> list[Account]:
        with self._engine.connect() as connection:
            query = select(*_FIELDS).select_from(_BOTH).order_by(accounts.c.id)
            found = connection.execute(query)
            return [Account(**row._mapping) for row in found]

    def get(self, account: str) -> Account:
        """Raises AccountError."""
        with self._engine.connect() as connection:
            return _get(connection, account)

    def proves(self, account: str, password: str) -> Account | None:
        """The account, if it is this password's and in use. Slow: never on the event loop."""
        where = (accounts.c.id == known_as(account)) & ~accounts.c.disabled
        with self._engine.connect() as connection:
            password_hash = connection.execute(select(accounts.c.password).where(where)).scalar()
        proved = fits(password_hash or None, password)  # a provider's account has none
        return self.get(known_as(account)) if proved else None

    def add(
        self,
        by: Person,
        account: str,
        name: str,
        role: Role,
        *,
        agent: str | None = None,
        teams: Iterable[str] = (),
        language: str | None = None,
        password: str | None = None,
        only_first: bool = False,
    ) -> str:
        """The password: the one given, or one that must be changed at the first login.

        `only_first`: there may be no account before it. Raises AccountError and WeakPassword.
        """
        account, name = known_as(account), name.strip()
        _check(account, name, role, agent)
        given = password or random_password()
        check(given, account)
        password_hash = make(given)
        with writing(self._engine) as tx:
            if only_first and tx.execute(select(1).select_from(accounts).limit(1)).first():
                raise AccountError("not_first")
            self._put(
                tx, by, account, language=language, password=password_hash,
                must_change=password is None, **_rights(name, role, agent, teams),
            )  # fmt: skip
        return given

    def provided(
        self,
        by: Person,
        issuer: str,
        subject: str,
        *,
        name: str,
        role: Role,
        agent: str | None,
        teams: Iterable[str],
    ) -> Account:
        """The account of this subject of this provider, as the provider says now who it is; made
        where there is none, and never one that somebody else made. Raises AccountError, also for
        one that is disabled.
        """
        of_subject = (subjects.c.issuer == issuer) & (subjects.c.subject == subject)
        values = _rights(name, role, agent, teams)
        with writing(self._engine) as tx:
            account = tx.execute(select(subjects.c.account).where(of_subject)).scalar()
            if account is None:
                # of nothing that one can choose: directories give teams to accounts by their ids
                account = f"oidc-{hashed(f'{issuer} {subject}')[:16]}"
                _check(account, name, role, agent, PROVIDED_ROLES)
                self._put(tx, by, account, language=None, password="", must_change=False, **values)
                row = {"issuer": issuer, "subject": subject, "account": account}
                tx.execute(subjects.insert(), row)
            elif (before := _get(tx, account)).disabled:
                raise AccountError("disabled")
            elif any(getattr(before, key) != new for key, new in values.items()):
                _check(account, name, role, agent, PROVIDED_ROLES)
                self._alter(tx, by, before, values)
            return _get(tx, account)

    def change(
        self,
        by: Person,
        account: str,
        *,
        name: str,
        role: Role,
        agent: str | None,
        teams: Iterable[str],
    ) -> None:
        """What the user may do. The sessions end, for they were of somebody else.

        Raises AccountError.
        """
        _check(account, name.strip(), role, agent)
        with writing(self._engine) as tx:
            before = _local(tx, account)
            self._alter(tx, by, before, _rights(name.strip(), role, agent, teams))

    def disable(self, by: Person, account: str, disabled: bool = True) -> None:
        """Raises AccountError, also for the last administrator."""
        with writing(self._engine) as tx:
            _get(tx, account)
            self._set(tx, account, disabled=disabled)
            _need_admin(tx)
            what = "accounts.disable" if disabled else "accounts.enable"
            audit.append(tx, self._now(), by, what, account=account)

    def reset(self, by: Person, account: str) -> str:
        """A new password that must be changed at the next login. Raises AccountError."""
        given = random_password()
        self.set_password(by, account, given, must_change=True)
        return given

    def set_password(
        self, by: Person, account: str, password: str, *, must_change: bool = False
    ) -> None:
        """Ends all sessions of the account. Raises AccountError and WeakPassword."""
        check(password, account)
        password_hash = make(password)
        with writing(self._engine) as tx:
            _local(tx, account)
            self._set(tx, account, password=password_hash, must_change=must_change)
            what = "accounts.reset" if must_change else "accounts.password"
            audit.append(tx, self._now(), by, what, account=account)

    def speak(self, account: str, language: str | None) -> None:
        """The language of the user's pages."""
        with writing(self._engine) as tx:
            where = accounts.c.id == account
            tx.execute(update(accounts).where(where).values(language=language))

    def _put(self, tx: Connection, by: Person, account: str, **values: Any) -> None:
        if tx.execute(select(1).where(accounts.c.id == account)).first():
            raise AccountError("taken", account=account)
        now = self._now()
        row = {"id": account, "disabled": False, "made_ms": now, "changed_ms": now, **values}
        tx.execute(accounts.insert(), row)
        fields = {key: row[key] for key in ("name", "role", "agent", "teams")}
        named = _of(row["agent"])
        audit.append(tx, now, by, "accounts.add", named, account=account, **fields)

    def _alter(self, tx: Connection, by: Person, before: Account, values: dict[str, Any]) -> None:
        self._set(tx, before.id, **values)
        _need_admin(tx)
        pairs = {key: [getattr(before, key), new] for key, new in values.items()}
        changed = {key: pair for key, pair in pairs.items() if pair[0] != pair[1]}
        named = _of(values["agent"])
        audit.append(tx, self._now(), by, "accounts.change", named, account=before.id, **changed)

    def _set(self, tx: Connection, account: str, **values: Any) -> None:
        where = accounts.c.id == account
        tx.execute(update(accounts).where(where).values(changed_ms=self._now(), **values))
        tx.execute(delete(sessions).where(sessions.c.account == account))


def known_as(typed: str) -> str:
    """An account's id as somebody typed it."""
    return typed.strip().lower()


def _of(agent: str | None) -> list[str]:
    return [agent] if agent else []


def _get(connection: Connection, account: str) -> Account:
    query = select(*_FIELDS).select_from(_BOTH).where(accounts.c.id == account)
    row = connection.execute(query).first()
    if row is None:
        raise AccountError("unknown", account=account)
    return Account(**row._mapping)


def _local(connection: Connection, account: str) -> Account:
    """One that is not a provider's, whose name and rights come from there at each login."""
    found = _get(connection, account)
    if found.issuer is not None:
        raise AccountError("provided")
    return found


def _rights(name: str, role: Role, agent: str | None, teams: Iterable[str]) -> dict[str, Any]:
    return {"name": name, "role": role, "agent": agent or None, "teams": sorted(set(teams))}


def _check(
    account: str,
    name: str,
    role: Role,
    agent: str | None,
    roles: tuple[Role, ...] = PEOPLE_ROLES,
) -> None:
    if not _ID.fullmatch(account):
        raise AccountError("bad_id")
    if not name or len(name) > 80 or not name.isprintable():
        raise AccountError("bad_name")
    if role not in roles:
        raise AccountError("bad_role", roles=", ".join(roles))
    if (role == "agent") != bool(agent):
        raise AccountError("agent_missing" if role == "agent" else "agent_too_much")


def _need_admin(tx: Connection) -> None:
    """Somebody must be able to let others in again."""
    left = select(func.count()).where((accounts.c.role == "admin") & ~accounts.c.disabled)
    if not tx.execute(left).scalar_one():
        raise AccountError("last_admin")
