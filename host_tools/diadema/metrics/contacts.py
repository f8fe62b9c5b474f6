"""Figures of contacts, as the stations measured them.

Interrupted and estimated contacts are in flow and not in averages; `aside` counts them.
Durations were measured by the station's own milliseconds (b, u), never by the hour of the day.
"""

from collections.abc import Iterable

from diadema.metrics.rounding import mean, whole_seconds
from diadema.store.rows import Contact


def averaged(contact: Contact) -> bool:
    """Whether averages take it: answered, its wrap-up closed, whole and measured (design §7)."""
    return (
        contact.outcome == "answered"
        and contact.closed
        and not contact.interrupted
        and not contact.estimated
    )


def talk_s(contact: Contact) -> int:
    """Answered to ended without hold. Amazon Connect: «interaction time excludes hold»."""
    return whole_seconds(contact.talk_ms)


def hold_s(contact: Contact) -> int:
    """Time on hold, nested holds merged; consult time is a part of it (design §7)."""
    return whole_seconds(contact.hold_ms)


def consult_s(contact: Contact) -> int:
    """What of the hold the agent spoke with another area, shown apart and never added."""
    return whole_seconds(contact.more.consult_ms) if contact.more else 0


def wrapup_s(contact: Contact) -> int:
    """Wrap-up opened to closed (ACW), by its own events."""
    return whole_seconds(contact.wrap_ms)


def handle_s(contact: Contact) -> int:
    """talk + hold + wrap-up of one contact, each in whole seconds, so that parts sum to it."""
    return talk_s(contact) + hold_s(contact) + wrapup_s(contact)


def offered(contacts: Iterable[Contact]) -> int:
    """Flow: inbound contacts that rang at an agent."""
    return sum(contact.direction == "in" for contact in contacts)


def answered(contacts: Iterable[Contact]) -> int:
    """Flow: contacts with a conversation, either direction."""
    return sum(contact.outcome == "answered" for contact in contacts)


def missed(contacts: Iterable[Contact]) -> int:
    """Flow: contacts that rang and were not answered, whatever the cause."""
    return sum(contact.outcome == "missed" for contact in contacts)


def transferred(contacts: Iterable[Contact]) -> int:
    """Flow: contacts that were handed over, blind or after a consult; a conference hands over too
    when the agent leaves it.
    """
    return sum(contact.ended_by == "transfer" for contact in contacts)


def by_key(contacts: Iterable[Contact]) -> int:
    """Flow: contacts of which only the station's keys told, no switch: their share says how far
    the other figures rest on what agents press.
    """
    return sum(contact.via == "key" for contact in contacts)


def aside(contacts: Iterable[Contact]) -> int:
    """Answered contacts that averages leave out: interrupted, estimated, or still open."""
    return sum(contact.outcome == "answered" and not averaged(contact) for contact in contacts)


def aht(contacts: Iterable[Contact]) -> int | None:
    """TMO = (talk + hold + wrap-up) / contacts, in seconds.

    Amazon Connect's HANDLE_TIME and the usual contact-centre definition; outbound dialling time
    is a part of its own and not in here (Genesys adds it).
    """
    taken = [handle_s(contact) for contact in contacts if averaged(contact)]
    return mean(sum(taken), len(taken))
