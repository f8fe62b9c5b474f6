"""Shifts of the roster beside what was shown of each agent in them, and the rest of her time."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import date, timedelta

import msgspec
from msgspec import Struct, field
from sqlalchemy import select

from diadema.directory.people import People, Planned
from diadema.figures.attendance import NEAR_S
from diadema.figures.away import Pause, pauses
from diadema.figures.facts import tickets
from diadema.figures.load import Stretch, stretches, technical_by
from diadema.metrics import schedule
from diadema.metrics.schedule import Deviation, deviations, slid
from diadema.paths import DataDir
from diadema.store import open_reader, tables
from diadema.store.host_rows import Correction
from diadema.store.rows import Ticket, Trail

type Said = tuple[int, str]  # UTC seconds of a moment, by whom and why


class Shift(Struct, kw_only=True):
    """One shift until now. `its`: exceptions, in order; `slid`: pauses that a call made late;
    `present`: she was logged in near it; `credited_s`: planned work that a fault took.
    """

    plan: Planned
    its: list[Deviation]
    slid: int
    present: bool
    worked_s: int
    credited_s: int

    @property
    def scheduled_s(self) -> int:
        return schedule.scheduled_s(self.plan)

    @property
    def followed(self) -> tuple[int, int] | None:
        return schedule.followed(self.plan, self.its) if self.present else None


class Presence(Struct):
    """What was shown of one agent, around the days asked for; faults with their ticket."""

    stretches: list[Stretch] = field(default_factory=list)
    pauses: list[Pause] = field(default_factory=list)
    technical: list[tuple[int, int, Ticket]] = field(default_factory=list)

    @property
    def faults(self) -> list[tuple[int, int]]:
        return [(start, end) for start, end, _ in self.technical]


def presence(
    data: DataDir, start_ms: int, end_ms: int, now_ms: int, agent: str | None = None
) -> dict[str, Presence]:
    """By agent, of [start_ms, end_ms) and what lies near it."""
    start_ms, end_ms = start_ms - NEAR_S * 1000, end_ms + 3 * NEAR_S * 1000
    reader = open_reader(data.store)
    try:
        trails = reader.trails(agent=agent, start_utc=start_ms, end_utc=end_ms, now_utc=now_ms)
        with reader.engine.connect() as tx:
            asked_for = [*tickets(tx, start_ms, end_ms)]
    finally:
        reader.close()
    by_agent: defaultdict[str, list[Trail]] = defaultdict(list)
    for trail in trails:
        by_agent[trail.a].append(trail)
    faults: defaultdict[str, list[Ticket]] = defaultdict(list)
    for ticket in asked_for:
        if ticket.a is not None:
            faults[ticket.a].append(ticket)
    found = {}
    for a, of in by_agent.items():
        its = stretches(of, coarse=True)
        cost = technical_by(faults[a], of, its) if a in faults else []
        found[a] = Presence(its, pauses(its), sorted(cost, key=lambda one: one[:2]))
    return found


def shifts(
    people: People,
    first: date,
    last: date,
    known: Mapping[str, Presence],
    said: Mapping[str, list[Said]],
    now_s: int,
) -> dict[tuple[str, date], Shift]:
    """Of the roster of these days and of those beside them what has begun and is no absence.
    `said`: moments of exceptions that somebody excused.
    """
    planned: defaultdict[str, list[Planned]] = defaultdict(list)
    for (agent, _), plan in people.roster.items():
        whole = plan.absence is None and plan.end_s is not None
        if whole and plan.start_s is not None and plan.start_s < now_s:
            planned[agent].append(plan)
    found: dict[tuple[str, date], Shift] = {}
    for agent, plans in planned.items():
        plans.sort(key=lambda plan: plan.start_s or 0)
        hers = known.get(agent, Presence())
        its = _shared(plans, hers.stretches)
        for plan, shown in zip(plans, its, strict=True):
            if first <= plan.day <= last:
                found[agent, plan.day] = _shift(plan, shown, hers, people, now_s)
                _excuse(found[agent, plan.day], said.get(agent, ()))
    return found


def _excuse(shift: Shift, said: Iterable[Said]) -> None:
    for moment, why in said:
        for one in shift.its:
            if one.excuse is None and one.start_s <= moment < one.end_s:
                one.excuse = why


def said_of(data: DataDir, agents: Collection[str] | None = None) -> dict[str, list[Said]]:
    """Moments of exceptions that somebody excused by hand (`attendance.justified` with a time)."""
    row = tables.corrections.c
    where = (row.kind == "justified", row.time_utc.is_not(None))
    query = select(tables.corrections).where(*where).order_by(row.number, row.s, row.e, row.n)
    found: defaultdict[str, list[Said]] = defaultdict(list)
    reader = open_reader(data.store)
    try:
        with reader.engine.connect() as tx:
            for each in tx.execute(query):
                one = Correction(**each._mapping)
                if one.time_utc is not None and (agents is None or one.a in agents):
                    found[one.a].append((one.time_utc // 1000, f"{one.by}: {one.reason}"))
    finally:
        reader.close()
    return dict(found)


def _shift(
    plan: Planned, shown: list[Stretch], hers: Presence, people: People, now_s: int
) -> Shift:
    """One that goes on is one until now."""
    due, count = slid(plan, hers.stretches) if plan.pauses else (plan.pauses, 0)
    plan = msgspec.structs.replace(plan, end_s=min(plan.end_s or 0, now_s), pauses=due)
    its = deviations(plan, shown, people.reasons, hers.faults)
    return Shift(
        plan=plan, its=its, slid=count, present=bool(shown),
        worked_s=schedule.length_s(schedule.worked(shown, people.reasons)),
        credited_s=sum(
            one.seconds for one in its if one.excuse == "technical" and one.planned is None
        ),
    )  # fmt: skip


def _shared(plans: list[Planned], shown: list[Stretch]) -> list[list[Stretch]]:
    """To each shift what is nearest to it, cut midway between two of them; what lies too far from
    any belongs to none.
    """
    starts = [plan.start_s or 0 for plan in plans]
    ends = [plan.end_s or 0 for plan in plans]
    middles = [(end + start) // 2 for end, start in zip(ends, starts[1:], strict=False)]
    its: list[list[Stretch]] = [[] for _ in plans]
    for one in shown:
        begin = one.start_s
        while begin < one.end_s:
            k = bisect_right(middles, begin)
            stop = min(one.end_s, middles[k]) if k < len(middles) else one.end_s
            first, last = max(begin, starts[k] - NEAR_S), min(stop, ends[k] + NEAR_S)
            if first < last:
                its[k].append(Stretch(first, last, one.state, one.reason, one.by))
            begin = stop
    return its


def around(first: date, last: date) -> tuple[date, date]:
    """The days whose shifts may reach into these."""
    return first - timedelta(days=1), last + timedelta(days=1)
