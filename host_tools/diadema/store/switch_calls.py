"""Reads the switch's calls, and how far the store was when they were read."""

from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import ColumnElement, Connection, func, select, text

from diadema.store import tables
from diadema.store.rows import QueueCall

_ROW = tables.queue_calls.c


def calls(connection: Connection, start_utc: int, end_utc: int | None) -> list[QueueCall]:
    """Those that began in [start_utc, end_utc), or before and ended after it began, by hour."""
    where = (_ROW.start_utc >= start_utc) | (_ROW.end_utc > start_utc)
    if end_utc is not None:
        where &= _ROW.start_utc < end_utc
    query = select(tables.queue_calls).where(where)
    query = query.order_by(_ROW.start_utc, _ROW.s, _ROW.e, _ROW.n)
    rows = [tuple(row) for row in connection.execute(query)]
    return msgspec.convert(rows, list[QueueCall])


def found(connection: Connection, *where: ColumnElement[bool]) -> list[QueueCall]:
    """Those of which all of this holds."""
    query = select(tables.queue_calls).where(*where)
    return msgspec.convert([tuple(row) for row in connection.execute(query)], list[QueueCall])


def days(connection: Connection, zone: ZoneInfo) -> tuple[str, str] | None:
    """The first and the last local day on which one began."""
    query = select(func.min(_ROW.start_utc), func.max(_ROW.start_utc))
    first, last = connection.execute(query).one()
    if first is None:
        return None
    first_day, last_day = (
        datetime.fromtimestamp(utc / 1000, zone).date().isoformat() for utc in (first, last)
    )
    return first_day, last_day


def position(connection: Connection) -> int:
    """How many events were taken in until then, in the order in which they came."""
    return int(connection.execute(text("SELECT coalesce(max(rowid), 0) FROM events")).scalar_one())
