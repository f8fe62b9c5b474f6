"""What differs between two stores in all that follows from the raw events, row by row.

Of the floor's rows only what the events say: names and seats are the site's, the link is the
moment's.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, Table, select

from diadema.ingest.floor import Row
from diadema.ingest.state import StationState
from diadema.store import kept_trails, open_reader, tables
from diadema.store.kept_contacts import ended, key_of, running

_OF_THE_SITE = ("name", "alias", "team", "seat", "reason_label", "private", "link", "help_topic")

type Fields = dict[str, Any]
type Rows = dict[str, Fields]  # by key


class Difference(Struct):
    """One field of one row; `stands` or `rebuilt` is null where that side has no such row."""

    table: str
    key: str
    field: str
    stands: Any
    rebuilt: Any


def compare(stands: Path, rebuilt: Path) -> list[Difference]:
    """Every difference, by table and key."""
    left, right = open_reader(stands), open_reader(rebuilt)
    try:
        with left.engine.connect() as old, right.engine.connect() as new:
            return [
                difference
                for name, read in _READ.items()
                for difference in _differences(name, read(old), read(new))
            ]
    finally:
        left.close()
        right.close()


def _differences(table: str, old: Rows, new: Rows) -> Iterator[Difference]:
    for key in sorted(old.keys() | new.keys()):
        here, there = old.get(key), new.get(key)
        if here is None or there is None:
            yield Difference(table, key, "row", here, there)
            continue
        for field in here.keys() | there.keys():
            if here.get(field) != there.get(field):
                yield Difference(table, key, field, here.get(field), there.get(field))


def _table(table: Table) -> Callable[[Connection], Rows]:
    """The whole table by its primary key."""
    keys = [column.name for column in table.primary_key]

    def read(connection: Connection) -> Rows:
        rows: Rows = {}
        for row in connection.execute(select(table)):
            fields = {str(name): value for name, value in row._mapping.items()}
            rows[" ".join(str(fields.pop(key)) for key in keys)] = fields
        return rows

    return read


def _events(connection: Connection) -> Rows:
    """Their number by journal: each must have come through again."""
    rows: Rows = {}
    for s, e in connection.execute(select(tables.events.c.s, tables.events.c.e)):
        rows.setdefault(f"{s} {e}", {"events": 0})["events"] += 1
    return rows


def _positions(connection: Connection) -> Rows:
    """A journal that only ever greeted has position 0, and is no row here."""
    return {
        key: row for key, row in _table(tables.positions)(connection).items() if row["position"]
    }


def _contacts(connection: Connection) -> Rows:
    """Those that are over; the others are in the states of their stations, also where one began
    again and its older row still stands."""
    on = {key_of(contact) for contact in running(connection)}
    return {
        " ".join(map(str, key_of(contact))): msgspec.structs.asdict(contact)
        for contact in ended(connection)
        if key_of(contact) not in on
    }


def _trails(connection: Connection) -> Rows:
    return {
        f"{trail.s} {trail.e} {trail.n}": msgspec.to_builtins(msgspec.structs.asdict(trail))
        for trail in kept_trails.over(connection)
    }


def _stations(connection: Connection) -> Rows:
    row = tables.stations.c
    return {
        s: msgspec.to_builtins(msgspec.msgpack.decode(state, type=StationState))
        for s, state in connection.execute(select(row.s, row.state))
    }


def _live(connection: Connection) -> Rows:
    rows: Rows = {}
    for a, row in connection.execute(select(tables.live)):
        fields = msgspec.to_builtins(msgspec.json.decode(row, type=Row))
        rows[a] = {name: value for name, value in fields.items() if name not in _OF_THE_SITE}
    unseen = msgspec.to_builtins(Row(a="", name="", alias=""))
    return {
        a: row
        for a, row in rows.items()
        if any(row[name] != unseen[name] for name in row if name != "a")
    }


def _answers(connection: Connection) -> Rows:
    row = tables.commands.c
    query = select(row.s, row.i, row.answer).where(row.status == "answered")
    return {
        f"{s} {i}": {"answer": answer.decode(errors="replace")}
        for s, i, answer in connection.execute(query)
    }


_READ: dict[str, Callable[[Connection], Rows]] = {
    "events": _events,
    "positions": _positions,
    "losses": _table(tables.losses),
    "unknown": _table(tables.unknown),
    "contacts": _contacts,
    "trails": _trails,
    "sessions": _table(tables.sessions),
    "marks": _table(tables.marks),
    "tickets": _table(tables.tickets),
    "queue_calls": _table(tables.queue_calls),
    "acts": _table(tables.acts),
    "corrections": _table(tables.corrections),
    "messages": _table(tables.messages),
    "receipts": _table(tables.receipts),
    "anchors": _table(tables.anchors),
    "stations": _stations,
    "commands": _answers,
    "live": _live,
}
