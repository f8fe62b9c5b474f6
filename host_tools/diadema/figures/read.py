"""The figures of a span of days, exact at their cut-off: of everything that the store has, what
goes on included.
"""

from collections import defaultdict
from collections.abc import Collection
from datetime import date
from zoneinfo import ZoneInfo

from msgspec import Struct, field
from sqlalchemy import Connection

from diadema.directory.people import People
from diadema.directory.reading import people as read_people
from diadema.figures.cells import agent_halves, day_sums, queue_day, queue_halves
from diadema.figures.days import DaySpan, spans, zone_of
from diadema.figures.facts import Running, facts, running
from diadema.figures.rows import Cut, QueueSums, Sums
from diadema.ingest.cut import cut_of
from diadema.metrics.intervals import Intervals
from diadema.paths import DataDir
from diadema.store import open_reader, switch_calls
from diadema.store.rows import QueueCall


class Day(Struct, kw_only=True):
    """One local day, [start_ms, end_ms). Intervals are known by their first second in UTC, and
    are there only when they were asked for.
    """

    day: str
    start_ms: int
    end_ms: int
    agents: dict[str, Sums] = field(default_factory=dict)
    queues: dict[str, QueueSums] = field(default_factory=dict)
    intervals: dict[int, dict[str, Sums]] = field(default_factory=dict)
    queue_intervals: dict[int, dict[str, QueueSums]] = field(default_factory=dict)


class Figures(Struct, kw_only=True):
    """Of first…last, both of them in it."""

    first: str
    last: str
    zone: str
    cut: Cut
    days: list[Day]

    def agent(self, a: str) -> Sums:
        total = Sums()
        for day in self.days:
            if a in day.agents:
                total += day.agents[a]
        return total

    def agents(self) -> dict[str, Sums]:
        """Of each who has any, over all days."""
        totals: dict[str, Sums] = {}
        for day in self.days:
            for a, sums in day.agents.items():
                totals.setdefault(a, Sums()).__iadd__(sums)
        return totals

    def total(self, agents: Collection[str] | None = None) -> Sums:
        """Of all, or of these."""
        total = Sums()
        for day in self.days:
            for a, sums in day.agents.items():
                if agents is None or a in agents:
                    total += sums
        return total

    def queue(self, q: str | None = None) -> QueueSums:
        """Of one queue, or of all: then a call that went on to another one counts in each."""
        total = QueueSums()
        for day in self.days:
            for queue, sums in day.queues.items():
                if q is None or q == queue:
                    total += sums
        return total


def read(
    data: DataDir,
    first: date,
    last: date,
    now_ms: int,
    *,
    intervals: bool = False,
    agents: Collection[str] | None = None,
) -> Figures:
    """Raises DiademaError where there is no store."""
    zone = zone_of(data)
    people = read_people(data, first, last)
    reader = open_reader(data.store)
    try:
        with reader.engine.connect() as tx:  # one state of the store
            days, on = [], running(tx, now_ms)
            for span in spans(first, last, zone):
                days.append(_day(tx, span, zone, on, people, intervals, agents))
            cut = cut_of(tx, people, now_ms)
    finally:
        reader.close()
    return Figures(
        first=first.isoformat(), last=last.isoformat(), zone=zone.key, cut=cut, days=days
    )


def _day(
    tx: Connection,
    span: DaySpan,
    zone: ZoneInfo,
    on: Running,
    people: People,
    with_intervals: bool,
    agents: Collection[str] | None,
) -> Day:
    start_ms, end_ms = span.start_s * 1000, span.end_s * 1000
    made = Day(day=span.day.isoformat(), start_ms=start_ms, end_ms=end_ms)
    cut_by = Intervals(zone)
    its = facts(tx, start_ms, end_ms, on, people.aliases, agents)
    for a in sorted(its):
        halves = agent_halves(its[a], span, cut_by)
        if halves:
            made.agents[a] = day_sums(halves)
            if with_intervals:
                _spread(made.intervals, a, halves)
    calls = switch_calls.calls(tx, start_ms, end_ms)
    by_queue: defaultdict[str, list[QueueCall]] = defaultdict(list)
    for call in calls:
        if start_ms <= call.start_utc < end_ms:
            by_queue[call.queue].append(call)
    for queue in sorted(by_queue):
        queue_parts = queue_halves(by_queue[queue], cut_by)
        made.queues[queue] = queue_day(queue_parts)
        if with_intervals:
            _spread(made.queue_intervals, queue, queue_parts)
    return made


def _spread[T](rows: dict[int, dict[str, T]], name: str, halves: dict[int, T]) -> None:
    for at, sums in halves.items():
        rows.setdefault(at, {})[name] = sums
