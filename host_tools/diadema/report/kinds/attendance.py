"""Attendance: the worker's own marks with corrections beside them, lateness, the stay outside of
the shift, what has to be settled; logins of the system apart; and the register with the fields of
DS 004-2006-TR, a row for each entry with its exit.
"""

from collections.abc import Callable, Iterable
from datetime import date

from diadema.figures.attendance import AgentDay, attendance
from diadema.figures.stays import Stay
from diadema.report.context import ReportContext
from diadema.report.model import Cell, Kind, Section
from diadema.report.tables import Line, Part, Stated, summary, table

_WHO: tuple[tuple[str, Kind], ...] = (
    ("agent", "text"), ("code", "text"), ("team", "text"), ("day", "day"),
)  # fmt: skip
_PLAN: tuple[tuple[str, Kind], ...] = (("shift", "text"), ("absence", "text"))
_LEGAL: tuple[tuple[str, Kind], ...] = (
    ("employer", "text"), ("ruc", "text"), ("worker", "text"), ("document_kind", "text"),
    ("document", "text"), ("date", "day"),
)  # fmt: skip


def _part(
    key: str, get: Callable[[AgentDay], Cell], kind: Kind = "count", *, add: bool = False
) -> Part[AgentDay]:
    return Part(key, get, kind, "sum" if add else None)


def _plan(name: str) -> Callable[[AgentDay], Cell]:
    def get(day: AgentDay) -> Cell:
        seconds = getattr(day.planned, name, None)
        return None if seconds is None else int(seconds) * 1000

    return get


MARKS: list[Part[AgentDay]] = [
    _part("planned_in", _plan("start_s"), "minute"),
    _part("first_in", lambda day: day.first_in, "hour"),
    _part("corrected_in", lambda day: day.corrected_in, "hour"),
    _part("planned_out", _plan("end_s"), "minute"),
    _part("last_out", lambda day: day.last_out, "hour"),
    _part("corrected_out", lambda day: day.corrected_out, "hour"),
    _part("late_s", lambda day: day.late.raw_s if day.late else None, "seconds", add=True),
    _part("late_whole_s", lambda day: day.late.whole_s if day.late else None, "seconds",
          add=True),
    _part("explained", lambda day: day.late.explained if day.late else None, "text"),
    _part("stay_s", lambda day: day.stay_s, "seconds", add=True),
    _part("outside_s", lambda day: day.outside_s, "seconds", add=True),
    _part("marks", lambda day: len(day.marks), add=True),
    _part("corrections", lambda day: len(day.corrections), add=True),
    _part("to_settle", lambda day: len(_unsettled(day)), add=True),
]  # fmt: skip
LOGINS: list[Part[AgentDay]] = [
    _part("first_login", lambda day: day.first_login, "hour"),
    _part("last_logout", lambda day: day.last_logout, "hour"),
    _part("late_login_s", lambda day: day.late_login.raw_s if day.late_login else None,
          "seconds", add=True),
    _part("mark_to_login_s", lambda day: day.mark_to_login_s, "seconds"),
    _part("logout_to_mark_s", lambda day: day.logout_to_mark_s, "seconds"),
    _part("sessions", lambda day: len(day.sessions), add=True),
    _part("orphans", lambda day: day.orphans, add=True),
    _part("impossible", lambda day: day.impossible, add=True),
    _part("logged_in", lambda day: int(day.open), add=True),
]  # fmt: skip
LEGAL: list[Part[tuple[AgentDay, Stay]]] = [
    Part("entry", lambda of: of[1].made_in, "minute", None),
    Part("exit", lambda of: of[1].made_out, "minute", None),
    Part("corrected_entry", lambda of: _other(of[1].entry, of[1].made_in), "minute", None),
    Part("corrected_exit", lambda of: _other(of[1].exit, of[1].made_out), "minute", None),
    Part("why_corrected", lambda of: _why(of[1]), "text", None),
    Part("stay_s", lambda of: of[1].seconds, "seconds"),
    Part("outside_s", lambda of: of[0].outside_of(of[1]), "seconds"),
]


