"""Which calls of a queue_log the switch's bridge told live, to the millisecond and under another
epoch. They are in the store: the log adds nothing to them, and where it says otherwise, that is
told. A call is the same by the switch's id and the queue, and by when it came.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import msgspec
from msgspec.structs import replace
from sqlalchemy import exists, select

from diadema.base.paths import DataDir
from diadema.ingest.decode import decode_known
from diadema.ingest.queues import HANDLERS
from diadema.store import Reader, open_reader, tables
from diadema.store.rows import QueueCall
from diadema.store.station_state import StationState
from diadema.wire.events import QueueEvent, QueueOffered
from diadema.words import Sentence

_APART_MS = 900_000  # two clocks; a caller who comes again comes later than that, or is another
_OFF_MS = 2_000  # a log has whole seconds, and the switch writes it when it gets to it
_encode = msgspec.json.Encoder().encode

type Log = tuple[int, Sequence[bytes]]  # epoch, and its events in their order
type _Place = tuple[str, str]  # queue, pbx
type _Key = tuple[str, str, int]  # and when it came
type _Events = list[tuple[QueueEvent, QueueCall | None]]  # each, and the call that it is of


class Live(NamedTuple):
    """`bodies`: what of each log is left to be imported. Of all their calls, how many were told
    live (`calls`), how many are in the store in no way, None where nothing was told live; and of
    the former those of which the log says otherwise: which log, its line, and what.
    """

    bodies: Sequence[Sequence[bytes]]
    calls: int = 0
    fresh: int | None = None
    different: Sequence[tuple[int, int, Sentence]] = ()


class _Call(NamedTuple):
    log: int
    line: int
    call: QueueCall


def look(data: DataDir, s: str, logs: Sequence[Log]) -> Live:
    """Of the switch `s`; the oldest log first."""
    nothing = Live([bodies for _, bodies in logs])
    if not data.store.exists():
        return nothing
    with open_reader(data.store) as reader:
        if not _tells_live(reader, s):
            return nothing
        calls, events = _worked_out(logs)
        live, own = _stored(reader, s, {e for e, _ in logs}, [one.call for one in calls])
    pairs = _pairs([one.call for one in calls if _key(one.call) not in own], live)
    bodies = [
        _left(of_log, given, pairs, live) for of_log, (_, given) in zip(events, logs, strict=True)
    ]
    fresh = sum(id(one.call) not in pairs and _key(one.call) not in own for one in calls)
    different = [
        (one.log, one.line, why)
        for one in calls
        if id(one.call) in pairs and (why := _other(pairs[id(one.call)], one.call))
    ]
    return Live(bodies, len(pairs), fresh, different)


def _tells_live(reader: Reader, s: str) -> bool:
    """Whether the switch has calls in which no file's line stands."""
    row = tables.queue_calls.c
    with reader.engine.connect() as connection:
        live = select(exists().where((row.s == s) & row.line.is_(None)))
        return bool(connection.execute(live).scalar_one())


def _worked_out(logs: Sequence[Log]) -> tuple[list[_Call], list[_Events]]:
    """As the ingest would."""
    state, calls, events = StationState(), dict[int, _Call](), list[_Events]()
    for at, (_, bodies) in enumerate(logs):
        events.append([])
        for event in map(decode_known, bodies):
            assert isinstance(event, QueueEvent)
            call = None
            if not isinstance(event, QueueOffered) or f"{event.queue} {event.pbx}" in state.calls:
                call = HANDLERS[type(event)](state, event)
                line = event.line if isinstance(event.line, int) else 0
                calls.setdefault(id(call), _Call(at, line, call))
            events[-1].append((event, call))
    return [*calls.values()], events


def _key(call: QueueCall) -> _Key:
    return call.queue, call.pbx, call.start_utc


def _came(call: QueueCall) -> tuple[int, int]:
    return call.start_utc, call.sequence


def _stored(
    reader: Reader, s: str, epochs: set[int], calls: Sequence[QueueCall]
) -> tuple[dict[_Place, list[QueueCall]], set[_Key]]:
    """Of their time: what was told live, and what these logs brought before."""
    live, own = defaultdict[_Place, list[QueueCall]](list), set[_Key]()
    starts = [call.start_utc for call in calls] or [0]
    span = {"start_utc": min(starts) - _APART_MS, "end_utc": max(starts) + _APART_MS}
    for call in reader.queue_calls(**span):
        if call.station == s and call.epoch in epochs:
            own.add(_key(call))
        elif call.station == s and call.line is None:
            live[call.queue, call.pbx].append(call)
    for its in live.values():
        its.sort(key=_came)
    return live, own


