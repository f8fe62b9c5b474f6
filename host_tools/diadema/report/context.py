"""What a report covers, and what all kinds of it share: whose figures the person may have,
the people of those days, and the figures themselves, read once.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from copy import copy
from datetime import date, timedelta
from functools import cached_property

from msgspec.structs import replace

from diadema.access.audit import ALL
from diadema.access.roles import Person
from diadema.base.errors import DiademaError
from diadema.base.paths import DataDir
from diadema.figures.days import cutoff_of, day_at, spans, start_of
from diadema.figures.joins import JoinedDay, joined_days
from diadema.figures.read import Figures, read
from diadema.figures.rows import Calls, Cutoff, QueueSums, Sums
from diadema.metrics.intervals import by_clock, clock_words
from diadema.metrics.queue import Flow
from diadema.quality.blind import hidden
from diadema.report.kinds import KINDS
from diadema.report.model import Scope, Target
from diadema.report.period import Period
from diadema.site.context import language_of, site_of, zone_of
from diadema.site.directory.people import People
from diadema.site.directory.people_of import people as read_people
from diadema.store import open_reader
from diadema.store.assistance import TicketCase
from diadema.store.writer import position_of
from diadema.words import text

AT_MOST = frozenset({"aht_s", "asa_s", "abandonment", "help_wait_s"})  # targets that are a ceiling


class NotYours(DiademaError):
    """The person may not have that."""


def capital(words: str) -> str:
    """As a heading begins; the rest as it is."""
    first = words.startswith("¿")
    return words[:first] + words[first : first + 1].upper() + words[first + 1 :]


def is_blind(data: DataDir, person: Person | None, now_ms: int) -> bool:
    """Whether that account has calls to evaluate, of which it must not find whose they are."""
    return person is not None and bool(hidden(data, person, now_ms))


def may_have(person: Person, people: People, kind: str, scope: Scope) -> bool:
    """Whether all of that report, as it is made without a person, may be shown to this one."""
    if not person.may(KINDS[kind].right):
        return False
    teams = person.scope(people)
    match scope.of:
        case "agent":
            return person.sees(scope.code, people)
        case "team":
            return teams is None or scope.code in teams
        case "ticket":
            return True  # it names nobody
        case _:
            return teams is None


def whose(scope: Scope, people: People) -> list[str]:
    """Of whom such a report is, as the record of access names them."""
    match scope.of:
        case "agent":
            return [scope.code]
        case "team":
            return people.of_team(scope.code)
        case _:
            return [*ALL]


def check_team(people: People, code: str, language: str) -> None:
    """Raises DiademaError, which names those that there are."""
    if code not in people.teams and not people.of_team(code):
        known = ", ".join(sorted(people.teams)) or "—"
        raise DiademaError(text("reports.no_team", language, given=code, known=known))


class ReportContext:
    """One report to be made: its kind, period and scope, who reads it, and the figures and people
    for it. Raises NotYours, or DiademaError for a scope that is not there.
    """

    def __init__(
        self,
        data: DataDir,
        kind: str,
        period: Period,
        scope: Scope,
        now_ms: int,
        threshold_s: int | None,
        short_s: int,
        person: Person | None = None,
        language: str | None = None,
    ) -> None:
        described = site_of(data)
        self.data = data
        self.kind = kind
        self._together = False  # the figures know only sums of all agents
        self.period = period
        self.scope = scope
        self.now_ms = now_ms
        self._threshold_s = threshold_s
        self.short_s = short_s
        self.person = person
        self.zone = zone_of(data)
        self.site = described.site if described else "Diadema"
        self.campaigns = described.campaigns if described else []
        materials = described.materials if described else []
        self.materials = {one.code: one.label for one in materials}
        self.language = language or language_of(described)
        if person is not None and not person.may(KINDS[kind].right):
            raise NotYours(self.say("not_yours"))
        if scope.of == "ticket" and not KINDS[kind].of_ticket:
            raise self.refuse("not_of_ticket")
        self.people: People = read_people(data, period.first, period.last)
        self.agents: Collection[str] | None = self._agents()
        self._among = frozenset(self.agents or ())

    def say(self, name: str, /, **values: object) -> str:
        return text(f"reports.{name}", self.language, **values)

    def refuse(self, name: str, /, **values: object) -> DiademaError:
        """To be raised."""
        return DiademaError(self.say(name, **values))

    def heading(self, column: str) -> str:
        """The word over a column; a state's is that of the floor where reports have no other."""
        try:
            return capital(self.say(f"col.{column}"))
        except KeyError:
            return capital(text(f"floor.state.{column}", self.language))

    def known(self, group: str, name: str) -> str:
        """The word for it where there is one, else as it is: others may come from newer ones."""
        try:
            return self.say(f"{group}.{name}")
        except KeyError:
            return name

    @property
    def queue(self) -> str | None:
        return self.scope.code if self.scope.of == "queue" else None

    @property
    def names_people(self) -> bool:
        """Whether the figures of agents may stand in it."""
        return self.person is None or self.person.may("figures")

    @property
    def sees_all(self) -> bool:
        """Also whom the people of today no longer name."""
        return self._teams() is None

    def sees_ticket(self, case: TicketCase) -> bool:
        return self.person is None or self.person.sees_ticket(case, self.people)

    def _teams(self) -> frozenset[str] | None:
        """Whose agents it may be of; None: of all. What is told of things, without their people,
        is told of all.
        """
        person = self.person
        of_things = KINDS[self.kind].right == "tickets" and not self.names_people
        return None if person is None or of_things else person.scope(self.people)

    @property
    def scope_name(self) -> str:
        code, people = self.scope.code, self.people
        match self.scope.of:
            case "agent":
                name = people.name(code)
                return name if name == code else f"{name} ({code})"
            case "team":
                return self.say("scope.team", whose=people.teams.get(code, code))
            case "queue":
                return self.say("scope.queue", whose=people.queues.get(code, code))
            case "ticket":
                return self.say("scope.ticket", whose=code)
            case _:
                if self.sees_all:
                    return self.say("scope.floor")
                teams = {people.team(agent) for agent in self.agents or ()}
                names = sorted(people.teams.get(one, one) for one in teams)
                return self.say("scope.teams", whose=", ".join(names) or "—")

    @property
    def has_halves(self) -> bool:
        return KINDS[self.kind].sums in ("half_hour", "agent_half_hour")

    @property
    def agents_by_half(self) -> bool:
        return KINDS[self.kind].sums == "agent_half_hour"

    @cached_property
    def is_blind(self) -> bool:
        """For whom sums of single agents are left out: reads of contacts leave out what is to be
        evaluated blind, and by the difference one would find whose call it is.
        """
        return not KINDS[self.kind].of_evaluations and is_blind(
            self.data, self.person, self.now_ms
        )

    @cached_property
    def figures(self) -> Figures:
        """With the half-hours of all together where the kind shows them."""
        return self._read(together=self.has_halves or not KINDS[self.kind].of_agents)

    def with_each_half(self) -> Figures:
        """The same, and the half-hours of each agent."""
        self.figures = self._read(together=False)
        return self.figures

    def _read(self, *, together: bool) -> Figures:
        found = read(
            self.data,
            self.period.first,
            self.period.last,
            self.now_ms,
            intervals=self.has_halves,
            agents=self.agents,
            together=together,
        )
        moved = self.agents is not None and any(a in self.people.spells for a in self.agents)
        return found.only(self.has) if moved and self.scope.of != "agent" else found

    def former(self, spans: int) -> "Sequence[ReportContext]":
        """The same question of the spans before this one, the latest last, from one reading of
        all; of as many as there is something of, and none where whom it is of was not there.
        """
        period, found = self.period, list[ReportContext]()
        for _ in range(spans):
            period = period.before
            try:
                found.insert(0, self._of(period))
            except DiademaError:
                break
        if not found:
            return []
        whose = {None if one.agents is None else frozenset(one.agents) for one in found}
        agents = None if None in whose else frozenset[str]().union(*(a for a in whose if a))
        first, last = found[0].period.first, found[-1].period.last
        whole = read(self.data, first, last, self.now_ms, agents=agents, together=True)
        for one in found:
            one._take(whole)
        known = [place for place, one in enumerate(found) if one.has_any]
        return found[known[0] :] if known else []

    def months_before(self, months: int) -> "ReportContext | None":
        """The same question of the days before these, from the first of so many months before
        their last one; None where whom it is of was not there.
        """
        first = self.period.last.replace(day=1)
        for _ in range(months):
            first = (first - timedelta(days=1)).replace(day=1)
        last = self.period.first - timedelta(days=1)
        if first > last:
            return None
        try:
            return self._of(Period("month", f"{first:%Y-%m}", first, last))
        except DiademaError:
            return None

    def _of(self, period: Period) -> "ReportContext":
        one = copy(self)
        for name in [*one.__dict__]:
            if isinstance(getattr(ReportContext, name, None), cached_property):
                del one.__dict__[name]
        one.period, one._together = period, False
        one.people = read_people(one.data, period.first, period.last)
        one.agents = one._agents()
        one._among = frozenset(one.agents or ())
        return one

    def _take(self, whole: Figures) -> None:
        """Of the sums of more days its own ones."""
        first, last = self.period.first.isoformat(), self.period.last.isoformat()
        days = [replace(day) for day in whole.days if first <= day.day <= last]
        figures = replace(whole, first=first, last=last, days=days)
        self._together = self.agents is None
        self.figures = figures if self.agents is None else figures.only(self.has)

    @property
    def has_any(self) -> bool:
        """Somebody of these, or the switch, stated of these days."""
        stated = any(day.queues for day in self.figures.days)
        return stated or any(day.agents or day.whole for day in self.figures.days)

    @cached_property
    def by_agent(self) -> Mapping[str, Sums]:
        """By name."""
        if self._together:
            self._together = False
            del self.figures
        its = self.figures.agents()
        return {a: its[a] for a in sorted(its, key=self.order)}

    @property
    def logged_in(self) -> int:
        """How many people have time logged in."""
        return sum(sums.load.logged_s > 0 for sums in self.by_agent.values())

    @cached_property
    def calls_by_agent(self) -> Mapping[str, Calls]:
        """Of the requested queue, or of all."""
        return {a: sums.calls(self.queue) for a, sums in self.by_agent.items()}

    @cached_property
    def by_half_hour(self) -> Mapping[str, Sums]:
        """By the site's clock, as 09:30; those that a change of the clock doubles are apart."""
        halves: defaultdict[str, list[Sums]] = defaultdict(list)
        for where, sums in self.half_hours:
            halves[where.partition(" ")[2]].append(sums)
        return {half: Sums.total(halves[half]) for half in sorted(halves, key=by_clock)}

    @cached_property
    def untimed(self) -> Calls:
        """Contacts of theirs whose station does not know the time yet: on no day. Theirs: of whom
        they are on any of these days until now.
        """
        found, last = self.figures.untimed, self.period.last
        until = min(last, max(self.period.first, day_at(self.now_ms // 1000, self.zone)))
        days = [span.day for span in spans(self.period.first, until, self.zone)]
        whose = [a for a in found if any(self.has(a, day) for day in days)]
        total = Sums()
        for a in whose:
            total += found[a]
        return total.calls(self.queue)

    @cached_property
    def half_hours(self) -> Sequence[tuple[str, Sums]]:
        """All agents' of each day, as `2026-11-18 09:30`."""
        found: list[tuple[str, Sums]] = []
        for day in self.figures.days:
            its = day.half_hours()
            words = clock_words(its, self.zone)
            found += [(f"{day.day} {words[start]}", sums) for start, sums in its.items()]
        return found

    @cached_property
    def joined(self) -> Sequence[JoinedDay]:
        """With the day before these, whose last pairs may be over its midnight."""
        first = self.period.first - timedelta(days=1)
        return joined_days(self.data, first, self.period.last, self.zone, self.people)

    @cached_property
    def total(self) -> Sums:
        return self.figures.total()

    def cut(self) -> Cutoff:
        """Of the figures; for what is worked out without them, of now."""
        if "figures" in self.__dict__:
            return self.figures.cut
        with open_reader(self.data.store) as reader, reader.engine.connect() as tx:
            return cutoff_of(tx, self.people, self.now_ms, self.bounds_ms[1])

    def position(self) -> int:
        """That of `cut`, without the rest of it."""
        if "figures" in self.__dict__:
            return self.figures.cut.position
        with open_reader(self.data.store) as reader, reader.engine.connect() as tx:
            return position_of(tx)

    def forget(self) -> None:
        """Read the figures again when they are needed next."""
        for name in (
            "figures", "by_agent", "calls_by_agent", "by_half_hour", "half_hours", "total",
            "untimed",
        ):  # fmt: skip
            self.__dict__.pop(name, None)

    @property
    def bounds_ms(self) -> tuple[int, int]:
        """[first, last) in UTC."""
        first = start_of(self.period.first, self.zone)
        return first * 1000, start_of(self.period.last + timedelta(days=1), self.zone) * 1000

    def order(self, agent: str) -> tuple[str, str]:
        return self.people.name(agent).casefold(), agent

    def has(self, agent: str, day: date) -> bool:
        """Whether the report covers that agent's day: of a team, by who belonged to it then."""
        if self.agents is None:
            return True
        if agent not in self._among:
            return False
        match self.scope.of:
            case "agent":
                return True
            case "team":
                return self.people.on(agent, day).team == self.scope.code
        teams = self._teams()
        return teams is None or self.people.on(agent, day).team in teams

    def has_at(self, agent: str, utc_ms: int) -> bool:
        return self.agents is None or self.has(agent, day_at(utc_ms // 1000, self.zone))

    def times(self, agent: str) -> list[tuple[int, int]]:
        """Seconds of UTC [start, end) of the agent's days that the report covers, in order."""
        days = spans(self.period.first, self.period.last, self.zone)
        found: list[tuple[int, int]] = []
        for span in days if agent in self.people.spells else ():
            if not self.has(agent, span.day):
                continue
            if found and found[-1][1] == span.start_s:
                found[-1] = found[-1][0], span.end_s
            else:
                found.append((span.start_s, span.end_s))
        if agent in self.people.spells or not self.has(agent, self.period.first):
            return found
        start_ms, end_ms = self.bounds_ms
        return [(start_ms // 1000, end_ms // 1000)]

    def team_name(self, agent: str) -> str:
        """Of that report's team, or of all that the agent is of in these days."""
        its = [self.scope.code] if self.scope.of == "team" else self.people.teams_of(agent)
        return ", ".join(self.people.teams.get(one, one) for one in its)

    def knows_queue(self, code: str) -> bool:
        """It is one of those days', or calls of them name it."""
        return code in self.known_queues()

    def known_queues(self) -> set[str]:
        called = (queue for day in self.figures.days for queue in day.queues)
        return {*self.people.queues, *self.total.queues, *called}

    def target(self, metric: str, queue: str | None = None) -> Target | None:
        """Of that queue, else of the one that is asked about, else the site's. A service level is
        named with its variant, as `service_level all`: only the target's own has one.
        """
        name, _, variant = metric.partition(" ")
        queue = self.queue or "" if queue is None else queue
        value = self.people.target(name, queue)
        if value is None or variant not in ("", self.people.variant(queue)):
            return None
        own = (name, queue) if (name, queue) in self.people.targets else (name, "")
        return Target(value, name in AT_MOST, self.people.most.get(own))

    def threshold_s(self, queue: str) -> int:
        """T as requested, else as the targets have it."""
        given = self._threshold_s
        return self.people.threshold_s(queue) if given is None else given

    def thresholds(self) -> dict[str, int]:
        """Of the queues that have another T than the site; none where one queue was asked for."""
        known, whole = self.people.thresholds, self.threshold_s("")
        if self.queue is not None:
            return {}
        its = {queue: self.threshold_s(queue) for queue in sorted(known) if queue}
        return {queue: seconds for queue, seconds in its.items() if seconds != whole}

    @property
    def threshold_note(self) -> str:
        """T and the limit of a short abandon; and where T was asked for, what the targets have."""
        whole, its = self.threshold_s(self.queue or ""), self.thresholds()
        said = self.say("note.threshold", threshold=whole, short=self.short_s)
        if its:
            each = ", ".join(f"{self.people.queues.get(q, q)} {s} s" for q, s in its.items())
            said += " " + self.say("note.thresholds", each=each)
        if self._threshold_s is not None:
            aimed = self.people.threshold_s(self.queue or "")
            said += " " + self.say("note.threshold_given", aimed=aimed)
        return said

    def flow(self, queues: Mapping[str, QueueSums]) -> Flow:
        """Of those that are asked about, each within its own T."""
        total = Flow()
        for queue, sums in queues.items():
            if self.queue in (None, queue):
                total += sums.flow(self.threshold_s(queue), self.short_s)
        return total

    def _agents(self) -> Collection[str] | None:
        people, person, code = self.people, self.person, self.scope.code
        if self.scope.of == "ticket":
            return None
        if self.scope.of == "agent":
            if person is not None and not person.sees(code, people):
                raise NotYours(self.say("not_yours"))
            if self.is_blind:
                raise NotYours(self.say("note.blind"))
            return [code]
        if self.scope.of == "team":
            its = people.of_team(code)
            check_team(people, code, self.language)
            teams = None if person is None else person.scope(people)
            if its and teams is not None and code not in teams:
                raise NotYours(self.say("not_yours"))
            return its
        teams = self._teams()
        if teams is None:
            return None
        return [a for a in people.workers if not teams.isdisjoint(people.teams_of(a))]
