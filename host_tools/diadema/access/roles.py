"""Who is asking, and what that role may do. Every page, stream and API call goes by this table."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from msgspec import Struct, field

from diadema.site.directory.people import People
from diadema.site.help_line import HelpCall
from diadema.store.assistance import TicketCase
from diadema.store.register import Reprimands

type Role = Literal[
    "agent", "supervisor", "monitor", "quality_lead", "hr", "technician", "area", "admin",
    "switch", "standby", "service", "nobody",
]  # fmt: skip
TOKEN = "token:"  # before the name of one, as an id
type Right = Literal[
    "floor",  # the live floor
    "figures",  # calls, times and codes of agents
    "attendance",  # marks, lateness, sessions
    "register",  # the register of supervision actions
    "reprimands",  # those of agents whom one sees: supervisors' and human resources' alone
    "annul",  # entries of the register that others made
    "act",  # to act on agents and stations
    "correct",  # to correct or justify a mark
    "people",  # to read and change people and places
    "fleet",  # stations as things
    "help",  # requests for help: to take, pass on and solve them
    "tickets",  # faults: to take, assign and solve them
    "area",  # the tickets of an area that one works for, and nobody's figures
    "accounts",  # accounts and tokens
    "audit",  # who read what
    "command",  # what a telephone exchange may tell a station
    "listen",  # to calls of agents whom one sees, for a purpose
    "evaluate",  # the calls that one is assigned
    "quality",  # scorecards, draws, pairs that differ, and what monitors do
    "cases",  # the calls that the quality lead opens to a case of human resources
    "notices",  # who was informed that calls are recorded and heard, and the papers that say so
    "own",  # one's own day
    "copy",  # all of it: the stream and sealed backups
]

_SUPERVISOR: frozenset[Right] = frozenset(
    {
        "floor", "figures", "attendance", "register", "reprimands", "act", "correct", "help",
        "tickets", "listen",
    }
)  # fmt: skip
_MONITOR: frozenset[Right] = frozenset({"floor", "figures", "register", "help", "evaluate"})
_ADMIN: frozenset[Right] = frozenset(
    {
        "floor", "figures", "attendance", "register", "annul", "act", "correct", "people",
        "fleet", "accounts", "audit", "help", "tickets",
    }
)  # fmt: skip
RIGHTS: Mapping[Role, frozenset[Right]] = {
    "agent": frozenset({"own"}),
    "supervisor": _SUPERVISOR,
    "monitor": _MONITOR,
    "quality_lead": _MONITOR | {"listen", "quality", "notices"},
    "hr": frozenset({"attendance", "correct", "reprimands", "annul", "notices", "cases"}),
    "technician": frozenset({"fleet", "tickets"}),
    "area": frozenset({"area"}),
    "admin": _ADMIN,
    "switch": frozenset({"command", "fleet"}),  # of tokens only
    "standby": frozenset({"copy"}),  # of tokens only, too
    "service": _ADMIN | {"command"},  # the hub's own token, and no account's
    "nobody": frozenset(),
}
PEOPLE_ROLES: tuple[Role, ...] = (
    "agent", "supervisor", "monitor", "quality_lead", "hr", "technician", "area", "admin",
)  # fmt: skip
# a provider of sign-on gives any but the one that could change its own rights
PROVIDED_ROLES: tuple[Role, ...] = tuple(one for one in PEOPLE_ROLES if one != "admin")
TOKEN_ROLES: tuple[Role, ...] = (
    "supervisor", "monitor", "hr", "technician", "admin", "switch", "standby",
)  # fmt: skip
_BY_EAR: frozenset[Right] = frozenset({"listen", "evaluate", "cases"})  # no program's
_SEES_NOBODY = ("agent", "technician", "area", "switch", "standby", "nobody")


class Person(Struct, kw_only=True, frozen=True):
    """An account that is logged in, or a token. `agent`: the id of an asesor's own; `teams`: of a
    supervisor or monitor; empty teams of a supervisor are none, of the others all.

    `session` names what let the user in and `address` from where; both are empty for a person
    of this machine itself.
    """

    id: str
    name: str
    role: Role
    agent: str | None = None
    teams: frozenset[str] = field(default_factory=frozenset)
    language: str | None = None
    session: str = ""
    address: str = ""
    must_change: bool = False  # the password, before anything else

    @property
    def home(self) -> str:
        """The page that comes first."""
        if self.may("floor"):
            return "/ui/"
        if self.role == "agent":
            return f"/ui/agents/{self.agent}"
        if self.may("attendance"):
            return "/ui/attendance"
        if self.may("area"):
            return "/ui/area"
        return "/ui/fleet" if self.may("fleet") else "/account"

    def may(self, *rights: Right) -> bool:
        """Whether the user has one of these rights."""
        return not self.rights.isdisjoint(rights)

    @property
    def rights(self) -> frozenset[Right]:
        its = RIGHTS[self.role]
        return its - _BY_EAR if self.id.startswith(TOKEN) else its

    @property
    def reprimands(self) -> Reprimands:
        """Which of those on agents whom the user sees. A program reads none."""
        if self.id.startswith(TOKEN):
            return "none"
        if self.may("register"):
            return "all" if self.may("reprimands") else "own"
        return "only" if self.may("reprimands", "own") else "none"

    def reads_reprimand(self, by: str) -> bool:
        """Of an agent whom the user sees; `by`: who gave it."""
        return self.reprimands in ("all", "only") or (self.reprimands == "own" and by == self.id)

    def scope(self, people: People) -> frozenset[str] | None:
        """The teams whose agents the user sees; None: every agent."""
        if self.role in _SEES_NOBODY:
            return frozenset()
        teams = self.teams.union(people.supervised.get(self.id, ()))
        return teams if self.role == "supervisor" or teams else None

    def sees(self, agent: str, people: People) -> bool:
        """Whether this agent's figures are among what the user may see at all."""
        if self.role == "agent":
            return agent == self.agent
        teams = self.scope(people)
        return teams is None or people.team(agent) in teams

    def helps(self, call: HelpCall, people: People, moment: datetime, level: int = 0) -> bool:
        """Whether a call for help is the user's to take: supervisors and monitors take those of
        the agents whom they see, helpers those that they are on for. Escalated, it is of all who
        help with its queue at that hour: of any topic, and of every queue, as the shift's chief.
        """
        if not self.may("help"):
            return False
        helper = people.helpers.get(self.id)
        topic = "" if level and call.queue else call.topic
        on = helper is not None and helper.on(moment, topic, call.queue)
        return on or self.sees(call.agent, people)

    def sees_ticket(self, case: TicketCase, people: People) -> bool:
        """Whether a fault is among those that the user sees and acts on: an area's account has
        those of its areas, who sees all agents or looks after stations all. A supervisor has
        those that the own agents reported, those that no agent did, and the own ones.
        """
        if not self.may("tickets"):
            return self.may("area") and case.ticket.area in people.areas_of(self.id)
        if self.may("fleet") or self.id in (case.ticket.by, case.ticket.assignee):
            return True
        agents = {one.agent for one in case.reports if one.agent is not None}
        if not agents:
            return case.ticket.outcome != "duplicate" or self.scope(people) is None
        return any(self.sees(agent, people) for agent in agents)


THE_HUB = Person(id="hub", name="hub", role="service")  # that works by itself, and its own token
