"""What pages and reports ask about people and places, as of one moment. Without a directory it is
what the site says.

Whose a name at the switch was: from the day on which somebody gets it until it is another's or
nobody's. Who is the first of all to have it has it for the days before too, as they may have come
in before anybody wrote down whose it is.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from operator import itemgetter
from typing import Literal

from msgspec import Struct, field

from diadema.site.description import Site
from diadema.site.directory.notices import Notices
from diadema.site.directory.quality import SamplePlan
from diadema.site.directory.scorecards import Scorecard
from diadema.site.work import DAYS
from diadema.wire.live_rows import PRIVATE, THRESHOLD_S
from diadema.words import DEFAULT, section

type Turns = list[tuple[int, str]]  # since when (UTC ms) whose; empty: nobody's
type Held = dict[str, Turns]  # by name
type Span = tuple[int, str, date, date, date]  # see `turns_of`


def whose(turns: Turns, utc_ms: int | None) -> str:
    """Empty where it was nobody's; at no known time, whose it is last."""
    if not turns:
        return ""
    at = len(turns) if utc_ms is None else bisect_right(turns, utc_ms, key=itemgetter(0))
    return turns[max(at - 1, 0)][1]


def queue_of(names: Held, switch_name: str, utc_ms: int | None) -> str:
    """The queue that the switch calls so; one that nobody knows is its own."""
    return whose(names.get(switch_name, []), utc_ms) or switch_name


def merged(spellings: Sequence[Turns]) -> Turns:
    """Of one name: at each moment the first of its spellings that is somebody's."""
    moments = sorted({since for turns in spellings for since, _ in turns})
    return [
        (at, next((who for one in spellings if one[0][0] <= at and (who := whose(one, at))), ""))
        for at in moments
    ]


def turns_of(spans: Iterable[Span]) -> list[tuple[date, str]]:
    """From which day on whose, from the number of the change by which somebody has the name, who
    it is, the days [first, end) on which that agent has it, and until when it stays so where it is
    nobody's. Of two that have it on one day it is whose it was told to be before: to the other it
    was given for when it is free.
    """
    held = sorted(spans)
    days = sorted({day for _, _, *days in held for day in days if day < date.max})
    found: list[tuple[date, str]] = []
    for day in days:
        its = [who for _, who, first, end, _ in held if first <= day < end]
        its += [who for _, who, _, end, until in held if end <= day < until]
        owner = its[0] if its else ""
        if not found or found[-1][1] != owner:
            found.append((day, owner))
    return found


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
    stage: str = ""  # training, nesting; empty: on the floor
    employer: str = ""
    document_kind: str = ""
    document: str = ""
    queues: list[str] = field(default_factory=list)
    active: bool = True
    penalty: int = 0  # in them: whoever has less is called first


class Spell(Struct):
    """From that day on the agent is of that team, and at that stage."""

    since: date
    team: str
    stage: str = ""


class Reason(Struct, kw_only=True):
    """`in_use`: else it was retired, and is known for the days in which it was given."""

    code: str
    label: str
    private: bool = False
    paid: bool = False
    productive: bool = False
    limit_s: int = 0
    system: bool = False
    in_use: bool = True


class Area(Struct, kw_only=True):
    """Where calls are handed over to; `external`: outside of the centre. `number`: what the
    switch dials for it.
    """

    label: str
    external: bool = False
    number: str = ""


class Topic(Struct, kw_only=True):
    """What help is asked for. `urgent`: before the others; `escalate_s`, `alert_s`: how long one
    waits before it goes to the next group, and before the alert. None: as any other.
    """

    label: str
    urgent: bool = False
    escalate_s: int | None = None
    alert_s: int | None = None


class Helper(Struct, kw_only=True, frozen=True):
    """An account that helps: with these topics and on these queues, none named with all; between
    these times of the site on these weekdays, none given always.
    """

    topics: frozenset[str] = frozenset()
    queues: frozenset[str] = frozenset()
    start: str = ""  # HH:MM
    end: str = ""  # not after `start`: on the next day
    days: frozenset[str] = frozenset()  # on which the hours begin

    def on(self, moment: datetime, topic: str, queue: str) -> bool:
        """Whether a request of that moment, in the site's zone, is this helper's. A topic or a
        queue that is not known, empty, is everybody's.
        """
        if (topic and self.topics and topic not in self.topics) or (
            queue and self.queues and queue not in self.queues
        ):
            return False
        clock, day = f"{moment:%H:%M}", moment.date()
        if self.start < self.end:
            inside = self.start <= clock < self.end
        else:  # over midnight, or no hours at all
            inside = not self.start or clock >= self.start or clock < self.end
            if self.start and clock < self.end:
                day -= timedelta(1)
        return inside and (not self.days or DAYS[day.weekday()] in self.days)


