"""The figures of a span of days, exact at their cut-off: of everything that the store has, what
goes on included.
"""

from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, null, select, text
from sqlalchemy.exc import DBAPIError, OperationalError

from diadema.base.paths import DataDir
from diadema.figures import result, rollups
from diadema.figures.booking import book_contact
from diadema.figures.days import DaySpan, cutoff_of, day_at, spans, start_of
from diadema.figures.facts import agent_halves, day_sums, facts, queue_day, queue_halves, running
from diadema.figures.left_out import leave_out
from diadema.figures.live import Cell, add_running
from diadema.figures.result import ByHalf, Day, Figures, Packed
from diadema.figures.roll import Scope, bring, current, queue_calls
from diadema.figures.rows import QueueSums, Sums
from diadema.figures.switch import ringing
from diadema.metrics.intervals import Intervals
from diadema.site.context import zone_of
from diadema.site.directory.people import Held
from diadema.site.directory.people_of import people as read_people
from diadema.store import contact_rows, open_reader, tables
from diadema.store.contact_rows import Key

__all__ = ["Day", "Figures", "read"]

type Rolls = tuple[Connection, bool] | None  # the roll-ups, and whether they may be written


def read(
    data: DataDir,
    first: date,
    last: date,
    now_ms: int,
    *,
    intervals: bool = False,
    agents: Collection[str] | None = None,
    together: bool = False,
    without: Collection[Key] = (),
) -> Figures:
    """The roll-ups, with what changed since and what goes on, as one transaction sees it.
    `together`: of all agents only the sums of each day, or of each half-hour; who they were, or in
    which half-hours, is not read where those are at hand. `without`: contacts that are left out,
    which the roll-ups cannot: to be asked of few agents and days. Raises DiademaError where there
    is no store.
    """
    question = data, first, last, now_ms, zone_of(data), intervals, agents, together
    if without:
        with open_reader(data.store) as reader, reader.engine.connect() as tx:
            return _Query(*question, without).of(None, tx)
    return over_rollups(data, lambda rx, tx: _Query(*question).of(rx, tx))


def over_rollups[T](data: DataDir, answer: Callable[[Rolls, Connection], T]) -> T:
    """What `answer` gives for the roll-ups and the store; once more without the roll-ups where
    they are of no use. Raises DiademaError where there is no store.
    """
    with open_reader(data.store) as reader:
        try:
            with rolled(data) as rx, reader.engine.connect() as tx:  # in this order
                return answer(rx, tx)
        except DBAPIError as error:
            rollups.give_up(data.rollups, error)
        with reader.engine.connect() as tx:
            return answer(None, tx)


@contextmanager
def rolled(data: DataDir) -> Iterator[Rolls]:
    """The roll-ups to be brought up to date; only to be read while another process does that
    (False); None where there can be none.
    """
    with ExitStack() as held:
        try:
            engine = rollups.open_rollups(data.rollups)
            held.callback(engine.dispose)
            rx: Rolls = None
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


