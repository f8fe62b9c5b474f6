"""Which call of the switch a station's contact is, so that none counts twice, and how many have no
other side.

By the switch's own id where the station was told it; else by the agent, whom the switch knows by
an alias, and the moment of the answer. One contact has one call. A call that has a contact adds
nothing to an agent's answered or talk: there the station's word counts.

How many of a day's calls the stations and the switch both told, for reports. A day is joined
once and kept beside the roll-ups, until a row of it is written again or an alias is another.
"""

import re
import zlib
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import date
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct, field
from sqlalchemy import Column, Connection, Integer, Table, Text, func, literal_column, select
from sqlalchemy.exc import DBAPIError

from diadema.base.paths import DataDir
from diadema.figures import rollups
from diadema.figures.days import DaySpan, spans
from diadema.site.directory.people import People, Turns, merged, whose
from diadema.store import contact_rows, open_reader, tables
from diadema.store import reader as switch_calls
from diadema.store.rows import Contact, QueueCall, QueueRing

WINDOW_MS = 30_000  # the switch's clock and the stations' may differ so much
EARLY_MS = 3_600_000  # a contact of these hours may be a call that entered before
_CHANNEL = re.compile(r"(?:[A-Za-z0-9]+/)?([^/@]+?)(?:@.*|-[0-9a-f]{8})?")

type Key = tuple[str, int, int]


class Joined(Struct, frozen=True):
    """`off_ms`: how far apart the two say that it was answered."""

    contact: Key
    call: Key
    by: str  # pbx, alias
    off_ms: int


class JoinCounts(Struct, kw_only=True):
    """Inbound contacts that were answered = by_pbx + by_alias + contacts_alone, by how they found
    their call; and of the calls that the switch says were answered, those that no contact is.
    `unnamed`: of these, those whose agent nobody knows. `over_end`: pairs whose contact is in this
    stretch and whose call is later, without those that are the other way round.
    """

    contacts: int = 0
    calls: int = 0
    by_pbx: int = 0
    by_alias: int = 0
    contacts_alone: int = 0
    calls_alone: int = 0
    unnamed: int = 0
    over_end: int = 0


class Joins(JoinCounts, kw_only=True):
    """Of a stretch of time."""

    pairs: list[Joined] = field(default_factory=list)


def joins(data: DataDir, start_ms: int, end_ms: int, people: People) -> Joins:
    """Of contacts that began in [start_ms, end_ms), and of calls that were answered then."""
    row = tables.contacts.c
    within = (row.start_utc >= start_ms - EARLY_MS) & (row.start_utc < end_ms + WINDOW_MS)
    with open_reader(data.store) as reader, reader.engine.connect() as connection:
        contacts = [*contact_rows.ended(connection, within)]
        contacts += contact_rows.running(connection)
        calls = switch_calls.calls(connection, start_ms - EARLY_MS, end_ms + WINDOW_MS)
    found = join(contacts, calls, people)
    return _within(found, contacts, calls, people, start_ms, end_ms)


def join(contacts: Iterable[Contact], calls: Iterable[QueueCall], people: People) -> Joins:
    """Of all that are given."""
    ours = [one for one in contacts if one.direction == "in" and one.answered_utc is not None]
    theirs = [one for one in calls if one.connected_utc is not None]
    agents = Aliases(people)
    pairs = list(_by_pbx(ours, theirs, agents))
    taken = {pair.contact for pair in pairs}, {pair.call for pair in pairs}
    ours_left = [one for one in ours if _key(one) not in taken[0]]
    theirs_left = [one for one in theirs if _key(one) not in taken[1]]
    pairs += _by_alias(ours_left, theirs_left, agents)
    return _counted(pairs, ours, theirs, agents)