def make(context: ReportContext) -> list[Section]:
    found = [
        one
        for one in attendance(
            context.data, context.period.first, context.period.last, context.now_ms, context.agents
        )
        if context.has(one.agent, date.fromisoformat(one.day))
    ]
    names = sorted({day.agent for day in found}, key=context.order)
    place = {agent: number for number, agent in enumerate(names)}
    days = sorted(found, key=lambda day: (place[day.agent], day.day))
    people = context.people
    heads = {a: [people.name(a), a, context.team_name(a)] for a in names}

    def who(day: AgentDay) -> list[Cell]:
        return [*heads[day.agent], day.day]

    def planned(day: AgentDay) -> list[Cell]:
        plan = day.planned
        if plan is None:
            return [None, None]
        return [plan.shift, context.known("absence", plan.absence) if plan.absence else None]

    def legal(agent: str) -> list[Cell]:
        worker = people.workers.get(agent)
        employer = people.employers.get(worker.employer) if worker else None
        name, ruc = employer or (None, None)
        kind, number = (worker.document_kind, worker.document) if worker else ("", "")
        return [name, ruc, people.name(agent), kind or None, number or None]

    marked: list[Line[AgentDay]] = [([*who(day), *planned(day)], day) for day in days]
    logged: list[Line[AgentDay]] = [(who(day), day) for day in days if day.sessions]
    of_law = {a: legal(a) for a in names}
    register: list[Line[tuple[AgentDay, Stay]]] = [
        ([*of_law[day.agent], day.day, _state(context, stay)], (day, stay))
        for day in days
        for stay in day.stays
    ]
    notes = [context.say("note.marks")]
    if context.queue is not None:
        notes.append(context.say("note.not_of_queue"))
    return [
        _summary(context, days),
        table(context, "marks", (*_WHO, *_PLAN), MARKS, marked, notes=notes),
        table(context, "logins", _WHO, LOGINS, logged, notes=[context.say("note.logins")]),
        table(context, "register_of_marks", (*_LEGAL, ("state", "text")), LEGAL, register,
              notes=[context.say("note.register_of_marks")]),
        _to_settle(context, days),
        _corrections(context, days),
    ]  # fmt: skip


def _summary(context: ReportContext, days: list[AgentDay]) -> Section:
    late = [day.late for day in days if day.late is not None]
    outside = [day.outside_s for day in days if day.outside_s is not None]
    absent = [found for day in days if (found := day.absent(context.now_ms)) is not None]
    stays = [stay for day in days for stay in day.stays]
    entries = [stay for stay in stays if stay.entry is not None]
    exits = [stay for stay in stays if stay.exit is not None]
    stated = [
        Stated("agent_days", "count", len(days)),
        Stated("absent", "count", sum(absent), len(absent)),
        Stated("late_days", "count", sum(one.raw_s > 0 for one in late), len(late)),
        Stated("late_s", "seconds", sum(one.raw_s for one in late), len(late)),
        Stated("late_whole_s", "seconds", sum(one.whole_s for one in late), len(late)),
        Stated("late_unexplained_s", "seconds", sum(o.unexplained_s for o in late), len(late)),
        Stated("late_whole_unexplained_s", "seconds",
               sum(one.whole_unexplained_s for one in late), len(late)),
        Stated("outside_s", "seconds", sum(outside), len(outside)),
        Stated("no_exit", "count", sum(stay.state == "no_exit" for stay in stays), len(entries)),
        Stated("no_entry", "count", sum(stay.state == "no_entry" for stay in stays), len(exits)),
        Stated("orphans", "count", sum(day.orphans for day in days)),
        Stated("impossible", "count", sum(day.impossible for day in days)),
    ]  # fmt: skip
    return summary(context, stated)


def _unsettled(day: AgentDay) -> list[Stay]:
    return [stay for stay in day.stays if stay.state in ("no_entry", "no_exit")]


def _to_settle(context: ReportContext, days: Iterable[AgentDay]) -> Section:
    """Each mark without its partner, for somebody to find out and correct."""
    heads: tuple[tuple[str, Kind], ...] = (
        ("agent", "text"), ("code", "text"), ("day", "day"), ("entry", "moment"),
        ("exit", "moment"), ("what", "text"),
    )  # fmt: skip
    none: list[Part[None]] = []
    lines: list[Line[None]] = [
        (
            [
                context.people.name(day.agent), day.agent, day.day, stay.entry, stay.exit,
                context.say(f"lacks.{stay.state}"),
            ],
            None,
        )
        for day in days
        for stay in _unsettled(day)
    ]  # fmt: skip
    return table(context, "to_settle", heads, none, lines, total=False,
                 notes=[context.say("note.to_settle", n=len(lines))])  # fmt: skip


def _state(context: ReportContext, stay: Stay) -> str | None:
    return context.say(f"stay.{stay.state}") if stay.state else None


def _other(corrected: int | None, made: int | None) -> int | None:
    return corrected if corrected != made else None


def _why(stay: Stay) -> str | None:
    return "; ".join(f"{one.by}: {one.reason}" for one in stay.fixes) if stay.fixes else None


def _corrections(context: ReportContext, days: list[AgentDay]) -> Section:
    """Each correction as it was entered: by whom, when, why. The mark itself stands above."""
    heads: tuple[tuple[str, Kind], ...] = (
        ("agent", "text"), ("day", "day"), ("what", "text"), ("direction", "text"),
        ("time", "moment"), ("by", "text"), ("reason", "text"), ("evidence", "text"),
        ("entered", "moment"),
    )  # fmt: skip
    none: list[Part[None]] = []
    lines: list[Line[None]] = [
        (
            [
                context.people.name(day.agent),
                day.day,
                context.say(f"correction.{one.kind}"),
                None if one.direction is None else context.say(f"direction.{one.direction}"),
                one.time_utc,
                one.by,
                one.reason,
                one.evidence,
                one.utc,
            ],
            None,
        )
        for day in days
        for one in day.corrections
    ]
    return table(context, "corrections", heads, none, lines, total=False)
