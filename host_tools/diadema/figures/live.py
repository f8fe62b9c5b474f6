"""Adds what goes on to the cells of the roll-ups. Most of it is simply added; where it is not
certain that nothing overlaps, the cell is worked out whole.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import timedelta
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct, field
from sqlalchemy import Connection, select, text

from diadema.figures.booking import (
    Fault,
    Stretch,
    add,
    book_contact,
    end_of,
    stretches,
    technical,
)
from diadema.figures.days import day_at, start_of
from diadema.figures.facts import Running
from diadema.figures.joins import WINDOW_MS
from diadema.figures.roll import Scope, work_out
from diadema.figures.rows import Sums
from diadema.metrics.contacts import JUMP_MS
from diadema.metrics.intervals import Intervals
from diadema.site.directory.people import Held, People
from diadema.store import tables
from diadema.store.contact_rows import Key
from diadema.store.rows import Contact, Press, Trail
from diadema.wire.letters import from_columns

type Halves = dict[int, Sums]
type Cell = tuple[Sums, Halves]

_decode = msgspec.json.Decoder(Trail).decode
_encode = msgspec.json.Encoder().encode
_KEYS = "(SELECT value ->> 0 AS s, value ->> 1 AS e, value ->> 2 AS n FROM json_each(:keys)) k"
_BEFORE = text(
    f"""SELECT k.s, k.e, k.n, (SELECT t.row FROM trails t
    WHERE t.s = k.s AND t.e = k.e AND t.n < k.n ORDER BY t.n DESC LIMIT 1) FROM {_KEYS}"""
)
_STORED = text(
    f"SELECT c.s, c.e, c.n FROM {_KEYS} JOIN contacts c ON c.s = k.s AND c.e = k.e AND c.n = k.n"
)
_JUMPED = text(
    f"""SELECT DISTINCT j.s, j.e, j.b FROM {_KEYS} JOIN anchors j
    ON j.s = k.s AND j.e = k.e AND j.b = k.n WHERE j.jump_ms IS NOT NULL"""
)


class _Going(Struct):
    """Of one agent: contacts that go on, and the trail with the one before it."""

    contacts: list[Contact] = field(default_factory=list)
    trails: list[Trail] = field(default_factory=list)
    before: Trail | None = None


class Cells(Protocol):
    """The roll-ups' of what was asked for; half-hours where these are wanted too."""

    def get(self, day: str, a: str) -> Cell | None: ...
    def put(self, day: str, a: str, cell: Cell) -> None: ...


class Added(Struct):
    """By day, what was added in all; days of which some cell was replaced."""

    of_day: dict[str, Cell]
    replaced: set[str]


def add_running(
    tx: Connection,
    cells: Cells,
    on: Running,
    zone: ZoneInfo,
    people: People,
    scope: Scope,
) -> Added:
    going = _by_agent(on, scope)
    whole = _entangled(tx, going)
    days = {a: {c for c in _days(a, its, zone) if scope.has(c)} for a, its in going.items()}
    for a, its in days.items():
        if any(_by_switch(cells.get(day, a)) for day, *_ in its):
            whole.add(a)  # the switch alone told of that day until now
    book = _Book(cells, zone, scope, people.switch_queues)
    _simply(tx, book, {a: its for a, its in going.items() if a not in whole and days[a]})
    entangled = sorted(c for a in whole for c in days[a])
    fresh = work_out(tx, entangled, zone, people.switch_names, people.switch_queues, on)
    for day, made in fresh.agents.items():
        for a, cell in made.items():
            if cell is not None:
                cells.put(day, a, cell)
    return Added(book.added, set(fresh.agents))


def _by_switch(cell: Cell | None) -> bool:
    if cell is None:
        return False
    calls = any(one.by_switch for one in cell[0].queues.values())
    return calls or cell[0].load.switch_talk_s > 0


def _by_agent(on: Running, scope: Scope) -> dict[str, _Going]:
    going: defaultdict[str, _Going] = defaultdict(_Going)
    for contact in on.contacts.values():
        if contact.start_utc is not None and _is_wanted(contact.agent, scope):
            going[contact.agent].contacts.append(contact)
    for trail in on.trails:
        if trail.start_utc is not None and _is_wanted(trail.agent, scope):
            going[trail.agent].trails.append(trail)
    return dict(going)


def _is_wanted(a: str, scope: Scope) -> bool:
    return scope.agents is None or a in scope.agents


def _entangled(tx: Connection, going: dict[str, _Going]) -> set[str]:
    """Who has something else at the same time, or may have: another session, a session of more
    than one boot, a clock that was set, a contact that was over and runs again.
    """
    found = {a for a, its in going.items() if len(its.trails) > 1}
    of_contact = {
        (c.station, c.epoch, c.sequence): a for a, its in going.items() for c in its.contacts
    }
    found |= {of_contact[tuple(key)] for key in _ask(tx, _STORED, of_contact)}
    trails = {a: its.trails[0] for a, its in going.items() if its.trails}
    if not trails:
        return found
    boots: defaultdict[Key, set[str]] = defaultdict(set)
    for a, trail in trails.items():
        boots[trail.station, trail.epoch, trail.boot].add(a)
    for key in _ask(tx, _JUMPED, boots):
        found |= boots[tuple(key)]
    _find_before(tx, going)
    for a, its in going.items():
        before = its.before
        if before is not None and its.trails:
            start = its.trails[0].start_utc or 0
            if before.start_utc is None or start // 1000 < end_of(before) // 1000:
                found.add(a)
    row = tables.sessions.c
    earliest = min(trail.start_utc or 0 for trail in trails.values()) - JUMP_MS
    columns = row.a, row.s, row.e, row.n, row.open_b, row.close_utc
    recent = row.close_utc.is_(None) | (row.close_utc > earliest)
    own = set()
    for a, s, e, n, open_b, close in tx.execute(select(*columns).where(recent)):
        its_trail = trails.get(a)
        if its_trail is None:
            continue
        if (s, e, n) == its_trail.session:
            own.add(a)
            if open_b != its_trail.boot:
                found.add(a)
        elif close is None or close > (its_trail.start_utc or 0) - JUMP_MS:
            found.add(a)
    return found | (trails.keys() - own)


