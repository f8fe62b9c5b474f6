"""The figures of a span of days, exact at their cut-off: of everything that the store has, what
goes on included.
"""

from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import date
from zoneinfo import ZoneInfo

from msgspec import Struct, field
from sqlalchemy import Connection, null, select
from sqlalchemy.exc import DBAPIError, OperationalError

from diadema.directory.reading import people as read_people
from diadema.figures import rollups
from diadema.figures.cells import agent_halves, day_sums, queue_day, queue_halves
from diadema.figures.days import DaySpan, spans, zone_of
from diadema.figures.facts import facts, running
from diadema.figures.live import Cells, add_running
from diadema.figures.roll import Scope, bring, current, queue_calls
from diadema.figures.rows import Cut, QueueSums, Sums
from diadema.ingest.cut import cut_of
from diadema.metrics.intervals import Intervals
from diadema.paths import DataDir
from diadema.store import open_reader

type QueueCells = dict[str, dict[str, tuple[QueueSums, dict[int, QueueSums]]]]  # by day


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
    """The roll-ups, with what changed since and what goes on, as one transaction sees it. Raises
    DiademaError where there is no store.
    """
    zone = zone_of(data)
    asked = _Asked(data, first, last, now_ms, zone, intervals, agents)
    reader = open_reader(data.store)
    try:
        with _rolled(data) as rx, reader.engine.connect() as tx:  # in this order: the store last
            return asked.of(rx, tx)
    finally:
        reader.close()


@contextmanager
def _rolled(data: DataDir) -> Iterator[tuple[Connection, bool] | None]:
    """The roll-ups to be brought up to date; only to be read while another process does that
    (False); None where there can be none.
    """
    with ExitStack() as held:
        try:
            engine = rollups.open_rollups(data.rollups)
            held.callback(engine.dispose)
            rx: tuple[Connection, bool] | None = None
            for keep in (True, False):
                connection = engine.connect().execution_options(writes=keep)
                held.callback(connection.close)
                try:
                    rollups.load_state(connection)
                except OperationalError:
                    if not keep:
                        raise
                    continue
                rx = connection, keep
                break
        except DBAPIError:
            rx = None
        yield rx
        if rx is not None and rx[1]:
            rx[0].commit()


class _Asked:
    """One question, and how it is answered."""

    def __init__(
        self,
        data: DataDir,
        first: date,
        last: date,
        now_ms: int,
        zone: ZoneInfo,
        intervals: bool,
        agents: Collection[str] | None,
    ) -> None:
        self.spans = {span.day.isoformat(): span for span in spans(first, last, zone)}
        self.first, self.last = first.isoformat(), last.isoformat()
        whose = None if agents is None else frozenset(agents)
        self.scope = Scope(self.first, self.last, whose)
        self.people = read_people(data, first, last)
        self.aliases = read_people(data).aliases
        self.now_ms, self.zone, self.intervals = now_ms, zone, intervals

    def of(self, rx: tuple[Connection, bool] | None, tx: Connection) -> Figures:
        if rx is None:
            agents, queues = self._plainly(tx)
        else:
            agents, queues = self._rolled(*rx, tx)
            self._add_running(tx, agents)
        days = [
            self._day(span, agents.get(day, {}), queues.get(day, {}))
            for day, span in self.spans.items()
        ]
        cut = cut_of(tx, self.people, self.now_ms)
        return Figures(first=self.first, last=self.last, zone=self.zone.key, cut=cut, days=days)

    def _rolled(self, rx: Connection, keep: bool, tx: Connection) -> tuple[Cells, QueueCells]:
        known, anew = current(rx, tx, self.zone, self.aliases)
        fresh, _ = bring(rx, tx, known, self.zone, self.now_ms, self.scope, keep=keep)
        agents: Cells = {}
        queues: QueueCells = {}
        if not anew or keep:
            self._load(rx, agents, queues)
        for day, cells in fresh.agents.items():
            _put(agents.setdefault(day, {}), cells)
        for day, parts in fresh.queues.items():
            _put(queues.setdefault(day, {}), parts)
        return agents, queues

    def _load(self, rx: Connection, agents: Cells, queues: QueueCells) -> None:
        row, line = rollups.agent_days.c, rollups.queue_days.c
        halves = (row.halves, line.halves) if self.intervals else (null(), null())
        query = select(row.day, row.a, row.total, halves[0])
        query = query.where(row.day.between(self.first, self.last))
        if self.scope.agents is not None:
            query = query.where(row.a.in_(self.scope.agents))
        for day, a, total, parts in rx.execute(query):
            its = rollups.halves_of(parts) if parts else {}
            agents.setdefault(day, {})[a] = rollups.sums_of(total), its
        query = select(line.day, line.queue, line.total, halves[1])
        for day, queue, total, parts in rx.execute(
            query.where(line.day.between(self.first, self.last))
        ):
            of_queue = rollups.queue_halves_of(parts) if parts else {}
            queues.setdefault(day, {})[queue] = rollups.queue_sums_of(total), of_queue

    def _add_running(self, tx: Connection, agents: Cells) -> None:
        on = running(tx, self.now_ms)
        add_running(tx, agents, on, self.zone, self.aliases, self.scope)

    def _plainly(self, tx: Connection) -> tuple[Cells, QueueCells]:
        """Worked out from the store alone."""
        on, cut_by = running(tx, self.now_ms), Intervals(self.zone)
        agents: Cells = {}
        queues: QueueCells = {}
        for day, span in self.spans.items():
            start_ms, end_ms = span.start_s * 1000, span.end_s * 1000
            its = facts(tx, start_ms, end_ms, on, self.aliases, self.scope.agents)
            halves = {a: agent_halves(its[a], span, cut_by) for a in its}
            agents[day] = {a: (day_sums(parts), parts) for a, parts in halves.items() if parts}
            calls = queue_calls(tx, span)
            split = {queue: queue_halves(calls[queue], cut_by) for queue in calls}
            queues[day] = {queue: (queue_day(parts), parts) for queue, parts in split.items()}
        return agents, queues

    def _day(
        self,
        span: DaySpan,
        agents: dict[str, tuple[Sums, dict[int, Sums]]],
        queues: dict[str, tuple[QueueSums, dict[int, QueueSums]]],
    ) -> Day:
        made = Day(
            day=span.day.isoformat(), start_ms=span.start_s * 1000, end_ms=span.end_s * 1000
        )
        for a in sorted(agents):
            made.agents[a] = agents[a][0]
            if self.intervals:
                _spread(made.intervals, a, agents[a][1])
        for queue in sorted(queues):
            made.queues[queue] = queues[queue][0]
            if self.intervals:
                _spread(made.queue_intervals, queue, queues[queue][1])
        return made


def _put[T](cells: dict[str, T], fresh: Mapping[str, T | None]) -> None:
    for name, cell in fresh.items():
        if cell is None:
            cells.pop(name, None)
        else:
            cells[name] = cell


def _spread[T](rows: dict[int, dict[str, T]], name: str, halves: Mapping[int, T]) -> None:
    for at, sums in sorted(halves.items()):
        rows.setdefault(at, {})[name] = sums
