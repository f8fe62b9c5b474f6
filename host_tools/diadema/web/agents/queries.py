"""Contacts, sessions and marks page by page, read in the worker: what goes in and out must pickle.

In the order of their time, then of their event. What has no time yet is in no page.
"""

from collections.abc import Collection, Iterable
from datetime import date
from typing import Any

from sqlalchemy import Column, ColumnElement, Row, select, tuple_

from diadema.base.paths import DataDir
from diadema.figures.read import read
from diadema.figures.rows import Cutoff, Sums
from diadema.site.directory.people_of import people as read_people
from diadema.store import contact_rows, open_reader, tables
from diadema.store.attendance import Mark
from diadema.store.contact_rows import Key as EventKey
from diadema.store.rows import Contact, Session
from diadema.web.paging import Key
from diadema.wire.letters import from_columns

type Agents = Collection[str] | None  # None: all


def day(
    data: DataDir, on: date, now_ms: int, agent: str, without: Collection[EventKey] = ()
) -> tuple[Sums, Cutoff, str]:
    """An agent's sums of a day but for contacts that are left out, their cut-off, and the zone
    that cuts the day. Private reasons are one.
    """
    figures = read(data, on, on, now_ms, agents=[agent], without=without)
    sums, people = figures.agent(agent), read_people(data, on, on)
    sums.load.reasons = people.hide_private(sums.load.reasons)
    sums.load.system = people.hide_private(sums.load.system)
    return sums, figures.cut, figures.zone


def has_worked(data: DataDir, agent: str) -> bool:
    """Whether the store knows of any work of that agent, whom no list need have any more."""
    if not data.store.exists():
        return False
    queries = [select(one.c.a).where(one.c.a == agent) for one in (tables.contacts, tables.marks)]
    with open_reader(data.store) as reader, reader.engine.connect() as tx:
        return any(tx.execute(query.limit(1)).first() for query in queries)


def contacts(
    data: DataDir,
    agents: Agents,
    start_ms: int,
    end_ms: int,
    after: Key | None,
    limit: int,
    without: Collection[EventKey] = (),
) -> list[Contact]:
    """Those that are over, by their first event, but for some that are left out."""
    row = tables.contacts.c
    others = [~tuple_(row.s, row.e, row.n).in_(without)] if without else []
    bounds = start_ms, end_ms, after, limit
    found = _page(data, [row.row], row.start_utc, agents, *bounds, others)
    return [contact_rows.contact_of(one.row) for one in found]


def sessions(
    data: DataDir, agents: Agents, start_ms: int, end_ms: int, after: Key | None, limit: int
) -> list[Session]:
    """By when they were opened; those that go on too."""
    row = tables.sessions.c
    found = _page(data, row, row.open_utc, agents, start_ms, end_ms, after, limit)
    return [from_columns(Session, one._mapping) for one in found]


def marks(
    data: DataDir, agents: Agents, start_ms: int, end_ms: int, after: Key | None, limit: int
) -> list[Mark]:
    """As the worker made them; whose badge nobody knows only for who sees all."""
    with open_reader(data.store) as reader:
        found = reader.marks(start_utc=start_ms, end_utc=end_ms)
    keyed = sorted(
        ((one.utc, one.station, one.epoch, one.sequence), one)
        for one in found
        if one.utc is not None and (agents is None or one.agent in agents)
    )
    return [one for key, one in keyed if after is None or key > after][:limit]


def _page(
    data: DataDir,
    columns: Iterable[ColumnElement[Any]],
    time: Column[int | None],
    agents: Agents,
    start_ms: int,
    end_ms: int,
    after: Key | None,
    limit: int,
    where: Iterable[ColumnElement[bool]] = (),
) -> list[Row[Any]]:
    """Rows of the table of `time`, in order of it and of their events."""
    row = time.table.c
    order = (time, row.s, row.e, row.n)
    query = select(*columns).where(time >= start_ms, time < end_ms, *where)
    if agents is not None:
        query = query.where(row.a.in_(agents))
    if after is not None:
        query = query.where(tuple_(*order) > after)
    with open_reader(data.store) as reader, reader.engine.connect() as tx:
        return [*tx.execute(query.order_by(*order).limit(limit))]
