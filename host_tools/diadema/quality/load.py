"""What a plan of samples asks of its monitors, told before anybody commits to it."""

from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from msgspec import Struct
from sqlalchemy import Connection, select

from diadema.metrics.rounding import round_half_up
from diadema.quality.assigning import twice_of
from diadema.quality.periods import period_of
from diadema.site.directory.people import People
from diadema.site.directory.quality import SamplePlan
from diadema.store import contact_rows, tables
from diadema.store.quality import call_of, evaluations
from diadema.store.rows import Contact

MONTH_DAYS = 28  # of which it is told
_HOUR_MS, _DAY_MS = 3_600_000, 86_400_000
_SAMPLED_HOURLY = 3  # calls that stand for an hour's
_MEASURED = 20  # evaluations from which on their own time is told
_LONGEST_MS = 2 * _HOUR_MS  # between beginning to hear a call and handing it in
_HEARD_TIMES = 2  # a call is heard once, and as long again is written and looked for


class Load(Struct, frozen=True, kw_only=True):
    """Of four weeks: `calls` to evaluate, those seen twice counted twice, of `agents`; `each_ms`
    one takes, and `measured` says that it was: else it is twice a call's mean conversation and
    hold. `most_each`: how many a monitor may be given by the plan's cap. None: nothing is known.
    """

    agents: int
    calls: int
    monitors: int
    most_each: int
    each_ms: int | None
    measured: bool

    @property
    def hours(self) -> int | None:
        """In all."""
        return (
            None if self.each_ms is None else round_half_up(self.calls * self.each_ms, 3_600_000)
        )

    @property
    def hours_each(self) -> int | None:
        """Of a monitor who gets as many as the cap allows."""
        if self.each_ms is None:
            return None
        return round_half_up(self.most_each * self.each_ms, _HOUR_MS)


def load_of(
    plan: SamplePlan,
    people: People,
    zone: ZoneInfo,
    now_ms: int,
    duration: tuple[int | None, bool],
) -> Load:
    """What four weeks of that plan ask of its monitors, by the real times of the last four:
    `duration`, as `evaluating_ms` has it.
    """
    today = datetime.fromtimestamp(now_ms / 1000, zone).date()
    agents = [
        one
        for one in people.workers.values()
        if one.active
        and (not plan.teams or one.team in plan.teams)
        and (not plan.queues or set(one.queues) & set(plan.queues) or not one.queues)
        and people.left_out(one.id, today) is None
    ]
    period = period_of(plan.period, today, zone)
    times = 1 if plan.period == "month" else MONTH_DAYS // period.days
    chosen = plan.total if plan.total is not None else (plan.per_agent or 0) * len(agents)
    each_ms, measured = duration
    return Load(
        agents=len(agents),
        calls=times * (chosen + twice_of(plan, period, chosen)),
        monitors=len(plan.monitors),
        most_each=times * plan.cap_per_day * plan.days,
        each_ms=each_ms,
        measured=measured,
    )


def evaluating_ms(tx: Connection, now_ms: int) -> tuple[int | None, bool]:
    """How long one evaluation took in the last four weeks, and whether that was measured."""
    start = now_ms - MONTH_DAYS * _DAY_MS
    took = _measured_ms(tx, start)
    if len(took) >= _MEASURED:
        return round_half_up(sum(took), len(took)), True
    its = [one.talk_ms + one.hold_ms for one in _some_calls(tx, start, now_ms)]
    return (_HEARD_TIMES * round_half_up(sum(its), len(its)) if its else None), False


def _measured_ms(tx: Connection, start_ms: int) -> list[int]:
    """From when its monitor began to hear a call until it was handed in."""
    row = tables.listenings.c
    query = select(row.by, row.call_s, row.call_e, row.call_n, row.utc).where(
        row.kind == "started", row.purpose == "evaluation", row.utc >= start_ms
    )
    began: dict[tuple[str, str, int, int], int] = {}
    for by, s, e, n, utc in tx.execute(query):
        key = by, s, e, n
        began[key] = min(utc, began.get(key, utc))
    found = []
    for one in evaluations(tx, start_utc=start_ms):
        since = began.get((one.submitted.by, *call_of(one.submitted)))
        if since is not None and 0 < one.submitted.utc - since <= _LONGEST_MS:
            found.append(one.submitted.utc - since)
    return found


def _some_calls(tx: Connection, start_ms: int, end_ms: int) -> Iterable[Contact]:
    """Answered ones, some of each hour: a month's are too many for a page."""
    row = tables.contacts.c
    for at in range(start_ms - start_ms % _HOUR_MS, end_ms, _HOUR_MS):
        query = (
            select(row.row)
            .where(row.start_utc >= at, row.start_utc < at + _HOUR_MS)
            .order_by(row.start_utc)
            .limit(_SAMPLED_HOURLY)
        )
        for found in tx.execute(query).scalars():
            one = contact_rows.contact_of(found)
            if one.outcome == "answered":
                yield one