type Clock = Literal["clock", "shift", "working_days"]


class FaultTarget(Struct, frozen=True):
    """Within how many minutes somebody takes a fault, and within how many it is solved, from the
    report on; `clock`: whose minutes those are, see `due_times`.
    """

    accept_min: int
    solve_min: int
    clock: Clock = "clock"


FAULT_TARGETS: Mapping[int, FaultTarget] = {  # by severity, where nobody says otherwise
    1: FaultTarget(5, 60),
    2: FaultTarget(15, 120),
    3: FaultTarget(15, 240),
    4: FaultTarget(60, 2 * 24 * 60, "working_days"),
}


class FaultArea(Struct, kw_only=True):
    """Who mends; `external`: outside of the centre. `email`: where its tickets are told;
    `accounts`: who works for it; `parts` by code. `in_use`: else it was retired, and is known for
    the faults that it had.
    """

    label: str
    external: bool = False
    email: str = ""
    accounts: list[str] = field(default_factory=list)
    parts: dict[str, str] = field(default_factory=dict)
    in_use: bool = True


TOOLS = "tools"  # see `add_tools_area`


class Tool(Struct, frozen=True):
    """What an agent of the campaign works with; `vital`: not one of its seats works without it."""

    campaign: str
    code: str
    label: str
    vital: bool = False


class Exclusion(Struct, frozen=True):
    """Why an agent is left out of samples from one day to another; empty: not any more."""

    why: str  # of `kinds.EXCLUSIONS`
    first: date | None
    last: date | None

    def holds_on(self, day: date) -> bool:
        return (self.first or day) <= day <= (self.last or day)


type Announce = Literal["station", "register"]
RETENTION_DAYS = 180  # a recording can be heard


HELP_RESULTS = (
    "resuelta", "parcial", "derivada", "no_procedia", "termino_antes", "sin_resultado",
)  # fmt: skip
GIVEN_RESULTS = ("resuelta", "termino_antes", "sin_resultado")  # also by Diadema itself


def help_results(own: Mapping[str, str], language: str) -> dict[str, str]:
    """Label by code: the site's own, then those that Diadema gives; the usual ones if it has none
    of its own.
    """
    words = section("people", language)
    usual = GIVEN_RESULTS if own else HELP_RESULTS
    return {**own, **{code: words[f"result.{code}"] for code in usual if code not in own}}


