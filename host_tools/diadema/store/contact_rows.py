"""Contacts in the store. One that is over is a row, written when it ends and once more only if
something is heard of it later; those that go on stand in the state of their station. So each is
written once, and few columns of it: those by which it is looked for, beside the whole.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, TextClause, func, select, text, tuple_

from diadema.store import tables
from diadema.store.rows import Contact, Session

type ContactRow = tuple[str, int, int, str, int | None, bool, str]
type Key = tuple[str, int, int]

LONGEST_MS = 16 * 3_600_000  # what goes on for longer was forgotten, or never was
_ENDS_AFTER = f"(row ->> {Contact.__struct_fields__.index('end_utc')}) > :utc"
# details are the last field, and begin with campaign, parent and reference: of most no need to
# decode them; what has none of the three and an uncertainty is let through
_HAS_REFERENCE = "substr(row, -5) != 'null]' AND instr(row, 'e,null,[null,null,null,') = 0"
_AT_ONCE = 10_000  # rows that are fetched together
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Contact).decode


class _Running(Struct):
    """Of a station's state what is looked for here."""

    open: list[Contact] = []


_decode_running = msgspec.msgpack.Decoder(_Running).decode


def row_of(contact: Contact) -> ContactRow:
    """The row of a contact that is over, as it is now."""
    untimed = contact.start_utc is None or contact.end_utc is None or contact.close_utc is None
    key = contact.station, contact.epoch, contact.sequence
    return (*key, contact.agent, contact.start_utc, untimed, _encode(contact).decode())


def contact_of(row: str) -> Contact:
    """The contact of such a row's last column."""
    return _decode(row)


def key_of(contact: Contact) -> Key:
    return contact.station, contact.epoch, contact.sequence


def ended(tx: Connection, *where: ColumnElement[bool] | TextClause) -> Iterator[Contact]:
    """The rows where all of this holds."""
    for row in tx.execute(select(tables.contacts.c.row).where(*where)).scalars():
        yield _decode(row)


def with_reference(tx: Connection, *where: ColumnElement[bool]) -> Iterator[Contact]:
    """All of the rows that have a campaign, a parent or a reference, by their beginning, and few
    more; the others are not decoded.
    """
    query = select(tables.contacts.c.row).where(*where, text(_HAS_REFERENCE))
    rows = tx.execute(query.order_by(tables.contacts.c.start_utc)).scalars()
    for some in rows.partitions(_AT_ONCE):
        yield from map(_decode, some)


def reaching(tx: Connection, utc: int, *where: ColumnElement[bool]) -> Iterator[Contact]:
    """Those that began before that moment and whose end is known to be after it. Longer ones than
    any shift do not count.
    """
    row = tables.contacts.c
    near = row.start_utc >= utc - LONGEST_MS
    after = text(_ENDS_AFTER).bindparams(utc=utc)
    yield from ended(tx, near, row.start_utc < utc, after, *where)


def running(tx: Connection, stations: Collection[str] | None = None) -> Iterator[Contact]:
    """Those that go on, at these stations (None: at all). One that was over and began again has
    its older row in the table too.
    """
    query = select(tables.stations.c.state)
    if stations is not None:
        query = query.where(tables.stations.c.s.in_(stations))
    for state in tx.execute(query).scalars():
        yield from _decode_running(state).open


def of_keys(tx: Connection, keys: Iterable[Key]) -> dict[Key, Contact]:
    """Of these, those that are over."""
    query = select(tables.contacts.c.row).where(_is_one_of(keys))
    found = map(_decode, tx.execute(query).scalars())
    return {key_of(contact): contact for contact in found}


def count(tx: Connection) -> int:
    """How many there are in all."""
    rows = int(tx.execute(select(func.count()).select_from(tables.contacts)).scalar_one())
    keys = [key_of(contact) for contact in running(tx)]
    return rows + len(keys) - _there(tx, keys)


def _there(tx: Connection, keys: Iterable[Key]) -> int:
    query = select(func.count()).select_from(tables.contacts).where(_is_one_of(keys))
    return int(tx.execute(query).scalar_one())


def _is_one_of(keys: Iterable[Key]) -> ColumnElement[bool]:
    """However many they are."""
    wanted = text("SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(:keys)")
    row = tables.contacts.c
    named = wanted.bindparams(keys=_encode([*keys]).decode())
    return tuple_(row.s, row.e, row.n).in_(named)


def from_columns(rows: Iterable[Mapping[str, Any]]) -> Iterator[ContactRow]:
    """Of layouts before 5, that had a column for each field, and those that went on as rows."""
    for fields in rows:
        contact = msgspec.convert(_array(Contact, fields), Contact, strict=False)
        if contact.closed:
            yield row_of(contact)


def from_names(state: bytes) -> bytes:
    """The state of a station as layouts before 5 had it, with a name beside each value."""
    known: dict[str, Any] = msgspec.msgpack.decode(state)
    if known["session"] is not None:
        known["session"] = _array(Session, known["session"])
    if known["last"] is not None:
        known["last"] = _array(Contact, known["last"])
    known["open"] = [_array(Contact, fields) for fields in known["open"]]
    return msgspec.msgpack.encode(known)


def _array(kind: type[Struct], fields: Mapping[str, Any]) -> list[Any]:
    """In the order of the struct's fields; those at its end came after that layout."""
    return [fields[name] for name in kind.__struct_encode_fields__ if name in fields]
