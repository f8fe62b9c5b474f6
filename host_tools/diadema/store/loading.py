"""What the ingest reads back when it starts, or when a write failed and its memory is ahead.

Many rows by few statements. SQLite works a statement off without Python's lock, so that the
ingest can go on meanwhile; `executemany` would take and give the lock for each row.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from sqlalchemy import Connection, Table, func, or_, select, text
from sqlalchemy.dialects.sqlite import Insert, dialect, insert

from diadema.store import contact_rows, interval_rows, tables
from diadema.store.rows import Contact, Session, Trail
from diadema.wire.letters import from_columns

# CROSS JOIN: the journals are the outer loop, whatever the planner thinks
_OF_POSITIONS = "FROM positions AS at CROSS JOIN {} AS it USING (s, e) WHERE it.n > at.position"
_DEAD_BEYOND = "SELECT it.s, it.e, it.n " + _OF_POSITIONS.format("dead_letters")
_BEYOND = "SELECT it.s, it.e, it.n, it.body " + _OF_POSITIONS.format("events")
_NEAR = 5_000  # events: more than a week of one desk


@dataclass
class Saved:
    positions: list[tuple[str, int, int]]
    pending: list[tuple[str, int, int, bytes | None]]  # beyond a gap; None: a dead letter
    stations: list[tuple[str, bytes, bytes, int]]
    live: dict[str, bytes]
    stream: tuple[str, int, str] | None
    generation: tuple[int, str] = field(default=(0, ""))
    letters: list[tuple[str, int]] = field(default_factory=list)  # dead ones, by subject


def load(tx: Connection) -> Saved:
    """Everything but the contacts. The journals in the order in which they began."""
    in_order = select(tables.positions).order_by(text("rowid"))
    saved = Saved(
        positions=[(s, e, position) for s, e, position in tx.execute(in_order)],
        pending=[],
        stations=[
            (s, state, hello, i) for s, state, hello, i in tx.execute(select(tables.stations))
        ],
        live={a: row for a, row in tx.execute(select(tables.live))},
        stream=None,
    )
    for _, created, sequence, server in tx.execute(select(tables.stream)):
        saved.stream = (created, sequence, server)
    saved.pending += [(s, e, n, None) for s, e, n in tx.exec_driver_sql(_DEAD_BEYOND)]
    for s, e, n, body in tx.exec_driver_sql(_BEYOND):  # where both are, the event counts
        saved.pending.append((s, e, n, body))
    dead = tables.dead_letters.c
    counted = select(dead.subject, func.count()).group_by(dead.subject)
    saved.letters += [(subject, count) for subject, count in tx.execute(counted)]
    generation = tables.generations.c
    query = select(generation.generation, generation.hash)
    for number, digest in tx.execute(query.order_by(generation.generation.desc()).limit(1)):
        saved.generation = (number, digest)
    return saved


def journal_of(tx: Connection, s: str, e: int) -> tuple[int, dict[int, bytes | None]]:
    """How far one journal is in, and what lies beyond (see `Saved.pending`)."""
    at, dead, event = tables.positions.c, tables.dead_letters.c, tables.events.c
    its = select(at.position).where((at.s == s) & (at.e == e))
    position = int(tx.execute(its).scalar() or 0)
    beyond = select(dead.n).where((dead.s == s) & (dead.e == e) & (dead.n > position))
    pending: dict[int, bytes | None] = dict.fromkeys(tx.execute(beyond).scalars())
    query = select(event.n, event.body)
    query = query.where((event.s == s) & (event.e == e) & (event.n > position))
    pending.update((n, body) for n, body in tx.execute(query))
    return position, pending


def contacts_between(tx: Connection, start_utc: int, end_utc: int) -> list[Contact]:
    """Contacts that began in [start_utc, end_utc) and are over."""
    row = tables.contacts.c
    return [*contact_rows.ended(tx, row.start_utc >= start_utc, row.start_utc < end_utc)]


def contact_of(tx: Connection, s: str, e: int, n: int, c: str) -> Contact | None:
    """The contact `c` of a journal that is over and began not long before `n`."""
    row = tables.contacts.c
    near = (row.s == s) & (row.e == e) & row.n.between(n - _NEAR, n)
    its = text("row ->> 3 = :c").bindparams(c=c)
    return max(contact_rows.ended(tx, near, its), key=lambda found: found.sequence, default=None)


def unplaced(
    tx: Connection, s: str, e: int, b: int
) -> tuple[list[Contact], list[Session], list[Trail]]:
    """Rows of a station's boot that still lack an hour."""
    row = tables.contacts.c
    contacts = [
        contact
        for contact in contact_rows.ended(tx, row.s == s, row.e == e, text(tables.UNTIMED))
        if (contact.start_b == b and contact.start_utc is None)
        or (contact.end_b == b and contact.end_utc is None)
        or (contact.close_b == b and contact.close_utc is None)
    ]
    stay = tables.sessions.c
    query = select(tables.sessions).where(
        (stay.s == s) & (stay.e == e),
        or_(
            (stay.open_b == b) & stay.open_utc.is_(None),
            (stay.close_b == b) & stay.close_utc.is_(None),
        ),
    )
    sessions = [from_columns(Session, found._mapping) for found in tx.execute(query)]
    at = tables.trails.c
    trails = interval_rows.over(tx, at.s == s, at.e == e, text(tables.UNTIMED))
    return contacts, sessions, [trail for trail in trails if trail.boot == b]


_VALUES = 20_480  # of one statement; SQLite takes 32 766


class Bulk:
    """A statement with VALUES (one row), and how it looks for many.

    A row that fails ends it but leaves the rows before it (OR FAIL: no copy of each page is kept
    to undo the statement alone), so the transaction must be rolled back then.
    """

    def __init__(self, statement: str, columns: int) -> None:
        self._one = statement
        self._row = "(" + ", ".join("?" * columns) + ")"
        assert self._row in statement
        self._most = 1 << (_VALUES // columns).bit_length() - 1
        self._statements: dict[int, str] = {}

    def run(self, tx: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
        at, size = 0, self._most
        while left := len(rows) - at:
            while size > left:
                size //= 2
            values = tuple(chain.from_iterable(rows[at : at + size]))
            tx.exec_driver_sql(self._statement(size), values)
            at += size

    def _statement(self, size: int) -> str:
        """For so many rows, a power of two: few differ, so they stay prepared."""
        if size not in self._statements:
            many = ", ".join([self._row] * size)
            self._statements[size] = self._one.replace(self._row, many, 1)
        return self._statements[size]


def insertion(table: Table) -> Bulk:
    """Of rows of all columns."""
    return Bulk(_compiled(insert(table)), len(table.c))


def replacement(table: Table) -> Bulk:
    """The same, over those with the same key, where there is more than the key."""
    statement = insert(table)
    key = [column.name for column in table.primary_key]
    others = {c.name: statement.excluded[c.name] for c in table.c if c.name not in key}
    if others:
        statement = statement.on_conflict_do_update(index_elements=key, set_=others)
    else:
        statement = statement.on_conflict_do_nothing(index_elements=key)
    return Bulk(_compiled(statement), len(table.c))


def renewal(table: Table) -> Bulk:
    """The same, but what is written again gets a new rowid, the highest: whoever has read up to
    one finds all that changed since beyond it.
    """
    statement = insert(table).prefix_with("OR REPLACE").compile(dialect=dialect())
    return Bulk(str(statement), len(table.c))


def _compiled(statement: Insert) -> str:
    return str(statement.prefix_with("OR FAIL").compile(dialect=dialect()))
