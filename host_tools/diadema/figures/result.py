"""What a reading of figures gives. Sums are kept packed until somebody looks at them: a month of a
thousand agents has ten thousands of them, and most questions need few.

Sums of sums are stored beside the cells: all agents of a day with its half-hours, and an agent's
days of a month so far. They are made on demand, and deleted when a cell of them changes.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import date, timedelta
from functools import cached_property

from msgspec import Struct, field
from sqlalchemy import Connection, select

from diadema.figures import rollups
from diadema.figures.facts import day_sums
from diadema.figures.rows import Cutoff, QueueSums, Sums

type Whole = tuple[Sums, dict[int, Sums]]
type PackedWhole = tuple[Sums, bytes]  # the half-hours until somebody asks for them


def forget(rx: Connection, cells: Iterable[tuple[str, str]]) -> None:
    """These agents' days are others now."""
    rows = [*cells]
    if not rows:
        return
    days = [(day,) for day in {day for day, _ in rows}]
    rx.exec_driver_sql("DELETE FROM floor_days WHERE day = ?", days)
    of_month = [(day[:7], a, day) for day, a in rows]
    forgets = "DELETE FROM agent_months WHERE month = ? AND a = ? AND until > ?"
    rx.exec_driver_sql(forgets, of_month)


def floor_days(
    rx: Connection, first: str, last: str, today: str, *, keep: bool
) -> dict[str, Whole | PackedWhole]:
    """All agents of each day that has any and is over: today's are others in a moment."""
    row, cell = rollups.floor_days.c, rollups.agent_days.c
    query = select(row.day, row.total, row.halves).where(row.day.between(first, last))
    query = query.where(row.day < today)
    found: dict[str, Whole | PackedWhole] = {
        day: (rollups.sums_of(total), halves) for day, total, halves in rx.execute(query)
    }
    there = select(cell.day).where(cell.day.between(first, last), cell.day < today).distinct()
    made = {day: _floor(rx, day) for day in rx.execute(there).scalars().all() if day not in found}
    if keep and made:
        rows = [(day, *rollups.packed(*whole)) for day, whole in made.items()]
        rx.exec_driver_sql("INSERT OR REPLACE INTO floor_days VALUES (?, ?, ?)", rows)
    return found | made


def _floor(rx: Connection, day: str) -> Whole:
    cell = rollups.agent_days.c
    query = select(cell.halves).where(cell.day == day)
    parts: defaultdict[int, list[Sums]] = defaultdict(list)
    for body in rx.execute(query).scalars():
        for at, sums in rollups.halves_of(body).items():
            parts[at].append(sums)
    halves = {at: Sums.total(parts[at]) for at in sorted(parts)}
    return day_sums(halves), halves


def agent_months(
    rx: Connection, first: date, last: date, today: date, *, keep: bool
) -> dict[str, dict[str, tuple[str, Sums]]]:
    """By month and agent the sum of the agent's days before the one that is named with it. Of the
    months that lie whole in first…last; other spans have none.
    """
    found: dict[str, dict[str, tuple[str, Sums]]] = {}
    month = first
    while first.day == 1 and month <= last:
        following = (month + timedelta(days=31)).replace(day=1)
        if following - timedelta(days=1) <= last:
            until = min(following, max(today, month)).isoformat()
            found[f"{month:%Y-%m}"] = _month(rx, f"{month:%Y-%m}", until, keep=keep)
        month = following
    return found


def _month(rx: Connection, month: str, until: str, *, keep: bool) -> dict[str, tuple[str, Sums]]:
    row, cell = rollups.agent_months.c, rollups.agent_days.c
    query = select(row.a, row.until, row.total).where(row.month == month, row.until <= until)
    known = {a: (to, rollups.sums_of(total)) for a, to, total in rx.execute(query)}
    of_month = (cell.day >= month) & (cell.day < until)
    short = [cell.a.not_in(select(row.a).where(row.month == month, row.until == until))]
    more: dict[str, tuple[str, Sums]] = {}
    query = select(cell.a, cell.day, cell.total).where(of_month, *short)
    for a, day, total in rx.execute(query):
        if a not in more:
            more[a] = until, known[a][1] if a in known else Sums()
        if a not in known or day >= known[a][0]:
            more[a][1].__iadd__(rollups.sums_of(total))
    if keep and more:
        for _, sums in more.values():
            sums.compact()
        rows = [(month, a, to, rollups.pack(sums)) for a, (to, sums) in more.items()]
        rx.exec_driver_sql("INSERT OR REPLACE INTO agent_months VALUES (?, ?, ?, ?)", rows)
    return known | more


