"""Works the switch's events into its calls. An event that nothing led up to makes its call all the
same, marked as estimated; what a station says of a queue is kept and never worked in.
"""

from collections.abc import Callable, Mapping
from typing import Any

from diadema import events as ev
from diadema.events import Event, QueueEvent
from diadema.ingest.changes import Changes
from diadema.ingest.state import StationState
from diadema.store.rows import SWITCH, QueueCall


def project(changes: Changes, state: StationState, event: Any) -> None:
    if not event.s.startswith(SWITCH):
        return
    if event.e != state.e:  # another log: what is open in the last one stays so
        state.calls.clear()
        state.e = event.e
    changes.queue_call(HANDLERS[type(event)](state, event))


def _entered(state: StationState, event: ev.QueueEntered) -> QueueCall:
    return _begin(state, event, event.t)


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
    call.estimated |= event.estimated
    return call


def _abandoned(state: StationState, event: ev.QueueAbandoned) -> QueueCall:
    call = _end(state, event, event.t - event.wait_ms)
    call.outcome, call.wait_ms = "abandoned", event.wait_ms
    return call


def _left(state: StationState, event: ev.QueueLeft) -> QueueCall:
    alone = _key(event) not in state.calls
    call = _end(state, event, event.t)
    if alone and event.cause in ("before_queue", "phantom"):
        call.entered = call.estimated = False
    if call.outcome == "waiting":
        call.outcome = "left"
    call.cause = event.cause
    return call


HANDLERS: Mapping[type[Event], Callable[[StationState, Any], QueueCall]] = {
    ev.QueueEntered: _entered,
    ev.QueueOffered: _offered,
    ev.QueueConnected: _connected,
    ev.QueueAbandoned: _abandoned,
    ev.QueueLeft: _left,
}


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
