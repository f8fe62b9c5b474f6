"""Contacts, sessions and marks page by page, read in the worker: what goes in and out must pickle.

In the order of their time, then of their event. What has no time yet is in no page.
"""

from collections.abc import Collection
from datetime import date

from sqlalchemy import ColumnElement, Table, select, tuple_

from diadema.base.paths import DataDir
from diadema.figures.read import read
from diadema.figures.rows import Cutoff, Sums
from diadema.site.directory.people_of import people as read_people
from diadema.store import contact_rows, open_reader, tables
from diadema.store.attendance import Mark
from diadema.store.rows import Contact, Session
from diadema.web.paging import Key
from diadema.wire.letters import from_columns

type Agents = Collection[str] | None  # None: all


def day(data: DataDir, on: date, now_ms: int, agent: str) -> tuple[Sums, Cutoff, str]:
    """An agent's sums of a day, their cut-off, and the zone that cuts the day. Private reasons are
    one.
    """
    figures = read(data, on, on, now_ms, agents=[agent])
    sums, people = figures.agent(agent), read_people(data, on, on)
    sums.load.reasons = people.hide_private(sums.load.reasons)
    sums.load.system = people.hide_private(sums.load.system)
    return sums, figures.cut, figures.zone


def contacts(
    data: DataDir, agents: Agents, start_ms: int, end_ms: int, after: Key | None, limit: int
) -> list[Contact]:
    """Those that are over, by their first event."""
    row = tables.contacts.c
    where = _between(tables.contacts, row.start_utc, agents, start_ms, end_ms, after)
    order = (row.start_utc, row.s, row.e, row.n)
    query = select(row.row).where(*where).order_by(*order).limit(limit)
    reader = open_reader(data.store)
    try:
        with reader.engine.connect() as tx:
            return [contact_rows.contact_of(one) for one in tx.execute(query).scalars()]
    finally:
        reader.close()


def sessions(
    data: DataDir, agents: Agents, start_ms: int, end_ms: int, after: Key | None, limit: int
) -> list[Session]:
    """By when they were opened; those that go on too."""
    row = tables.sessions.c
    where = _between(tables.sessions, row.open_utc, agents, start_ms, end_ms, after)
    order = (row.open_utc, row.s, row.e, row.n)
    query = select(tables.sessions).where(*where).order_by(*order).limit(limit)
    reader = open_reader(data.store)
    try:
        with reader.engine.connect() as tx:
            return [from_columns(Session, found._mapping) for found in tx.execute(query)]
    finally:
        reader.close()


def marks(
    data: DataDir, agents: Agents, start_ms: int, end_ms: int, after: Key | None, limit: int
) -> list[Mark]:
    """As the worker made them; whose badge nobody knows only for who sees all."""
    reader = open_reader(data.store)
    try:
        found = reader.marks(start_utc=start_ms, end_utc=end_ms)
    finally:
        reader.close()
    keyed = sorted(
        ((one.utc, one.station, one.epoch, one.sequence), one)
        for one in found
        if one.utc is not None and (agents is None or one.agent in agents)
    )
    return [one for key, one in keyed if after is None or key > after][:limit]


def _between(
    table: Table,
    time: ColumnElement[int | None],
    agents: Agents,
    start_ms: int,
    end_ms: int,
    after: Key | None,
) -> list[ColumnElement[bool]]:
    row = table.c
    where: list[ColumnElement[bool]] = [time >= start_ms, time < end_ms]
    if agents is not None:
        where.append(row.a.in_(agents))
    if after is not None:
        where.append(tuple_(time, row.s, row.e, row.n) > after)
    return where
