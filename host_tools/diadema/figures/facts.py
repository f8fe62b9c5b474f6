"""What the figures of a stretch of time are made from, by agent, as one transaction sees it.

One agent's day, or one queue's, worked out whole from what there is of it. Half-hours in which
there is nothing are left out; the day is their sum.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec
from msgspec import Struct, field
from sqlalchemy import ColumnElement, Connection, func, select, text

from diadema.figures.booking import (
    Fault,
    add,
    book_contact,
    book_press,
    book_queue_call,
    end_of,
    stretches,
    technical,
)
from diadema.figures.days import DaySpan
from diadema.figures.rows import QueueSums, Sums
from diadema.figures.switch import Alone, alone, book_rings, book_served
from diadema.metrics.contacts import doubtful
from diadema.metrics.intervals import Intervals
from diadema.site.directory.people import Held
from diadema.store import contact_rows, interval_rows, tables
from diadema.store.contact_rows import Key, key_of
from diadema.store.rows import Contact, Press, QueueCall, Trail
from diadema.wire.letters import from_columns

_MOVED = text(  # the first session of the agent at another seat after the press
    """SELECT k.key, min(o.open_utc) FROM json_each(:keys) k JOIN sessions o
    ON o.open_utc > k.value ->> 2 AND o.open_utc < k.value ->> 3
    WHERE o.a = k.value ->> 0 AND o.s != k.value ->> 1 GROUP BY k.key"""
)
_NEVER = 1 << 53
_NEAR = text(  # of those that nobody works so long, which are few, all of these agents
    f"""SELECT row FROM trails WHERE rowid IN (
    SELECT t.rowid FROM json_each(:windows) k JOIN trails t ON t.a = k.value ->> 0
    AND t.start_utc >= (k.value ->> 1) - {contact_rows.LONGEST_MS} AND t.start_utc < k.value ->> 2
    WHERE t.end_utc > k.value ->> 1
    UNION SELECT rowid FROM trails WHERE {tables.LONG}
    AND end_utc - start_utc > {contact_rows.LONGEST_MS}
    AND start_utc < :late AND end_utc > :early
    AND a IN (SELECT k.value ->> 0 FROM json_each(:windows) k))"""
)
_decode = msgspec.json.Decoder(Trail).decode
_encode = msgspec.json.Encoder().encode


class Facts(Struct):
    """Of one agent: contacts that began in it; those `before` it whose end lies in it, or after
    the beginning of another one of these; trails in it, and their neighbours in a session that
    goes over its bounds; presses made in it or that take time in it, and of these the faults; what
    the switch alone told.
    """

    contacts: list[Contact] = field(default_factory=list)
    before: list[Contact] = field(default_factory=list)
    trails: list[Trail] = field(default_factory=list)
    presses: list[Press] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    switch: Alone = field(default_factory=Alone)


class Running(Struct):
    """What goes on, from the stations' states."""

    contacts: dict[Key, Contact]
    trails: list[Trail]


def running(tx: Connection, now_ms: int) -> Running:
    contacts = {key_of(one): one for one in contact_rows.running(tx)}
    return Running(contacts, [*interval_rows.running(tx, now_ms)])


def facts(
    tx: Connection,
    start_ms: int,
    end_ms: int,
    on: Running,
    aliases: Held,
    agents: Collection[str] | None = None,
) -> dict[str, Facts]:
    """Of [start_ms, end_ms), of all agents or of these. `aliases`: the switch's names of them."""
    found: defaultdict[str, Facts] = defaultdict(Facts)
    wanted = None if agents is None else set(agents)
    _contacts(tx, found, start_ms, end_ms, on, wanted)
    shown = trails(tx, start_ms, end_ms, on.trails, wanted)
    for trail in (*shown, *_neighbours(tx, shown, on.trails)):
        found[trail.agent].trails.append(trail)
    pressed = presses(tx, start_ms, end_ms)
    for press in pressed:
        if press.agent is not None and (wanted is None or press.agent in wanted):
            found[press.agent].presses.append(press)
    for a, its in faults(tx, pressed).items():
        if wanted is None or a in wanted:
            found[a].faults = its
    contacts = [one for its in found.values() for one in its.contacts]
    by_switch = alone(tx, start_ms, end_ms, on.contacts, contacts, aliases, wanted)
    for a, one in by_switch.items():
        found[a].switch = one
    return dict(found)


