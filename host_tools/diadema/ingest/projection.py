"""Works events into contacts and sessions, in the order of each journal. It refuses nothing: what
does not fit (an answer to a call that nobody offered) is kept and marked as estimated.

What the agent declares of a call: the steps of its protocol, its motive, its code. A code may
come long after the call, and another one in its place.
"""

from collections.abc import Callable, Mapping
from typing import Any

from diadema.ingest import (
    contacts,
    queues,
    sessions,
    supervision,
    tickets,
    trails,
    transfers,
    update_steps,
)
from diadema.ingest.clock_sync import end_boot, hour_before_anchor
from diadema.ingest.closing import stop_clocks
from diadema.ingest.contacts import find, known_closed
from diadema.ingest.messages import Changes
from diadema.store.rows import Contact, Step
from diadema.store.station_state import StationState
from diadema.wire import events as ev
from diadema.wire.events import Event

type Utc = int | None

BLOCK_MS = 2_000  # ticks closer than this were made «en bloque»


def _step(changes: Changes, state: StationState, event: ev.ContactStep, utc: Utc) -> None:
    contact = find(changes, state, event, utc)
    steps = contact.details().steps
    method = event.method or None
    known = next((one for one in steps if one.step == event.step), None)
    if known is not None:  # how the identity was verified is asked after its tick
        known.method = method or known.method
        return
    new = Step(
        step=event.step,
        result=event.result,
        how=event.how,
        boot=event.boot,
        uptime_ms=event.uptime_ms,
        method=method,
    )
    if _ticked(new):
        before = next((one for one in reversed(steps) if _ticked(one)), None)
        if (
            before is not None
            and before.boot == new.boot
            and new.uptime_ms - before.uptime_ms < BLOCK_MS
        ):
            before.block = new.block = True
        new.block |= contact.phase in ("wrapup", "closed")
    steps.append(new)


def _ticked(step: Step) -> bool:
    """By her own key; what is left out or comes by itself is no tick."""
    return step.how == "key" and step.result == "done"


def _motive(changes: Changes, state: StationState, event: ev.ContactMotive, utc: Utc) -> None:
    more = find(changes, state, event, utc).details()
    more.motive, more.motive_version = event.motive, str(event.version)


def _playbook(changes: Changes, state: StationState, event: ev.ContactPlaybook, utc: Utc) -> None:
    more = find(changes, state, event, utc).details()
    more.playbook, more.playbook_version = event.playbook, str(event.version)


def _typified(changes: Changes, state: StationState, event: ev.ContactTypified, utc: Utc) -> None:
    running = state.open
    contact = (
        running[0]
        if running and running[0].contact == event.contact
        else _coded(changes, state, event)
    )
    if contact is None:
        if running:  # it is of another call, whose events are lost
            return
        contact = find(changes, state, event, utc)
    contact.code, contact.version, contact.how = event.code, str(event.version), event.how


def _retypified(
    changes: Changes, state: StationState, event: ev.ContactRetypified, utc: Utc
) -> None:
    contact = _coded(changes, state, event)
    if contact is not None:
        if contact.code != event.code:
            contact.details().author = event.author
        contact.code, contact.version, contact.how = event.code, str(event.version), "agent"


def _coded(changes: Changes, state: StationState, event: Any) -> Contact | None:
    for contact in state.open:
        if contact.contact == event.contact:
            return contact
    over = known_closed(changes, state, event.contact)
    if over is None:
        over = changes.older_contact(event.station, event.epoch, event.sequence, event.contact)
        if over is not None:
            changes.contact(over)
    return over


HANDLERS: Mapping[type[Event], Callable[[Changes, StationState, Any, Utc], None]] = {
    ev.ContactStep: _step,
    ev.ContactMotive: _motive,
    ev.ContactPlaybook: _playbook,
    ev.ContactTypified: _typified,
    ev.ContactRetypified: _retypified,
}


type Handler = Callable[[Changes, StationState, Any, int | None], None]

_HANDLERS: Mapping[type[Event], Handler] = {
    **sessions.HANDLERS,
    **contacts.HANDLERS,
    **transfers.HANDLERS,
    **HANDLERS,
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
    if event.boot != state.boot or event.epoch != state.epoch:
        _next_boot(changes, state, event)
    if not changes.window.holds(state, event):
        event = changes.window.without_hour(state, event)
        if kind is ev.StationClock:
            state.uptime_ms = event.uptime_ms
            return
    utc: int | None
    u, offset = event.uptime_ms, state.offset
    if offset is not None:
        state.newest_utc = utc = state.clock.utc_at(u) if state.clock.drift_ppb else offset + u
    elif (utc := hour_before_anchor(changes, state, event)) is not None:
        state.newest_utc = utc
    if handler is not None:
        handler(changes, state, event, utc)
        trails.follow(changes, state, event, utc)
    state.uptime_ms = u


def skip(state: StationState) -> None:
    """Events are lost here: what is running now may have ended among them."""
    for contact in state.open:
        contact.estimated = True


def _next_boot(changes: Changes, state: StationState, event: Event) -> None:
    if event.epoch != state.epoch:  # a new journal knows of no session
        sessions.close_unheard(changes, state, event, None)
    trails.break_off(changes, state, state.uptime_ms)
    for contact in state.open:  # what is known of its parts was measured in the old boot
        stop_clocks(contact, state.uptime_ms)
        contact.estimated |= contact.phase == "wrapup"
    if (event.boot > state.boot and event.epoch == state.epoch) or state.is_new:
        changes.fresh[event.station] = (event.epoch, event.boot)
    end_boot(state)
    state.epoch, state.boot, state.uptime_ms = event.epoch, event.boot, 0