def join_rings(
    rings: Collection[QueueRing], contacts: Iterable[Contact], agent: Callable[[str, int], str]
) -> set[int]:
    """By `id`, those that are a contact of the same agent which the station missed: by the
    switch's own id, else by the moment at which it stopped ringing, the nearest first. One
    contact is one ring.
    """
    missed: defaultdict[str, list[Contact]] = defaultdict(list)
    for contact in contacts:
        if contact.direction == "in" and contact.outcome == "missed" and contact.end_utc:
            missed[contact.agent].append(contact)
    near = sorted(
        (ring.pbx != contact.pbx, abs(ring.utc - (contact.end_utc or 0)), at, _key(contact))
        for at, ring in enumerate(rings)
        for contact in missed.get(agent(ring.agent, ring.utc), ())
        if abs(ring.utc - (contact.end_utc or 0)) <= WINDOW_MS
    )
    taken: set[Key] = set()
    found: set[int] = set()
    of = [id(ring) for ring in rings]
    for _, _, at, contact_key in near:
        if contact_key not in taken and of[at] not in found:
            taken.add(contact_key)
            found.add(of[at])
    return found


class Aliases:
    """Who an agent of the switch is: `SIP/201-0000001a`, `Local/201@from-queue/n`, `Agent/201`
    and `201` are one.
    """

    def __init__(self, people: People) -> None:
        self._turns: defaultdict[str, list[Turns]] = defaultdict(list)
        self._known: dict[str, Turns] = {}
        for alias, turns in people.switch_names.items():
            for name in {alias.casefold(), _extension(alias)}:
                self._turns[name].append(turns)

    def agent(self, alias: str | None, utc_ms: int | None) -> str | None:
        """Whose that name was then."""
        return None if alias is None else whose(self.turns(alias), utc_ms) or None

    def of(self, call: QueueCall) -> str | None:
        """Who answered it."""
        return self.agent(call.agent, call.connected_utc)

    def turns(self, alias: str) -> Turns:
        known = self._known.get(alias)
        if known is None:
            exact, other = alias.casefold(), _extension(alias)
            known = merged([*self._turns.get(exact, ()), *self._turns.get(other, ())])
            self._known[alias] = known
        return known


def _extension(alias: str) -> str:
    match = _CHANNEL.fullmatch(alias)
    return (match[1] if match else alias).casefold()


def _by_pbx(
    contacts: Iterable[Contact], calls: Iterable[QueueCall], agents: Aliases
) -> Iterator[Joined]:
    """An id may have stood in several queues, and its call been at several desks."""
    desks: defaultdict[str, list[Contact]] = defaultdict(list)
    for contact in contacts:
        if contact.pbx:
            desks[contact.pbx].append(contact)
    several: defaultdict[str, list[QueueCall]] = defaultdict(list)
    for call in calls:
        if call.pbx in desks:
            several[call.pbx].append(call)
    for pbx, of_it in several.items():
        yield from _nearest(
            (
                (agents.of(call) not in (None, contact.agent), _off(contact, call)),
                contact,
                call,
            )
            for contact in desks[pbx]
            for call in of_it
        )


def _by_alias(
    contacts: Iterable[Contact], calls: Iterable[QueueCall], agents: Aliases
) -> list[Joined]:
    answered: defaultdict[str, list[Contact]] = defaultdict(list)
    for contact in sorted(contacts, key=_answered):
        answered[contact.agent].append(contact)
    near: list[tuple[tuple[bool, int], Contact, QueueCall]] = []
    for call in calls:
        if (agent := agents.of(call)) is None or call.connected_utc is None:
            continue
        theirs = answered[agent]
        earliest = bisect_left(theirs, call.connected_utc - WINDOW_MS, key=_answered)
        for contact in theirs[earliest:]:
            if _answered(contact) > call.connected_utc + WINDOW_MS:
                break
            near.append(((False, _off(contact, call)), contact, call))
    return [*_nearest(near, "alias")]


def _nearest(
    near: Iterable[tuple[tuple[bool, int], Contact, QueueCall]], by: str = "pbx"
) -> Iterator[Joined]:
    """Each once, those first that are closest."""
    contacts: set[Key] = set()
    calls: set[Key] = set()
    ordered = sorted((*rank, _key(contact), _key(call)) for rank, contact, call in near)
    for _, off, contact, call in ordered:
        if contact not in contacts and call not in calls:
            contacts.add(contact)
            calls.add(call)
            yield Joined(contact, call, by, off)