def _among(column: ColumnElement[str], wanted: set[str] | None) -> list[ColumnElement[bool]]:
    if wanted is None:
        return []
    names = msgspec.json.encode(sorted(wanted)).decode()
    return [column.in_(select(func.json_each(names).table_valued("value").c.value))]


def _contacts(
    tx: Connection,
    found: Mapping[str, Facts],
    start_ms: int,
    end_ms: int,
    on: Running,
    wanted: set[str] | None,
) -> None:
    row = tables.contacts.c
    whose = _among(row.a, wanted)
    inside = (row.start_utc >= start_ms) & (row.start_utc < end_ms)
    for one in contact_rows.ended(tx, inside, *whose):
        if key_of(one) not in on.contacts:
            found[one.agent].contacts.append(one)
    for one in contact_rows.reaching(tx, start_ms, *whose):
        if key_of(one) not in on.contacts:
            found[one.agent].before.append(one)
    for a, its in found.items():
        earlier = its.before
        while earlier:  # what they contradict, or what contradicts them
            utc = min(one.start_utc or 0 for one in earlier)
            earlier = [
                one
                for one in contact_rows.reaching(tx, utc, row.a == a)
                if key_of(one) not in on.contacts
            ]
            its.before += earlier
    for one in on.contacts.values():
        began = one.start_utc
        if (
            began is not None
            and start_ms <= began < end_ms
            and (wanted is None or one.agent in wanted)
        ):
            found[one.agent].contacts.append(one)


def trails(
    tx: Connection, start_ms: int, end_ms: int, on: Iterable[Trail], wanted: set[str] | None
) -> list[Trail]:
    """That have something of [start_ms, end_ms), also of those that go on."""
    row = tables.trails.c
    whose = _among(row.a, wanted)
    early = start_ms - tables.LONG_MS
    its = [
        *interval_rows.over(
            tx, row.start_utc >= early, row.start_utc < end_ms, row.end_utc > start_ms, *whose
        ),
        *interval_rows.over(
            tx, row.start_utc < early, row.end_utc > start_ms, text(tables.LONG), *whose
        ),
    ]
    return its + [
        one
        for one in on
        if one.start_utc is not None
        and one.start_utc < end_ms
        and end_of(one) > start_ms
        and (wanted is None or one.agent in wanted)
    ]


def trails_near(tx: Connection, windows: Sequence[tuple[str, int, int]]) -> dict[str, list[Trail]]:
    """Those that are over and have something of these windows (agent, and milliseconds of UTC), by
    agent.
    """
    if not windows:
        return {}
    where = {
        "windows": _encode(windows).decode(),
        "early": min(start for _, start, _ in windows),
        "late": max(end for _, _, end in windows),
    }
    found: defaultdict[str, list[Trail]] = defaultdict(list)
    for (row,) in tx.execute(_NEAR, where):
        trail = _decode(row)
        found[trail.agent].append(trail)
    return dict(found)


def _neighbours(tx: Connection, its: Iterable[Trail], on: Iterable[Trail]) -> Iterable[Trail]:
    """The trails just before and just after what is known of each session."""
    first: dict[Key, Trail] = {}
    last: dict[Key, Trail] = {}
    for one in its:
        if one.session not in first or one.sequence < first[one.session].sequence:
            first[one.session] = one
        if one.session not in last or one.sequence > last[one.session].sequence:
            last[one.session] = one
    row = tables.trails.c
    for session, one in first.items():
        if one.sequence != session[2]:
            before = (row.s == one.station) & (row.e == one.epoch) & (row.n < one.sequence)
            query = select(row.row).where(before).order_by(row.n.desc()).limit(1)
            yield from _same(tx.execute(query).scalars(), session)
    for session, one in last.items():
        if not one.over:
            behind = (row.s == one.station) & (row.e == one.epoch) & (row.n > one.sequence)
            query = select(row.row).where(behind).order_by(row.n).limit(1)
            after = [*_same(tx.execute(query).scalars(), session)]
            after = after or [
                other for other in on if other.session == session and other.sequence > one.sequence
            ]
            yield from after


