"""Brings the roll-ups up to date. A cell that anything changed is worked out again, whole, from
what the store has then, so that it does not matter in which order and how often that happens.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct, field
from sqlalchemy import Connection, select
from sqlalchemy.exc import DBAPIError

from diadema.base.clock import open_clock
from diadema.base.paths import DataDir
from diadema.figures import result, rollups
from diadema.figures.days import DaySpan, day_at, span_of
from diadema.figures.facts import Running, agent_halves, day_sums, facts, queue_day, queue_halves
from diadema.figures.feed import Cell, feed, same_store, samples
from diadema.figures.rollups import State
from diadema.figures.rows import QueueSums, Sums
from diadema.figures.switch import ringing
from diadema.metrics import calls as of
from diadema.metrics.intervals import Intervals
from diadema.site.context import zone_of
from diadema.site.directory.people import Held, People, queue_of
from diadema.site.directory.people_of import people as read_people
from diadema.store import open_reader, tables
from diadema.store import reader as switch_calls
from diadema.store.contact_rows import LONGEST_MS
from diadema.store.rows import QueueCall

MOST_CELLS = 3_000  # of one call
_AT_ONCE = 500  # agents whose rows are in memory
_SETTLED_MS = 60_000  # how late it may be noted that nothing was stale
_NOTHING = Running({}, [])


class Rolled(Struct, kw_only=True):
    """What a call did: cells worked out, cells that wait for the next one, whether the store has
    rows that were not looked at yet, and whether everything is made anew.
    """

    cells: int = 0
    left: int = 0
    behind: bool = False
    anew: bool = False

    @property
    def done(self) -> bool:
        return not self.left and not self.behind


class Fresh(Struct):
    """Cells as they are now; None: nothing is left of it. `fed`: those whose rows changed since
    the store was last read, worked out or not.
    """

    agents: dict[str, dict[str, tuple[Sums, dict[int, Sums]] | None]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    queues: dict[str, dict[str, tuple[QueueSums, dict[int, QueueSums]] | None]] = field(
        default_factory=lambda: defaultdict(dict)
    )

    fed: set[Cell] = field(default_factory=set)

    @property
    def count(self) -> int:
        agents = sum(len(cells) for cells in self.agents.values())
        return agents + sum(len(cells) for cells in self.queues.values())


class Scope(Struct, frozen=True):
    """Which of the stale cells are wanted: days first…last, and of these agents or of all."""

    first: str = ""
    last: str = "~"
    agents: frozenset[str] | None = None

    def has(self, cell: Cell) -> bool:
        day, kind, name = cell
        wanted = self.agents is None or kind == "queue" or name in self.agents
        return self.first <= day <= self.last and wanted


def roll(data: DataDir, now_ms: int | None = None, most: int = MOST_CELLS) -> Rolled:
    """Some more of it; call again until it is `done`. Nothing where there is no store, or while
    another process does it.
    """
    if not data.store.exists():
        return Rolled()
    if now_ms is None:
        now_ms = open_clock(None).now_ms()
    zone, people = zone_of(data), read_people(data)
    reader = open_reader(data.store)
    try:
        engine = rollups.open_rollups(data.rollups)
        try:
            with engine.connect().execution_options(writes=True) as rx, rx.begin():
                with reader.engine.connect() as tx:
                    known, anew = current(rx, tx, zone, people)
                    fresh, behind = bring(rx, tx, known, zone, now_ms, Scope(), most)
                left = _count_stale(rx)
                if not left and not behind:
                    _sum_up(rx, day_at(now_ms // 1000, zone))
        finally:
            engine.dispose()
    except DBAPIError:
        return Rolled(behind=True)
    finally:
        reader.close()
    return Rolled(cells=fresh.count, left=left, behind=behind, anew=anew)


def current(rx: Connection, tx: Connection, zone: ZoneInfo, people: People) -> tuple[State, bool]:
    """The state of the cells, and whether they do not hold and everything begins anew, as when a
    name at the switch is another's now.
    """
    known = rollups.load_state(rx)
    made = State(
        zone=zone.key,
        aliases=people.switch_names if _has_switch(tx) else people.aliases,
        queues=people.switch_queues,
        ringing=ringing(tx),
    )
    fits = all(
        getattr(known, name) == getattr(made, name)
        for name in ("version", "zone", "aliases", "queues", "ringing")
    )
    if fits and same_store(tx, known):
        return known, False
    return made, True


def _has_switch(tx: Connection) -> bool:
    """Where none told of a call, whoever is hired changes nothing."""
    return tx.execute(select(tables.queue_calls.c.n).limit(1)).first() is not None


def bring(
    rx: Connection,
    tx: Connection,
    known: State,
    zone: ZoneInfo,
    now_ms: int,
    scope: Scope,
    most: int | None = None,
    *,
    keep: bool = True,
) -> tuple[Fresh, bool]:
    """Work out what is stale in the scope, and write it where it is to be kept. A new state drops
    what there was. True: the store has rows that were not looked at.
    """
    if keep and not known.rowids:
        rollups.begin_anew(rx)
    fed = feed(tx, known, zone)
    behind = fed.behind
    cells = set(fed.cells)
    while behind and most is None:  # somebody waits for all of it
        on = State(zone=known.zone, aliases=known.aliases, queues=known.queues, rowids=fed.rowids)
        more = feed(tx, on, zone)
        fed.rowids, behind = more.rowids, more.behind
        cells |= more.cells
    changed = set(cells)
    if known.rowids:
        row = rollups.stale.c
        query = select(row.day, row.kind, row.name)
        cells |= {(day, kind, name) for day, kind, name in rx.execute(query)}
    wanted = sorted(cell for cell in cells if scope.has(cell))[:most]
    fresh = work_out(tx, wanted, zone, known.aliases, known.queues)
    fresh.fed = changed
    idle = not cells and fed.rowids == known.rowids and now_ms - known.settled_ms < _SETTLED_MS
    if keep and not idle:
        _note_repairs(rx, fresh, known, zone, now_ms, fed.position)
        _write(rx, fresh)
        if known.rowids:
            rollups.forget_near(rx, changed)
        left = cells - set(wanted)
        _mark(rx, left, wanted)
        known.rowids, known.position = fed.rowids, fed.position
        known.samples = samples(tx, fed.rowids)
        if not left and not behind:
            known.settled_ms = now_ms
        rollups.save_state(rx, known)
    return fresh, behind


def work_out(
    tx: Connection,
    cells: Iterable[Cell],
    zone: ZoneInfo,
    aliases: Held,
    named: Held,
    on: Running = _NOTHING,
) -> Fresh:
    """These cells from the store's rows, without what goes on unless that is given. `named`: the
    switch's names of queues.
    """
    fresh, cut_by = Fresh(), Intervals(zone)
    ring_tellers = ringing(tx)
    agents: defaultdict[str, list[str]] = defaultdict(list)
    queues: defaultdict[str, set[str]] = defaultdict(set)
    for day, kind, name in cells:
        if kind == "agent":
            agents[day].append(name)
        else:
            queues[day].add(name)
    for day in sorted(agents):
        span, names = span_of(date.fromisoformat(day), zone), agents[day]
        for at in range(0, len(names), _AT_ONCE):
            some = names[at : at + _AT_ONCE]
            its = facts(tx, span.start_s * 1000, span.end_s * 1000, on, aliases, some)
            for a in some:
                halves = (
                    agent_halves(its[a], span, cut_by, ring_tellers, named) if a in its else {}
                )
                fresh.agents[day][a] = (day_sums(halves), halves) if halves else None
    for day in sorted(queues):
        span = span_of(date.fromisoformat(day), zone)
        calls, again = queue_calls(tx, span, named, queues[day])
        for queue in sorted(queues[day]):
            parts = queue_halves(calls.get(queue, ()), again, cut_by)
            fresh.queues[day][queue] = (queue_day(parts), parts) if parts else None
    return fresh


def queue_calls(
    tx: Connection,
    span: DaySpan,
    named: Held,
    queues: Collection[str] | None = None,
) -> tuple[dict[str, list[QueueCall]], set[int]]:
    """Those that began on that day, by queue; and by `id` those whose call was answered before, in
    whatever queue: one that was handed back to a queue stands in it again under its id.
    """
    row = tables.queue_calls.c
    start_ms, end_ms = span.start_s * 1000, span.end_s * 1000
    early = (row.start_utc >= start_ms - LONGEST_MS) & (row.start_utc < start_ms)
    query = select(row.s, row.pbx).where(early, row.connected_utc.is_not(None))
    before = {(s, pbx) for s, pbx in tx.execute(query)}
    found: defaultdict[str, list[QueueCall]] = defaultdict(list)
    again = set()
    for call in switch_calls.calls(tx, start_ms, end_ms):
        if call.start_utc < start_ms:
            continue
        if call.connected_utc is not None:
            if (call.station, call.pbx) in before:
                again.add(id(call))
            before.add((call.station, call.pbx))
        queue = queue_of(named, call.queue, call.start_utc)
        if queues is None or queue in queues:
            found[queue].append(call)
    return found, again


def _sum_up(rx: Connection, today: date) -> None:
    """What is asked for most, so that nobody waits for it: this month and the last one."""
    first = today.replace(day=1)
    before = (first - timedelta(days=1)).replace(day=1)
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    days = before.isoformat(), last.isoformat(), today.isoformat()
    result.floor_days(rx, *days, keep=True)
    result.agent_months(rx, before, last, today, keep=True)


def _count_stale(rx: Connection) -> int:
    return int(rx.exec_driver_sql("SELECT count(*) FROM stale").scalar_one())


def _mark(rx: Connection, left: Iterable[Cell], done: Iterable[Cell]) -> None:
    if rows := list(left):
        rx.exec_driver_sql("INSERT OR IGNORE INTO stale VALUES (?, ?, ?)", rows)
    if rows := list(done):
        rx.exec_driver_sql("DELETE FROM stale WHERE day = ? AND kind = ? AND name = ?", rows)


def _write(rx: Connection, fresh: Fresh) -> None:
    result.forget(rx, ((day, a) for day, cells in fresh.agents.items() for a in cells))
    for table, key, put, cells in (
        (rollups.agent_days, "a", rollups.put_agents, fresh.agents),
        (rollups.queue_days, "queue", rollups.put_queues, fresh.queues),
    ):
        rows, gone = [], []
        for day, of_day in cells.items():
            for name, cell in of_day.items():
                if cell is None:
                    gone.append((day, name))
                else:
                    rows.append((day, name, *rollups.packed(*cell)))
        put.run(rx, rows)
        if gone:
            rx.exec_driver_sql(f"DELETE FROM {table.name} WHERE day = ? AND {key} = ?", gone)


def _note_repairs(
    rx: Connection, fresh: Fresh, known: State, zone: ZoneInfo, now_ms: int, position: int
) -> None:
    rows = []
    for day, cells in fresh.agents.items():
        if span_of(date.fromisoformat(day), zone).end_s * 1000 > known.settled_ms:
            continue  # it was not over when everything was told the last time
        row = rollups.agent_days.c
        old = {a: body for a, body in rx.execute(select(row.a, row.total).where(row.day == day))}
        for a, cell in cells.items():
            was = reported_sums(rollups.sums_of(old[a]) if a in old else Sums())
            now = reported_sums(cell[0] if cell else Sums())
            rows += [
                (day, "agent", a, what, was[what], now[what], now_ms, position)
                for what in was
                if was[what] != now[what]
            ]
    for day, calls in fresh.queues.items():
        if span_of(date.fromisoformat(day), zone).end_s * 1000 > known.settled_ms:
            continue
        line = rollups.queue_days.c
        past = {
            q: body
            for q, body in rx.execute(select(line.queue, line.total).where(line.day == day))
        }
        for queue, part in calls.items():
            if queue not in past:
                continue  # a log that was imported now
            had = reported_queue_sums(rollups.queue_sums_of(past[queue]))
            has = reported_queue_sums(part[0] if part else QueueSums())
            rows += [
                (day, "queue", queue, what, had[what], has[what], now_ms, position)
                for what in had
                if had[what] != has[what]
            ]
    if rows:
        rx.exec_driver_sql("INSERT INTO repairs VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)


def reported_sums(sums: Sums) -> dict[str, int]:
    """Of an agent's day what people were told."""
    calls, load = sums.calls(), sums.load
    return {
        "offered": calls.offered,
        "answered": calls.answered,
        "missed": calls.missed,
        "excused": calls.excused,
        "dialed": calls.dialed,
        "connected": calls.connected,
        "averaged": calls.n,
        "handle_s": of.handle_s(calls),
        "typified": calls.typified,
        "logged_s": load.logged_s,
        "handling_s": load.handling_s,
        "not_ready_s": load.not_ready,
        "help": sums.help_n,
        "faults": sums.faults,
    }


def reported_queue_sums(sums: QueueSums) -> dict[str, int]:
    return {
        "received": sums.received,
        "answered": sums.answered,
        "abandoned": sums.abandoned,
        "left": sums.left,
        "wait_s": sums.wait_s,
    }
