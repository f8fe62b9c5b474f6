"""How many of a day's calls the stations and the switch both told, for reports. A day is joined
once and kept beside the roll-ups, until a row of it is written again or an alias is another.
"""

import zlib
from datetime import date
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct
from sqlalchemy import Column, Connection, Integer, Table, Text, func, literal_column, select
from sqlalchemy.exc import DBAPIError

from diadema.base.paths import DataDir
from diadema.figures import rollups
from diadema.figures.days import DaySpan, spans
from diadema.figures.joins import EARLY_MS, WINDOW_MS, Joins, joins
from diadema.site.directory.people import People
from diadema.store import kept_contacts, open_reader, tables

_kept = Table(
    "joined_days",
    rollups.metadata,
    Column("day", Text, primary_key=True),
    Column("of", Text, nullable=False),
    Column("body", Text, nullable=False),
)


class JoinedDay(Struct, kw_only=True):
    """Inbound contacts that were answered, and calls that the switch says were: see `Joins`."""

    day: str
    contacts: int = 0
    calls: int = 0
    by_pbx: int = 0
    by_alias: int = 0
    contacts_alone: int = 0
    calls_alone: int = 0
    unnamed: int = 0
    over_end: int = 0


_body_of = msgspec.json.Decoder(JoinedDay).decode


def joined_days(
    data: DataDir, first: date, last: date, zone: ZoneInfo, people: People
) -> list[JoinedDay]:
    """Of each day on which there was a call or a contact. Raises DiademaError without a store."""
    found = []
    known = _known(data, first, last)
    names = zlib.crc32(
        repr(
            [
                *JoinedDay.__struct_fields__,
                *sorted(people.aliases.items()),
                *sorted(people.workers),
            ]
        ).encode()
    )
    new: list[dict[str, str]] = []
    reader = open_reader(data.store)
    try:
        with reader.engine.connect() as tx:
            goes_on = [one.start_utc or 0 for one in kept_contacts.running(tx)]
            marks = {span.day: _mark(tx, span, names) for span in spans(first, last, zone)}
    finally:
        reader.close()
    for span in spans(first, last, zone):
        day, mark = span.day.isoformat(), marks[span.day]
        if mark is None:
            continue
        start, end = span.start_s * 1000, span.end_s * 1000
        running = any(start <= utc < end for utc in goes_on)
        of, body = known.get(day, ("", ""))
        if of == mark and not running:
            found.append(_body_of(body))
            continue
        made = _counts(day, joins(data, start, end, people))
        found.append(made)
        if not running:
            new.append({"day": day, "of": mark, "body": msgspec.json.encode(made).decode()})
    _keep(data, new)
    return found


def _counts(day: str, found: Joins) -> JoinedDay:
    names = JoinedDay.__struct_fields__[1:]
    return JoinedDay(day=day, **{name: getattr(found, name) for name in names})


def _mark(tx: Connection, span: DaySpan, names: int) -> str | None:
    """Which rows the day is made of: one that is written again gets a higher rowid."""
    told: list[int | None] = []
    for table in (tables.contacts, tables.queue_calls):
        row = table.c
        near = row.start_utc >= span.start_s * 1000 - EARLY_MS
        near &= row.start_utc < span.end_s * 1000 + WINDOW_MS
        query = select(func.count(), func.max(literal_column("rowid", Integer))).where(near)
        told += tx.execute(query).one()
    return "{} {} {} {} {}".format(*told, names) if told[0] or told[2] else None


def _known(data: DataDir, first: date, last: date) -> dict[str, tuple[str, str]]:
    try:
        engine = rollups.open_rollups(data.rollups)
    except DBAPIError:
        return {}
    try:
        with engine.connect() as rx:
            row = _kept.c
            query = select(_kept).where(row.day.between(first.isoformat(), last.isoformat()))
            return {day: (of, body) for day, of, body in rx.execute(query)}
    except DBAPIError:
        return {}
    finally:
        engine.dispose()


def _keep(data: DataDir, new: list[dict[str, str]]) -> None:
    if not new:
        return
    try:
        engine = rollups.open_rollups(data.rollups)
        try:
            with engine.connect().execution_options(writes=True) as rx, rx.begin():
                rx.exec_driver_sql(
                    "INSERT OR REPLACE INTO joined_days VALUES (:day, :of, :body)", new
                )
        finally:
            engine.dispose()
    except DBAPIError:  # they are worked out again the next time
        return
