"""What becomes of a call beside talk and hold: consults, transfers, a paused recording, and a
switch that says otherwise. Consult time is hold time, and is kept apart too.
"""

from collections.abc import Callable, Mapping
from typing import Any

from diadema.ingest.closing import stop_hold
from diadema.ingest.contacts import find, go_on
from diadema.ingest.messages import Changes
from diadema.store.rows import Contact
from diadema.store.station_state import StationState
from diadema.wire import events as ev
from diadema.wire.events import Event

type Utc = int | None


def _consulted(
    changes: Changes, state: StationState, event: ev.ContactConsulted, utc: Utc
) -> None:
    contact = find(changes, state, event, utc)
    more = contact.details()
    if contact.phase != "consulting":
        more.consults += 1
    go_on(state, contact, "consulting")
    more.heard = event.heard or "area"
    if more.heard == "area":
        _wait(contact, event.uptime_ms)
        if more.consult_u is None:
            more.consult_u = event.uptime_ms
    else:
        stop_hold(contact, event.uptime_ms)


def _wait(contact: Contact, u: int) -> None:
    if contact.held_u is None:
        contact.held_u = u


def _consult_ended(
    changes: Changes, state: StationState, event: ev.ContactConsultEnded, utc: Utc
) -> None:
    """She is back with the caller, who waits on unless she went back or heard him already."""
    contact = find(changes, state, event, utc)
    more = contact.details()
    back = event.result == "back" or more.heard == "caller"
    more.heard = None
    if more.consult_u is not None:
        more.consult_ms += event.uptime_ms - more.consult_u
        more.consult_u = None
    if back:
        stop_hold(contact, event.uptime_ms)
        go_on(state, contact, "talking")
    else:
        _wait(contact, event.uptime_ms)
        go_on(state, contact, "held")


def _transferred(
    changes: Changes, state: StationState, event: ev.ContactTransferred, utc: Utc
) -> None:
    """The end of the call is its own event; a conference goes on, and all hear each other."""
    contact = find(changes, state, event, utc)
    more = contact.details()
    more.transfer, more.target, more.completed = event.kind, event.target, event.completed
    if event.kind == "conference" and event.completed:
        stop_hold(contact, event.uptime_ms)
        more.heard = "both"


def _paused(
    changes: Changes, state: StationState, event: ev.ContactRecordingPaused, utc: Utc
) -> None:
    more = find(changes, state, event, utc).details()
    if more.paused_u is None:
        more.pauses += 1
        more.paused_u = event.uptime_ms


def _recorded(
    changes: Changes, state: StationState, event: ev.ContactRecordingResumed, utc: Utc
) -> None:
    more = find(changes, state, event, utc).details()
    if more.paused_u is not None:
        more.paused_ms += event.uptime_ms - more.paused_u
        more.paused_u = None


def _disagreed(
    changes: Changes, state: StationState, event: ev.ContactDisagreed, utc: Utc
) -> None:
    for contact in state.open:
        if contact.contact == event.contact:
            contact.details().disagreements += 1


HANDLERS: Mapping[type[Event], Callable[[Changes, StationState, Any, Utc], None]] = {
    ev.ContactConsulted: _consulted,
    ev.ContactConsultEnded: _consult_ended,
    ev.ContactTransferred: _transferred,
    ev.ContactRecordingPaused: _paused,
    ev.ContactRecordingResumed: _recorded,
    ev.ContactDisagreed: _disagreed,
}
