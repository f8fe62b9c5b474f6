"""Shifts of the roster beside what was shown of each agent in them, and the rest of the agent's
time; the pauses in them by reason, and what of these is shrinkage.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, timedelta
from itertools import pairwise

import msgspec
from msgspec import Struct, field
from sqlalchemy import Connection, select

from diadema.figures.attendance import NEAR_S
from diadema.figures.booking import Stretch, stretches, technical_by
from diadema.figures.facts import faults, presses, trails
from diadema.metrics import schedule
from diadema.metrics.schedule import Deviation, deviations, slid
from diadema.metrics.states import TECHNICAL, Shrinkage
from diadema.site.directory.people import People, Planned, Reason
from diadema.store import tables
from diadema.store.host_rows import Correction
from diadema.store.rows import Press, Trail
from diadema.wire.letters import from_columns
from diadema.wire.live_rows import PRIVATE

TOGETHER = 10  # people, of whom private reasons may be told apart

type Pause = tuple[int, int, str]  # [start, end) and the reason
type Said = tuple[int, str]  # UTC seconds of a moment, by whom and why


class Spent(Struct, array_like=True):
    """Of one agent and reason: seconds, pauses, and of those that went over the limit of their
    reason how many and their seconds beyond it; None of private ones, and where there is no limit.
    """

    seconds: int = 0
    pauses: int | None = None
    over_n: int | None = None
    over_s: int | None = None

    def add(self, other: "Spent") -> None:
        self.seconds += other.seconds
        if other.pauses is not None:
            self.pauses = (self.pauses or 0) + other.pauses
        if other.over_n is not None:
            self.over_n = (self.over_n or 0) + other.over_n
        if other.over_s is not None:
            self.over_s = (self.over_s or 0) + other.over_s


def pauses(stretches: Iterable[Stretch]) -> list[Pause]:
    """Each time the agent was not ready, whole; what goes on for the same reason is one."""
    found: list[Pause] = []
    for one in stretches:
        if one.state != "not_ready":
            continue
        reason = one.reason or ""
        if found and found[-1][1:] == (one.start_s, reason):
            found[-1] = found[-1][0], one.end_s, reason
        else:
            found.append((one.start_s, one.end_s, reason))
    return found


def spent(
    its: Iterable[Pause], reasons: Mapping[str, Reason], start_s: int, end_s: int
) -> dict[str, Spent]:
    """Of [start_s, end_s), by reason: seconds where they passed, a pause counted where it began.
    The private ones are one, time only.
    """
    found: defaultdict[str, Spent] = defaultdict(Spent)
    for start, end, code in its:
        first, last = max(start, start_s), min(end, end_s)
        if first >= last:
            continue
        reason = reasons.get(code)
        if reason is not None and reason.private:
            found[PRIVATE].seconds += last - first
            continue
        one, begins = found[code], start_s <= start
        one.seconds += last - first
        one.pauses = (one.pauses or 0) + begins
        if reason is not None and reason.limit_s:
            over = max(0, last - max(first, start + reason.limit_s))
            one.over_s = (one.over_s or 0) + over
            one.over_n = (one.over_n or 0) + (begins and end - start > reason.limit_s)
    return dict(found)


def lost(
    stretches: Sequence[Stretch],
    its: Iterable[Pause],
    technical: Sequence[tuple[int, int]],
    reasons: Mapping[str, Reason],
    start_s: int,
    end_s: int,
) -> Shrinkage:
    """Of [start_s, end_s) what is shrinkage at the desk, with its basis; without absences."""
    found = Shrinkage()
    for one in stretches:
        first, last = max(one.start_s, start_s), min(one.end_s, end_s)
        if first < last:
            found.basis_s += last - first
            found.technical_s += (last - first) * (one.state == "off")
    for start, end, code in its:
        first, last = max(start, start_s), min(end, end_s)
        if first >= last:
            continue
        reason = reasons.get(code)
        limit_s = reason.limit_s if reason is not None else 0
        beyond = max(first, start + limit_s) if limit_s else last
        if code in TECHNICAL:
            found.technical_s += last - first
            continue
        faults = _common(technical, first, last)
        found.technical_s += faults
        if reason is not None and reason.productive:
            found.training_s += last - first - faults
            continue
        over = max(0, last - beyond) - _common(technical, beyond, last)
        within = last - first - faults - over
        found.over_s += over
        if is_paid(reason):
            found.auxiliary_s += within
        else:
            found.basis_s -= within
    return found


def is_paid(reason: Reason | None) -> bool:
    return reason is None or reason.system or reason.paid


def owed_s(plan: Planned, reasons: Mapping[str, Reason], now_s: int) -> int:
    """Seconds of a shift until now without its pauses that are not paid."""
    if plan.start_s is None or plan.end_s is None:
        return 0
    at, end = plan.start_s, min(plan.end_s, now_s)
    seconds = max(0, end - at)
    for start, until, code in sorted(plan.pauses):
        start, until = max(start, at), min(until, end)
        if start < until and not is_paid(reasons.get(code)):
            seconds -= until - start
            at = until
    return seconds


def _common(times: Sequence[tuple[int, int]], start: int, end: int) -> int:
    return sum(max(0, min(until, end) - max(begin, start)) for begin, until in times)


class Shift(Struct, kw_only=True):
    """One shift until now. `its`: exceptions, in order; `slid`: pauses that a call made late;
    `present`: the agent was logged in near it; `credited_s`: planned work that a fault took.
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
    """What was shown of one agent, around the days asked for; faults with their press."""

    stretches: list[Stretch] = field(default_factory=list)
    pauses: list[Pause] = field(default_factory=list)
    technical: list[tuple[int, int, Press]] = field(default_factory=list)

    @property
    def faults(self) -> list[tuple[int, int]]:
        return [(start, end) for start, end, _ in self.technical]

    def near(self, start_s: int, end_s: int) -> "Presence":
        """What of it has something of [start_s, end_s), uncut."""
        first = bisect_right(self.stretches, start_s, key=lambda one: one.end_s)
        last = bisect_left(self.stretches, end_s, key=lambda one: one.start_s)
        begun = bisect_right(self.pauses, start_s, key=lambda one: one[1])
        ended = bisect_left(self.pauses, end_s, key=lambda one: one[0])
        return Presence(
            self.stretches[first:last],
            self.pauses[begun:ended],
            [one for one in self.technical if one[0] < end_s and start_s < one[1]],
        )


