"""How contacts end, by their own events or because what they hang on is over."""

from diadema.events import Event
from diadema.ingest.changes import Changes
from diadema.ingest.state import StationState
from diadema.ingest.tickets import call_over
from diadema.store.rows import Contact

type Utc = int | None


def close_contact(
    changes: Changes, state: StationState, contact: Contact, event: Event, utc: Utc
) -> None:
    contact.phase = "closed"
    contact.close_b, contact.close_u, contact.close_utc = event.b, event.u, utc
    if contact.end_u is None:
        contact.end_b, contact.end_u, contact.end_utc = event.b, event.u, utc
    if state.tickets:
        call_over(changes, state, contact.c, event, utc)
    if contact in state.open:
        state.open.remove(contact)
    state.last = contact
    changes.contact(contact)
    changes.closed.append(contact)


def close_all(changes: Changes, state: StationState, event: Event, utc: Utc) -> None:
    """The session is over, so these are too, though nobody said so."""
    for contact in list(state.open):
        contact.estimated = True
        close_contact(changes, state, contact, event, utc)


def stop_clocks(contact: Contact, u: int) -> None:
    """Book the running part up to `u` of the boot in which it began."""
    if contact.phase == "held" and contact.held_u is not None:
        contact.hold_ms += u - contact.held_u
        contact.held_u = None
    if contact.phase in ("talking", "held") and contact.answered_u is not None:
        contact.talk_ms = u - contact.answered_u - contact.hold_ms
    elif contact.phase == "wrapup" and contact.end_u is not None:
        contact.wrap_ms = u - contact.end_u
