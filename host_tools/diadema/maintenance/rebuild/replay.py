"""Takes the raw events of one store in again, through the ingest itself, into a fresh store.

Each journal from its first event to its last, the journals of a station in the order in which they
began. A range that a greeting declared lost is declared again at its place.

The store that a rebuild fills and then throws away. Nobody needs it after a power cut, and it
keeps the events of only those journals in which one number came more than once.
"""

import contextlib
import heapq
import sqlite3
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, Engine, Table, event, func, select, text

from diadema.base.clock import Clock
from diadema.ingest.core import Begun, Ingest
from diadema.ingest.floor import day_of
from diadema.ingest.messages import PREFIX, Message, subject_of
from diadema.ingest.time_window import by_journal
from diadema.maintenance.rebuild.compare import Counts
from diadema.site.description import Site
from diadema.store import Writer, open_reader, tables
from diadema.store.chain import Again
from diadema.store.database import open_database
from diadema.store.record_heads import key_of
from diadema.store.station_state import StationState
from diadema.store.writer import EventRow
from diadema.wire.commands import Hello


class FreshWriter(Writer):
    """Counts the events that come through, by journal."""

    def __init__(self, engine: Engine, key: bytes) -> None:
        super().__init__(engine, key)
        self.keeps = False  # from the next batch on; nothing may be under way
        self.through: Counter[tuple[str, int]] = Counter()

    def store(self, tx: Connection, rows: Sequence[EventRow]) -> None:
        self.through.update([row[:2] for row in rows])
        if self.keeps:
            super().store(tx, rows)


def open_fresh(path: Path, key: bytes) -> FreshWriter:
    """`key` of the records that are rebuilt. Raises DiademaError."""
    engine = open_database(path, write=True)

    def connected(connection: Any, _: Any) -> None:
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")

    event.listen(engine, "connect", connected)
    engine.dispose()  # the connection there is was made without
    return FreshWriter(engine, key)


_BATCH = 16_000  # events
_DEPTH = 2  # batches under way
_READ = 2000  # rows
_NO_STATE = msgspec.msgpack.encode(StationState())
_COPIED = (tables.stream, tables.generations, tables.badges, tables.conflicts, tables.links)


class Replayed(Struct):
    """`through`: how many of each journal came through."""

    events: int = 0
    came_back: int = 0
    through: Counts = {}


class _Moment:
    """A clock that stands: the day's figures are counted for the day of what stands."""

    def __init__(self, utc_ms: int) -> None:
        self._utc_ms = utc_ms

    def now_ms(self) -> int:
        return self._utc_ms


def replay(
    store: Path, fresh: Path, site: Site | None, clock: Clock, progress: Callable[[int, int], None]
) -> Replayed:
    """Fill `fresh`, a new file, from `store`. Raises DiademaError."""
    reader = open_reader(store)
    writer = open_fresh(fresh, key_of(store.parent))
    done = Replayed()
    try:
        with reader.engine.connect() as source:
            _copy(source, writer)
            moment = _Moment(_shown_at(source, site) or clock.now_ms())
            refused = by_journal(tuple(row) for row in source.execute(select(tables.untimed)))
            ingest = Ingest(writer, site, moment, refused)
            hellos = {s: station.hello for s, station in ingest.stations.items()}
            total = source.execute(select(func.count()).select_from(tables.events)).scalar_one()
            with contextlib.closing(sqlite3.connect(store)) as raw:
                whole = _Whole(raw, ingest, done)
                special = _special(source)
                for s, e in _journals(source):
                    if (s, e) in special:
                        whole.settle()
                        writer.keeps = True
                        _journal(source, ingest, s, e, done)
                        writer.keeps = False
                    else:
                        whole.take(s, e)
                    progress(done.events, total)
                whole.settle()
            done.through = writer.through
            for s, hello in hellos.items():
                ingest.stations[s].hello = hello
            ingest.save(ingest.stations.values(), set())
            _chain_again(source, writer)
            _say_why(source, writer)
            stream = source.execute(select(tables.stream)).first()
        with writer.transaction() as tx:
            tx.execute(tables.stream.delete())
            if stream is not None:
                writer.put(tx, tables.stream, [tuple(stream)])
        ingest = Ingest(writer, site, moment)  # counts the day anew
        ingest.save((), ingest.floor.agents())
    finally:
        reader.close()
        writer.close()
    return done


