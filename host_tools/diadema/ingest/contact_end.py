"""How contacts end, by their own events or because what they hang on is over."""

from diadema.ingest.messages import Changes
from diadema.ingest.presses import call_over
from diadema.store.rows import Contact
from diadema.store.station_state import StationState
from diadema.wire.agent_states import IN_CALL
from diadema.wire.events import Event

type Utc = int | None

_UNCODED = (None, "SIN_TIPIFICAR")
_RETAINED = 8


def close_contact(
    changes: Changes, state: StationState, contact: Contact, event: Event, utc: Utc
) -> None:
    contact.phase = "closed"
    contact.close_b, contact.close_u, contact.close_utc = event.boot, event.uptime_ms, utc
    stop_listening(contact, event.uptime_ms)
    if contact.end_u is None:
        contact.end_b, contact.end_u, contact.end_utc = event.boot, event.uptime_ms, utc
    if state.presses:
        call_over(changes, state, contact.contact, event, utc)
    if contact in state.open:
        state.open.remove(contact)
    last = state.last
    if last is not None and last.outcome == "answered" and last.code in _UNCODED:
        _keep(state.coded_late, last, contact)
    state.last = contact
    changes.contact(contact)


def _keep(contacts: list[Contact], contact: Contact, instead: Contact) -> None:
    """A code may still come for it; `instead` is the last one now."""
    if contact.contact == instead.contact:
        return
    contacts.append(contact)
    if len(contacts) > _RETAINED:
        coded = [one for one in contacts if one.code not in _UNCODED]
        contacts.remove((coded or contacts)[0])


def close_all(changes: Changes, state: StationState, event: Event, utc: Utc) -> None:
    """The session is over, so these are too, though nobody said so."""
    for contact in list(state.open):
        contact.estimated = True
        close_contact(changes, state, contact, event, utc)


def stop_clocks(contact: Contact, u: int) -> None:
    """Book the running part up to `u` of the boot in which it began."""
    if contact.held_u is not None:
        stop_hold(contact, u)
    if contact.phase in IN_CALL and contact.answered_u is not None:
        contact.talk_ms = u - contact.answered_u - contact.hold_ms
    elif contact.phase == "wrapup" and contact.end_u is not None:
        contact.wrap_ms = u - wrapup_u(contact, contact.end_u)
    if (more := contact.more) is not None and more.paused_u is not None:
        more.paused_ms += u - more.paused_u
        more.paused_u = None
    stop_listening(contact, u)


def stop_listening(contact: Contact, u: int) -> None:
    """Nobody hears a call that is over."""
    for one in contact.more.listened if contact.more is not None else ():
        if one.end_u is None:
            one.end_u = max(u, one.start_u)


def stop_hold(contact: Contact, u: int) -> None:
    """The caller is heard again, or gone. A consult meanwhile is a part of the hold."""
    if contact.held_u is not None:
        contact.hold_ms += max(u - contact.held_u, 0)
        contact.held_u = None
    more = contact.more
    if more is not None and more.consult_u is not None:
        more.consult_ms += max(u - more.consult_u, 0)
        more.consult_u = None


def wrapup_u(contact: Contact, end_u: int) -> int:
    """When its wrap-up began: with the call's end, or when the silence after it was noticed."""
    return end_u if contact.more is None else end_u + contact.more.silent_ms