class People(Struct, kw_only=True):
    """Made by `of_site` or, with a directory, by `directory.people_of.people_of`.

    `targets` by (metric, queue or ""), in the metric's own unit, see `kinds.METRICS`; `most`: the
    ceiling of one that is a band. `stage_targets`: those of new people, by (metric, queue or "",
    stage). `alert_limits` are read by `directory.alert_limits`.
    """

    workers: dict[str, Worker] = field(default_factory=dict)
    teams: dict[str, str] = field(default_factory=dict)  # code → name
    employers: dict[str, tuple[str, str]] = field(default_factory=dict)  # code → name, RUC
    queues: dict[str, str] = field(default_factory=dict)
    areas: dict[str, Area] = field(default_factory=dict)
    seats: dict[str, str] = field(default_factory=dict)  # station id → seat
    phones: dict[str, tuple[str, str]] = field(default_factory=dict)  # → extension, way
    reasons: dict[str, Reason] = field(default_factory=dict)
    codes: dict[str, list[str]] = field(default_factory=dict)  # leaf → labels of its 3 levels
    motive_of: dict[str, str] = field(default_factory=dict)  # leaf → its level-1 code
    motives: dict[str, str] = field(default_factory=dict)  # level-1 code → label
    negative_codes: frozenset[str] = frozenset()
    spells: dict[str, list[Spell]] = field(default_factory=dict)  # of who changed in these days
    flags: dict[str, str] = field(default_factory=dict)  # leaf → resuelto, seguimiento, …
    targets: dict[tuple[str, str], float] = field(default_factory=dict)
    stage_targets: dict[tuple[str, str, str], float] = field(default_factory=dict)
    most: dict[tuple[str, str], float] = field(default_factory=dict)
    thresholds: dict[str, int] = field(default_factory=dict)  # queue or "" → T, service level
    variants: dict[str, str] = field(default_factory=dict)  # queue or "" → of the service level
    alert_limits: dict[tuple[str, str, str, str], int] = field(default_factory=dict)
    roster: dict[tuple[str, date], Planned] = field(default_factory=dict)
    aliases: Held = field(default_factory=dict)  # the switch's names of agents
    switch_queues: Held = field(default_factory=dict)  # and of queues
    supervised: dict[str, list[str]] = field(default_factory=dict)  # account → teams
    several_desks: bool = False  # may be logged in at more than one at once
    helpers: dict[str, Helper] = field(default_factory=dict)  # by account
    help_results: dict[str, str] = field(default_factory=lambda: help_results({}, DEFAULT))
    topics: dict[str, Topic] = field(default_factory=dict)
    fault_areas: dict[str, FaultArea] = field(default_factory=dict)
    fault_targets: dict[tuple[str, int], FaultTarget] = field(default_factory=dict)  # area or ""
    tools: list[Tool] = field(default_factory=list)
    selftest: bool = False  # a shift begins with that of the station
    owners: dict[str, str] = field(default_factory=dict)  # playbook → account
    owner_mails: dict[str, str] = field(default_factory=dict)  # playbook → where gaps are told
    scorecards: dict[tuple[str, int], Scorecard] = field(default_factory=dict)  # code and version
    sample_plans: dict[str, SamplePlan] = field(default_factory=dict)
    notices: Notices = field(default_factory=Notices)
    conflicts: frozenset[tuple[str, str]] = frozenset()  # account, agent
    sample_exclusions: dict[str, list[Exclusion]] = field(default_factory=dict)  # newest first
    announce: Announce = "station"  # who listens to help or to coach
    announce_random: Announce = "register"  # who listens to what was drawn
    retention: dict[str, int] = field(default_factory=dict)  # queue or "" → days

    @property
    def switch_names(self) -> Held:
        """Of agents: what was given for each, and the agent's own id."""
        return {agent: [(0, agent)] for agent in self.workers} | self.aliases

    def name(self, agent: str) -> str:
        known = self.workers.get(agent)
        return known.name if known else agent

    def team(self, agent: str) -> str:
        known = self.workers.get(agent)
        return known.team if known else ""

    def on(self, agent: str, day: date) -> Spell:
        """The agent's team and stage on that day."""
        known = self.workers.get(agent)
        team, stage = (known.team, known.stage) if known else ("", "")
        found = Spell(day, team, stage)
        for spell in self.spells.get(agent, ()):
            if spell.since <= day:
                found = spell
        return found

    def teams_of(self, agent: str) -> list[str]:
        """All teams of the agent in these days, in their order."""
        teams = [spell.team for spell in self.spells.get(agent, ())] or [self.team(agent)]
        return [*dict.fromkeys(teams)]

    def of_team(self, team: str) -> list[str]:
        """Whoever is of it on any of these days."""
        return [a for a in self.workers if team in self.teams_of(a)]

    def teams_of_queue(self, queue: str) -> set[str]:
        """Of those who are given to it."""
        its = (one for one in self.workers.values() if one.active and queue in one.queues)
        return {one.team for one in its}

    def target(self, metric: str, queue: str = "", stage: str = "") -> float | None:
        """That of the stage, else of all: the queue's own, else the site's."""
        staged = self.stage_targets
        its = staged.get((metric, queue, stage), staged.get((metric, "", stage)))
        return (
            its
            if its is not None
            else self.targets.get((metric, queue), self.targets.get((metric, "")))
        )

    def targets_of_fault(self, area: str, severity: int) -> FaultTarget:
        """The area's own, else that of all areas."""
        own = self.fault_targets
        found = own.get((area, severity)) or own.get(("", severity))
        return found or FAULT_TARGETS[severity]

    def is_vital(self, part: str | None) -> bool:
        """Whether what fails is a vital tool of any campaign, by its code."""
        return any(tool.vital and tool.code == part for tool in self.tools)

    def areas_of(self, account: str) -> frozenset[str]:
        """The fault areas that somebody works for."""
        return frozenset(c for c, one in self.fault_areas.items() if account in one.accounts)

    def playbooks_of(self, account: str) -> set[str]:
        """Those that somebody answers for."""
        return {playbook for playbook, owner in self.owners.items() if owner == account}

    def is_new(self, agent: str) -> bool:
        """Whether the agent is in training or nesting on any of these days."""
        spells = self.spells.get(agent)
        if spells:
            return any(spell.stage for spell in spells)
        known = self.workers.get(agent)
        return known is not None and bool(known.stage)

    def shown(self, reason: str | None) -> str | None:
        """A reason as whoever looks at a person may know it: the private ones are one."""
        known = self.reasons.get(reason or "")
        return PRIVATE if known is not None and known.private else reason

    def hide_private(self, times: dict[str, int]) -> dict[str, int]:
        """The same of seconds by reason; the private ones come last, whatever they have."""
        found = {code: seconds for code, seconds in times.items() if self.shown(code) != PRIVATE}
        private = sum(times.values()) - sum(found.values())
        return found | ({PRIVATE: private} if private else {})

    def threshold_s(self, queue: str = "") -> int:
        """T of the service level: that of the queue's own target, else of the site's."""
        return self.thresholds.get(queue, self.thresholds.get("", THRESHOLD_S))

    def variant(self, queue: str = "") -> str:
        """Which service level its target is of, by its name in `metrics.queue.VARIANTS`."""
        return self.variants.get(queue, self.variants.get("", "offered"))

    def scorecard(self, code: str, version: int | None = None) -> Scorecard | None:
        """As it was published, by default last."""
        if version is None:
            version = max((v for one, v in self.scorecards if one == code), default=0)
        return self.scorecards.get((code, version))

    def left_out(self, agent: str, day: date) -> str | None:
        """Why the agent is in no sample of that day, if so."""
        its = self.sample_exclusions.get(agent, ())
        return next((one.why for one in its if one.holds_on(day)), "") or None

    def retention_days(self, queue: str = "") -> int:
        """How long a recording can be heard: the queue's own, else the site's."""
        own = self.retention
        return own.get(queue, own.get("", RETENTION_DAYS))

    def queue(self, switch_name: str, utc_ms: int | None) -> str:
        """The queue that was meant at that moment by a name of the switch's."""
        return queue_of(self.switch_queues, switch_name, utc_ms)

    def planned(self, agent: str, day: date) -> Planned | None:
        return self.roster.get((agent, day))