def _ask(tx: Connection, query: Any, keys: Iterable[Key]) -> Iterable[Any]:
    return tx.execute(query, {"keys": _encode([*keys]).decode()})


def _find_before(tx: Connection, going: dict[str, _Going]) -> None:
    of_trail = {
        (trail.station, trail.epoch, trail.sequence): its
        for its in going.values()
        for trail in its.trails
        if (trail.station, trail.epoch, trail.sequence) != trail.session
    }
    for s, e, n, row in _ask(tx, _BEFORE, of_trail):
        if row is not None:
            its, before = of_trail[s, e, n], _decode(row)
            if before.session == its.trails[0].session:
                its.before = before


def _days(a: str, its: _Going, zone: ZoneInfo) -> Iterable[tuple[str, str, str]]:
    """Every day that something of the agent's touches which goes on."""
    for contact in its.contacts:
        start_s = (contact.start_utc or 0) // 1000
        for at in (start_s - WINDOW_MS // 1000, start_s):
            yield day_at(at, zone).isoformat(), "agent", a
    for trail in its.trails:
        start = trail.start_utc or 0
        if its.before is not None and its.before.start_utc is not None:
            start = min(start, end_of(its.before) - 1000)
        day, last = day_at(start // 1000, zone), day_at(end_of(trail) // 1000, zone)
        while day <= last:
            yield day.isoformat(), "agent", a
            day += timedelta(days=1)


def _simply(tx: Connection, book: "_Book", going: dict[str, _Going]) -> None:
    for its in going.values():
        for contact in its.contacts:
            book.contact(contact)
    faults = _faults(tx, going)
    for a, its in going.items():
        parts = _new(its)
        for one in parts:
            book.load(a, one)
        for start, end in technical(faults.get(a, ()), its.trails, parts):
            book.technical(a, start, end)


def _new(its: _Going) -> list[Stretch]:
    """What the running trail adds to what stands in the roll-ups."""
    if not its.trails:
        return []
    if its.before is None:
        return stretches(its.trails)
    since = end_of(its.before) // 1000
    return [
        Stretch(max(one.start_s, since), one.end_s, one.state, one.reason, one.by)
        for one in stretches([its.before, *its.trails])
        if one.end_s > since
    ]


def _faults(tx: Connection, going: dict[str, _Going]) -> dict[str, list[Fault]]:
    """Nobody of these has another session at the same time, and so has moved."""
    starts = [trail.start_utc or 0 for its in going.values() for trail in its.trails]
    row = tables.presses.c
    after = row.closed_utc.is_(None) | (row.closed_utc > min(starts, default=0) - JUMP_MS)
    query = select(tables.presses).where(row.kind == "fault", after)
    found: defaultdict[str, list[Fault]] = defaultdict(list)
    for one in tx.execute(query):
        if one.a in going:
            found[one.a].append(Fault(from_columns(Press, one._mapping)))
    return found


class _Book:
    """Adds to an agent's day and to its half-hours."""

    def __init__(self, cells: Cells, zone: ZoneInfo, scope: Scope, queues: Held) -> None:
        self._cells, self._zone, self._scope, self._queues = cells, zone, scope, queues
        self._intervals = Intervals(zone)
        self._bounds: dict[str, tuple[int, int]] = {}
        self.added: dict[str, Cell] = {}

    def contact(self, contact: Contact) -> None:
        at = (contact.start_utc or 0) // 1000
        for sums in self._at(contact.agent, at):
            book_contact(sums, contact, self._queues, doubtful=False)

    def load(self, a: str, one: Stretch) -> None:
        for at, seconds in self._intervals.parts(one.start_s, one.end_s):
            its = self._at(a, at)
            for sums in its:
                add(sums.load, one, seconds)
            if its and not its[1].load.present:
                for sums in its[1::2]:  # the half-hours
                    sums.load.present += 1

    def technical(self, a: str, start: int, end: int) -> None:
        for at, seconds in self._intervals.parts(start, end):
            for sums in self._at(a, at):
                sums.load.technical_s += seconds

    def _at(self, a: str, utc_s: int) -> tuple[Sums, ...]:
        """The agent's and everybody's: the day's sums and the half-hour's."""
        at = self._intervals.start_of(utc_s)
        day = self._day(at)
        if not self._scope.has((day, "agent", a)):
            return ()
        cell = self._cells.get(day, a)
        if cell is None:
            cell = Sums(), {}
        self._cells.put(day, a, cell)
        found = []
        for total, halves in (cell, self.added.setdefault(day, (Sums(), {}))):
            found += [total, halves.setdefault(at, Sums())]
        return tuple(found)

    def _day(self, utc_s: int) -> str:
        for day, (start, end) in self._bounds.items():
            if start <= utc_s < end:
                return day
        local = day_at(utc_s, self._zone)
        bounds = start_of(local, self._zone), start_of(local + timedelta(days=1), self._zone)
        self._bounds[local.isoformat()] = bounds
        return local.isoformat()
