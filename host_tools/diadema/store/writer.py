"""The one writer of the store. A batch is one transaction: all of it is on the disk, or nothing.

Hot statements are compiled once and given the values of many rows.

Writes batches on a thread of its own, one after the other, while the next is worked out.

What is stored already under the numbers that came once more, by few statements.

After an outage a thousand stations send everything again: if a double cost more than a new event
does, that would never end.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, bindparam, text, update
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlalchemy.exc import DBAPIError, IntegrityError

from diadema.base.errors import StoreDamaged, StoreStale, StoreUnavailable, is_damage
from diadema.base.idempotency import RETENTION_MS
from diadema.base.paths import DataDir
from diadema.store import tables
from diadema.store.chain import MarkRow, MarkTimeChain, enter_old_hours
from diadema.store.contact_rows import ContactRow
from diadema.store.database import open_database
from diadema.store.erased import ErasedList, erased_list
from diadema.store.interval_rows import TrailRow
from diadema.store.loading import Bulk, insertion, renewal, replacement
from diadema.store.record_heads import key_of


class Behind[Work, Done]:
    """`submit` and `settle` are for one thread. After a batch that failed none is written, for it
    would lack what is before it, until `settle` has told that.
    """

    def __init__(self, write: Callable[[Work], Done]) -> None:
        self._write = write
        self._thread = ThreadPoolExecutor(1, "store")
        self._under_way: deque[Future[Done]] = deque()
        self._failed = False

    @property
    def failed(self) -> bool:
        return self._failed

    def submit(self, work: Work) -> Future[Done]:
        """The future raises what `write` raises, or StoreStale after a failure."""
        while self._under_way and self._under_way[0].done():
            self._under_way.popleft()
        future: Future[Done] = Future()
        future.set_running_or_notify_cancel()  # nobody can cancel it, and so leave a hole
        self._under_way.append(future)
        self._thread.submit(self._do, work, future)
        return future

    def wait(self) -> None:
        """Until nothing is under way."""
        wait(self._under_way)
        self._under_way.clear()

    def settle(self) -> bool:
        """Wait; whether everything since the last time was written."""
        self.wait()
        failed, self._failed = self._failed, False
        return not failed

    def close(self) -> None:
        self._thread.shutdown()

    def _do(self, work: Work, future: Future[Done]) -> None:
        try:
            if self._failed:
                raise StoreStale("a batch before this one was not written")
            done = self._write(work)
        except BaseException as error:
            self._failed = True
            future.set_exception(error)
        else:
            future.set_result(done)


type Number = tuple[str, int, int]  # s, e, n

_AT_ONCE = 4096  # numbers in one statement; SQLite takes 32 766 values
_KNOWN = [  # CROSS JOIN: what is asked is the outer loop, whatever the planner thinks
    f"WITH asked (s, e, n) AS (VALUES %s) SELECT s, e, n, body FROM asked CROSS JOIN {name} "
    "USING (s, e, n)"
    for name in ("events", "dead_letters", "conflicts")
]


def known_bodies(tx: Connection, numbers: list[Number]) -> dict[Number, set[bytes]]:
    """The bodies stored under each of these numbers; one without any is left out."""
    known: dict[Number, set[bytes]] = {}
    different = list(dict.fromkeys(numbers))
    for at in range(0, len(different), _AT_ONCE):
        some = different[at : at + _AT_ONCE]
        values = tuple(chain.from_iterable(some))
        for statement in _KNOWN:
            text = statement % ", ".join(["(?, ?, ?)"] * len(some))
            for s, e, n, body in tx.exec_driver_sql(text, values):
                known.setdefault((s, e, n), set()).add(body)
    return known


_ANSWERED = """UPDATE commands SET status = 'answered', answer = given.column3
FROM (VALUES (?, ?, ?)) AS given WHERE s = given.column1 AND i = given.column2"""

_HOURS = f"""UPDATE marks SET utc = :utc + u - :u + (u - :u) * :ppb / 1000000000,
uncertainty_ms = :doubt + (abs(u - :u) * :doubt_ppb + 999999999) / 1000000000
WHERE s = :s AND e = :e AND b = :b AND {tables.NO_UTC}
RETURNING number, utc, uncertainty_ms"""

REPLACE = (
    update(tables.commands)
    .where(tables.commands.c.s == bindparam("of_s"), tables.commands.c.i == bindparam("of_i"))
    .values(status="replaced", next_i=bindparam("then"))
)

_POSITION = "SELECT coalesce(max(rowid), 0) FROM events"


def position_of(tx: Connection) -> int:
    """How many events were taken in, in the order of their coming."""
    return int(tx.exec_driver_sql(_POSITION).scalar_one())


type Ended = dict[str, Any]  # a command: of_s, of_i, and `then` what goes on for it
type AnswerRow = tuple[str, str, int, bytes]  # id, request, utc, sealed
type EventRow = tuple[str, int, int, str, bytes]  # s, e, n, k, body


@dataclass
class Doubtful:
    """An event at a number that is taken already: a double, a conflict, or a loss come back."""

    station: str
    epoch: int
    sequence: int
    k: str
    body: bytes


@dataclass
class Batch:
    """What one transaction writes. Nobody changes a row of it: it is written later, while what
    the rows were made from goes on."""

    events: list[EventRow] = field(default_factory=list)
    doubtful: list[Doubtful] = field(default_factory=list)
    dead: list[tuple[str, bytes, str | None, int | None, int | None, str, int]] = field(
        default_factory=list
    )
    losses: list[tuple[str, int, int, int, str]] = field(default_factory=list)
    unknown: Counter[tuple[str, str]] = field(default_factory=Counter)
    positions: list[tuple[str, int, int]] = field(default_factory=list)
    stations: list[tuple[str, bytes, bytes, int]] = field(default_factory=list)
    contacts: list[ContactRow] = field(default_factory=list)
    trails: list[TrailRow] = field(default_factory=list)
    sessions: list[tuple[Any, ...]] = field(default_factory=list)
    presses: list[tuple[Any, ...]] = field(default_factory=list)
    tickets: list[tuple[Any, ...]] = field(default_factory=list)
    queue_calls: list[tuple[Any, ...]] = field(default_factory=list)
    retained: dict[Table, list[tuple[Any, ...]]] = field(default_factory=dict)
    marks: list[MarkRow] = field(default_factory=list)
    hours: list[dict[str, str | int]] = field(default_factory=list)  # of marks that had none
    anchors: list[tuple[str, int, int, int, int, str, int, int, int, int | None]] = field(
        default_factory=list
    )
    live: list[tuple[str, bytes]] = field(default_factory=list)
    counted_utc: int | None = None  # the day of the rows in `live` is the one of this moment
    answers: list[tuple[str, int, bytes]] = field(default_factory=list)
    commands: list[tuple[Any, ...]] = field(default_factory=list)
    ended: list[Ended] = field(default_factory=list)  # commands that others replace
    said: list[AnswerRow] = field(default_factory=list)  # to who asked for an act
    stream: tuple[str, int, str] | None = None  # created, sequence, server


@dataclass(frozen=True)
class Found:
    """What a commit found out about the doubtful: the conflicts, and the losses come back; and how
    many events the store has with it.
    """

    conflicts: list[Doubtful]
    recovered: list[Doubtful]
    position: int = 0


class Writer:
    """Never two on one store, and one thread at a time: `behind` is settled before anything else
    is written or read here.
    """

    def __init__(self, engine: Engine, key: bytes) -> None:
        self.engine = engine
        self.key = key  # of the records
        self.erased: ErasedList | None = None  # what must not come back
        self.behind: Behind[Batch, Found] = Behind(self.commit)
        self._events = insertion(tables.events)
        self._marks = insertion(tables.marks)
        self._answers = Bulk(_ANSWERED, 3)
        self._bulks: dict[Table, Bulk] = {}

    def close(self) -> None:
        self.behind.close()
        if self.erased is not None:
            self.erased.close()
        self.engine.dispose()

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Raises StoreUnavailable, StoreStale or StoreDamaged; then nothing of it was written."""
        try:
            with self.engine.begin() as connection:
                yield connection
        except IntegrityError as error:
            raise StoreStale(str(error.orig)) from error
        except DBAPIError as error:
            if is_damage(error.orig):
                raise StoreDamaged(str(self.engine.url.database), str(error.orig)) from error
            raise StoreUnavailable(str(error.orig)) from error

    def commit(self, batch: Batch) -> Found:
        """Write a batch. Raises StoreUnavailable or StoreStale."""
        with self.transaction() as tx:
            self.store(tx, batch.events)
            found = self._settle(tx, batch.doubtful)
            self._ignore(tx, tables.dead_letters, batch.dead)
            self._ignore(tx, tables.losses, batch.losses)
            for (k, name), times in batch.unknown.items():
                row = upsert(tables.unknown).values(k=k, field=name, times=times)
                seen = {"times": tables.unknown.c.times + times}
                tx.execute(row.on_conflict_do_update(index_elements=["k", "field"], set_=seen))
            self.put(tx, tables.positions, batch.positions)
            self.put(tx, tables.stations, batch.stations)
            self.put(tx, tables.contacts, batch.contacts)
            self.put(tx, tables.trails, batch.trails)
            self.put(tx, tables.sessions, batch.sessions)
            self.put(tx, tables.presses, batch.presses)
            self.put(tx, tables.tickets, batch.tickets)
            self.put(tx, tables.queue_calls, batch.queue_calls)
            for table, rows in batch.retained.items():
                self.put(tx, table, rows)
            self._marks.run(tx, batch.marks)
            for given in batch.hours:
                hours = sorted((one[0], one[1], one[2]) for one in tx.execute(text(_HOURS), given))
                self.put(tx, tables.mark_hours, MarkTimeChain(self.key, tx).extend(hours))
            self.put(tx, tables.anchors, batch.anchors)
            self.put(tx, tables.live, batch.live)
            if batch.counted_utc is not None:
                self.put(tx, tables.floor, [(1, batch.counted_utc)])
            self._answers.run(tx, batch.answers)
            if batch.ended:
                tx.execute(REPLACE, batch.ended)
            self.put(tx, tables.commands, batch.commands)
            self.keep_answers(tx, batch.said)
            if batch.stream:
                self.put(tx, tables.stream, [(1, *batch.stream)])
        return found

    def store(self, tx: Connection, rows: Sequence[EventRow]) -> None:
        """Raw events, each for the first time."""
        self._events.run(tx, rows)

    def keep_answers(self, tx: Connection, rows: Sequence[AnswerRow]) -> None:
        """Those of more than a day before them go."""
        for _, _, utc, _ in rows[:1]:
            tx.execute(tables.answers.delete().where(tables.answers.c.utc <= utc - RETENTION_MS))
        self.put(tx, tables.answers, rows)

    def put(self, tx: Connection, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
        """Insert rows of all columns, or replace those with the same key."""
        if not rows:
            return
        if table not in self._bulks:
            self._bulks[table] = (renewal if table in tables.FED else replacement)(table)
        self._bulks[table].run(tx, rows)

    def _ignore(self, tx: Connection, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
        if rows:
            names = table.c.keys()
            statement = upsert(table).on_conflict_do_nothing()
            tx.execute(statement, [dict(zip(names, row, strict=True)) for row in rows])

    def _settle(self, tx: Connection, doubtful: list[Doubtful]) -> Found:
        """Compare with what is stored. Other bytes: both are kept. None stored: it is now."""
        conflicts: list[Doubtful] = []
        recovered: list[Doubtful] = []
        known = known_bodies(
            tx, [(event.station, event.epoch, event.sequence) for event in doubtful]
        )
        for event in doubtful:
            bodies = known.setdefault((event.station, event.epoch, event.sequence), set())
            if event.body in bodies:
                continue
            if bodies:
                conflicts.append(event)
            else:
                self.store(tx, [(event.station, event.epoch, event.sequence, event.k, event.body)])
                recovered.append(event)
            bodies.add(event.body)
        rows = [(event.station, event.epoch, event.sequence, event.body) for event in conflicts]
        self._ignore(tx, tables.conflicts, rows)
        position = position_of(tx)
        return Found(conflicts, recovered, position)


def open_writer(path: Path) -> Writer:
    """Open, or make, the store. Raises DiademaError."""
    writer = Writer(open_database(path, write=True), key_of(path.parent))
    with writer.transaction() as tx:
        writer.put(tx, tables.mark_hours, enter_old_hours(tx, writer.key))
    writer.erased = erased_list(DataDir(path.parent))
    return writer