def _within(
    found: Joins,
    contacts: Iterable[Contact],
    calls: Iterable[QueueCall],
    people: People,
    start_ms: int,
    end_ms: int,
) -> Joins:
    """What began at the edges helped only to find the other side."""
    ours = {_key(one): one for one in contacts if start_ms <= (one.start_utc or 0) < end_ms}
    theirs = {_key(one): one for one in calls if start_ms <= (one.connected_utc or 0) < end_ms}
    pairs = [pair for pair in found.pairs if pair.contact in ours or pair.call in theirs]
    answered = [
        one for one in ours.values() if one.direction == "in" and one.answered_utc is not None
    ]
    counted = _counted(pairs, answered, [*theirs.values()], Aliases(people))
    later = {_key(one) for one in contacts if (one.start_utc or 0) >= end_ms}
    later |= {_key(one) for one in calls if (one.connected_utc or 0) >= end_ms}
    counted.over_end = sum(pair.call in later for pair in pairs)
    counted.over_end -= sum(pair.contact in later for pair in pairs)
    return counted


def _counted(
    pairs: list[Joined], contacts: list[Contact], calls: list[QueueCall], agents: Aliases
) -> Joins:
    theirs = {pair.call for pair in pairs}
    alone = [call for call in calls if _key(call) not in theirs]
    by = {pair.contact: pair.by for pair in pairs}
    methods = [by.get(_key(contact)) for contact in contacts]
    return Joins(
        contacts=len(contacts),
        calls=len(calls),
        by_pbx=methods.count("pbx"),
        by_alias=methods.count("alias"),
        contacts_alone=methods.count(None),
        calls_alone=len(alone),
        unnamed=sum(agents.of(call) is None for call in alone),
        pairs=pairs,
    )


def _key(one: Contact | QueueCall) -> Key:
    return one.station, one.epoch, one.sequence


def _answered(contact: Contact) -> int:
    return contact.answered_utc or 0


def _off(contact: Contact, call: QueueCall) -> int:
    return abs((contact.answered_utc or 0) - (call.connected_utc or 0))


_stored = Table(
    "joined_days",
    rollups.metadata,
    Column("day", Text, primary_key=True),
    Column("of", Text, nullable=False),
    Column("body", Text, nullable=False),
)


class JoinedDay(JoinCounts, kw_only=True):
    """Of a day of the zone."""

    day: str


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
    with open_reader(data.store) as reader, reader.engine.connect() as tx:
        goes_on = [one.start_utc or 0 for one in contact_rows.running(tx)]
        marks = {span.day: _mark(tx, span, names) for span in spans(first, last, zone)}
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
    counts = {name: getattr(found, name) for name in JoinCounts.__struct_fields__}
    return JoinedDay(day=day, **counts)


def _mark(tx: Connection, span: DaySpan, names: int) -> str | None:
    """Which rows the day is made of: one that is written again gets a higher rowid."""
    marks: list[int | None] = []
    for table in (tables.contacts, tables.queue_calls):
        row = table.c
        near = row.start_utc >= span.start_s * 1000 - EARLY_MS
        near &= row.start_utc < span.end_s * 1000 + WINDOW_MS
        query = select(func.count(), func.max(literal_column("rowid", Integer))).where(near)
        marks += tx.execute(query).one()
    return "{} {} {} {} {}".format(*marks, names) if marks[0] or marks[2] else None


def _known(data: DataDir, first: date, last: date) -> dict[str, tuple[str, str]]:
    try:
        engine = rollups.open_rollups(data.rollups)
    except DBAPIError:
        return {}
    try:
        with engine.connect() as rx:
            row = _stored.c
            query = select(_stored).where(row.day.between(first.isoformat(), last.isoformat()))
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
