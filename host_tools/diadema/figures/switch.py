"""An agent's calls as the switch alone tells of them: those that are no contact of a station. It
knows of no wrap-up, no hold and no presence: a contact's talk, and no load but that; and of rings
that nobody took only where its log tells of any.

What the switch alone told of some agents in a stretch of time: its calls and its rings without
those that are contacts of stations (`figures.joins`), which count there.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, MutableMapping
from typing import Any

import msgspec
from msgspec import Struct, field
from sqlalchemy import ColumnElement, Connection, Select, TextClause, func, select, text

from diadema.figures.booking import book_talk, book_transfer
from diadema.figures.days import DaySpan
from diadema.figures.joins import EARLY_MS, WINDOW_MS, Aliases, join, join_rings
from diadema.figures.rows import Calls, Sums
from diadema.metrics.intervals import Intervals
from diadema.metrics.queue import overlapping, talk_ms
from diadema.metrics.rounding import whole_seconds
from diadema.site.directory.people import Held, People, Worker, queue_of
from diadema.store import contact_rows, reader, tables
from diadema.store.contact_rows import LONGEST_MS, Key, key_of
from diadema.store.rows import SWITCH, Contact, QueueCall, QueueRing

NOBODY = ""  # whom the switch did not name


class Names:
    """Whose name at the switch is which; one that nobody knows stands for itself."""

    def __init__(self, aliases: Held) -> None:
        self._aliases = Aliases(People(aliases=aliases))

    def agent(self, name: str | None, utc_ms: int | None) -> str:
        return NOBODY if name is None else self._aliases.agent(name, utc_ms) or name

    def ever(self, name: str) -> set[str]:
        """All that it stood for on some day."""
        return {who or name for _, who in self._aliases.turns(name)} or {name}


def book_served(
    halves: MutableMapping[int, Sums],
    served: Iterable[QueueCall],
    continued: Collection[int],
    ringing: Collection[str],
    span: DaySpan,
    intervals: Intervals,
    queues: Held,
) -> None:
    """A contact where its agent took it; its conversation split. `continued`: by `id`, those whose
    call another answer began. `ringing`: switches that tell of rings that nobody took. `queues`:
    by the switch's names.
    """
    calls = [call for call in served if call.connected_utc is not None]
    doubted = {id(later) for later, _ in overlapping(calls)}
    for call in calls:
        assert call.connected_utc is not None
        start_s = call.connected_utc // 1000
        if span.start_s <= start_s < span.end_s:
            sums = halves[intervals.start_of(start_s)]
            queue = queue_of(queues, call.queue, call.start_utc)
            calls_of = sums.queues.setdefault(queue, Calls())
            _book(calls_of, call, id(call) in doubted)
            calls_of.continued += id(call) in continued
            if call.station in ringing:
                calls_of.offered += 1
            else:
                calls_of.unrung += 1
        if call.end_utc is not None:
            begin, until = max(start_s, span.start_s), min(call.end_utc // 1000, span.end_s)
            for at, seconds in intervals.parts(begin, until):
                halves[at].load.switch_talk_s += seconds


def book_rings(
    halves: MutableMapping[int, Sums],
    rings: Iterable[QueueRing],
    reported: Collection[int],
    intervals: Intervals,
    queues: Held,
) -> None:
    """Where it stopped ringing. `reported`: by `id`, those that the agent's station reported too.
    `queues`: by the switch's names.
    """
    for ring in rings:
        sums = halves[intervals.start_of(ring.utc // 1000)]
        calls = sums.queues.setdefault(queue_of(queues, ring.queue, ring.utc), Calls())
        calls.rung_out += not ring.withdrawn
        if id(ring) in reported:
            continue
        calls.offered += 1
        cause = "withdrawn" if ring.withdrawn else "no_answer"
        calls.causes[cause] = calls.causes.get(cause, 0) + 1
        if ring.withdrawn:
            calls.excused += 1
        else:
            calls.missed += 1
            calls.missed_ring_s += whole_seconds(ring.ring_ms or 0)


def _book(calls: Calls, call: QueueCall, doubted: bool) -> None:
    calls.answered += 1
    calls.by_switch += 1
    if call.ring_ms is not None:
        calls.ring_n += 1
        calls.ring_s += whole_seconds(call.ring_ms)
    if call.cause == "transferred":
        book_transfer(calls, call.transfer, None)
    talked = talk_ms(call)
    if talked is None:
        calls.aside_open += 1
    elif call.agent is None:
        calls.aside_unnamed += 1
    elif call.estimated:
        calls.aside_estimated += 1
    elif doubted or not 0 <= talked <= LONGEST_MS:
        calls.aside_impossible += 1
    else:
        book_talk(calls, "", whole_seconds(talked))
        calls.switch_n += 1


_PBX = Contact.__struct_fields__.index("pbx")
_IDS = text(f"row ->> {_PBX} IN (SELECT value FROM json_each(:ids))")
_RINGING = text(
    f"""SELECT s FROM stations WHERE s >= '{SWITCH}' AND s < '{SWITCH}~'
    AND EXISTS (SELECT 1 FROM queue_rings AS ring WHERE ring.s = stations.s) ORDER BY s"""
)


class Alone(Struct):
    """Of one agent. `continued`: by `id`, calls that were answered before; `reported`: by `id`,
    rings that are a contact of the agent's station, which was missed there.
    """

    served: list[QueueCall] = field(default_factory=list)
    continued: set[int] = field(default_factory=set)
    rings: list[QueueRing] = field(default_factory=list)
    reported: set[int] = field(default_factory=set)


def ringing(tx: Connection) -> list[str]:
    """Switches that ever told of a ring that nobody took: of others it is not known."""
    return list(tx.execute(_RINGING).scalars())


def alone(
    tx: Connection,
    start_ms: int,
    end_ms: int,
    running: Mapping[Key, Contact],
    contacts: Iterable[Contact],
    aliases: Held,
    agents: Collection[str] | None = None,
) -> dict[str, Alone]:
    """Calls that somebody served in [start_ms, end_ms), and rings that ended in it. `contacts`:
    of these agents, begun in it, as they are now. `aliases`: the switch's names of agents.
    """
    names = Names(aliases)
    calls = _served(tx, start_ms - WINDOW_MS, end_ms + WINDOW_MS, names, agents)
    rings = _rings(tx, start_ms, end_ms, names, agents)
    if not calls and not rings:
        return {}
    theirs = {names.agent(call.agent, call.connected_utc) for call in calls}
    theirs |= {names.agent(ring.agent, ring.utc) for ring in rings}
    since = min([start_ms, *(call.connected_utc or 0 for call in calls)]) - EARLY_MS
    until = end_ms + WINDOW_MS
    known = {key_of(one): one for one in contacts if one.agent in theirs}
    of_them = tables.contacts.c.a.in_(_listed(theirs))
    for bounds in ((since, start_ms), (end_ms, until)):
        known |= _contacts(tx, bounds, running, of_them)
    people = People(
        workers={a: Worker(id=a, name=a) for a in {one.agent for one in known.values()}},
        aliases=aliases,
    )
    taken, earlier = _taken(tx, calls, known, people, (since, until), running)
    found: defaultdict[str, Alone] = defaultdict(Alone)
    for call in calls:
        began, end = call.connected_utc or 0, call.end_utc or 0
        inside = began < end_ms and (began >= start_ms or end > start_ms)
        if inside and (call.station, call.epoch, call.sequence) not in taken:
            its = found[names.agent(call.agent, began)]
            its.served.append(call)
            if earlier.get(call.pbx, began) < began:
                its.continued.add(id(call))
    joined = join_rings(rings, known.values(), names.agent)
    for ring in rings:
        its = found[names.agent(ring.agent, ring.utc)]
        its.rings.append(ring)
        if id(ring) in joined:
            its.reported.add(id(ring))
    return dict(found)


def _taken(
    tx: Connection,
    calls: list[QueueCall],
    contacts: dict[Key, Contact],
    people: People,
    bounds: tuple[int, int],
    running: Mapping[Key, Contact],
) -> tuple[set[Key], dict[str, int]]:
    """Calls that are a contact; and by the switch's id when a call was first answered. Mostly all
    are one of the same agent's; only else other desks and other agents' calls are looked at.
    """
    own = join(contacts.values(), calls, people)
    found = {pair.call for pair in own.pairs}
    odd = [contacts[pair.contact].pbx for pair in own.pairs if pair.by == "alias"]
    ids = {call.pbx for call in calls if (call.station, call.epoch, call.sequence) not in found}
    if not ids and not any(odd):
        return found, {}
    ids |= {one.pbx for one in contacts.values() if one.pbx}
    others = _contacts(tx, bounds, running, _IDS.bindparams(ids=_json(ids)))
    others |= {key: one for key, one in running.items() if one.pbx in ids}
    row = tables.queue_calls.c
    near = row.start_utc.between(bounds[0] - LONGEST_MS, bounds[1])
    more = {(one.station, one.epoch, one.sequence): one for one in calls}
    same = row.pbx.in_(_listed(ids))
    for one in reader.found(tx, near, same, row.connected_utc.is_not(None)):
        more.setdefault((one.station, one.epoch, one.sequence), one)
    earlier: dict[str, int] = {}
    for one in more.values():
        began = one.connected_utc or 0
        earlier[one.pbx] = min(earlier.get(one.pbx, began), began)
    pairs = join((others | contacts).values(), more.values(), people).pairs
    return {pair.call for pair in pairs}, earlier


def _contacts(
    tx: Connection,
    bounds: tuple[int, int],
    running: Mapping[Key, Contact],
    which: ColumnElement[bool] | TextClause,
) -> dict[Key, Contact]:
    row = tables.contacts.c
    within = (row.start_utc >= bounds[0]) & (row.start_utc < bounds[1])
    rows = contact_rows.ended(tx, within, which)
    return {key_of(one): one for one in rows if key_of(one) not in running}


def _served(
    tx: Connection, start_ms: int, end_ms: int, names: Names, agents: Collection[str] | None
) -> list[QueueCall]:
    """Those that came long before are none any more."""
    row = tables.queue_calls.c
    within = (row.start_utc >= start_ms - LONGEST_MS) & (row.start_utc < end_ms)
    within &= row.connected_utc < end_ms
    within &= (row.connected_utc >= start_ms) | (row.end_utc > start_ms)
    found = reader.found(tx, within, *_named(tx, row.agent, within, names, agents))
    return [
        one
        for one in found
        if agents is None or names.agent(one.agent, one.connected_utc) in agents
    ]


def _rings(
    tx: Connection, start_ms: int, end_ms: int, names: Names, agents: Collection[str] | None
) -> list[QueueRing]:
    row = tables.queue_rings.c
    within = (row.utc >= start_ms) & (row.utc < end_ms)
    query = select(tables.queue_rings).where(within, *_named(tx, row.agent, within, names, agents))
    rows = [tuple(one) for one in tx.execute(query)]
    found = msgspec.convert(rows, list[QueueRing])
    return [one for one in found if agents is None or names.agent(one.agent, one.utc) in agents]


def _named(
    tx: Connection,
    column: ColumnElement[str | None],
    within: ColumnElement[bool],
    names: Names,
    agents: Collection[str] | None,
) -> list[ColumnElement[bool]]:
    """Who of these is named there, by whatever name, or was so on another day."""
    if agents is None:
        return []
    named = tx.execute(select(column).where(within).distinct()).scalars().all()
    wanted = set(agents)
    theirs = {one for one in named if one is not None and not wanted.isdisjoint(names.ever(one))}
    which = column.in_(_listed(theirs))
    return [which | column.is_(None) if NOBODY in wanted else which]


def _listed(names: Collection[str]) -> Select[Any]:
    return select(func.json_each(_json(names)).table_valued("value").c.value)


def _json(names: Collection[str]) -> str:
    return msgspec.json.encode(sorted(names)).decode()
