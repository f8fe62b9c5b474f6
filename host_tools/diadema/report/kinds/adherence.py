"""What was planned beside what was done: adherence with its exceptions, conformance, shrinkage
with its parts, pauses and technical time.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import date

from msgspec import Struct, field
from msgspec.structs import astuple, replace

from diadema.figures.adherence_days import AdherenceDay, Shifted, adherence_days
from diadema.figures.shifts import Spent, around, owed_s
from diadema.metrics import schedule
from diadema.metrics.schedule import SHORT_S, WORK, Deviation
from diadema.metrics.states import Shrinkage, absenteeism
from diadema.report.context import ReportContext
from diadema.report.model import Cell, Chart, Kind, Ratio, Section
from diadema.report.tables import AGENT, Line, Part, Stated, reason_name, staged, summary, table
from diadema.site.directory.people_of import people as read_people
from diadema.wire.live_rows import PRIVATE

type _Cause = tuple[str, str, str, str, str]  # agent, station, area, part, what it came to


class Done(Struct):
    """Of one shift or of several. `idle`: shifts in which the agent never logged in, and so in no
    adherence. `exception_s` = `excused_s` + `short_s` + those that are listed and not excused.
    """

    shifts: int = 0
    idle: int = 0
    shift_s: int = 0
    followed_s: int = 0
    exception_s: int = 0
    short_s: int = 0
    excused_s: int = 0
    slid: int = 0
    scheduled_s: int = 0
    worked_s: int = 0
    credited_s: int = 0
    absences: int = 0


class _Found(Struct):
    """What the tables are made of, by agent or by agent and day."""

    done: dict[tuple[str, date], Done] = field(default_factory=dict)
    listed: list[tuple[str, date, Deviation]] = field(default_factory=list)
    lost: defaultdict[str, list[Shrinkage]] = field(default_factory=lambda: defaultdict(list))
    spent: dict[str, dict[str, Spent]] = field(default_factory=dict)
    technical: Counter[_Cause] = field(default_factory=Counter)
    due_s: int = 0


PARTS: list[Part[Done]] = [
    Part("shifts", lambda done: done.shifts),
    Part("idle", lambda done: done.idle),
    Part("absences", lambda done: done.absences),
    Part("shift_s", lambda done: done.shift_s, "seconds"),
    Part("exception_s", lambda done: done.exception_s, "seconds"),
    Part("excused_s", lambda done: done.excused_s, "seconds"),
    Part("short_s", lambda done: done.short_s, "seconds"),
    Part("slid", lambda done: done.slid),
    Part("followed_s", lambda done: done.followed_s, "seconds"),
    Part(
        "adherence", lambda done: schedule.adherence(done.followed_s, done.shift_s), "percent",
        Ratio(["followed_s"], ["shift_s"]), "adherence",
    ),
    Part("scheduled_s", lambda done: done.scheduled_s, "seconds"),
    Part("worked_s", lambda done: done.worked_s, "seconds"),
    Part("credited_s", lambda done: done.credited_s, "seconds"),
    Part(
        "conformance",
        lambda done: schedule.conformance(done.worked_s, done.credited_s, done.scheduled_s),
        "percent",
        Ratio(["worked_s", "credited_s"], ["scheduled_s"]),
    ),
]  # fmt: skip
_PARTS = (
    "technical_part_s", "training_part_s", "over_part_s", "auxiliary_part_s", "paid_absence_s",
    "unpaid_absence_s", "unplanned_s",
)  # fmt: skip
LOST: list[Part[Shrinkage]] = [
    Part("basis_s", lambda lost: lost.basis_s, "seconds"),
    Part("technical_part_s", lambda lost: lost.technical_s, "seconds"),
    Part("training_part_s", lambda lost: lost.training_s, "seconds"),
    Part("over_part_s", lambda lost: lost.over_s, "seconds"),
    Part("auxiliary_part_s", lambda lost: lost.auxiliary_s, "seconds"),
    Part("paid_absence_s", lambda lost: lost.paid_absence_s, "seconds"),
    Part("unpaid_absence_s", lambda lost: lost.unpaid_absence_s, "seconds"),
    Part("unplanned_s", lambda lost: lost.unplanned_s, "seconds"),
    Part("shrinkage", lambda lost: lost.total, "percent", Ratio([*_PARTS], ["basis_s"])),
]
SPENT: list[Part[Spent]] = [
    Part("seconds", lambda spent: spent.seconds, "seconds"),
    Part("pauses", lambda spent: spent.pauses),
    Part("over_n", lambda spent: spent.over_n),
    Part("over_s", lambda spent: spent.over_s, "seconds"),
]
_DAY: tuple[tuple[str, Kind], ...] = (("day", "day"),)


def make(context: ReportContext) -> list[Section]:
    found = _find(context)
    by_agent: defaultdict[str, list[Done]] = defaultdict(list)
    of_day: defaultdict[str, list[Done]] = defaultdict(list)
    of_stage: defaultdict[str, list[Done]] = defaultdict(list)
    for (agent, day), done in found.done.items():
        by_agent[agent].append(done)
        of_day[day.isoformat()].append(done)
        of_stage[context.people.on(agent, day).stage].append(done)
    agents, days, stages = (
        {key: _summed(Done, its) for key, its in parts.items()}
        for parts in (by_agent, of_day, of_stage)
    )
    whole = _summed(Done, days.values())
    lost = {a: _summed(Shrinkage, its) for a, its in found.lost.items()}
    lines: list[Line[Done]] = [
        (_who(context, a), agents[a]) for a in sorted(agents, key=context.order)
    ]
    by_day: list[Line[Done]] = [([day], days[day]) for day in sorted(days)]
    lines_lost: list[Line[Shrinkage]] = [
        (_who(context, a), lost[a]) for a in sorted(lost, key=context.order) if lost[a].basis_s
    ]
    notes = [] if found.done else [context.say("note.no_roster")]
    if whole.idle:
        notes.append(context.say("note.idle", n=whole.idle, of=whole.shifts))
    if context.queue is not None:
        notes.append(context.say("note.not_of_queue"))
    drawn = Chart(
        title=context.say("chart.adherence_days"), x="day", lines=["adherence", "conformance"],
        unit=context.say("unit.shifts"), n=whole.shifts,
    )  # fmt: skip
    return [
        _summary(context, found, whole, [*lost.values()], notes),
        table(context, "adherence_agents", AGENT, PARTS, lines),
        table(context, "adherence_days", _DAY, PARTS, by_day, charts=[drawn]),
        *staged(context, "adherence_stages", PARTS, stages),
        _exceptions(context, found.listed),
        table(context, "shrinkage_agents", AGENT, LOST, lines_lost,
              notes=[context.say("note.shrinkage")]),
        _pauses(context, found.spent),
        _technical(context, found.technical),
    ]  # fmt: skip


def _summed[S: (Done, Shrinkage)](of: type[S], its: Iterable[S]) -> S:
    return of(*map(sum, zip(*map(astuple, its), strict=True)))


def _who(context: ReportContext, agent: str) -> list[Cell]:
    return [context.people.name(agent), agent, context.team_name(agent)]


def _summary(
    context: ReportContext, found: _Found, whole: Done, each: list[Shrinkage], notes: list[str]
) -> Section:
    lost, n = _summed(Shrinkage, each), sum(one.basis_s > 0 for one in each)
    seen = whole.shifts - whole.idle
    adherence = schedule.adherence(whole.followed_s, whole.shift_s)
    done = schedule.conformance(whole.worked_s, whole.credited_s, whole.scheduled_s)
    stated = [
        Stated("adherence", "percent", adherence, seen, "adherence"),
        Stated("absenteeism", "percent", absenteeism(lost.unplanned_s, found.due_s), whole.shifts),
        Stated("conformance", "percent", done, whole.shifts),
        Stated("shrinkage", "percent", lost.total, n),
        Stated("in_office", "percent", lost.in_office, n),
        Stated("out_office", "percent", lost.out_office, n),
        Stated("technical_s", "seconds", sum(found.technical.values()), len(found.technical)),
    ]
    return summary(context, stated, notes)


def _find(context: ReportContext) -> _Found:
    """Until the cut-off, by the day of the shift; what is no shift's by the calendar."""
    now_s = context.now_ms // 1000
    first, last = context.period.first, context.period.last
    roster = read_people(context.data, *around(first, last)).roster
    people = replace(context.people, roster=roster)
    found = _Found()
    for (agent, day), plan in roster.items():
        if plan.absence is None or not first <= day <= last or not context.has(agent, day):
            continue
        if plan.absence == "day_off":
            continue
        seconds = owed_s(plan, people.reasons, now_s)
        found.done[agent, day] = Done(absences=1)
        unpaid = plan.absence == "unpaid_permission"
        paid_s, unpaid_s = (0, seconds) if unpaid else (seconds, 0)
        found.lost[agent].append(
            Shrinkage(basis_s=seconds, paid_absence_s=paid_s, unpaid_absence_s=unpaid_s)
        )
    its = adherence_days(context.data, people, first, last, context.now_ms, context.agents)
    for (agent, day), one in its.items():
        if context.has(agent, day):
            _add_day(found, agent, day, one)
    return found