def _chain_again(source: Connection, writer: Writer) -> None:
    """The marks came in by journals now; they are chained in the order in which they once came,
    and those that were not there after them. One that had its time later has it later again, and
    what was chained without a key stays so as far as it is the same.
    """
    row, later = tables.marks.c, tables.mark_hours.c
    old = {(one.s, one.e, one.n): one for one in source.execute(select(tables.marks))}
    late = {
        one.mark: (one.utc, one.uncertainty_ms)
        for one in source.execute(select(tables.mark_hours).order_by(later.number))
    }
    last = max((one.number for one in old.values()), default=0)
    with writer.transaction() as tx:
        found = [tuple(one) for one in tx.execute(select(tables.marks).order_by(row.number))]
        found.sort(key=lambda one: old[one[1:4]].number if one[1:4] in old else last + one[0])
        tx.execute(tables.marks.delete())
        tx.execute(tables.mark_hours.delete())
        again = Again(writer.key, late)
        writer.put(tx, tables.marks, [again.take(one, old.get(one[1:4])) for one in found])
        writer.put(tx, tables.mark_hours, again.hours())


def _copy(source: Connection, writer: Writer) -> None:
    """What is no result of the events: commands as asked, links, numbers given out. Dead letters
    come through the ingest, as they would else be there before the events of their numbers.
    """
    with writer.transaction() as tx:
        for table in _COPIED:
            _put(writer, tx, table, source)
        station = tables.stations.c
        for s, hello, next_i in source.execute(select(station.s, station.hello, station.next_i)):
            writer.put(tx, tables.stations, [(s, _NO_STATE, hello, next_i)])
        place = tables.positions.c
        for s, e in source.execute(select(place.s, place.e)):
            writer.put(tx, tables.positions, [(s, e, 0)])
        _put(writer, tx, tables.commands, source)
        command = tables.commands
        answered = command.c.status == "answered"
        tx.execute(command.update().where(answered).values(status="open", answer=None))


def _say_why(source: Connection, writer: Writer) -> None:
    """All ranges were declared by greetings here."""
    loss = tables.losses
    unread = source.execute(select(loss).where(loss.c.source == "unreadable")).all()
    with writer.transaction() as tx:
        writer.put(tx, loss, [tuple(row) for row in unread])


def _put(writer: Writer, tx: Connection, table: Table, source: Connection) -> None:
    result = source.execution_options(yield_per=_READ).execute(select(table))
    for rows in result.partitions():
        writer.put(tx, table, [tuple(row) for row in rows])


def _shown_at(source: Connection, site: Site | None) -> int | None:
    """A moment of the day for which the standing rows of the floor were counted."""
    row = source.execute(select(tables.floor.c.utc)).first()
    return None if row is None else day_of(row[0], site).start


def _journals(source: Connection) -> list[tuple[str, int]]:
    """All, by the arrival of their first event; those of dead letters alone at the end."""
    began = text("SELECT s, e FROM events GROUP BY s, e ORDER BY min(rowid)")
    found = [(s, e) for s, e in source.execute(began)]
    place = tables.positions.c
    known = {*found}
    others = source.execute(select(place.s, place.e).order_by(place.s, place.e))
    return found + [(s, e) for s, e in others if (s, e) not in known]


def _special(source: Connection) -> set[tuple[str, int]]:
    """Journals with ranges that no event declared lost, or with dead letters."""
    loss, dead = tables.losses.c, tables.dead_letters.c
    lost = select(loss.s, loss.e).where(loss.source != "station")
    return {(s, e) for query in (lost, select(dead.s, dead.e)) for s, e in source.execute(query)}


