"""Contact and wrap-up events, worked into contact rows. Measured by (b, u) within one boot;
what a boot's end cut off is booked up to the last that was heard of it, and marked.
"""

from collections.abc import Callable, Mapping
from typing import Any

from msgspec import UNSET

from diadema.ingest import sessions, state_intervals
from diadema.ingest.contact_end import (
    close_contact,
    stop_clocks,
    stop_hold,
    wrapup_u,
)
from diadema.ingest.messages import Changes
from diadema.ingest.presses import call_over
from diadema.store.rows import Contact
from diadema.store.station_state import StationState
from diadema.wire import events as ev
from diadema.wire.events import Event

type Utc = int | None


def _begin(changes: Changes, state: StationState, event: Any, utc: Utc, phase: str) -> Contact:
    session = state.session
    if session is None or session.agent != event.agent:
        sessions.require(changes, state, event, utc)
    if state.open:
        _cut_short(changes, state, event, utc)
    contact = Contact(
        station=event.station,
        epoch=event.epoch,
        sequence=event.sequence,
        contact=event.contact,
        agent=event.agent,
        phase=phase,
        start_b=event.boot,
        start_u=event.uptime_ms,
        start_utc=utc,
    )
    state.open.append(contact)
    return contact


def _cut_short(changes: Changes, state: StationState, event: Event, utc: Utc) -> None:
    """A contact begins: what else is running has ended unheard, but for one in wrap-up."""
    wrapping = [contact for contact in state.open if contact.phase == "wrapup"][-1:]
    for other in list(state.open):
        if other not in wrapping:  # its end never came
            other.estimated = True
            stop_clocks(other, state.uptime_ms)
            close_contact(changes, state, other, event, utc)


def find(changes: Changes, state: StationState, event: Any, utc: Utc) -> Contact:
    """The contact that the event is about; one that nobody began is begun here, as estimated."""
    c = event.contact
    for contact in state.open:
        if contact.contact == c:
            return contact
    over = known_closed(changes, state, c)
    if over is not None:
        return over
    contact = _begin(changes, state, event, utc, "offered")
    contact.estimated = True
    return contact


def known_closed(changes: Changes, state: StationState, c: str) -> Contact | None:
    """One that is over and of which something is heard again."""
    closed = [state.last, *state.coded_late] if state.last is not None else state.coded_late
    for contact in closed:
        if contact.contact == c:
            changes.contact(contact)
            return contact
    return None


def go_on(state: StationState, contact: Contact, phase: str) -> None:
    """It is in that phase; one that was over runs again."""
    if contact.phase == "closed":
        state.open.append(contact)
        if contact is state.last:
            state.last = None
        if contact in state.coded_late:
            state.coded_late.remove(contact)
    contact.phase = phase


def _answered(changes: Changes, contact: Contact) -> None:
    if contact.outcome != "answered":
        contact.outcome = "answered"
        changes.answered.append(contact)


def _offered(changes: Changes, state: StationState, event: ev.ContactOffered, utc: Utc) -> None:
    contact = _begin(changes, state, event, utc, "offered")
    contact.via, contact.direction = event.via, event.direction
    contact.queue, contact.pbx = event.queue or None, event.pbx or None
    if event.campaign or event.parent or event.reference:
        more = contact.details()
        more.campaign, more.parent = event.campaign or None, event.parent or None
        more.reference = event.reference or None


def _dialed(changes: Changes, state: StationState, event: ev.ContactDialed, utc: Utc) -> None:
    contact = _begin(changes, state, event, utc, "dialing")
    contact.via, contact.direction = event.via, event.direction
    contact.pbx = event.pbx or None
    if event.campaign or isinstance(event.consent, bool):
        more = contact.details()
        more.campaign = event.campaign or None
        more.consent = event.consent if isinstance(event.consent, bool) else None


def _answer(changes: Changes, state: StationState, event: ev.ContactAnswered, utc: Utc) -> None:
    contact = find(changes, state, event, utc)
    if contact.phase == "dialing" and contact.start_b == event.boot:
        contact.dial_ms = event.uptime_ms - contact.start_u
    elif event.ring_ms is not UNSET:
        contact.ring_ms = event.ring_ms
    go_on(state, contact, "talking")
    contact.answered_u, contact.answered_utc = event.uptime_ms, utc
    _answered(changes, contact)