def _same(rows: Iterable[str], session: Key) -> Iterable[Trail]:
    for row in rows:
        trail = _decode(row)
        if trail.session == session:
            yield trail


def presses(
    tx: Connection, start_ms: int, end_ms: int, *where: ColumnElement[bool]
) -> list[Press]:
    """Calls for assistance that were made in that time, and faults that went on in it."""
    row = tables.presses.c
    reaches = (row.kind == "fault") & (row.closed_utc.is_(None) | (row.closed_utc > start_ms))
    query = select(tables.presses).where(
        row.open_utc < end_ms, (row.open_utc >= start_ms) | reaches, *where
    )
    return [from_columns(Press, one._mapping) for one in tx.execute(query).all()]


def faults(tx: Connection, presses: Iterable[Press]) -> dict[str, list[Fault]]:
    """Those of these that cost time, by agent."""
    timed = [one for one in presses if one.kind == "fault" and one.technical_utc is not None]
    keys = [(one.agent, one.station, one.open_utc, one.closed_utc or _NEVER) for one in timed]
    moved: dict[int, int] = {}
    if keys:
        moved |= {at: utc for at, utc in tx.execute(_MOVED, {"keys": _encode(keys).decode()})}
    found: defaultdict[str, list[Fault]] = defaultdict(list)
    for at, one in enumerate(timed):
        if one.agent is not None:
            found[one.agent].append(Fault(one, moved.get(at)))
    return dict(found)


def agent_halves(
    facts: Facts,
    span: DaySpan,
    intervals: Intervals,
    ringing: Collection[str],
    queues: Held,
) -> dict[int, Sums]:
    """By the half-hour's first second in UTC. `ringing`: see `book_served`. `queues`: by the
    switch's names.
    """
    halves: defaultdict[int, Sums] = defaultdict(Sums)
    switch = facts.switch
    book_served(halves, switch.served, switch.continued, ringing, span, intervals, queues)
    book_rings(halves, switch.rings, switch.reported, intervals, queues)
    doubted = doubtful([*facts.before, *facts.contacts])
    for contact in facts.contacts:
        assert contact.start_utc is not None
        at = intervals.start_of(contact.start_utc // 1000)
        book_contact(halves[at], contact, queues, doubtful=key_of(contact) in doubted)
    for press in facts.presses:
        if press.open_utc is not None and span.start_s <= press.open_utc // 1000 < span.end_s:
            book_press(halves[intervals.start_of(press.open_utc // 1000)], press)
    its = stretches(facts.trails)
    for one in its:
        start, end = max(one.start_s, span.start_s), min(one.end_s, span.end_s)
        for at, seconds in intervals.parts(start, end):
            add(halves[at].load, one, seconds)
    for begin, until in technical(facts.faults, facts.trails, its):
        start, end = max(begin, span.start_s), min(until, span.end_s)
        for at, seconds in intervals.parts(start, end):
            halves[at].load.technical_s += seconds
    for sums in halves.values():
        sums.load.present = int(sums.load.logged_s > 0)
    return dict(sorted(halves.items()))


def queue_halves(
    calls: Iterable[QueueCall], again: Collection[int], intervals: Intervals
) -> dict[int, QueueSums]:
    """Of one queue's calls that began on that day. `again`: by `id`, those answered before."""
    halves: defaultdict[int, QueueSums] = defaultdict(QueueSums)
    for call in calls:
        at = intervals.start_of(call.start_utc // 1000)
        book_queue_call(halves[at], call, again=id(call) in again)
    return dict(sorted(halves.items()))


def day_sums(halves: dict[int, Sums]) -> Sums:
    total = Sums()
    for one in halves.values():
        total += one
    total.load.present = 0
    return total


def queue_day(halves: dict[int, QueueSums]) -> QueueSums:
    total = QueueSums()
    for one in halves.values():
        total += one
    return total