class _Whole:
    """Journals one after the other, in batches as large as the ingest takes them best."""

    def __init__(self, raw: sqlite3.Connection, ingest: Ingest, done: Replayed) -> None:
        self._raw, self._ingest, self._done = raw, ingest, done
        self._waiting: list[Message] = []
        self._begun: deque[Begun] = deque()

    def take(self, s: str, e: int) -> None:
        topic = subject_of(s)
        query = "SELECT body FROM events WHERE s = ? AND e = ? ORDER BY n"
        rows = self._raw.execute(query, (s, e))
        while found := rows.fetchmany(_READ):
            self._done.events += len(found)
            self._waiting += [Message(1, topic, body) for (body,) in found]
            if len(self._waiting) >= _BATCH:
                self._begin()

    def settle(self) -> None:
        """Until all of it is written."""
        if self._waiting:
            self._begin()
        while self._begun:
            self._ingest.end(self._begun.popleft())

    def _begin(self) -> None:
        self._begun.append(self._ingest.begin(self._waiting, "rebuild", "rebuild"))
        self._waiting = []
        if len(self._begun) == _DEPTH:
            self._ingest.end(self._begun.popleft())


def _journal(source: Connection, ingest: Ingest, s: str, e: int, done: Replayed) -> None:
    topic = subject_of(s)
    loss = tables.losses.c
    declared = (loss.s == s) & (loss.e == e) & (loss.source != "station")
    ranges = list(
        source.execute(select(loss.first, loss.last).where(declared).order_by(loss.first))
    )
    batch: list[Message] = []
    within: list[Message] = []  # events in the next range

    def flush() -> None:
        if batch:
            ingest.take(batch, "rebuild", "rebuild")
            batch.clear()

    def declare() -> None:
        """After what is here of the range, so that it is worked out and not only kept."""
        nonlocal within
        flush()
        _, last = ranges.pop(0)
        deferred = ingest.deferred
        hello = ingest.station(s).hello
        ingest.take([_gone(s, e, last)], "rebuild", "rebuild")
        ingest.station(s).hello = hello  # by which the newest journal is known
        if ingest.deferred > deferred or within:
            for at in range(0, len(within), _BATCH):
                ingest.take(within[at : at + _BATCH], "rebuild", "rebuild")
        done.came_back += len(within)
        within = []

    for n, subject, body, is_event in _in_order(source, s, e, topic):
        while ranges and n > ranges[0][1]:
            declare()
        message = Message(1, subject, body)
        batch.append(message)
        if is_event:
            done.events += 1
            if ranges and n >= ranges[0][0]:
                within.append(message)
        if len(batch) >= _BATCH:
            flush()
    while ranges:
        declare()
    flush()


def _in_order(
    source: Connection, s: str, e: int, topic: str
) -> Iterator[tuple[int, str, bytes, bool]]:
    """Events and dead letters of a journal by n; an event first where there are both."""
    event, dead = tables.events.c, tables.dead_letters.c
    streaming = source.execution_options(yield_per=_READ)
    events = streaming.execute(
        select(event.n, event.body).where((event.s == s) & (event.e == e)).order_by(event.n)
    )
    letters = source.execute(
        select(dead.n, dead.subject, dead.body)
        .where((dead.s == s) & (dead.e == e) & dead.n.is_not(None))
        .order_by(dead.n)
    ).all()
    return heapq.merge(
        ((n, topic, body, True) for n, body in events),
        ((n, subject, body, False) for n, subject, body in letters),
        key=itemgetter(0),
    )


def _gone(s: str, e: int, last: int) -> Message:
    hello = Hello(up=True, station=s, epoch=e, first=last + 1, last=last)
    return Message(1, f"{PREFIX}{s}.st.wifi", msgspec.json.encode(hello))