def _missed(changes: Changes, state: StationState, event: ev.ContactMissed, utc: Utc) -> None:
    contact = find(changes, state, event, utc)
    contact.outcome, contact.cause = "missed", event.cause
    changes.missed.append(contact)
    if event.ring_ms is not UNSET:
        contact.ring_ms = event.ring_ms
    close_contact(changes, state, contact, event, utc)


def _held(changes: Changes, state: StationState, event: ev.ContactHeld, utc: Utc) -> None:
    contact = find(changes, state, event, utc)
    _answered(changes, contact)
    go_on(state, contact, "held")
    if contact.held_u is None:  # a hold within a hold is one hold
        contact.held_u = event.uptime_ms


def _resumed(changes: Changes, state: StationState, event: ev.ContactResumed, utc: Utc) -> None:
    contact = find(changes, state, event, utc)
    _answered(changes, contact)
    stop_hold(contact, event.uptime_ms)
    go_on(state, contact, "talking")


def _ended(changes: Changes, state: StationState, event: ev.ContactEnded, utc: Utc) -> None:
    contact = find(changes, state, event, utc)
    contact.ended_by, contact.on_hold = event.by, event.on_hold
    contact.end_b, contact.end_u, contact.end_utc = event.boot, event.uptime_ms, utc
    if event.by == "technical" and contact.phase != "dialing":
        _failed(changes, state, contact, event, utc)
        return
    if event.estimated:
        _end_before(contact, event)
    if state.presses:
        call_over(changes, state, contact.contact, event, utc)
    if event.by == "interrupted" or contact.start_b != event.boot:
        contact.interrupted = True  # talk and hold were booked when the boot changed
    elif contact.phase != "wrapup":
        stop_clocks(contact, contact.end_u)
    if contact.phase == "dialing":
        contact.outcome, contact.cause = "not_answered", event.dial_result or event.by
        close_contact(changes, state, contact, event, utc)
        return
    _answered(changes, contact)  # a call that only rang is missed, not ended
    go_on(state, contact, "wrapup")  # its own event follows at once


def _failed(
    changes: Changes, state: StationState, contact: Contact, event: ev.ContactEnded, utc: Utc
) -> None:
    """Taken, and the agent's telephone was not there: a call that nobody could answer."""
    contact.outcome = "missed" if contact.direction == "in" else "not_answered"
    contact.cause = "technical"
    contact.answered_u = contact.answered_utc = contact.held_u = None
    contact.talk_ms = contact.hold_ms = 0
    if contact.more is not None:
        more = contact.more
        more.steps, more.heard, more.consult_u, more.paused_u = [], None, None, None
        more.consults = more.consult_ms = 0
    state_intervals.never_talked(state, contact)
    changes.missed.append(contact)
    close_contact(changes, state, contact, event, utc)


def _end_before(contact: Contact, event: ev.ContactEnded) -> None:
    """At the last voice, but not before the agent took the call in this boot."""
    contact.estimated = True
    began = contact.answered_u if contact.answered_u is not None else contact.start_u
    earliest = min(began, event.uptime_ms) if contact.start_b == event.boot else 0
    silent = min(event.silent_ms or 0, event.uptime_ms - earliest)
    contact.details().silent_ms = silent
    contact.end_u = event.uptime_ms - silent
    if contact.end_utc is not None:
        contact.end_utc -= silent


def _wrapup_started(
    changes: Changes, state: StationState, event: ev.WrapupStarted, utc: Utc
) -> None:
    contact = find(changes, state, event, utc)
    go_on(state, contact, "wrapup")
    if contact.more is None or not contact.more.silent_ms or contact.end_b != event.boot:
        contact.end_b, contact.end_u, contact.end_utc = event.boot, event.uptime_ms, utc


def _wrapup_ended(changes: Changes, state: StationState, event: ev.WrapupEnded, utc: Utc) -> None:
    contact = find(changes, state, event, utc)
    if contact.end_u is not None and contact.end_b == event.boot:
        contact.wrap_ms = event.uptime_ms - wrapup_u(contact, contact.end_u)
    else:
        contact.estimated = True
    close_contact(changes, state, contact, event, utc)


HANDLERS: Mapping[type[Event], Callable[[Changes, StationState, Any, Utc], None]] = {
    ev.ContactOffered: _offered,
    ev.ContactDialed: _dialed,
    ev.ContactAnswered: _answer,
    ev.ContactMissed: _missed,
    ev.ContactHeld: _held,
    ev.ContactResumed: _resumed,
    ev.ContactEnded: _ended,
    ev.WrapupStarted: _wrapup_started,
    ev.WrapupEnded: _wrapup_ended,
}
