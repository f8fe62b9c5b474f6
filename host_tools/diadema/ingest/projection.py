"""Works events into contacts and sessions, in the order of each journal. It refuses nothing: what
does not fit (an answer to a call that nobody offered) is kept and marked as estimated.
"""

from collections.abc import Callable, Mapping
from typing import Any

from diadema.ingest import (
    conduct,
    contacts,
    queues,
    sessions,
    supervision,
    tickets,
    trails,
    transfers,
    update_steps,
)
from diadema.ingest.changes import Changes
from diadema.ingest.clock_sync import end_boot, hour_before_anchor
from diadema.ingest.closing import stop_clocks
from diadema.store.station_state import StationState
from diadema.wire import events as ev
from diadema.wire.events import Event

type Handler = Callable[[Changes, StationState, Any, int | None], None]

_HANDLERS: Mapping[type[Event], Handler] = {
    **sessions.HANDLERS,
    **contacts.HANDLERS,
    **transfers.HANDLERS,
    **conduct.HANDLERS,
    **tickets.HANDLERS,
    **supervision.OF_STATIONS,
    **update_steps.HANDLERS,
}
_HOURED: Mapping[type[Event], Callable[[Changes, StationState, Any], None]] = {
    **dict.fromkeys(queues.HANDLERS, queues.project),
    **dict.fromkeys(supervision.HANDLERS, supervision.project),
}  # they come with their hour, and of no boot


def project(changes: Changes, state: StationState, event: Event) -> None:
    """Take the next event of a station's journal into its state; note what rows it changes."""
    kind = type(event)
    handler = _HANDLERS.get(kind)
    if handler is None and kind in _HOURED:
        _HOURED[kind](changes, state, event)
        return
    if event.b != state.b or event.e != state.e:
        _next_boot(changes, state, event)
    if not changes.window.holds(state, event):
        event = changes.window.without_hour(state, event)
        if kind is ev.StationClock:
            state.u = event.u
            return
    utc: int | None
    u, offset = event.u, state.offset
    if offset is not None:
        state.newest_utc = utc = state.clock.utc_at(u) if state.clock.drift_ppb else offset + u
    elif (utc := hour_before_anchor(changes, state, event)) is not None:
        state.newest_utc = utc
    if handler is not None:
        handler(changes, state, event, utc)
        trails.follow(changes, state, event, utc)
    state.u = u


def skip(state: StationState) -> None:
    """Events are lost here: what is running now may have ended among them."""
    for contact in state.open:
        contact.estimated = True


def _next_boot(changes: Changes, state: StationState, event: Event) -> None:
    if event.e != state.e:  # a new journal knows of no session
        sessions.close_unheard(changes, state, event, None)
    trails.break_off(changes, state, state.u)
    for contact in state.open:  # what is known of its parts was measured in the old boot
        stop_clocks(contact, state.u)
        contact.estimated |= contact.phase == "wrapup"
    if (event.b > state.b and event.e == state.e) or state.is_new:
        changes.fresh[event.s] = (event.e, event.b)
    end_boot(state)
    state.e, state.b, state.u = event.e, event.b, 0
