"""What was planned beside what was done: adherence, conformance, and what paid time was lost."""

from bisect import bisect_right
from collections import defaultdict
from datetime import timedelta

import msgspec
from msgspec import Struct

from diadema.directory.people import Planned
from diadema.directory.reading import people as read_people
from diadema.figures.attendance import NEAR_S
from diadema.figures.load import stretches
from diadema.metrics import schedule, states
from diadema.metrics.rounding import percent
from diadema.report.asked import Asked
from diadema.report.model import Kind, Ratio, Section
from diadema.report.tables import AGENT, Line, Part, Stated, summary, table
from diadema.store import open_reader
from diadema.store.rows import Trail

type Times = list[tuple[int, int]]


class Done(Struct):
    """Of one shift or of several. `absent_s`: of planned absences; `idle`: shifts in which she did
    not work at all, and so in no adherence.
    """

    shifts: int = 0
    idle: int = 0
    shift_s: int = 0
    followed_s: int = 0
    scheduled_s: int = 0
    worked_s: int = 0
    absences: int = 0
    absent_s: int = 0

    def __iadd__(self, other: "Done") -> "Done":
        for name in self.__struct_fields__:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        return self


PARTS: list[Part[Done]] = [
    Part("shifts", lambda done: done.shifts),
    Part("idle", lambda done: done.idle),
    Part("absences", lambda done: done.absences),
    Part("shift_s", lambda done: done.shift_s, "seconds"),
    Part("followed_s", lambda done: done.followed_s, "seconds"),
    Part(
        "adherence", lambda done: percent(done.followed_s, done.shift_s), "percent",
        Ratio(["followed_s"], ["shift_s"]), "adherence",
    ),
    Part("scheduled_s", lambda done: done.scheduled_s, "seconds"),
    Part("worked_s", lambda done: done.worked_s, "seconds"),
    Part(
        "conformance", lambda done: percent(done.worked_s, done.scheduled_s), "percent",
        Ratio(["worked_s"], ["scheduled_s"]),
    ),
]  # fmt: skip
_DAY: tuple[tuple[str, Kind], ...] = (("day", "day"),)


def make(asked: Asked) -> list[Section]:
    found = _found(asked)
    agents: defaultdict[str, Done] = defaultdict(Done)
    days: defaultdict[str, Done] = defaultdict(Done)
    whole = Done()
    for (agent, day), done in found.items():
        for total in (agents[agent], days[day], whole):
            total += done
    people = asked.people
    lines: list[Line[Done]] = [
        ([people.name(a), a, people.teams.get(people.team(a), people.team(a))], agents[a])
        for a in sorted(agents, key=asked.order)
    ]
    by_day: list[Line[Done]] = [([day], days[day]) for day in sorted(days)]
    notes = [] if found else [asked.say("note.no_roster")]
    if asked.queue is not None:
        notes.append(asked.say("note.not_of_queue"))
    return [
        _summary(asked, whole, notes),
        table(asked, "adherence_agents", AGENT, PARTS, lines),
        table(asked, "adherence_days", _DAY, PARTS, by_day),
    ]


def _summary(asked: Asked, whole: Done, notes: list[str]) -> Section:
    lost = states.shrinkage(asked.total.load, asked.people, whole.absent_s)
    n = whole.shifts - whole.idle
    stated = [
        Stated("adherence", "percent", percent(whole.followed_s, whole.shift_s), n, "adherence"),
        Stated("conformance", "percent", percent(whole.worked_s, whole.scheduled_s), whole.shifts),
        Stated("shrinkage", "percent", lost.total),
        Stated("in_office", "percent", lost.in_office),
        Stated("out_office", "percent", lost.out_office),
    ]
    return summary(asked, stated, notes)


def _found(asked: Asked) -> dict[tuple[str, str], Done]:
    """By agent and the day of the shift, until the cut-off."""
    now_s = asked.now_ms // 1000
    first, last = asked.period.first, asked.period.last
    around = read_people(asked.data, first - timedelta(days=1), last + timedelta(days=1)).roster
    shifts: defaultdict[str, list[Planned]] = defaultdict(list)
    found: dict[tuple[str, str], Done] = {}
    for (agent, day), plan in around.items():
        if asked.agents is not None and agent not in asked.agents:
            continue
        if plan.absence is not None and first <= day <= last:
            found[agent, day.isoformat()] = Done(absences=1, absent_s=_length(plan, now_s))
        elif plan.start_s is not None and plan.end_s is not None and plan.start_s < now_s:
            shifts[agent].append(plan)
    if not shifts:
        return found
    work = _work(asked)
    for agent, plans in shifts.items():
        plans.sort(key=lambda plan: plan.start_s or 0)
        for plan, its in zip(plans, _shared(plans, work.get(agent, [])), strict=True):
            if first <= plan.day <= last:
                found[agent, plan.day.isoformat()] = _done(plan, its, now_s)
    return found


def _done(plan: Planned, work: Times, now_s: int) -> Done:
    """A shift that goes on is one until now."""
    plan = msgspec.structs.replace(plan, end_s=min(plan.end_s or 0, now_s))
    done = Done(shifts=1, scheduled_s=schedule.scheduled_s(plan), worked_s=schedule.length_s(work))
    followed = schedule.followed(plan, work)
    if followed is None:
        done.idle = 1
    else:
        done.followed_s, done.shift_s = followed
    return done


def _length(plan: Planned, now_s: int) -> int:
    if plan.start_s is None or plan.end_s is None:
        return 0
    return max(0, min(plan.end_s, now_s) - plan.start_s)


def _work(asked: Asked) -> dict[str, Times]:
    """When each one worked."""
    start, end = asked.bounds_ms
    reader = open_reader(asked.data.store)
    agent = asked.scope.code if asked.scope.of == "agent" else None
    try:
        trails = reader.trails(
            agent=agent, start_utc=start - NEAR_S * 1000, end_utc=end + 3 * NEAR_S * 1000,
            now_utc=asked.now_ms,
        )  # fmt: skip
    finally:
        reader.close()
    its: defaultdict[str, list[Trail]] = defaultdict(list)
    for trail in trails:
        its[trail.a].append(trail)
    reasons = asked.people.reasons
    return {a: schedule.worked(stretches(of), reasons) for a, of in its.items()}


def _shared(plans: list[Planned], work: Times) -> list[Times]:
    """To each shift the work nearest to it, cut midway between two of them; what lies too far from
    any belongs to none.
    """
    starts = [plan.start_s or 0 for plan in plans]
    ends = [plan.end_s or 0 for plan in plans]
    middles = [(end + start) // 2 for end, start in zip(ends, starts[1:], strict=False)]
    its: list[Times] = [[] for _ in plans]
    for begin, until in work:
        while begin < until:
            k = bisect_right(middles, begin)
            stop = min(until, middles[k]) if k < len(middles) else until
            first, last = max(begin, starts[k] - NEAR_S), min(stop, ends[k] + NEAR_S)
            if first < last:
                its[k].append((first, last))
            begin = stop
    return its
