"""Attendance: the worker's own marks with corrections beside them, lateness, the stay outside of
the shift; logins of the system apart; and the register with the fields of DS 004-2006-TR.
"""

from collections.abc import Callable

from diadema.figures.attendance import AgentDay, attendance
from diadema.report.asked import Asked
from diadema.report.model import Cell, Kind, Section
from diadema.report.tables import Line, Part, Stated, summary, table

_WHO: tuple[tuple[str, Kind], ...] = (
    ("agent", "text"), ("code", "text"), ("team", "text"), ("day", "day"),
)  # fmt: skip
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
    _part("shift", lambda day: day.planned.shift if day.planned else None, "text"),
    _part("absence", lambda day: day.planned.absence if day.planned else None, "text"),
    _part("planned_in", _plan("start_s"), "minute"),
    _part("first_in", lambda day: day.first_in, "hour"),
    _part("corrected_in", lambda day: day.corrected_in, "hour"),
    _part("planned_out", _plan("end_s"), "minute"),
    _part("last_out", lambda day: day.last_out, "hour"),
    _part("corrected_out", lambda day: day.corrected_out, "hour"),
    _part("late_s", lambda day: day.late.raw_s if day.late else None, "seconds", add=True),
    _part("explained", lambda day: day.late.explained if day.late else None, "text"),
    _part("stay_s", lambda day: day.stay_s, "seconds", add=True),
    _part("outside_s", lambda day: day.outside_s, "seconds", add=True),
    _part("marks", lambda day: len(day.marks), add=True),
    _part("corrections", lambda day: len(day.corrections), add=True),
]
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
LEGAL: list[Part[AgentDay]] = [
    _part("entry", lambda day: day.first_in, "minute"),
    _part("exit", lambda day: day.last_out, "minute"),
    _part("corrected_entry", lambda day: day.corrected_in, "minute"),
    _part("corrected_exit", lambda day: day.corrected_out, "minute"),
    _part("why_corrected", lambda day: _why(day), "text"),
    _part("outside_s", lambda day: day.outside_s, "seconds", add=True),
]


def make(asked: Asked) -> list[Section]:
    found = attendance(
        asked.data, asked.period.first, asked.period.last, asked.now_ms, asked.agents
    )
    days = sorted(found, key=lambda day: (asked.order(day.agent), day.day))
    people = asked.people

    def who(day: AgentDay) -> list[Cell]:
        team = people.team(day.agent)
        return [people.name(day.agent), day.agent, people.teams.get(team, team), day.day]

    def legal(day: AgentDay) -> list[Cell]:
        worker = people.workers.get(day.agent)
        employer = people.employers.get(worker.employer) if worker else None
        name, ruc = employer or (None, None)
        kind, number = (worker.document_kind, worker.document) if worker else ("", "")
        return [name, ruc, people.name(day.agent), kind or None, number or None, day.day]

    marked: list[Line[AgentDay]] = [(who(day), day) for day in days]
    logged = [line for line in marked if line[1].sessions]
    register = [(legal(day), day) for day in days if day.marks or day.corrections]
    notes = [asked.say("note.marks")]
    if asked.queue is not None:
        notes.append(asked.say("note.not_of_queue"))
    return [
        _summary(asked, days),
        table(asked, "marks", _WHO, MARKS, marked, notes=notes),
        table(asked, "logins", _WHO, LOGINS, logged, notes=[asked.say("note.logins")]),
        table(asked, "register_of_marks", _LEGAL, LEGAL, register,
              notes=[asked.say("note.register_of_marks")]),
        _corrections(asked, days),
    ]  # fmt: skip


def _summary(asked: Asked, days: list[AgentDay]) -> Section:
    late = [day.late for day in days if day.late is not None]
    outside = [day.outside_s for day in days if day.outside_s is not None]
    expected = [day for day in days if day.planned and day.planned.start_s is not None
                and day.planned.absence is None]  # fmt: skip
    stated = [
        Stated("agent_days", "count", len(days)),
        Stated("absent", "count", sum(not day.marks for day in expected), len(expected)),
        Stated("late_days", "count", sum(one.raw_s > 0 for one in late), len(late)),
        Stated("late_s", "seconds", sum(one.raw_s for one in late), len(late)),
        Stated("late_unexplained_s", "seconds", sum(o.unexplained_s for o in late), len(late)),
        Stated("outside_s", "seconds", sum(outside), len(outside)),
        Stated("no_exit", "count", sum(_no_exit(day) for day in days), len(days)),
        Stated("orphans", "count", sum(day.orphans for day in days)),
        Stated("impossible", "count", sum(day.impossible for day in days)),
    ]
    return summary(asked, stated)


def _no_exit(day: AgentDay) -> bool:
    """She came, is not there any more, and made no mark when she left."""
    return day.entry is not None and day.exit is None and not day.open


def _why(day: AgentDay) -> str | None:
    return "; ".join(f"{one.by}: {one.reason}" for one in day.corrections) or None


def _corrections(asked: Asked, days: list[AgentDay]) -> Section:
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
                asked.people.name(day.agent),
                day.day,
                asked.say(f"correction.{one.kind}"),
                None if one.direction is None else asked.say(f"direction.{one.direction}"),
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
    return table(asked, "corrections", heads, none, lines, total=False)