def add_tools_area(people: People, language: str) -> None:
    """The area that stations report a tool to which is no part of any."""
    parts = {part for one in people.fault_areas.values() if one.in_use for part in one.parts}
    left = {tool.code: tool.label for tool in people.tools if tool.code not in parts}
    if left and TOOLS not in people.fault_areas:
        label = section("people", language)["kind.tools"]
        people.fault_areas[TOOLS] = FaultArea(label=label, parts=left)


def of_site(site: Site | None) -> People:
    """What a site's description alone tells."""
    people = People()
    if site is None:
        return people
    people.selftest = site.selftest
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
    people.areas = {one.code: Area(label=one.label, external=one.external) for one in site.areas}
    people.several_desks = site.multi_login == "allow"
    people.help_results = help_results({}, site.language)
    people.topics = {
        one.code: Topic(label=one.label, urgent=one.urgent) for one in site.help_topics
    }
    people.fault_areas = {
        one.code: FaultArea(
            label=one.label,
            external=one.external,
            parts={part.code: part.label for part in one.parts},
        )
        for one in site.fault_areas
    }
    people.tools = [Tool(one.campaign, one.code, one.label) for one in site.tools]
    add_tools_area(people, site.language)
    people.codes = dict(_leaves(site.tree.nodes, ()))
    for code, label, *children in site.tree.nodes:
        people.motives[code] = label
        for leaf, _ in _leaves(children[0] if children else (), ()):
            people.motive_of[leaf] = code
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