def _add_day(found: _Found, agent: str, day: date, one: AdherenceDay) -> None:
    if one.shift is not None:
        _add_shift(found, agent, day, one.shift)
    found.lost[agent].append(one.lost)
    its = found.spent.setdefault(agent, {})
    for code, spent in one.spent.items():
        if code not in its:
            its[code] = Spent()
        its[code].add(spent)
    for cause, seconds in one.technical:
        found.technical[agent, *cause] += seconds


def _add_shift(found: _Found, agent: str, day: date, shift: Shifted) -> None:
    done = found.done[agent, day] = Done(
        shifts=1, slid=shift.slid, worked_s=shift.worked_s, credited_s=shift.credited_s,
        scheduled_s=shift.scheduled_s, exception_s=shift.exception_s, excused_s=shift.excused_s,
        short_s=shift.short_s,
    )  # fmt: skip
    found.due_s += shift.owed_s
    if shift.followed is None:
        done.idle = 1
        found.lost[agent].append(Shrinkage(basis_s=shift.owed_s, unplanned_s=shift.owed_s))
        return
    done.followed_s, done.shift_s = shift.followed
    found.listed += [(agent, day, each) for each in shift.listed]


def _exceptions(context: ReportContext, listed: list[tuple[str, date, Deviation]]) -> Section:
    """From, to, what was planned, what the agent did, and who excused it; no private reasons."""
    heads: tuple[tuple[str, Kind], ...] = (
        ("agent", "text"), ("code", "text"), ("day", "day"), ("from", "moment"),
        ("to", "moment"), ("planned", "text"), ("did", "text"), ("excused_by", "text"),
    )  # fmt: skip
    parts = [Part[Deviation]("seconds", lambda one: one.seconds, "seconds")]
    shown, its = context.people.shown, defaultdict[str, list[tuple[str, Deviation]]](list)
    days = {day: day.isoformat() for _, day, _ in listed}
    codes = {code for _, _, one in listed for code in (one.planned or WORK, one.did)}
    words = {code: _activity(context, code) for code in codes if shown(code) != PRIVATE}
    for agent, day, one in listed:
        if (one.planned or WORK) in words and one.did in words:
            its[agent].append((days[day], one))
    lines: list[Line[Deviation]] = []
    for agent in sorted(its, key=context.order):
        name = context.people.name(agent)
        lines += [
            (
                [
                    name, agent, day, one.start_s * 1000, one.end_s * 1000,
                    words[one.planned or WORK], words[one.did], _excuse(context, one),
                ],
                one,
            )
            for day, one in sorted(its[agent], key=lambda each: each[1].start_s)
        ]  # fmt: skip
    notes = [context.say("note.exceptions", minutes=SHORT_S // 60)]
    return table(context, "exceptions", heads, parts, lines, notes=notes)


def _activity(context: ReportContext, code: str) -> str:
    if code in (WORK, "logged_out", "off"):
        return context.say(f"did.{code}")
    return reason_name(context, code)


def _excuse(context: ReportContext, one: Deviation) -> str | None:
    if one.excuse == "productive":
        return reason_name(context, one.did)
    return None if one.excuse is None else context.known("excuse", one.excuse)


def _pauses(context: ReportContext, spent: Mapping[str, Mapping[str, Spent]]) -> Section:
    """Private reasons are one row, the last one of a person whatever it has."""
    lines: list[Line[Spent]] = [
        ([*_who(context, agent), reason_name(context, code)], spent[agent][code])
        for agent in sorted(spent, key=context.order)
        for code in sorted(
            spent[agent], key=lambda code: (code == PRIVATE, reason_name(context, code))
        )
    ]
    heads = (*AGENT, ("reason", "text"))
    return table(context, "pauses_agents", heads, SPENT, lines, notes=[context.say("note.pauses")])


def _technical(context: ReportContext, its: Counter[_Cause]) -> Section:
    heads: tuple[tuple[str, Kind], ...] = (*AGENT, ("seat", "text"), ("cause", "text"))
    parts = [Part[int]("technical_s", lambda seconds: seconds, "seconds")]
    lines: list[Line[int]] = [
        (
            [
                *_who(context, key[0]), context.people.seats.get(key[1], key[1]),
                ", ".join(filter(None, key[2:])) or context.say("cause.none"),
            ],
            its[key],
        )
        for key in sorted(its, key=lambda key: (context.order(key[0]), key))
    ]  # fmt: skip
    return table(context, "technical", heads, parts, lines, notes=[context.say("note.technical")])