class Due(Struct):
    """A shift that has begun: to it belongs what was shown of the agent in [start_s, end_s): what
    is nearest to it, cut midway between two of them; what lies too far from any belongs to none.
    """

    plan: Planned
    start_s: int
    end_s: int


def presence(
    tx: Connection, start_ms: int, end_ms: int, on: Iterable[Trail], agents: Collection[str]
) -> dict[str, Presence]:
    """By agent, of the days [start_ms, end_ms) and of as much beside them as a shift, a pause or a
    time without power may reach. `on`: the trails that go on.
    """
    start_ms, end_ms = start_ms - 3 * NEAR_S * 1000, end_ms + 5 * NEAR_S * 1000
    by_agent: defaultdict[str, list[Trail]] = defaultdict(list)
    for trail in trails(tx, start_ms, end_ms, on, set(agents)):
        by_agent[trail.agent].append(trail)
    pressed = presses(tx, start_ms, end_ms, tables.presses.c.kind == "fault")
    reported = faults(tx, (one for one in pressed if one.agent in by_agent))
    found = {}
    for a, of in by_agent.items():
        its = stretches(of, coarse=True)
        cost = technical_by(reported[a], of, its) if a in reported else []
        found[a] = Presence(its, pauses(its), sorted(cost, key=lambda one: one[:2]))
    return found


def due(people: People, now_s: int) -> dict[tuple[str, date], Due]:
    """Of the roster what has begun and is no absence."""
    planned: defaultdict[str, list[Planned]] = defaultdict(list)
    for (agent, _), plan in people.roster.items():
        whole = plan.absence is None and plan.end_s is not None
        if whole and plan.start_s is not None and plan.start_s < now_s:
            planned[agent].append(plan)
    found: dict[tuple[str, date], Due] = {}
    for agent, plans in planned.items():
        plans.sort(key=lambda plan: plan.start_s or 0)
        middles = [
            ((one.end_s or 0) + (after.start_s or 0)) // 2 for one, after in pairwise(plans)
        ]
        for plan, before, after in zip(plans, [None, *middles], [*middles, None], strict=True):
            first, last = (plan.start_s or 0) - NEAR_S, (plan.end_s or 0) + NEAR_S
            found[agent, plan.day] = Due(
                plan,
                first if before is None else max(first, before),
                last if after is None else min(last, after),
            )
    return found


def shift_of(
    due: Due, presence: Presence, said: Iterable[Said], people: People, now_s: int
) -> Shift:
    """`said`: moments of exceptions that somebody excused."""
    shown = [
        Stretch(max(one.start_s, due.start_s), min(one.end_s, due.end_s), one.state, one.reason,
                one.by)
        for one in presence.stretches
        if one.start_s < due.end_s and due.start_s < one.end_s
    ]  # fmt: skip
    shift = _shift(due.plan, shown, presence, people, now_s)
    _excuse(shift, said)
    return shift


def _excuse(shift: Shift, said: Iterable[Said]) -> None:
    for moment, why in said:
        for one in shift.its:
            if one.excuse is None and one.start_s <= moment < one.end_s:
                one.excuse = why


def said_of(tx: Connection) -> dict[str, list[Said]]:
    """Moments of exceptions that somebody excused by hand (`attendance.justified` with a time)."""
    row = tables.corrections.c
    where = (row.kind == "justified", row.time_utc.is_not(None))
    query = select(tables.corrections).where(*where).order_by(row.number, row.s, row.e, row.n)
    found: defaultdict[str, list[Said]] = defaultdict(list)
    for each in tx.execute(query):
        one = from_columns(Correction, each._mapping)
        if one.time_utc is not None:
            found[one.agent].append((one.time_utc // 1000, f"{one.by}: {one.reason}"))
    return dict(found)


def _shift(
    plan: Planned, shown: list[Stretch], presence: Presence, people: People, now_s: int
) -> Shift:
    """One that goes on is one until now."""
    due, count = slid(plan, presence.stretches) if plan.pauses else (plan.pauses, 0)
    plan = msgspec.structs.replace(plan, end_s=min(plan.end_s or 0, now_s), pauses=due)
    its = deviations(plan, shown, people.reasons, presence.faults)
    return Shift(
        plan=plan, its=its, slid=count, present=bool(shown),
        worked_s=schedule.length_s(schedule.worked(shown, people.reasons)),
        credited_s=sum(
            one.seconds for one in its if one.excuse == "technical" and one.planned is None
        ),
    )  # fmt: skip


def around(first: date, last: date) -> tuple[date, date]:
    """The days whose shifts may reach into these."""
    return first - timedelta(days=1), last + timedelta(days=1)
