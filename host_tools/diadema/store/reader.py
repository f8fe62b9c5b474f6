"""What others read from the store. Each call sees one state of it, while the ingest goes on.

Reads the switch's calls, and how far the store was when they were read.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Self
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import ColumnElement, Connection, Engine, Select, Table, func, select

from diadema.store import (
    attendance,
    contact_rows,
    interval_rows,
    register,
    tables,
)
from diadema.store.attendance import Mark
from diadema.store.contact_rows import key_of
from diadema.store.database import open_database
from diadema.store.host_rows import Correction
from diadema.store.register import Acted, Reading, Reprimands
from diadema.store.rows import Contact, Press, QueueCall, QueueRing, Session, Trail
from diadema.wire.letters import from_columns

_ROW = tables.queue_calls.c


def calls(connection: Connection, start_utc: int, end_utc: int | None) -> list[QueueCall]:
    """Those that began in [start_utc, end_utc), or before and ended after it began, by time."""
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


def sources(connection: Connection, start_utc: int, end_utc: int) -> list[str]:
    """The switches whose calls `calls` gives for that time."""
    where = ((_ROW.start_utc >= start_utc) | (_ROW.end_utc > start_utc)) & (
        _ROW.start_utc < end_utc
    )
    query = select(_ROW.s).where(where).distinct().order_by(_ROW.s)
    return list(connection.execute(query).scalars())


@dataclass(frozen=True)
class StoredEvent:
    """One event as it came: `body` is what was on the wire."""

    station: str
    epoch: int
    sequence: int
    k: str
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        decoded: dict[str, Any] = msgspec.json.decode(self.body)
        return decoded


class Reader:
    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.engine.dispose()

    def stations(self) -> list[str]:
        """Every station that ever sent an event."""
        row = tables.positions.c
        return list(self._all(select(row.s).distinct().order_by(row.s), scalar=True))

    def events_of(self, s: str, e: int | None = None) -> Iterator[StoredEvent]:
        """One station's events in their order."""
        events = tables.events.c
        query = select(tables.events).where(events.s == s).order_by(events.e, events.n)
        if e is not None:
            query = query.where(events.e == e)
        return (StoredEvent(*row) for row in self._all(query))

    def keys(self) -> set[tuple[str, int, int]]:
        """(s, e, n) of every stored event."""
        events = tables.events.c
        return {tuple(row) for row in self._all(select(events.s, events.e, events.n))}

    def count(self, kind: str | None = None) -> int:
        """Stored events, of one kind if given."""
        query = select(func.count()).select_from(tables.events)
        if kind:
            query = query.where(tables.events.c.k == kind)
        return self._one(query)

    def contacts(
        self,
        *,
        agent: str | None = None,
        start_utc: int | None = None,
        end_utc: int | None = None,
        closed: bool | None = None,
    ) -> list[Contact]:
        """Contacts by the time of their first event, [start_utc, end_utc)."""
        row = tables.contacts.c
        where = []
        if agent is not None:
            where.append(row.a == agent)
        if start_utc is not None:
            where.append(row.start_utc >= start_utc)
        if end_utc is not None:
            where.append(row.start_utc < end_utc)

        def matches(contact: Contact) -> bool:
            utc = contact.start_utc
            return (
                (agent is None or contact.agent == agent)
                and (start_utc is None or (utc is not None and utc >= start_utc))
                and (end_utc is None or (utc is not None and utc < end_utc))
            )

        with self.engine.connect() as connection:
            found = {
                key_of(contact): contact for contact in contact_rows.ended(connection, *where)
            }
            found |= {key_of(one): one for one in contact_rows.running(connection) if matches(one)}
        contacts = [found[key] for key in sorted(found)]
        return [one for one in contacts if closed is None or one.closed == closed]

    def sessions(self, *, agent: str | None = None) -> list[Session]:
        row = tables.sessions.c
        query = select(tables.sessions).order_by(row.s, row.e, row.n)
        if agent is not None:
            query = query.where(row.a == agent)
        return [from_columns(Session, found._mapping) for found in self._all(query)]

    def trails(
        self,
        *,
        agent: str | None = None,
        start_utc: int | None = None,
        end_utc: int | None = None,
        now_utc: int | None = None,
    ) -> list[Trail]:
        """What was shown of agents, by agent and time: trails that lie in [start_utc, end_utc) or
        reach into it. Running ones end at the newest event heard, or at `now_utc` where the
        station's link is up.
        """
        with self.engine.connect() as connection:
            return interval_rows.trails(connection, agent, start_utc, end_utc, now_utc)

    def presses(self, *, start_utc: int | None = None, end_utc: int | None = None) -> list[Press]:
        """Calls for assistance by the time of the press, [start_utc, end_utc)."""
        row = tables.presses.c
        query = select(tables.presses).order_by(row.s, row.e, row.n)
        if start_utc is not None:
            query = query.where(row.open_utc >= start_utc)
        if end_utc is not None:
            query = query.where(row.open_utc < end_utc)
        return [from_columns(Press, found._mapping) for found in self._all(query)]

    def queue_rings(self, *, start_utc: int, end_utc: int) -> list[QueueRing]:
        """What the switch rang in vain in [start_utc, end_utc), in that order."""
        row = tables.queue_rings.c
        within = (row.utc >= start_utc) & (row.utc < end_utc)
        query = select(tables.queue_rings).where(within).order_by(row.utc, row.s, row.e, row.n)
        return msgspec.convert([tuple(one) for one in self._all(query)], list[QueueRing])

    def queue_calls(self, *, start_utc: int = 0, end_utc: int | None = None) -> list[QueueCall]:
        """The switch's calls that began in [start_utc, end_utc), or reach into it, by time."""
        with self.engine.connect() as connection:
            return calls(connection, start_utc, end_utc)

    def acts(
        self,
        *,
        agent: str | None = None,
        agents: Collection[str] | None = None,
        by: str | None = None,
        start_utc: int | None = None,
        end_utc: int | None = None,
        after: int = 0,
        limit: int | None = None,
        reprimands: Reprimands = "all",
    ) -> list[Acted]:
        """Supervisors' actions of [start_utc, end_utc), in the order in which they came in, with
        what became of them. `agents`: on these only, and on none if `by` did them. `reprimands`:
        which of those; `own`: that `by` gave.
        """
        bounds = {"start_utc": start_utc, "end_utc": end_utc, "limit": limit}
        on = agents if agent is None else [agent]
        with self.engine.connect() as connection:
            return register.acts(
                connection, agents=on, by=by, after=after, reprimands=reprimands, **bounds
            )

    def act(self, s: str, e: int, n: int) -> Acted | None:
        """One of them, by its event."""
        with self.engine.connect() as connection:
            return register.act(connection, s, e, n)

    def corrections(
        self,
        *,
        agent: str | None = None,
        start_utc: int | None = None,
        end_utc: int | None = None,
    ) -> list[Correction]:
        """Of attendance: those whose time lies in [start_utc, end_utc), in their chain's order."""
        with self.engine.connect() as connection:
            return register.corrections(
                connection, agent=agent, start_utc=start_utc, end_utc=end_utc
            )

    def messages(
        self,
        *,
        agent: str | None = None,
        start_utc: int | None = None,
        end_utc: int | None = None,
        m: str | None = None,
    ) -> list[Reading]:
        """Messages sent in [start_utc, end_utc), a row a reader."""
        bounds = {"start_utc": start_utc, "end_utc": end_utc}
        with self.engine.connect() as connection:
            return register.messages(connection, agent=agent, m=m, **bounds)

    def marks(
        self,
        *,
        agent: str | None = None,
        start_utc: int | None = None,
        end_utc: int | None = None,
    ) -> list[Mark]:
        """The attendance ledger, of [start_utc, end_utc), in the order in which marks came in."""
        with self.engine.connect() as connection:
            return attendance.marks(connection, agent=agent, start_utc=start_utc, end_utc=end_utc)

    def anchors(self, s: str | None = None) -> list[dict[str, Any]]:
        """By which events are placed: by the newest before it in its boot, else the first."""
        row = tables.anchors.c
        query = select(tables.anchors).order_by(row.s, row.e, row.b, row.u)
        if s is not None:
            query = query.where(row.s == s)
        return [dict(found._mapping) for found in self._all(query)]

    def position(self, s: str, e: int) -> int:
        """1…position of this journal is stored, dead-lettered or a recorded loss."""
        row = tables.positions.c
        query = select(row.position).where((row.s == s) & (row.e == e))
        return next(self._all(query, scalar=True), 0)

    def losses(self) -> list[dict[str, Any]]:
        return self._dicts(tables.losses)

    def conflicts(self) -> list[dict[str, Any]]:
        return self._dicts(tables.conflicts)

    def dead_letters(self) -> list[dict[str, Any]]:
        return self._dicts(tables.dead_letters)

    def unknown(self) -> list[dict[str, Any]]:
        return self._dicts(tables.unknown)

    def command(self, s: str, i: int) -> dict[str, Any] | None:
        """A command and how it went; `status` open, answered, expired or replaced."""
        row = tables.commands.c
        while True:
            query = select(tables.commands).where((row.s == s) & (row.i == i))
            found: Any = next(self._all(query), None)
            if found is None or found.next_i is None:
                return dict(found._mapping) if found else None
            i = found.next_i  # it was sent again under a higher number

    def generation(self) -> int:
        """The site's generation; 0 before the first site."""
        return self._one(select(func.coalesce(func.max(tables.generations.c.generation), 0)))

    def live(self) -> dict[str, dict[str, Any]]:
        """The live row of each agent that was ever seen."""
        return {a: msgspec.json.decode(row) for a, row in self._all(select(tables.live))}

    def status(self) -> dict[str, int]:
        """What is stored, and what went wrong, in numbers."""
        loss, event, station = tables.losses.c, tables.events.c, tables.stations.c.s
        lost = func.coalesce(func.sum(loss.last - loss.first + 1), 0)
        inside = (event.s == loss.s) & (event.e == loss.e) & event.n.between(loss.first, loss.last)
        back = select(func.count()).where(inside & (event.k != "station.lost"))
        return {
            "events": self.count(),
            "stations": self._one(select(func.count()).where(station.startswith("DIA-"))),
            "contacts": self._contacts(),
            "lost": self._one(select(lost)) - self._one(back),
            "conflicts": self._one(select(func.count()).select_from(tables.conflicts)),
            "dead_letters": self._one(select(func.count()).select_from(tables.dead_letters)),
            "unknown": self._one(select(func.coalesce(func.sum(tables.unknown.c.times), 0))),
            "stream_sequence": self.taken()[1],
            "generation": self.generation(),
        }

    def taken(self) -> tuple[str, int]:
        """When the broker's stream was made that is taken in, and up to which message it is."""
        row = next(self._all(select(tables.stream.c.created, tables.stream.c.sequence)), None)
        return (row.created, row.sequence) if row else ("", 0)

    def _contacts(self) -> int:
        with self.engine.connect() as connection:
            return contact_rows.count(connection)

    def _all(self, query: Select[Any], *, scalar: bool = False) -> Iterator[Any]:
        with self.engine.connect() as connection:
            result = connection.execute(query)
            yield from result.scalars() if scalar else result

    def _one(self, query: Select[Any]) -> int:
        return int(next(self._all(query, scalar=True)))

    def _dicts(self, table: Table) -> list[dict[str, Any]]:
        return [dict(row._mapping) for row in self._all(select(table))]


def open_reader(path: Path) -> Reader:
    """Raises DiademaError when there is no store, or one of another layout."""
    return Reader(open_database(path, write=False))
