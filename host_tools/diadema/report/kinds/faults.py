"""Faults (`fallas`): tickets by how soon somebody took and solved them, and the time and the calls
that they cost. Whoever may not see people's figures gets no table that names agents.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Literal

from msgspec import Struct, field

from diadema.figures.lost_time import Cost, Stop, costs, stops
from diadema.figures.shifts import due as due_shifts
from diadema.metrics.rounding import percent, quantile, whole_seconds
from diadema.report.context import ReportContext
from diadema.report.model import Cell, Kind, Section
from diadema.report.tables import AGENT, Line, Part, Stated, share, summary, table
from diadema.site.directory.due_times import due, site_calendar
from diadema.store import open_reader
from diadema.store.assistance import (
    STATIONS_AREA,
    Key,
    TicketCase,
    adoptions,
    key_of,
    ticket_cases,
)
from diadema.store.rows import Ticket
from diadema.words import section, text

_VOID = ("rejected", "duplicate")


class Group(Struct):
    """Some tickets; a rejected or repeated one is in `tickets` and `void` alone. `accepts`,
    `solves`: whole seconds from its opening on, in order; `…_due` those of which it is known
    whether they were in time, `…_met`.
    """

    tickets: int = 0
    void: int = 0
    open: int = 0
    late: int = 0
    reopened: int = 0
    accepts: list[int] = field(default_factory=list)
    accept_due: int = 0
    accept_met: int = 0
    solves: list[int] = field(default_factory=list)
    solve_due: int = 0
    solve_met: int = 0
    cost: Cost = field(default_factory=Cost)


class _Found(Struct):
    """What the tables are made of. `known`: the tickets of all that is covered, by id; `of`: of
    each report its ticket.
    """

    cases: list[TicketCase]
    stops: list[Stop]
    known: dict[str, Ticket]
    of: dict[Key, str]

    def ticket(self, stop: Stop) -> Ticket | None:
        return self.known.get(self.of.get(key_of(stop.press), ""))

    def area(self, stop: Stop) -> str:
        ticket = self.ticket(stop)
        return ticket.area if ticket is not None and ticket.area else stop.press.area or ""

    def part(self, stop: Stop) -> tuple[str, str]:
        ticket = self.ticket(stop)
        own = ticket.part if ticket is not None and ticket.part else stop.press.part
        return self.area(stop), own or ""


COST: list[Part[Group]] = [
    Part("stopped", lambda its: its.cost.agents, total="given"),
    Part("lost_s", lambda its: its.cost.lost_s, "seconds", "given"),
    Part("lost_alone_s", lambda its: its.cost.alone_s, "seconds"),
    Part("lost_shared_s", lambda its: its.cost.shared_s, "seconds", "given"),
    Part("lost_calls", lambda its: its.cost.calls, total="given"),
]
PARTS: list[Part[Group]] = [
    Part("tickets", lambda its: its.tickets),
    Part("tickets_void", lambda its: its.void),
    Part("tickets_open", lambda its: its.open),
    Part("tickets_late", lambda its: its.late),
    Part("tickets_reopened", lambda its: its.reopened),
    Part("accept_n", lambda its: len(its.accepts)),
    Part("accept_p50_s", lambda its: quantile(its.accepts, 50), "seconds", "given"),
    Part("accept_p90_s", lambda its: quantile(its.accepts, 90), "seconds", "given"),
    Part("accept_met", lambda its: share(its.accept_met, its.accept_due), "percent", "given",
         interval=True),
    Part("solve_n", lambda its: len(its.solves)),
    Part("solve_p50_s", lambda its: quantile(its.solves, 50), "seconds", "given"),
    Part("solve_p90_s", lambda its: quantile(its.solves, 90), "seconds", "given"),
    Part("solve_met", lambda its: share(its.solve_met, its.solve_due), "percent", "given",
         interval=True),
    *COST,
]  # fmt: skip


def make(context: ReportContext) -> list[Section]:
    found = _read(context)
    unknown = context.say("no_area")

    def part(stop: Stop) -> tuple[str, ...]:
        return names_of(context, *found.part(stop))

    def team(stop: Stop) -> tuple[str, ...]:
        day = datetime.fromtimestamp((stop.press.open_utc or 0) / 1000, context.zone).date()
        code = context.people.on(stop.agent, max(day, context.period.first)).team
        return (context.people.teams.get(code, code) or context.say("no_team_of"),)

    sections = [
        summary(context, _stated(context, found), _notes(context)),
        _tickets(context, found),
        _areas(context, found),
        _lost(context, found, "faults_parts", ("area", "part"), part),
        _lost(context, found, "faults_boards", ("board",),
              lambda one: (one.press.board or unknown,)),
        _lost(context, found, "faults_firmware", ("firmware",),
              lambda one: (one.press.firmware or unknown,)),
        _lost(context, found, "faults_teams", ("team",), team),
    ]  # fmt: skip
    if context.names_people:
        sections.append(_agents(context, found))
    return sections


def _notes(context: ReportContext) -> list[str]:
    notes = [context.say("note.lost"), context.say("note.interval")]
    if context.queue is not None:
        notes.append(context.say("note.not_of_queue"))
    return notes


def _read(context: ReportContext) -> _Found:
    """Tickets that the reader sees; of an agent or a team those that stopped one of them."""
    start, end = context.bounds_ms
    with open_reader(context.data.store) as reader, reader.engine.connect() as tx:
        cases = [
            case
            for case in ticket_cases(tx, start_utc=start, end_utc=end)
            if context.sees_ticket(case)
        ]
        its = stops(tx, start, min(end, context.now_ms), context.now_ms, context.agents)
        of = {key_of(one): case.ticket.ticket for case in cases for one in case.reports}
        others = [key for one in its if (key := key_of(one.press)) not in of]
        of |= {key: tickets[-1] for key, tickets in adoptions(tx, others).items()}
        known = {case.ticket.ticket: case.ticket for case in cases}
        if lacking := {*of.values()} - known.keys():
            known |= {case.ticket.ticket: case.ticket for case in ticket_cases(tx, ids=lacking)}
    if context.agents is not None:
        its = [one.within(context.times(one.agent)) for one in its]
    its = [one for one in its if one.times or one.calls or _is_of(context, one)]
    if context.scope.of in ("agent", "team"):
        touched = {of.get(key_of(one.press)) for one in its}
        cases = [case for case in cases if case.ticket.ticket in touched]
    return _Found(cases, its, known, of)


def _is_of(context: ReportContext, stop: Stop) -> bool:
    start, end = context.bounds_ms
    opened = stop.press.open_utc
    return opened is not None and start <= opened < end and context.has_at(stop.agent, opened)


def _group(context: ReportContext, cases: Iterable[TicketCase], cost: Cost) -> Group:
    start, _ = context.bounds_ms
    found = Group(cost=cost)
    for case in cases:
        ticket = case.ticket
        found.open += ticket.state in ("open", "taken")
        found.late += is_late(context, ticket)
        if ticket.utc < start:
            continue
        found.tickets += 1
        if ticket.outcome in _VOID:
            found.void += 1
            continue
        found.reopened += ticket.reopened > 0
        accepted, solved = in_time(context, ticket)
        if accepted is not None:
            found.accept_due += 1
            found.accept_met += accepted
        if solved is not None:
            found.solve_due += 1
            found.solve_met += solved
        if ticket.taken_utc is not None:
            found.accepts.append(whole_seconds(max(ticket.taken_utc - ticket.utc, 0)))
        if ticket.resolved_utc is not None:
            found.solves.append(whole_seconds(max(ticket.resolved_utc - ticket.utc, 0)))
    found.accepts.sort()
    found.solves.sort()
    return found


def in_time(context: ReportContext, ticket: Ticket) -> tuple[bool | None, bool | None]:
    """Whether it was taken and solved in time; None while that may still be."""
    accept, solve = _due(context, ticket, "accept"), _due(context, ticket, "solve")
    return (
        _met(ticket.taken_utc or ticket.resolved_utc, accept, context.now_ms),
        _met(ticket.resolved_utc, solve, context.now_ms),
    )


def _met(done: int | None, due_utc: int | None, now_ms: int) -> bool | None:
    if due_utc is None:
        return None
    if done is None:
        return None if now_ms <= due_utc else False
    return done <= due_utc


def is_late(context: ReportContext, ticket: Ticket) -> bool:
    """It is past the time at which somebody was to take it, or at which it was to be solved."""
    match ticket.state:
        case "open":
            due_utc = _due(context, ticket, "accept")
        case "taken":
            due_utc = _due(context, ticket, "solve")
        case _:
            return False
    return due_utc is not None and due_utc < context.now_ms


def _due(context: ReportContext, ticket: Ticket, which: Literal["accept", "solve"]) -> int | None:
    """As it was told; else by the targets that there are now."""
    known = ticket.accept_due_utc if which == "accept" else ticket.solve_due_utc
    if known is not None or ticket.severity is None:
        return known
    aim = context.people.targets_of_fault(ticket.area, ticket.severity)
    day = datetime.fromtimestamp(ticket.utc / 1000, context.zone).date()
    return due(aim, ticket.utc, which, site_calendar(context.data, day))


def names_of(context: ReportContext, area: str, part: str) -> tuple[str, str]:
    if area == STATIONS_AREA:
        parts = section("alerts", context.language)
        return text("faults.station", context.language), parts.get(f"part.{part}", part)
    known = context.people.fault_areas.get(area)
    if known is None:
        return area or context.say("no_area"), part or context.say("no_area")
    return known.label, known.parts.get(part, part) or context.say("no_area")


def _areas(context: ReportContext, found: _Found) -> Section:
    cost, whole = costs(found.stops, found.area)
    parted: defaultdict[str, list[TicketCase]] = defaultdict(list)
    for case in found.cases:
        parted[case.ticket.area].append(case)
    total = _group(context, found.cases, whole)
    lines: list[Line[Group]] = [
        (
            [names_of(context, area, "")[0]],
            _group(context, parted[area], cost.get(area, Cost())),
        )
        for area in sorted({*parted, *cost})
    ]
    return table(
        context, "faults_areas", [("area", "text")], PARTS, lines, given=_given(PARTS, total)
    )


def _given(parts: Iterable[Part[Group]], whole: Group) -> dict[str, Cell]:
    return {part.key: part.get(whole) for part in parts}


def _lost(
    context: ReportContext,
    found: _Found,
    key: str,
    heads: Sequence[str],
    of: Callable[[Stop], tuple[str, ...]],
) -> Section:
    cost, whole = costs(found.stops, of)
    lines: list[Line[Group]] = [
        ([*name], Group(cost=cost[name]))
        for name in sorted(cost, key=lambda name: (-cost[name].lost_s, name))
    ]
    named: list[tuple[str, Kind]] = [(head, "text") for head in heads]
    return table(context, key, named, COST, lines, given=_given(COST, Group(cost=whole)))


def _agents(context: ReportContext, found: _Found) -> Section:
    cost, whole = costs(found.stops, lambda one: one.agent)
    parts = [one for one in COST if one.key in ("lost_s", "lost_calls")]
    people = context.people
    lines: list[Line[Group]] = [
        ([people.name(a), a, context.team_name(a)], Group(cost=cost[a]))
        for a in sorted(cost, key=context.order)
    ]
    given = _given(parts, Group(cost=whole))
    return table(context, "faults_agents", AGENT, parts, lines, given=given)


class _Line(Struct):
    """`ticket` None: the reports that no ticket adopted."""

    ticket: Ticket | None
    cost: Cost

    def get(self, name: str) -> Cell:
        value: Cell = getattr(self.ticket, name, None)
        return value


_TICKET: list[Part[_Line]] = [
    Part("severity", lambda one: one.get("severity"), total=None),
    Part("opened", lambda one: one.get("utc"), "moment", None),
    Part("taken_at", lambda one: one.get("taken_utc"), "moment", None),
    Part("resolved_at", lambda one: one.get("resolved_utc"), "moment", None),
    Part("times_reopened", lambda one: one.get("reopened")),
    Part("stopped", lambda one: one.cost.agents, total="given"),
    Part("lost_s", lambda one: one.cost.lost_s, "seconds", "given"),
    Part("lost_calls", lambda one: one.cost.calls, total="given"),
]


def _tickets(context: ReportContext, found: _Found) -> Section:
    """All that were open on any of these days."""
    cost, whole = costs(found.stops, lambda one: found.of.get(key_of(one.press), ""))
    heads: tuple[tuple[str, Kind], ...] = (
        ("ticket", "text"), ("ticket_title", "text"), ("area", "text"), ("part", "text"),
        ("ticket_state", "text"),
    )  # fmt: skip
    lines: list[Line[_Line]] = [
        (
            [
                case.ticket.ticket, case.ticket.title,
                *names_of(context, case.ticket.area, case.ticket.part or ""),
                state_word(context, case.ticket),
            ],
            _Line(case.ticket, cost.pop(case.ticket.ticket, Cost())),
        )
        for case in found.cases
    ]  # fmt: skip
    if "" in cost:
        lines.append(([context.say("no_ticket"), None, None, None, None], _Line(None, cost[""])))
    given = _given(COST, Group(cost=whole))
    return table(context, "tickets", heads, _TICKET, lines, given=given)


def state_word(context: ReportContext, ticket: Ticket) -> str:
    word = context.say(f"ticket.{ticket.outcome or ticket.state}")
    return context.say("ticket.late", state=word) if is_late(context, ticket) else word


def _stated(context: ReportContext, found: _Found) -> list[Stated]:
    whole = _group(context, found.cases, costs(found.stops, lambda _: "")[1])
    accept, solve = whole.accept_due, whole.solve_due
    rostered_s, lost_s, shifts = _rostered(context, found.stops)
    return [
        Stated("tickets", "count", whole.tickets),
        Stated("accept_met", "percent", percent(whole.accept_met, accept), accept,
               within=share(whole.accept_met, accept).within),
        Stated("solve_met", "percent", percent(whole.solve_met, solve), solve,
               within=share(whole.solve_met, solve).within),
        Stated("lost_s", "seconds", whole.cost.lost_s, whole.cost.agents),
        Stated("lost_calls", "count", whole.cost.calls),
        Stated("operative", "percent", operative(rostered_s, lost_s), shifts),
    ]  # fmt: skip


def operative(rostered_s: int, lost_s: int) -> float | None:
    """Of the time of the shifts that had begun by then, what no fault took."""
    return percent(rostered_s - lost_s, rostered_s)


def _rostered(context: ReportContext, its: Iterable[Stop]) -> tuple[int, int, int]:
    """Seconds of the shifts until now, those of them that were lost, and how many shifts."""
    lost: defaultdict[str, list[Stop]] = defaultdict(list)
    for stop in its:
        lost[stop.agent].append(stop)
    now_s, first_s, last_s = (one // 1000 for one in (context.now_ms, *context.bounds_ms))
    seconds = taken = shifts = 0
    for (agent, day), one in due_shifts(context.people, now_s).items():
        start = max(one.plan.start_s or 0, first_s)
        end = min(one.plan.end_s or 0, last_s, now_s)
        if start < end and context.has(agent, day):
            shifts += 1
            seconds += end - start
            inside = [stop.within([(start, end)]) for stop in lost.get(agent, ())]
            if any(stop.times for stop in inside):
                taken += costs(inside, lambda _: "")[1].lost_s
    return seconds, taken, shifts
