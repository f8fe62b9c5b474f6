"""What differs between two stores in all that follows from the raw events, row by row.

SQLite finds the rows that are not the same bytes; only those are looked at here. Of the floor's
rows only what the events say: names and seats are the site's, the link is the moment's.
"""

import contextlib
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import UNSET, Struct
from sqlalchemy import Boolean, Table

from diadema.store import Contact, Trail, tables
from diadema.store.station_state import StationState
from diadema.wire.letters import encoded_fields
from diadema.wire.live_rows import Row

_OF_THE_SITE = ("name", "alias", "team", "seat", "reason_label", "private", "link", "help_topic")
_EVENTS = "SELECT s, e, count(*) FROM main.events GROUP BY s, e"

type Fields = dict[str, Any]
type Reading = Callable[[Fields], Fields | None]  # None: as if there were no such row
type Counts = Mapping[tuple[str, int], int]  # events by journal


class Difference(Struct):
    """One field of one row; `stands` or `rebuilt` is null where that side has no such row."""

    table: str
    key: str
    field: str
    stands: Any
    rebuilt: Any


def compare(stands: Path, rebuilt: Path, events: Counts) -> list[Difference]:
    """Every difference, by table and key. `events`: how many came through again."""
    with contextlib.closing(sqlite3.connect(stands)) as connection:
        connection.execute("ATTACH ? AS fresh", [str(rebuilt)])
        found = [*_of_events(connection, events)]
        for table, columns, reading in _COMPARED:
            its = [*_of_table(connection, table, columns, reading)]
            if its and table is tables.contacts:
                going = _running(connection)
                its = [one for one in its if one.key not in going]
            found += its
    return found


def _of_events(connection: sqlite3.Connection, events: Counts) -> Iterator[Difference]:
    """Each must have come through again."""
    there = {(s, e): count for s, e, count in connection.execute(_EVENTS)}
    for s, e in sorted(there.keys() | events.keys()):
        here, again = there.get((s, e), 0), events.get((s, e), 0)
        if here != again:
            yield Difference("events", f"{s} {e}", "events", here, again)


def _of_table(
    connection: sqlite3.Connection, table: Table, columns: tuple[str, ...], reading: Reading
) -> Iterator[Difference]:
    keys = [str(column.name) for column in table.primary_key]
    rows, title = _rows(connection, table, keys, columns, reading), str(table.name)
    for key, here, there in sorted(rows, key=lambda row: row[0]):
        name = " ".join(map(str, key))
        if here is None or there is None:
            if here is not there:
                yield Difference(title, name, "row", here, there)
            continue
        for field in here.keys() | there.keys():
            its = here.get(field), there.get(field)
            if its[0] != its[1] and UNSET not in its:
                yield Difference(title, name, field, *its)


def _rows(
    connection: sqlite3.Connection,
    table: Table,
    keys: list[str],
    columns: tuple[str, ...],
    reading: Reading,
) -> Iterator[tuple[tuple[Any, ...], Fields | None, Fields | None]]:
    """Those of which one side has other bytes, or none; each as it is to be compared."""
    same_key = " AND ".join(f"here.{key} = there.{key}" for key in keys)
    others = " OR ".join(f"here.{name} IS NOT there.{name}" for name in columns)
    width = len(keys) + len(columns)
    wanted = (*keys, *columns)
    booleans = {name for name in columns if isinstance(table.c[name].type, Boolean)}

    def fields(values: tuple[Any, ...]) -> Fields | None:
        if values[0] is None:
            return None
        named = dict(zip(columns, values[len(keys) :], strict=True))
        for name in booleans:
            named[name] = None if named[name] is None else bool(named[name])
        return reading(named)

    def select(side: str) -> str:
        return ", ".join(f"{side}.{name}" for name in wanted)

    from_here = (
        f"SELECT {select('here')}, {select('there')} FROM main.{table.name} AS here "
        f"LEFT JOIN fresh.{table.name} AS there ON {same_key} "
        f"WHERE there.{keys[0]} IS NULL" + (f" OR {others}" if others else "")
    )
    from_there = (
        f"SELECT {select('there')} FROM fresh.{table.name} AS there "
        f"WHERE NOT EXISTS (SELECT 1 FROM main.{table.name} AS here WHERE {same_key})"
    )
    for row in connection.execute(from_here):
        yield row[: len(keys)], fields(row[:width]), fields(row[width:])
    for row in connection.execute(from_there):
        yield row[: len(keys)], None, fields(row)


def _running(connection: sqlite3.Connection) -> set[str]:
    """Contacts that go on stand in the states of their stations; one that began again may have its
    older row beside that."""
    states = "SELECT state FROM main.stations UNION ALL SELECT state FROM fresh.stations"
    return {
        f"{contact.station} {contact.epoch} {contact.sequence}"
        for (state,) in connection.execute(states)
        for contact in msgspec.msgpack.decode(state, type=StationState).open
    }


# -- how the rows of a table are compared


def _as_it_is(row: Fields) -> Fields:
    return row


def _position(row: Fields) -> Fields | None:
    """A journal that only ever greeted is as good as none."""
    return row if row["position"] else None


def _array(kind: type[Struct]) -> Reading:
    """An older program may have written fewer fields."""

    def read(row: Fields) -> Fields:
        return encoded_fields(msgspec.json.decode(row["row"], type=kind))

    return read


def _state(row: Fields) -> Fields:
    state: Fields = msgspec.to_builtins(msgspec.msgpack.decode(row["state"], type=StationState))
    return state


def _answer(row: Fields) -> Fields | None:
    answered = row["status"] == "answered"
    return {"answer": row["answer"].decode(errors="replace")} if answered else None


def _floor_row(row: Fields) -> Fields | None:
    """One of whom nothing was ever heard is as good as none. What an older program did not write
    is not known; the hub writes all rows anew when it starts.
    """
    written = msgspec.json.decode(row["row"])
    fields = encoded_fields(msgspec.json.decode(row["row"], type=Row))
    unseen = encoded_fields(Row(agent=fields["a"]))
    said = {name: value for name, value in fields.items() if name not in _OF_THE_SITE}
    if all(value == unseen[name] for name, value in said.items()):
        return None
    return {name: value if name in written else UNSET for name, value in said.items()}


def _others(table: Table) -> tuple[str, ...]:
    """All columns but those of the key."""
    return tuple(str(column.name) for column in table.c if not column.primary_key)


_WHOLE = (
    tables.losses, tables.unknown, tables.sessions, tables.marks, tables.mark_hours,
    tables.presses, tables.tickets, tables.ticket_steps, tables.help_steps, *tables.QUALITY,
    tables.queue_calls, tables.queue_rings, tables.acts, tables.corrections, tables.messages,
    tables.receipts, tables.pin_choices, tables.anchors, tables.updates, tables.bench_tests,
    tables.inspections,
)  # fmt: skip
_COMPARED: list[tuple[Table, tuple[str, ...], Reading]] = [
    (tables.positions, ("position",), _position),
    (tables.contacts, ("row",), _array(Contact)),
    (tables.trails, ("row",), _array(Trail)),
    *((table, _others(table), _as_it_is) for table in _WHOLE),
    (tables.stations, ("state",), _state),
    (tables.commands, ("status", "answer"), _answer),
    (tables.live, ("row",), _floor_row),
]
