"""Works the switch's events into its calls. An event that nothing led up to makes its call all the
same, marked as estimated; what a station says of a queue is kept and never worked in.

A call goes on in the switch's next log (they are rotated). Logs lose ends: whoever is open for a
day, or of too many the longest, is no longer waited for, and stays open in its row.
"""

from collections.abc import Callable, Mapping
from typing import Any

from msgspec import UnsetType
from msgspec.structs import astuple

from diadema.ingest.changes import Changes
from diadema.store import tables
from diadema.store.rows import SWITCH, QueueCall, QueueRing
from diadema.store.station_state import StationState
from diadema.wire import events as ev
from diadema.wire.events import Event, Maybe, QueueEvent

_DAY_MS = 86_400_000
_OPEN = 5_000  # calls of one switch


def project(changes: Changes, state: StationState, event: Any) -> None:
    if not event.s.startswith(SWITCH):
        return
    if event.e != state.e or len(state.calls) > _OPEN:
        state.e = event.e
        _forget(state, event.t - _DAY_MS)
    if isinstance(event, ev.QueueOffered):
        changes.keep(tables.queue_rings, astuple(_ring(event)))
        if _key(event) not in state.calls:  # it says nothing of how the caller fared
            return
    changes.queue_call(HANDLERS[type(event)](state, event))


def _ring(event: ev.QueueOffered) -> QueueRing:
    return QueueRing(
        s=event.s,
        e=event.e,
        n=event.n,
        pbx=event.pbx,
        queue=event.queue,
        agent=event.agent,
        utc=event.t,
        ring_ms=_given(event.ring_ms),
        withdrawn=event.cause == "withdrawn",
    )


def _forget(state: StationState, before: int) -> None:
    kept = [(key, call) for key, call in state.calls.items() if call.start_utc >= before]
    state.calls = dict(kept[-_OPEN // 2 :] if len(kept) > _OPEN else kept)


def _entered(state: StationState, event: ev.QueueEntered) -> QueueCall:
    call = _begin(state, event, event.t)
    call.reference = event.reference or None
    return call


def _offered(state: StationState, event: ev.QueueOffered) -> QueueCall:
    call = _find(state, event, event.t)
    call.offers += 1
    return call


def _connected(state: StationState, event: ev.QueueConnected) -> QueueCall:
    call = _find(state, event, event.t - event.wait_ms)
    if call.connected_utc is not None:
        call.estimated = True
        return call
    call.outcome, call.agent = "answered", event.agent
    call.connected_utc, call.wait_ms = event.t, event.wait_ms
    call.ring_ms = _given(event.ring_ms)
    call.estimated |= event.estimated
    return call


def _abandoned(state: StationState, event: ev.QueueAbandoned) -> QueueCall:
    call = _end(state, event, event.t - event.wait_ms)
    call.outcome, call.wait_ms = "abandoned", event.wait_ms
    return call


def _left(state: StationState, event: ev.QueueLeft) -> QueueCall:
    alone = _key(event) not in state.calls
    wait_ms, talk_ms = _given(event.wait_ms), _given(event.talk_ms)
    call = _end(state, event, event.t - (wait_ms or 0) - (talk_ms or 0))
    if alone and event.cause in ("before_queue", "phantom"):
        call.entered = call.estimated = False
    if call.outcome == "waiting":
        call.outcome, call.wait_ms = "left", wait_ms
        if talk_ms is not None:  # only its end says that it was answered
            call.outcome, call.agent = "answered", event.agent or None
            call.connected_utc, call.estimated = event.t - talk_ms, True
    call.cause, call.ended_by = event.cause, event.by or None
    call.talk_ms, call.transfer = talk_ms, event.transfer or None
    call.estimated |= event.estimated
    return call


HANDLERS: Mapping[type[Event], Callable[[StationState, Any], QueueCall]] = {
    ev.QueueEntered: _entered,
    ev.QueueOffered: _offered,
    ev.QueueConnected: _connected,
    ev.QueueAbandoned: _abandoned,
    ev.QueueLeft: _left,
}


def _given(value: Maybe[int]) -> int | None:
    return None if isinstance(value, UnsetType) else value


def _key(event: QueueEvent) -> str:
    return f"{event.queue} {event.pbx}"


def _begin(state: StationState, event: QueueEvent, start_utc: int) -> QueueCall:
    line = event.line if isinstance(event.line, int) else None
    call = QueueCall(
        s=event.s,
        e=event.e,
        n=event.n,
        pbx=event.pbx,
        queue=event.queue,
        start_utc=start_utc,
        line=line,
    )
    state.calls[_key(event)] = call
    return call


def _find(state: StationState, event: QueueEvent, start_utc: int) -> QueueCall:
    call = state.calls.get(_key(event))
    if call is None:
        call = _begin(state, event, start_utc)
        call.estimated = True
    return call


def _end(state: StationState, event: QueueEvent, start_utc: int) -> QueueCall:
    call = _find(state, event, start_utc)
    del state.calls[_key(event)]
    call.end_utc = event.t
    return call
