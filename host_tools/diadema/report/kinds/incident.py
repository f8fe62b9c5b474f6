"""The document «Constancia de incidencia»: one ticket, for whom the service is rendered to: when
it began and ended, which seats it stopped, what it cost and what was done. It names no person.
"""

from datetime import date, timedelta

from diadema.access.roles import Person
from diadema.base.paths import DataDir
from diadema.figures.days import start_of
from diadema.figures.lost_time import Stop, costs, stops
from diadema.report.context import ReportContext
from diadema.report.kinds.faults import names_of, state_word
from diadema.report.model import Cell, Column, Figure, Kind, Section
from diadema.report.tables import Line, Part, table
from diadema.site.context import zone_of
from diadema.site.directory.people_of import people as read_people
from diadema.store import open_reader
from diadema.store.assistance import TicketCase, key_of, ticket_cases

_COURSE = ("opened", "taken", "resolved", "reopened", "closed")


def make(context: ReportContext) -> list[Section]:
    """Of one ticket whole, whatever the days that were asked for; else those among which to choose
    one.
    """
    if context.scope.of != "ticket":
        return [_incidents(context)]
    with open_reader(context.data.store) as reader, reader.engine.connect() as tx:
        found = ticket_cases(tx, ids=[context.scope.code])
        if not found or not context.sees_ticket(found[0]):
            raise context.refuse("no_such_ticket", given=context.scope.code)
        (case,) = found
        start = _start(case)
        ends = [one.closed_utc or context.now_ms for one in case.reports]
        agents = {one.agent for one in case.reports if one.agent is not None}
        its = stops(tx, start, max(ends, default=start) + 1, context.now_ms, agents)
    own = {key_of(one) for one in case.reports}
    its = [one for one in its if key_of(one.press) in own]
    return [_summary(context, case, its), _seats(context, case, its), _course(context, case)]


def _incidents(context: ReportContext) -> Section:
    heads: tuple[tuple[str, Kind], ...] = (
        ("ticket", "text"), ("ticket_title", "text"), ("area", "text"), ("part", "text"),
        ("ticket_state", "text"), ("began", "moment"), ("ended", "moment"),
    )  # fmt: skip
    start, end = context.bounds_ms
    with open_reader(context.data.store) as reader, reader.engine.connect() as tx:
        found = ticket_cases(tx, start_utc=start, end_utc=end)
    return Section(
        key="incidents",
        title=context.say("table.incidents"),
        columns=[Column(key=k, word=context.heading(k), kind=kind) for k, kind in heads],
        rows=[
            [
                one.ticket.ticket,
                one.ticket.title,
                *names_of(context, one.ticket.area, one.ticket.part or ""),
                state_word(context, one.ticket),
                _start(one),
                one.ticket.resolved_utc,
            ]
            for one in found
            if context.sees_ticket(one)
        ],
        notes=[context.say("note.incidents")],
    )


def choices(data: DataDir, person: Person, first: date, last: date) -> list[tuple[str, str]]:
    """The tickets that were open on any of these days and that the person sees, the newest first:
    scope and name.
    """
    zone, people = zone_of(data), read_people(data, first, last)
    start, end = (1000 * start_of(day, zone) for day in (first, last + timedelta(days=1)))
    with open_reader(data.store) as reader, reader.engine.connect() as tx:
        found = ticket_cases(tx, start_utc=start, end_utc=end)
    return [
        (f"ticket:{one.ticket.ticket}", f"{one.ticket.title} ({one.ticket.ticket})")
        for one in reversed(found)
        if person.sees_ticket(one, people)
    ]


def _start(case: TicketCase) -> int:
    """Its first report, or its opening."""
    known = [one.open_utc for one in case.reports if one.open_utc is not None]
    return min([case.ticket.utc, *known])


def _summary(context: ReportContext, case: TicketCase, its: list[Stop]) -> Section:
    ticket, whole = case.ticket, costs(its, lambda one: one.press.station)[1]
    start, end = _start(case), ticket.resolved_utc
    area, part = names_of(context, ticket.area, ticket.part or "")
    rows: list[tuple[str, Cell]] = [
        ("ticket", ticket.ticket),
        ("ticket_title", ticket.title),
        ("ticket_state", state_word(context, ticket)),
        ("area", area),
        ("part", part),
        ("severity", Figure("count", ticket.severity)),
        ("external", ticket.external),
        ("began", Figure("moment", start)),
        ("ended", Figure("moment", end)),
        ("lasted_s", Figure("seconds", None if end is None else (end - start) // 1000)),
        ("seats_stopped", Figure("count", len(_stations(case)))),
        ("lost_s", Figure("seconds", whole.lost_s)),
        ("lost_calls", Figure("count", whole.calls)),
        ("ticket_cause", ticket.cause),
        ("measure", ticket.fix),
    ]
    heads: tuple[tuple[str, Kind], ...] = (("incident_item", "text"), ("value", "figure"))
    return Section(
        key="incident",
        title=context.say("table.incident"),
        columns=[Column(key=k, word=context.heading(k), kind=kind) for k, kind in heads],
        rows=[
            [context.heading(key), Figure("text", cell) if isinstance(cell, str) else cell]
            for key, cell in rows
        ],
        notes=[context.say("note.incident"), context.say("note.lost")],
    )


def _stations(case: TicketCase) -> set[str]:
    return {one.station for one in case.reports}


def _seats(context: ReportContext, case: TicketCase, its: list[Stop]) -> Section:
    """Also those it was opened for, of which no report came."""
    cost, whole = costs(its, lambda one: one.press.station)
    seats = context.people.seats
    parts = [
        Part[str]("began", lambda s: _first(case, s), "moment", None),
        Part[str]("lost_s", lambda s: cost[s].lost_s if s in cost else 0, "seconds", "given"),
        Part[str]("lost_calls", lambda s: cost[s].calls if s in cost else 0, total="given"),
    ]
    lines: list[Line[str]] = [
        ([seats.get(one, one)], one)
        for one in sorted(_stations(case), key=lambda one: seats.get(one, one))
    ]
    named = {seats.get(one, one) for one in _stations(case)}
    lines += [([one], "") for one in case.ticket.seats.split("\n") if one and one not in named]
    given: dict[str, Cell] = {"lost_s": whole.lost_s, "lost_calls": whole.calls}
    return table(context, "incident_seats", [("seat", "text")], parts, lines, given=given)


def _first(case: TicketCase, station: str) -> int | None:
    its = (one.open_utc for one in case.reports if one.station == station)
    return min((one for one in its if one is not None), default=None)


def _course(context: ReportContext, case: TicketCase) -> Section:
    heads: tuple[tuple[str, Kind], ...] = (("at", "moment"), ("what", "text"))
    return Section(
        key="incident_course",
        title=context.say("table.incident_course"),
        columns=[Column(key=k, word=context.heading(k), kind=kind) for k, kind in heads],
        rows=[
            [one.utc, context.say(f"course.{one.kind}")]
            for one in case.steps
            if one.kind in _COURSE
        ],
    )