def _pairs(
    calls: Sequence[QueueCall], live: dict[_Place, list[QueueCall]]
) -> dict[int, QueueCall]:
    """By `id` of a log's call, what was told live of it."""
    places = defaultdict[_Place, list[QueueCall]](list)
    for call in calls:
        if (call.queue, call.pbx) in live:
            places[call.queue, call.pbx].append(call)
    return {
        id(call): other
        for place, its in places.items()
        for call, other in _in_order(its, live[place])
    }


def _in_order(
    calls: Sequence[QueueCall], others: Sequence[QueueCall]
) -> Iterator[tuple[QueueCall, QueueCall]]:
    """As many as may be the same, in the order of both, and of these ways the nearest: who comes
    back within the second is not to be taken for who came before.
    """
    best = [[(0, 0)] * (len(others) + 1) for _ in range(len(calls) + 1)]
    for at in reversed(range(len(calls))):
        for number in reversed(range(len(others))):
            ways = [best[at + 1][number], best[at][number + 1]]
            off = _off(others[number], calls[at])
            if off <= _APART_MS:
                pairs, near = best[at + 1][number + 1]
                ways.append((pairs + 1, near - off))
            best[at][number] = max(ways)
    at = number = 0
    while at < len(calls) and number < len(others):
        if best[at][number] == best[at + 1][number]:
            at += 1
        elif best[at][number] == best[at][number + 1]:
            number += 1
        else:
            yield calls[at], others[number]
            at, number = at + 1, number + 1


def _off(live: QueueCall, log: QueueCall) -> int:
    """By their ends, where one of them has no beginning that is known."""
    if (live.estimated or log.estimated) and live.end_utc is not None and log.end_utc is not None:
        return abs(live.end_utc - log.end_utc)
    return abs(live.start_utc - log.start_utc)


def _left(
    events: _Events,
    bodies: Sequence[bytes],
    pairs: dict[int, QueueCall],
    live: dict[_Place, list[QueueCall]],
) -> list[bytes]:
    """What of them is of other calls, numbered without a gap."""
    left: list[bytes] = []
    for (event, call), body in zip(events, bodies, strict=True):
        known = (event.queue, event.pbx) in live if call is None else id(call) in pairs
        if not known:
            n = len(left) + 1
            left.append(body if event.sequence == n else _encode(replace(event, sequence=n)))
    return left


def _other(live: QueueCall, log: QueueCall) -> Sentence | None:
    """What the log says otherwise, the weightiest. Live, the switch may not have said why a caller
    left or who hung up; the log may end in the call, or begin in it.
    """
    over, known = log.end_utc is not None, not (live.estimated or log.estimated)
    outcome: list[tuple[object, object]] = []
    if log.outcome != "waiting":
        outcome.append((live.outcome, log.outcome))
    if over and live.cause != "unknown":
        outcome.append((live.cause, log.cause))
    if live.ended_by and log.ended_by:
        outcome.append((live.ended_by, log.ended_by))
    if any(one != other for one, other in outcome):
        return _said("outcome", outcome)
    if log.connected_utc is not None and live.agent != log.agent:
        return _said("agent", [(live.agent, log.agent)])
    hours = [(live.end_utc, log.end_utc)]
    if known:
        hours += [(live.start_utc, log.start_utc), (live.connected_utc, log.connected_utc)]
    lengths = [(live.wait_ms, log.wait_ms), (live.talk_ms, log.talk_ms)]
    for word, its in (("hours", hours), ("lengths", lengths)):
        far = [(one, other) for one, other in its if one is not None and other is not None
               and abs(one - other) > _OFF_MS]  # fmt: skip
        if far:
            return _said(word, far)
    return None


def _said(word: str, pairs: Iterable[tuple[object, object]]) -> Sentence:
    live, log = (
        " ".join("—" if one is None else str(one) for one in side)
        for side in zip(*pairs, strict=True)
    )
    return Sentence(f"errors.row.live_{word}", live=live, log=log)
