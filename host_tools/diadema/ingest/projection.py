"""Works events into rows, in the order of each journal. It refuses nothing: what does not fit (an
answer to a call that nobody offered) is stored and marked as estimated.
"""

from collections.abc import Callable, Mapping
from typing import Any

from msgspec import UNSET, structs

from diadema.ingest import (
    call_handling,
    contacts,
    presses,
    queues,
    sessions,
    state_intervals,
    supervision,
)
from diadema.ingest.clock_sync import end_boot, utc_before_anchor
from diadema.ingest.contact_end import stop_clocks
from diadema.ingest.messages import Changes
from diadema.store import tables
from diadema.store.host_rows import Step
from diadema.store.station_state import StationState
from diadema.wire import events as ev
from diadema.wire.events import Event

type Utc = int | None


def _updated(changes: Changes, state: StationState, event: ev.StationUpdate, utc: Utc) -> None:
    _add_step(changes, event, event.phase, utc)


def _update_refused(
    changes: Changes, state: StationState, event: ev.CommandRefused, utc: Utc
) -> None:
    """By a program that knows no updates."""
    if event.command == "update":
        _add_step(changes, event, "refused", utc)


def _add_step(changes: Changes, event: Any, phase: str, utc: Utc) -> None:
    step = Step(
        station=event.station,
        epoch=event.epoch,
        sequence=event.sequence,
        phase=phase,
        version=getattr(event, "version", None) or None,
        next=getattr(event, "next", None) or None,
        reason=event.reason or None,
        detail=event.detail or None,
        i=None if event.i is UNSET else event.i,
        boot=event.boot,
        uptime_ms=event.uptime_ms,
        utc=utc,
    )
    changes.keep(tables.updates, structs.astuple(step))
    changes.updates.append(step)


type Handler = Callable[[Changes, StationState, Any, int | None], None]

_HANDLERS: Mapping[type[Event], Handler] = {
    **sessions.HANDLERS,
    **contacts.HANDLERS,
    **call_handling.HANDLERS,
    **presses.HANDLERS,
    **supervision.OF_STATIONS,
    ev.StationUpdate: _updated,
    ev.CommandRefused: _update_refused,
}
_HOURED: Mapping[type[Event], Callable[[Changes, StationState, Any], None]] = {
    **dict.fromkeys((*queues.HANDLERS, *queues.RECORDINGS), queues.project),
    **dict.fromkeys(supervision.HANDLERS, supervision.project),
}  # they come with their time, and of no boot


def project(changes: Changes, state: StationState, event: Event) -> None:
    """Take the next event of a station's journal into its state; note what rows it changes."""
    kind = type(event)
    handler = _HANDLERS.get(kind)
    if handler is None and kind in _HOURED:
        _HOURED[kind](changes, state, event)
        return
    if event.boot != state.boot or event.epoch != state.epoch:
        _next_boot(changes, state, event)
    if not changes.window.holds(state, event):
        event = changes.window.without_utc(state, event)
        if kind is ev.StationClock:
            state.uptime_ms = event.uptime_ms
            return
    utc: int | None
    u, offset = event.uptime_ms, state.offset
    if offset is not None:
        state.newest_utc = utc = state.clock.utc_at(u) if state.clock.drift_ppb else offset + u
    elif (utc := utc_before_anchor(changes, state, event)) is not None:
        state.newest_utc = utc
    if handler is not None:
        handler(changes, state, event, utc)
        state_intervals.follow(changes, state, event, utc)
    state.uptime_ms = u


def project_beside(
    changes: Changes, live: StationState, state: StationState, event: Event
) -> None:
    """The same for a journal that another one took over from. Presses that were open then stay
    with what is live, where they are waited for.
    """
    own = state.presses
    waiting = [one for one in live.presses if one.epoch == event.epoch]
    state.presses = [*waiting, *own]
    try:
        project(changes, state, event)
    finally:
        state.presses = [one for one in state.presses if all(one is not its for its in waiting)]


def close_beside(changes: Changes, live: StationState, state: StationState, event: Event) -> None:
    """Whoever is logged in there is not any more: `live` knows of no session of that journal.
    What still comes of it goes on with the session as it was.
    """
    if state.session is not None:
        heard = structs.replace(event, epoch=live.epoch)
        sessions.close_unheard(changes, state.copy(), heard, None)


def skip(state: StationState) -> None:
    """Events are lost here: what is running now may have ended among them."""
    for contact in state.open:
        contact.estimated = True


def _next_boot(changes: Changes, state: StationState, event: Event) -> None:
    if event.epoch != state.epoch:  # a new journal knows of no session
        state.leave(event.epoch)
        sessions.close_unheard(changes, state, event, None)
    state_intervals.break_off(changes, state, state.uptime_ms)
    for contact in state.open:  # what is known of its parts was measured in the old boot
        stop_clocks(contact, state.uptime_ms)
        contact.estimated |= contact.phase == "wrapup"
    if (event.boot > state.boot and event.epoch == state.epoch) or state.is_new:
        changes.fresh[event.station] = (event.epoch, event.boot)
    end_boot(state)
    state.epoch, state.boot, state.uptime_ms = event.epoch, event.boot, 0
