"""The provider of OpenID Connect by which people may sign on: what an administrator has set of it,
and which role one of its claims gives. Never an administrator's, who always has a local account.
"""

from collections.abc import Callable, Mapping
from typing import Any, Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, Engine, delete, select
from sqlalchemy.exc import IntegrityError

from diadema.access import audit
from diadema.access.codes import hashed
from diadema.access.database import provider, returns
from diadema.access.roles import PROVIDED_ROLES, Person, Role
from diadema.base.errors import DiademaError
from diadema.base.sqlite import writing
from diadema.words import Sentence

ALGORITHMS = ("RS256", "ES256")  # none that a client's secret or a public key could sign with
_ONLY = 1  # the number of the one row


class Grant(Struct, kw_only=True, frozen=True):
    """What a value of the claim gives."""

    role: Role
    teams: list[str] = []


class Provider(Struct, kw_only=True, frozen=True):
    """`grants` by the value of the claim `claim`, of which the first that fits is given. The claim
    `agent_claim` has an asesor's own id. `ca`: the PEM of its authorities, where they are not the
    system's.
    """

    issuer: str
    client_id: str
    name: str  # on the login page
    claim: str
    grants: dict[str, Grant]
    algorithm: Literal["RS256", "ES256"] = "RS256"
    agent_claim: str = ""
    ca: str = ""

    def check(self) -> None:
        """Raises DiademaError for what nobody could sign on with, or an administrator could."""
        if not is_https(self.issuer) or urlsplit(self.issuer).query:
            raise DiademaError(Sentence("errors.access.provider_issuer", issuer=self.issuer))
        if not (self.client_id and self.name.strip() and self.claim and self.grants):
            raise DiademaError(Sentence("errors.access.provider_incomplete"))
        if self.algorithm not in ALGORITHMS:
            raise DiademaError(
                Sentence("errors.access.provider_algorithm", known=", ".join(ALGORITHMS))
            )
        roles = {grant.role for grant in self.grants.values()}
        if not roles <= set(PROVIDED_ROLES):
            raise DiademaError(
                Sentence("errors.access.provider_role", known=", ".join(PROVIDED_ROLES))
            )
        if "agent" in roles and not self.agent_claim:
            raise DiademaError(Sentence("errors.access.provider_agent"))

    def grant(self, claims: Mapping[str, Any]) -> Grant | None:
        """By what the provider says of somebody; None where that gives no role."""
        held = claims.get(self.claim)
        values = held if isinstance(held, list) else [held]
        fits = (grant for value, grant in self.grants.items() if value in values)
        return next((one for one in fits if one.role in PROVIDED_ROLES), None)


def is_https(url: object) -> bool:
    """Whether it is an address of another machine under TLS."""
    try:
        parts = urlsplit(url) if isinstance(url, str) else None
    except ValueError:
        return False
    return parts is not None and parts.scheme == "https" and bool(parts.hostname)


class Providers:
    """The one that is set, and which returns from it have been used."""

    def __init__(self, engine: Engine, now: Callable[[], int]) -> None:
        self._engine = engine
        self._now = now

    def get(self) -> Provider | None:
        with self._engine.connect() as connection:
            return _stored(connection)

    def set(self, by: Person, new: Provider) -> None:
        """In the place of the one before; accounts of another issuer stay, and cannot log in.

        Raises DiademaError.
        """
        new.check()
        row = {"number": _ONLY, "settings": msgspec.to_builtins(new)}
        with writing(self._engine) as tx:
            tx.execute(delete(provider))
            tx.execute(provider.insert(), row)
            values = ["/".join([value, one.role, *one.teams]) for value, one in new.grants.items()]
            audit.append(
                tx, self._now(), by, "provider.set", issuer=new.issuer, client=new.client_id,
                algorithm=new.algorithm, claim=new.claim, grants=values,
            )  # fmt: skip

    def remove(self, by: Person) -> None:
        """Nobody signs on by it any more. Raises DiademaError when there is none."""
        with writing(self._engine) as tx:
            known = _stored(tx)
            if known is None:
                raise DiademaError(Sentence("errors.access.provider_none"))
            tx.execute(delete(provider))
            audit.append(tx, self._now(), by, "provider.remove", issuer=known.issuer)

    def use(self, state: str, until_ms: int) -> bool:
        """Whether this is the first return with that state, which is good until then."""
        now = self._now()
        try:
            with writing(self._engine) as tx:
                tx.execute(delete(returns).where(returns.c.until_ms <= now))
                tx.execute(returns.insert(), {"hash": hashed(state), "until_ms": until_ms})
        except IntegrityError:
            return False
        return True


def _stored(connection: Connection) -> Provider | None:
    found = connection.execute(select(provider.c.settings)).scalar()
    return None if found is None else msgspec.convert(found, Provider)
