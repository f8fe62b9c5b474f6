"""What the figures of a stretch of time are made from, by agent, as one transaction sees it."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

import msgspec
from msgspec import Struct, field
from sqlalchemy import ColumnElement, Connection, func, select, text

from diadema.figures.load import end_of
from diadema.figures.switch import Names
from diadema.store import kept_contacts, kept_trails, tables
from diadema.store.kept_contacts import LONGEST_MS, Key, key_of
from diadema.store.rows import Contact, QueueCall, Ticket, Trail

LATE_MS = 60_000  # a station may say that it was offered when the switch had it answered
_decode = msgspec.json.Decoder(Trail).decode
_PBX, _OUTCOME = map(Contact.__struct_fields__.index, ("pbx", "outcome"))
_AT_DESKS = text(
    f"""SELECT DISTINCT row ->> {_PBX} FROM contacts
    WHERE start_utc >= :since AND start_utc < :until
    AND row ->> {_OUTCOME} = 'answered' AND row ->> {_PBX} IS NOT NULL"""
)


class Facts(Struct):
    """Of one agent: contacts that began in it, those `before` it whose end lies in it; trails in
    it, and their neighbours in a session that goes over its bounds; tickets that take time in it;
    calls that the switch says she served in it.
    """

    contacts: list[Contact] = field(default_factory=list)
    before: list[Contact] = field(default_factory=list)
    trails: list[Trail] = field(default_factory=list)
    tickets: list[Ticket] = field(default_factory=list)
    served: list[QueueCall] = field(default_factory=list)

    @property
    def of_stations(self) -> bool:
        """Whether a station tells of her, so that the switch need not."""
        return bool(self.contacts or self.trails)


class Running(Struct):
    """What goes on, from the stations' states."""

    contacts: dict[Key, Contact]
    trails: list[Trail]


def running(tx: Connection, now_ms: int) -> Running:
    contacts = {key_of(one): one for one in kept_contacts.running(tx)}
    return Running(contacts, [*kept_trails.running(tx, now_ms)])


def facts(
    tx: Connection,
    start_ms: int,
    end_ms: int,
    on: Running,
    aliases: Mapping[str, str],
    agents: Collection[str] | None = None,
) -> dict[str, Facts]:
    """Of [start_ms, end_ms), of all agents or of these. `aliases`: the switch's names of them."""
    found: defaultdict[str, Facts] = defaultdict(Facts)
    wanted = None if agents is None else set(agents)
    _contacts(tx, found, start_ms, end_ms, on, wanted)
    _trails(tx, found, start_ms, end_ms, on, wanted)
    for ticket in tickets(tx, start_ms, end_ms):
        if ticket.a is not None and (wanted is None or ticket.a in wanted):
            found[ticket.a].tickets.append(ticket)
    if wanted is not None and all(a in found and found[a].of_stations for a in wanted):
        return dict(found)
    names = Names(aliases)
    for call in _served(tx, start_ms, end_ms):
        agent = names.agent(str(call.agent))
        if wanted is None or agent in wanted:
            found[agent].served.append(call)
    _drop_answered_at_desks(tx, found.values(), start_ms, end_ms)
    return dict(found)


def _drop_answered_at_desks(
    tx: Connection, found: Iterable[Facts], start_ms: int, end_ms: int
) -> None:
    """A call that some station answered is hers who sat there, whatever the switch calls her."""
    alone = [one for one in found if one.served and not one.of_stations]
    if alone:
        bounds = {"since": start_ms - LONGEST_MS, "until": end_ms + LATE_MS}
        there = set(tx.execute(_AT_DESKS, bounds).scalars())
        for one in alone:
            one.served = [call for call in one.served if call.pbx not in there]


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
    for one in kept_contacts.ended(tx, inside, *whose):
        if key_of(one) not in on.contacts:
            found[one.a].contacts.append(one)
    for one in kept_contacts.reaching(tx, start_ms, *whose):
        if key_of(one) not in on.contacts:
            found[one.a].before.append(one)
    for one in on.contacts.values():
        began = one.start_utc
        if (
            began is not None
            and start_ms <= began < end_ms
            and (wanted is None or one.a in wanted)
        ):
            found[one.a].contacts.append(one)


def _trails(
    tx: Connection,
    found: Mapping[str, Facts],
    start_ms: int,
    end_ms: int,
    on: Running,
    wanted: set[str] | None,
) -> None:
    row = tables.trails.c
    whose = _among(row.a, wanted)
    early = start_ms - tables.LONG_MS
    its = [
        *kept_trails.over(
            tx, row.start_utc >= early, row.start_utc < end_ms, row.end_utc > start_ms, *whose
        ),
        *kept_trails.over(
            tx, row.start_utc < early, row.end_utc > start_ms, text(tables.LONG), *whose
        ),
    ]
    going = [one for one in on.trails if wanted is None or one.a in wanted]
    its += [
        one
        for one in going
        if one.start_utc is not None and one.start_utc < end_ms and end_of(one) > start_ms
    ]
    for one in [*its, *_neighbours(tx, its, start_ms, end_ms, going)]:
        found[one.a].trails.append(one)


def _neighbours(
    tx: Connection, trails: Iterable[Trail], start_ms: int, end_ms: int, going: Iterable[Trail]
) -> Iterable[Trail]:
    """The trails just before and just after what is known of each session."""
    first: dict[Key, Trail] = {}
    last: dict[Key, Trail] = {}
    for one in trails:
        if one.session not in first or one.n < first[one.session].n:
            first[one.session] = one
        if one.session not in last or one.n > last[one.session].n:
            last[one.session] = one
    row = tables.trails.c
    for session, one in first.items():
        if one.n != session[2]:
            its = (row.s == one.s) & (row.e == one.e) & (row.n < one.n)
            query = select(row.row).where(its).order_by(row.n.desc()).limit(1)
            yield from _same(tx.execute(query).scalars(), session)
    for session, one in last.items():
        if not one.over:
            its = (row.s == one.s) & (row.e == one.e) & (row.n > one.n)
            query = select(row.row).where(its).order_by(row.n).limit(1)
            after = [*_same(tx.execute(query).scalars(), session)]
            after = after or [
                other for other in going if other.session == session and other.n > one.n
            ]
            yield from after


def _same(rows: Iterable[str], session: Key) -> Iterable[Trail]:
    for row in rows:
        trail = _decode(row)
        if trail.session == session:
            yield trail


def tickets(tx: Connection, start_ms: int, end_ms: int) -> Iterable[Ticket]:
    """Calls for assistance that were made in that time, and faults that went on in it."""
    row = tables.tickets.c
    reaches = (row.kind == "fault") & (row.closed_utc.is_(None) | (row.closed_utc > start_ms))
    query = select(tables.tickets).where(
        row.open_utc < end_ms, (row.open_utc >= start_ms) | reaches
    )
    return [Ticket(**one._mapping) for one in tx.execute(query)]


def _served(tx: Connection, start_ms: int, end_ms: int) -> list[QueueCall]:
    """Calls that somebody served in that time; those that came long before are none any more."""
    row = tables.queue_calls.c
    where = (
        (row.start_utc >= start_ms - LONGEST_MS) & (row.start_utc < end_ms),
        row.agent.is_not(None),
        row.connected_utc < end_ms,
        (row.connected_utc >= start_ms) | (row.end_utc > start_ms),
    )
    return entered(tx, *where)


def entered(tx: Connection, *where: ColumnElement[bool]) -> list[QueueCall]:
    query = select(tables.queue_calls).where(*where)
    return msgspec.convert([tuple(one) for one in tx.execute(query)], list[QueueCall])
