"""The roll-ups' own file: sums of each agent's and each queue's day, made of the store and of
nothing else. Whoever deletes it loses time and the trace of repairs.
"""

import sqlite3
from collections.abc import Collection, Iterable, Iterator
from datetime import date, timedelta
from pathlib import Path

import msgspec
from msgspec import Struct, field
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    Index,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    select,
)
from sqlalchemy.exc import DBAPIError

from diadema.base.sqlite import sqlite_engine
from diadema.figures.rows import QueueSums, Sums
from diadema.site.directory.people import Held
from diadema.store.loading import replacement

VERSION = 9  # of what cells mean; others are made anew
FED = (
    "contacts",
    "trails",
    "presses",
    "queue_calls",
    "queue_rings",
)  # tables whose rows make cells
BUSY_MS = 1_000
metadata = MetaData()


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False)


def _bytes(name: str) -> Column[bytes]:
    return Column(name, LargeBinary, nullable=False)


def _number(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False)


state = Table(  # one row
    "state", metadata, Column("id", BigInteger, primary_key=True), _bytes("body")
)
agent_days = Table(
    "agent_days", metadata, _text("day"), _text("a"), _bytes("total"), _bytes("halves"),
    PrimaryKeyConstraint("day", "a"), sqlite_with_rowid=False,
)  # fmt: skip
queue_days = Table(
    "queue_days", metadata, _text("day"), _text("queue"), _bytes("total"), _bytes("halves"),
    PrimaryKeyConstraint("day", "queue"), sqlite_with_rowid=False,
)  # fmt: skip
floor_days = Table(  # of all agents together, made when asked for
    "floor_days", metadata, _text("day"), _bytes("total"), _bytes("halves"),
    PrimaryKeyConstraint("day"), sqlite_with_rowid=False,
)  # fmt: skip
agent_months = Table(  # of the agent's days of the month before `until`, likewise
    "agent_months", metadata, _text("month"), _text("a"), _text("until"), _bytes("total"),
    PrimaryKeyConstraint("month", "a"), sqlite_with_rowid=False,
)  # fmt: skip
adherence_days = Table(  # of a day that is over, made when asked for: `of`, see `adherence_days`
    "adherence_days", metadata, _text("day"), _text("a"), _bytes("of"), _bytes("body"),
    PrimaryKeyConstraint("day", "a"), sqlite_with_rowid=False,
)  # fmt: skip
caller_days = Table(  # of a day that is over, made when asked for: `callers.Segment`s
    "caller_days", metadata, _text("day"), _bytes("body"),
    PrimaryKeyConstraint("day"), sqlite_with_rowid=False,
)  # fmt: skip
stale = Table(  # cells to work out again; `kind` is agent or queue
    "stale", metadata, _text("day"), _text("kind"), _text("name"),
    PrimaryKeyConstraint("day", "kind", "name"), sqlite_with_rowid=False,
)  # fmt: skip
repairs = Table(  # what late events changed of a day that was over and told
    "repairs", metadata,
    _text("day"), _text("kind"), _text("name"), _text("what"),
    _number("was"), _number("is_now"), _number("at_ms"), _number("position"),
    Index("repairs_day", "day"),
)  # fmt: skip

put_agents = replacement(agent_days)
put_queues = replacement(queue_days)
put_adherence = replacement(adherence_days)
pack = msgspec.msgpack.Encoder().encode
sums_of = msgspec.msgpack.Decoder(Sums).decode
halves_of = msgspec.msgpack.Decoder(dict[int, Sums]).decode
queue_sums_of = msgspec.msgpack.Decoder(QueueSums).decode
queue_halves_of = msgspec.msgpack.Decoder(dict[int, QueueSums]).decode


class State(Struct, kw_only=True):
    """What the cells were made of. `aliases`, `queues`: by the switch's names of them. `rowids`:
    how far each table of the store was read; `samples`: of rows up to there (table, rowid, its
    key), by which another store is noticed; `settled_ms`: when nothing was stale the last time.
    `ringing`: switches whose logs tell who did not take a call; of the others it is not known.
    """

    version: int = VERSION
    zone: str = ""
    aliases: Held = field(default_factory=dict)
    ringing: list[str] = field(default_factory=list)
    queues: Held = field(default_factory=dict)
    rowids: dict[str, int] = field(default_factory=dict)
    samples: list[tuple[str, int, str]] = field(default_factory=list)
    position: int = 0
    settled_ms: int = field(default=0, name="told_ms")


_state_of = msgspec.msgpack.Decoder(State).decode


def open_rollups(path: Path) -> Engine:
    """Makes them where there are none, or where what is there cannot be read. Raises DBAPIError
    where nothing can be written.
    """
    try:
        return _open(path)
    except DBAPIError as error:
        if not give_up(path, error):
            raise
    return _open(path)


def give_up(path: Path, error: DBAPIError) -> bool:
    """Put them away if they are damaged; True when they are. Locked or no room is no damage."""
    cause = error.orig
    if not isinstance(cause, sqlite3.DatabaseError) or isinstance(cause, sqlite3.OperationalError):
        return False
    for name in ("-wal", "-shm", ""):
        path.with_name(path.name + name).unlink(missing_ok=True)
    return True


def _open(path: Path) -> Engine:
    engine = sqlite_engine(path, busy_ms=BUSY_MS, pragmas=("synchronous = NORMAL",))
    try:
        metadata.create_all(engine)
    except BaseException:
        engine.dispose()
        raise
    return engine


def load_state(rx: Connection) -> State:
    body = rx.execute(select(state.c.body)).scalar_one_or_none()
    return State(version=0) if body is None else _decoded(body)


def version_of(body: bytes) -> int:
    """Of the row of `state`; 0 where it cannot be read."""
    return _decoded(body).version


def _decoded(body: bytes) -> State:
    try:
        return _state_of(body)
    except msgspec.DecodeError:
        return State(version=0)


def save_state(rx: Connection, made: State) -> None:
    rx.exec_driver_sql("INSERT OR REPLACE INTO state VALUES (1, ?)", (pack(made),))


def begin_anew(rx: Connection) -> None:
    """Nothing of the cells holds; what was repaired stays told."""
    for table in metadata.tables.values():
        if table is not repairs:
            rx.execute(table.delete())


def near(cells: Iterable[tuple[str, str, str]]) -> Iterator[tuple[str, str]]:
    """Day and agent of each adherence day that such cells touch: a shift reaches over midnight,
    and what belongs to it is up to eight hours before and after it.
    """
    days: dict[str, list[str]] = {}
    for day, kind, name in cells:
        if kind != "agent":
            continue
        if day not in days:
            of = date.fromisoformat(day)
            days[day] = [(of + timedelta(days=k)).isoformat() for k in (-2, -1, 0, 1)]
        yield from ((each, name) for each in days[day])


def forget_near(rx: Connection, cells: Collection[tuple[str, str, str]]) -> None:
    """Rows of these cells are others now."""
    if days := list({(day,) for day, _, _ in cells}):
        rx.exec_driver_sql("DELETE FROM caller_days WHERE day = ?", days)
    if rows := list({*near(cells)}):
        rx.exec_driver_sql("DELETE FROM adherence_days WHERE day = ? AND a = ?", rows)


def packed[T: (Sums, QueueSums)](total: T, halves: dict[int, T]) -> tuple[bytes, bytes]:
    for one in (total, *halves.values()):
        if isinstance(one, Sums):
            one.compact()
    return pack(total), pack(halves)