class _Query:
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
        together: bool,
        without: Collection[Key] = (),
    ) -> None:
        self.without = without
        self.spans = {span.day.isoformat(): span for span in spans(first, last, zone)}
        self.first, self.last = first, last
        whose = None if agents is None else frozenset(agents)
        self.scope = Scope(first.isoformat(), last.isoformat(), whose)
        self.people = read_people(data, first, last)
        self.now_ms, self.zone, self.intervals = now_ms, zone, intervals
        self.end_ms = start_of(last + timedelta(days=1), zone) * 1000
        self.together = together and agents is None
        self.unread: set[str] = set()  # days of which only the sums were read, as `together` says
        self.rolls: Connection | None = None
        self.days = {day: _Day(span) for day, span in self.spans.items()}
        self.months: dict[str, dict[str, tuple[str, Sums]]] = {}

    def of(self, rx: tuple[Connection, bool] | None, tx: Connection) -> Figures:
        if rx is None:
            self._plainly(tx)
        else:
            self._rolled(*rx, tx)
        cut = cutoff_of(tx, self.people, self.now_ms, self.end_ms)
        return Figures(
            first=self.first.isoformat(),
            last=self.last.isoformat(),
            zone=self.zone.key,
            cut=cut,
            days=[
                one.made(self.intervals, each=day not in self.unread)
                for day, one in self.days.items()
            ],
            months=self.months,
            untimed=_untimed(tx, self.people.switch_queues),
        )

    def _rolled(self, rx: Connection, keep: bool, tx: Connection) -> None:
        known, anew = current(rx, tx, self.zone, self.people)
        fresh, _ = bring(rx, tx, known, self.zone, self.now_ms, self.scope, keep=keep)
        self.rolls = rx
        if keep and self.scope.agents is None:
            self._sum_up(rx)
            if self.together:
                self.unread = {day for day, its in self.days.items() if its.whole is not None}
        if not anew or keep:
            self._load(rx)
        for day, cells in fresh.agents.items():
            for a, cell in cells.items():
                self.days[day].set(a, cell)
        for day, parts in fresh.queues.items():
            for queue, part in parts.items():
                self.days[day].set_queue(queue, part)
        added = add_running(tx, self, running(tx, self.now_ms), self.zone, self.people, self.scope)
        for day in added.replaced & self.unread:
            self._load_agents(rx, [day])
        self.unread -= added.replaced
        for day in {*added.of_day, *added.replaced}:
            self._went_on(day, added.of_day.get(day), day in added.replaced)

    def _sum_up(self, rx: Connection) -> None:
        """Of all agents together, so that nobody need look at each."""
        first, last = self.scope.first, self.scope.last
        today = day_at(self.now_ms // 1000, self.zone)
        for day, whole in result.floor_days(rx, first, last, today.isoformat(), keep=True).items():
            self.days[day].whole = whole
        if not self.together or self.intervals:
            self.months = result.agent_months(rx, self.first, self.last, today, keep=True)

    def _went_on(self, day: str, added: Cell | None, replaced: bool) -> None:
        one = self.days[day]
        if replaced:
            one.whole = None
        elif one.whole is not None and added is not None:
            total, packed = one.whole
            halves = rollups.halves_of(packed) if isinstance(packed, bytes) else packed
            more = added[1]
            both = {
                at: Sums.total(its[at] for its in (halves, more) if at in its)
                for at in sorted({*halves, *more})
            }
            one.whole = Sums.total([total, added[0]]), both
        month = self.months.get(day[:7], {})
        for a in [a for a in one.touched if a in month and day < month[a][0]]:
            del month[a]

    def get(self, day: str, a: str) -> Cell | None:
        if self.rolls is not None and day in self.unread and a not in self.days[day].touched:
            self._load_agents(self.rolls, [day], [a])
        return self.days[day].get(a)

    def put(self, day: str, a: str, cell: Cell) -> None:
        self.days[day].touched.add(a)
        self.days[day].set(a, cell)

    def _load(self, rx: Connection) -> None:
        line = rollups.queue_days.c
        first, last = self.scope.first, self.scope.last
        if self.unread:
            self._load_agents(rx, [day for day in self.days if day not in self.unread])
        else:
            self._load_agents(rx, None, self.scope.agents)
        if self.unread and self.intervals:
            self._load_agents(rx, self.unread, halves=False)
        halves = line.halves if self.intervals else null()
        query = select(line.day, line.queue, line.total, halves)
        query = query.where(line.day.between(first, last))
        for day, queue, total, parts in rx.execute(query).all():
            self.days[day].queues.put(queue, total)
            self.days[day].queue_halves.put(queue, parts)

    def _load_agents(
        self,
        rx: Connection,
        days: Collection[str] | None,
        agents: Collection[str] | None = None,
        *,
        halves: bool = True,
    ) -> None:
        """Of these days or of all, of these agents or of all; those that are there already are
        newer.
        """
        row = rollups.agent_days.c
        parted = row.halves if self.intervals and halves else null()
        query = select(row.day, row.a, row.total, parted)
        query = query.where(row.day.between(self.scope.first, self.scope.last))
        if days is not None:
            query = query.where(row.day.in_(days))
        if agents is not None:
            query = query.where(row.a.in_(agents))
        for day, a, total, parts in rx.execute(query).all():
            if a not in self.days[day].touched:
                self.days[day].load(a, total, parts)

    def _plainly(self, tx: Connection) -> None:
        """Worked out from the store alone."""
        on, cut_by, tellers = running(tx, self.now_ms), Intervals(self.zone), ringing(tx)
        aliases, named = self.people.switch_names, self.people.switch_queues
        for day, span in self.spans.items():
            start_ms, end_ms = span.start_s * 1000, span.end_s * 1000
            its = facts(tx, start_ms, end_ms, on, aliases, self.scope.agents)
            for a in its:
                if self.without:
                    leave_out(tx, its[a], self.without)
                if halves := agent_halves(its[a], span, cut_by, tellers, named):
                    self.days[day].set(a, (day_sums(halves), halves))
            by_queue, again = queue_calls(tx, span, named)
            for queue, calls in by_queue.items():
                parts = queue_halves(calls, again, cut_by)
                self.days[day].set_queue(queue, (queue_day(parts), parts))


def _untimed(tx: Connection, named: Held) -> dict[str, Sums]:
    row = tables.contacts.c
    going = {contact_rows.key_of(one): one for one in contact_rows.running(tx)}
    over = contact_rows.ended(tx, text(tables.UNTIMED), row.start_utc.is_(None))
    found: dict[str, Sums] = {}
    for one in (*(one for one in over if contact_rows.key_of(one) not in going), *going.values()):
        if one.start_utc is None:
            book_contact(found.setdefault(one.agent, Sums()), one, named, doubtful=False)
    return found


class _Day:
    """One day while it is put together."""

    def __init__(self, span: DaySpan) -> None:
        self.span = span
        self.agents = Packed(rollups.sums_of)
        self.halves = Packed(rollups.halves_of)
        self.queues = Packed(rollups.queue_sums_of)
        self.queue_halves = Packed(rollups.queue_halves_of)
        self.whole: result.Whole | result.PackedWhole | None = None
        self.touched: set[str] = set()

    def load(self, a: str, total: bytes, halves: bytes | None) -> None:
        self.agents.put(a, total)
        self.halves.put(a, halves)

    def get(self, a: str) -> Cell | None:
        if a not in self.agents:
            return None
        return self.agents[a], self.halves.get(a, {})

    def set(self, a: str, cell: Cell | None) -> None:
        self.agents.put(a, cell[0] if cell else None)
        self.halves.put(a, cell[1] if cell else None)

    def set_queue(self, queue: str, cell: tuple[QueueSums, dict[int, QueueSums]] | None) -> None:
        self.queues.put(queue, cell[0] if cell else None)
        self.queue_halves.put(queue, cell[1] if cell else None)

    def made(self, intervals: bool, *, each: bool) -> Day:
        for one in (self.agents, self.halves, self.queues, self.queue_halves):
            one.sort()
        found = Day(
            day=self.span.day.isoformat(),
            start_ms=self.span.start_s * 1000,
            end_ms=self.span.end_s * 1000,
            agents=self.agents,
            queues=self.queues,
            whole=self.whole,
        )
        if intervals:
            if each:
                found.intervals = ByHalf(self.halves)
            found.queue_intervals = ByHalf(self.queue_halves)
        return found