class Packed[T](Mapping[str, T]):
    """By name; bytes until one asks for it."""

    def __init__(self, decode: Callable[[bytes], T]) -> None:
        self._decode = decode
        self._known: dict[str, T | bytes] = {}

    def put(self, name: str, value: T | bytes | None) -> None:
        """None: it is no more."""
        if value is None:
            self._known.pop(name, None)
        else:
            self._known[name] = value

    def __getitem__(self, name: str) -> T:
        value = self._known[name]
        if isinstance(value, bytes):
            value = self._known[name] = self._decode(value)
        return value

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)

    def sort(self) -> None:
        self._known = {name: self._known[name] for name in sorted(self._known)}


class ByHalf[T](Mapping[int, dict[str, T]]):
    """The same half-hours by their first second, and then by name."""

    def __init__(self, by_name: Mapping[str, dict[int, T]]) -> None:
        self._by_name = by_name

    @cached_property
    def _halves(self) -> dict[int, dict[str, T]]:
        found: dict[int, dict[str, T]] = {}
        for name, halves in self._by_name.items():
            for at, sums in halves.items():
                found.setdefault(at, {})[name] = sums
        return dict(sorted(found.items()))

    def __getitem__(self, at: int) -> dict[str, T]:
        return self._halves[at]

    def __iter__(self) -> Iterator[int]:
        return iter(self._halves)

    def __len__(self) -> int:
        return len(self._halves)


class Day(Struct, kw_only=True, dict=True):
    """One local day, [start_ms, end_ms). Intervals are known by their first second in UTC, and
    are there only when they were asked for, and may be there only of all together. `whole`: of all
    agents together, with the half-hours, where that was at hand.
    """

    day: str
    start_ms: int
    end_ms: int
    agents: Mapping[str, Sums] = field(default_factory=dict)
    queues: Mapping[str, QueueSums] = field(default_factory=dict)
    intervals: Mapping[int, dict[str, Sums]] = field(default_factory=dict)
    queue_intervals: Mapping[int, dict[str, QueueSums]] = field(default_factory=dict)
    whole: Whole | PackedWhole | None = None

    def total(self) -> Sums:
        """Of all that were asked for; not to be changed."""
        return self.whole[0] if self.whole else self._total

    @cached_property
    def _total(self) -> Sums:
        return Sums.total(self.agents.values())

    def half_hours(self) -> dict[int, Sums]:
        """Of all that were asked for, where intervals were; not to be changed."""
        return self._halves

    @cached_property
    def _halves(self) -> dict[int, Sums]:
        if self.whole:
            halves = self.whole[1]
            return rollups.halves_of(halves) if isinstance(halves, bytes) else halves
        return {at: Sums.total(its.values()) for at, its in self.intervals.items()}


class Figures(Struct, kw_only=True):
    """Of first…last, both of them in it. `months`: by month and agent, packed sums of the agent's
    days before the one that is named there. `hourless`: by agent, contacts that are on no day, as
    their station does not know the time yet.
    """

    first: str
    last: str
    zone: str
    cut: Cutoff
    days: list[Day]
    months: dict[str, dict[str, tuple[str, Sums]]] = field(default_factory=dict)
    untimed: dict[str, Sums] = field(default_factory=dict)

    def only(self, has: Callable[[str, date], bool]) -> "Figures":
        """Without the agents' days that are not wanted."""
        for one in self.days:
            day = date.fromisoformat(one.day)
            wanted = {a for a in one.agents if has(a, day)}
            one.agents = {a: one.agents[a] for a in one.agents if a in wanted}
            one.intervals = {
                at: {a: sums for a, sums in its.items() if a in wanted}
                for at, its in one.intervals.items()
            }
            one.whole = None
            for name in ("_total", "_halves"):
                one.__dict__.pop(name, None)
        self.months = {}
        return self

    def agent(self, a: str) -> Sums:
        return Sums.total(day.agents[a] for day in self.days if a in day.agents)

    def agents(self) -> dict[str, Sums]:
        """Of each who has any, over all days."""
        parts: dict[str, list[Sums]] = {}
        for month in self.months.values():
            for a, (_, sums) in month.items():
                parts.setdefault(a, []).append(sums)
        for day in self.days:
            known = self.months.get(day.day[:7], {})
            for a in day.agents:
                if a not in known or known[a][0] <= day.day:
                    parts.setdefault(a, []).append(day.agents[a])
        return {a: Sums.total(its) for a, its in parts.items()}

    def total(self, agents: Collection[str] | None = None) -> Sums:
        """Of all, or of these."""
        if agents is None:
            return Sums.total(day.total() for day in self.days)
        return Sums.total(sums for a, sums in self.agents().items() if a in agents)

    def queue(self, q: str | None = None) -> QueueSums:
        """Of one queue, or of all: then a call that went on to another one counts in each."""
        return QueueSums.total(
            sums
            for day in self.days
            for queue, sums in day.queues.items()
            if q is None or q == queue
        )
