"""Entries and changes of them, and how they are read from the tables: as of a day, or the newest
version of each.
"""

from collections.abc import Iterator
from datetime import date
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, Row, and_, exists, or_, select

from diadema.base.errors import DiademaError
from diadema.site.directory.kinds import Body
from diadema.site.directory.tables import changes, entries

_decode = msgspec.json.Decoder(dict[str, Any]).decode


class Entry(Struct, frozen=True, kw_only=True):
    """One version of an entry. `body` None: retired as from `valid_from`."""

    kind: str
    code: str
    version: int
    body: Body | None
    valid_from: date | None = None
    valid_until: date | None = None
    by: str = ""
    at_ms: int = 0
    reason: str = ""
    change: int = 0


class Change(Struct, frozen=True, kw_only=True):
    """What shall become of an entry: another body, or None to retire it. `seen`: the version that
    whoever changes it has looked at, 0 for none; None does not ask. `restores`: it was retired,
    and is the same one again. `row`: of a file.
    """

    kind: str
    code: str
    body: Body | None
    valid_from: date | None = None
    valid_until: date | None = None
    seen: int | None = None
    restores: bool = False
    row: int | None = None


SELECT = select(entries, changes.c.at_ms, changes.c.by, changes.c.reason).join(
    changes, changes.c.number == entries.c.change
)


def covers(columns: Any, day: date) -> ColumnElement[bool]:
    text = day.isoformat()
    return and_(
        or_(columns.valid_from.is_(None), columns.valid_from <= text),
        or_(columns.valid_until.is_(None), columns.valid_until >= text),
    )


def chosen(
    kind: str, day: date | None, first: str, last: str | None, *, retired: bool
) -> ColumnElement[bool]:
    later = entries.alias("later")
    newer = [
        later.c.kind == entries.c.kind,
        later.c.code == entries.c.code,
        later.c.version > entries.c.version,
    ]
    clauses = [entries.c.kind == kind, entries.c.code >= first]
    if last is not None:
        clauses.append(entries.c.code < last)
    if day is not None:
        newer.append(covers(later.c, day))
        clauses.append(covers(entries.c, day))
    clauses.append(~exists().where(*newer))
    if not retired:
        clauses.append(entries.c.body.is_not(None))
    return and_(*clauses)


def read_entries(
    tx: Connection,
    kind: str,
    day: date | None,
    first: str,
    last: str | None,
    after: str | None,
    limit: int | None,
    *,
    retired: bool,
    since: int = 0,
) -> Iterator[Entry]:
    query = SELECT.where(chosen(kind, day, first, last, retired=retired))
    if since:
        query = query.where(entries.c.change > since)
    if after is not None:
        query = query.where(entries.c.code > after)
    for row in tx.execute(query.order_by(entries.c.code).limit(limit)):
        yield entry_of(row)


def entry_of(row: Row[Any]) -> Entry:
    try:
        body = None if row.body is None else _decode(row.body)
    except msgspec.DecodeError as error:
        raise DiademaError(f"{row.kind} {row.code} in the directory cannot be read") from error
    return Entry(
        kind=row.kind,
        code=row.code,
        version=row.version,
        body=body,
        valid_from=row.valid_from and date.fromisoformat(row.valid_from),
        valid_until=row.valid_until and date.fromisoformat(row.valid_until),
        by=row.by,
        at_ms=row.at_ms,
        reason=row.reason,
        change=row.change,
    )
