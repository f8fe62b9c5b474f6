"""Which cells the rows of the store concern that were written since they were last read. A row
that is written again gets a higher rowid, so what is above the last one is all that changed.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct, field
from sqlalchemy import Connection, text

from diadema.figures.days import LocalDays
from diadema.figures.joins import WINDOW_MS
from diadema.figures.rollups import FED, State
from diadema.figures.switch import Names
from diadema.site.directory.people import queue_of
from diadema.store.contact_rows import LONGEST_MS
from diadema.store.rows import Contact, Trail
from diadema.store.tables import LONG, LONG_MS
from diadema.store.writer import position_of

type Cell = tuple[str, str, str]  # day, agent or queue, name

MOST_ROWS = 500_000  # of each table at a time
_END = Contact.__struct_fields__.index("end_utc")
_PBX = Contact.__struct_fields__.index("pbx")
_OF = Trail.__struct_fields__.index("session")
_LATE = Trail.__struct_fields__.index("late")
_CONTACTS = text(
    f"""SELECT rowid, a, start_utc, coalesce(row ->> {_END}, start_utc), row ->> {_PBX}
    FROM contacts
    WHERE rowid > :last ORDER BY rowid LIMIT :most"""
)
_TRAILS = text(
    f"""SELECT rowid, a, s, e, n, start_utc, end_utc, row ->> '$[{_OF}][2]', row ->> {_LATE}
    FROM trails WHERE rowid > :last ORDER BY rowid LIMIT :most"""
)
_BEFORE = text(
    f"""SELECT end_utc, row ->> '$[{_OF}][2]' FROM trails
    WHERE s = :s AND e = :e AND n < :n ORDER BY n DESC LIMIT 1"""
)
_AFTER = text(
    f"""SELECT start_utc, row ->> '$[{_OF}][2]' FROM trails
    WHERE s = :s AND e = :e AND n > :n ORDER BY n LIMIT 1"""
)
_TICKETS = text(
    """SELECT rowid, a, kind, open_utc, technical_utc FROM presses
    WHERE rowid > :last ORDER BY rowid LIMIT :most"""
)
_CALLS = text(
    """SELECT rowid, queue, start_utc, agent, connected_utc, end_utc FROM queue_calls
    WHERE rowid > :last ORDER BY rowid LIMIT :most"""
)
_RINGS = text(
    "SELECT rowid, agent, utc FROM queue_rings WHERE rowid > :last ORDER BY rowid LIMIT :most"
)
_CALLS_OF = text(
    """SELECT agent, connected_utc, end_utc FROM queue_calls
    WHERE start_utc >= :since AND start_utc < :until
    AND connected_utc IS NOT NULL AND pbx IN (SELECT value FROM json_each(:ids))"""
)
_NEWEST = text(
    f"""SELECT max((SELECT coalesce(max(start_utc), 0) + {LONG_MS} FROM trails),
    (SELECT coalesce(max(end_utc), 0) FROM trails WHERE {LONG}))"""
)


class Fed(Struct):
    """Cells that are stale now, and how far the tables were read. `behind`: there is more."""

    cells: set[Cell] = field(default_factory=set)
    rowids: dict[str, int] = field(default_factory=dict)
    position: int = 0
    behind: bool = False


def feed(tx: Connection, known: State, zone: ZoneInfo, most: int = MOST_ROWS) -> Fed:
    """What was written since `known`."""
    fed = Fed(rowids=dict(known.rowids), position=position_of(tx))
    days = LocalDays(zone)
    takers = (_contacts, _trails, _presses, _queue_calls, _rings)
    for table, take in zip(FED, takers, strict=True):
        count = 0
        for rowid, cell in take(tx, known, days, fed.rowids.get(table, 0), most):
            fed.rowids[table] = rowid
            count += 1
            fed.cells.update(cell)
        fed.behind |= count == most
    return fed


type Taken = Iterator[tuple[int, Iterable[Cell]]]


def _rows(tx: Connection, query: Any, last: int, most: int) -> Iterable[Any]:
    return tx.execute(query, {"last": last, "most": most})


def _contacts(tx: Connection, known: State, days: LocalDays, last: int, most: int) -> Taken:
    rows = [*_rows(tx, _CONTACTS, last, most)]
    cells = _of_the_switch(tx, known, days, rows)
    for rowid, a, start, end, _ in rows:
        if start is not None:  # its talk may contradict one that began on the day it ends
            until = min(max(start, end), start + LONGEST_MS)  # or be what the switch told of
            near = days.over(start - WINDOW_MS, until + WINDOW_MS)
            cells += [(day, "agent", a) for day in near]
        yield rowid, cells
        cells = []


def _of_the_switch(
    tx: Connection, known: State, days: LocalDays, contacts: Sequence[Any]
) -> list[Cell]:
    """Whom the switch says that these calls had: they no longer belong to who sat at the desk."""
    placed = [(start, pbx) for _, _, start, _, pbx in contacts if start is not None and pbx]
    if not placed or not known.rowids.get("queue_calls"):  # then all calls are looked at anyway
        return []
    parameters = {
        "since": min(placed)[0] - LONGEST_MS,
        "until": max(placed)[0] + LONGEST_MS,
        "ids": msgspec.json.encode([pbx for _, pbx in placed]).decode(),
    }
    names = Names(known.aliases)
    return [
        (day, "agent", names.agent(agent, connected))
        for agent, connected, end in tx.execute(_CALLS_OF, parameters)
        for day in days.over(connected, max(connected, end or 0))
    ]


def _trails(tx: Connection, known: State, days: LocalDays, last: int, most: int) -> Taken:
    newest: dict[tuple[str, int], tuple[int, int | None, int]] = {}
    for rowid, a, s, e, n, start, end, session, late in _rows(tx, _TRAILS, last, most):
        before = newest.get((s, e))
        newest[s, e] = n, end, session
        if start is None:
            yield rowid, ()
            continue
        first, until = start, end
        if n != session:  # what lies between it and its neighbours changes with it
            if before is None or before[0] >= n or before[1] is None:
                before = _neighbour(tx, _BEFORE, s, e, n)
            if before is not None and before[2] == session and before[1] is not None:
                first = min(first, max(before[1], start - LONGEST_MS) - 1000)
                until = max(until, min(before[1], start + LONGEST_MS))
        if late or (before is not None and before[0] > n):
            after = _neighbour(tx, _AFTER, s, e, n)
            if after is not None and after[2] == session and after[1] is not None:
                until = max(until, min(after[1], end + LONGEST_MS))
        yield rowid, [(day, "agent", a) for day in days.over(first, until)]


def _neighbour(tx: Connection, query: Any, s: str, e: int, n: int) -> Any:
    found = tx.execute(query, {"s": s, "e": e, "n": n}).one_or_none()
    return None if found is None else (n, found[0], found[1])


def _presses(tx: Connection, known: State, days: LocalDays, last: int, most: int) -> Taken:
    """A fault that was open until now took time of all days since."""
    newest = None
    for rowid, a, kind, opened, technical in _rows(tx, _TICKETS, last, most):
        if a is None or opened is None:
            yield rowid, ()
            continue
        cells = [(days.of(opened), "agent", a)]
        if kind == "fault" and technical is not None:
            if newest is None:
                newest = int(tx.execute(_NEWEST).scalar_one())
            cells += [(day, "agent", a) for day in days.over(technical, newest)]
        yield rowid, cells


def _queue_calls(tx: Connection, known: State, days: LocalDays, last: int, most: int) -> Taken:
    names = Names(known.aliases)
    for rowid, queue, start, agent, connected, end in _rows(tx, _CALLS, last, most):
        cells = [(days.of(start), "queue", queue_of(known.queues, queue, start))]
        if connected is not None:
            a = names.agent(agent, connected)
            until = connected if end is None else max(connected, end)
            cells += [(day, "agent", a) for day in days.over(connected, until)]
        yield rowid, cells


def _rings(tx: Connection, known: State, days: LocalDays, last: int, most: int) -> Taken:
    names = Names(known.aliases)
    for rowid, agent, utc in _rows(tx, _RINGS, last, most):
        yield rowid, [(days.of(utc), "agent", names.agent(agent, utc))]


def samples(tx: Connection, rowids: Mapping[str, int]) -> list[tuple[str, int, str]]:
    """Of the rows up to there some, the nearer the more: table, rowid, key."""
    found = []
    for table, last in (*rowids.items(), ("events", position_of(tx))):
        at = [last - back for back in (0, 1, 3, 10, 30, 100, 1_000, 10_000) if last > back]
        for rowid in at:
            key = _key_at(tx, table, rowid)
            if key is not None:
                found.append((table, rowid, key))
    return found


def same_store(tx: Connection, known: State) -> bool:
    """Whether the rows that were read are still there, or were written again since. A store that
    was restored or made anew has others in their place, or none.
    """
    if position_of(tx) < known.position:
        return False
    for table, rowid, key in known.samples:
        now = _key_at(tx, table, rowid)
        if now == key:
            continue
        if now is not None or table == "events":
            return False
        s, e, n = key.split(" ")
        its = text(f"SELECT rowid FROM {table} WHERE s = :s AND e = :e AND n = :n")
        again = tx.execute(its, {"s": s, "e": int(e), "n": int(n)}).scalar_one_or_none()
        if again is None or again < rowid:
            return False
    return True


def _key_at(tx: Connection, table: str, rowid: int) -> str | None:
    its = text(f"SELECT s || ' ' || e || ' ' || n FROM {table} WHERE rowid = :rowid")
    found: str | None = tx.execute(its, {"rowid": rowid}).scalar_one_or_none()
    return found
