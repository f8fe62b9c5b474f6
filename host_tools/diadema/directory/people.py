"""What pages and reports ask about people and places, as of one moment. Without a directory it is
what the site says.
"""

from collections.abc import Iterable
from datetime import date

from msgspec import Struct, field

from diadema.metrics.queue import THRESHOLD_S
from diadema.site import Site


class Planned(Struct, kw_only=True):
    """One agent's day by the roster: seconds of UTC [start_s, end_s), also over midnight, and
    the planned pauses in it (start, end, reason). `absence`: permission, vacation, medical rest.
    """

    day: date
    shift: str | None
    start_s: int | None = None
    end_s: int | None = None
    pauses: list[tuple[int, int, str]] = field(default_factory=list)
    absence: str | None = None
    tolerance_s: int = 0


class Worker(Struct, kw_only=True):
    """One agent. `team` and `employer` are codes. Empty where nothing is known."""

    id: str
    name: str
    alias: str = ""
    team: str = ""
    employer: str = ""
    document_kind: str = ""
    document: str = ""
    queues: list[str] = field(default_factory=list)
    active: bool = True


class Reason(Struct, kw_only=True):
    code: str
    label: str
    private: bool = False
    paid: bool = False
    productive: bool = False
    limit_s: int = 0
    system: bool = False


class People(Struct, kw_only=True):
    """Made by `of_site` or, with a directory, by `directory.people_of.people_of`.

    `targets` by (metric, queue or ""), in the metric's own unit, see `kinds.METRICS`; `most`: the
    ceiling of one that is a band.
    """

    workers: dict[str, Worker] = field(default_factory=dict)
    teams: dict[str, str] = field(default_factory=dict)  # code → name
    employers: dict[str, tuple[str, str]] = field(default_factory=dict)  # code → name, RUC
    queues: dict[str, str] = field(default_factory=dict)
    seats: dict[str, str] = field(default_factory=dict)  # station id → seat
    reasons: dict[str, Reason] = field(default_factory=dict)
    codes: dict[str, list[str]] = field(default_factory=dict)  # leaf → labels of its 3 levels
    negative_codes: frozenset[str] = frozenset()
    flags: dict[str, str] = field(default_factory=dict)  # leaf → resuelto, seguimiento, …
    targets: dict[tuple[str, str], float] = field(default_factory=dict)
    most: dict[tuple[str, str], float] = field(default_factory=dict)
    thresholds: dict[str, int] = field(default_factory=dict)  # queue or "" → T, service level
    variants: dict[str, str] = field(default_factory=dict)  # queue or "" → of the service level
    roster: dict[tuple[str, date], Planned] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)  # the switch's name → agent
    switch_queues: dict[str, str] = field(default_factory=dict)  # the switch's name → queue
    supervised: dict[str, list[str]] = field(default_factory=dict)  # account → teams

    def name(self, agent: str) -> str:
        known = self.workers.get(agent)
        return known.name if known else agent

    def team(self, agent: str) -> str:
        known = self.workers.get(agent)
        return known.team if known else ""

    def of_team(self, team: str) -> list[str]:
        return [one.id for one in self.workers.values() if one.team == team]

    def target(self, metric: str, queue: str = "") -> float | None:
        """The queue's own, else the site's."""
        return self.targets.get((metric, queue), self.targets.get((metric, "")))

    def threshold_s(self, queue: str = "") -> int:
        """T of the service level: that of the queue's own target, else of the site's."""
        return self.thresholds.get(queue, self.thresholds.get("", THRESHOLD_S))

    def variant(self, queue: str = "") -> str:
        """Which service level its target is of, by its name in `metrics.queue.VARIANTS`."""
        return self.variants.get(queue, self.variants.get("", "offered"))

    def queue(self, told: str) -> str:
        """The queue that is meant by a name of the switch's; one that nobody knows is its own."""
        return self.switch_queues.get(told, told)

    def planned(self, agent: str, day: date) -> Planned | None:
        return self.roster.get((agent, day))


def of_site(site: Site | None) -> People:
    """What a site's description alone tells."""
    people = People()
    if site is None:
        return people
    for agent in site.agents:
        people.workers[agent.id] = Worker(
            id=agent.id, name=agent.name, alias=agent.alias, team=agent.team
        )
    people.teams = {agent.team: agent.team for agent in site.agents if agent.team}
    people.seats = {station.id: station.seat for station in site.stations}
    people.reasons = {
        one.code: Reason(
            code=one.code, label=one.label, private=one.private, paid=one.paid,
            productive=one.productive, limit_s=one.limit_s,
        )
        for one in site.reasons
    }  # fmt: skip
    people.codes = dict(_leaves(site.tree.nodes, ()))
    people.negative_codes = frozenset(site.negative_codes)
    people.flags = dict.fromkeys(site.negative_codes, "negativa")
    return people


def _leaves(nodes: Iterable[object], above: tuple[str, ...]) -> Iterable[tuple[str, list[str]]]:
    for node in nodes:
        assert isinstance(node, list | tuple)
        code, label, *children = node
        if children:
            yield from _leaves(children[0], (*above, label))
        else:
            yield code, [*above, label]
