"""Who is asking, and what that role may do. Every page, stream and API call goes by this table."""

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct, field

from diadema.directory.people import People

type Role = Literal["agent", "supervisor", "monitor", "hr", "technician", "admin"]
type Right = Literal[
    "floor",  # the live floor
    "figures",  # calls, times and codes of agents
    "attendance",  # marks, lateness, sessions
    "register",  # the register of supervision actions
    "act",  # to act on agents and stations
    "correct",  # to correct or justify a mark
    "people",  # to read and change people and places
    "fleet",  # stations as things
    "accounts",  # accounts and tokens
    "audit",  # who read what
    "own",  # one's own day
]

RIGHTS: Mapping[Role, frozenset[Right]] = {
    "agent": frozenset({"own"}),
    "supervisor": frozenset({"floor", "figures", "attendance", "register", "act", "correct"}),
    "monitor": frozenset({"floor", "figures", "register"}),
    "hr": frozenset({"attendance", "correct"}),
    "technician": frozenset({"fleet"}),
    "admin": frozenset(
        {
            "floor", "figures", "attendance", "register", "act", "correct", "people", "fleet",
            "accounts", "audit",
        }
    ),
}  # fmt: skip


class Person(Struct, kw_only=True, frozen=True):
    """An account that is logged in, or a token. `agent`: the id of an asesor's own; `teams`: of a
    supervisor or monitor; empty teams of a supervisor are none, of the others all.
    """

    id: str
    name: str
    role: Role
    agent: str | None = None
    teams: frozenset[str] = field(default_factory=frozenset)
    language: str | None = None

    def may(self, right: Right) -> bool:
        return right in RIGHTS[self.role]

    def sees(self, agent: str, people: People) -> bool:
        """Whether this agent's figures are among what he may see at all."""
        if self.role == "agent":
            return agent == self.agent
        if self.role == "technician":
            return False
        if self.role == "supervisor" or self.teams:
            return people.team(agent) in self.teams
        return True
