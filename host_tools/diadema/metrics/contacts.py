"""Figures of contacts, as the stations measured them.

Interrupted, estimated and impossible contacts are in flow and not in averages; `calls.aside`
counts them. Durations were measured by the station's own milliseconds (b, u), never by the time of
the day.
"""

from collections.abc import Iterable

from diadema.metrics.rounding import whole_seconds
from diadema.store.contact_rows import LONGEST_MS
from diadema.store.rows import Contact

JUMP_MS = 2_000  # hours and the milliseconds between them differ by more: a clock was set

# causes of a contact that was not taken, and not by the agent's doing
EXCUSED = frozenset({"technical", "withdrawn", "caller_gave_up"})

type Key = tuple[str, int, int]


def averaged(contact: Contact) -> bool:
    """Whether averages take it: answered, its wrap-up closed, whole, measured, and nothing in
    itself that cannot be (design §7). What contradicts another one is told by `doubtful`.
    """
    return contact.outcome == "answered" and not why_aside(contact)


def why_aside(contact: Contact) -> str:
    """Why no average takes an answered contact: one reason, or "" when they do."""
    if contact.phase != "closed":
        return "open"
    if contact.interrupted:
        return "interrupted"
    if contact.estimated:
        return "estimated"
    return "impossible" if impossible(contact) else ""


def impossible(contact: Contact) -> bool:
    """Whether it cannot be by itself: a part below nothing, an end before its start, longer than
    any shift, or a clock set in it (its hours and its milliseconds tell another length).
    """
    talk, hold, wrap = contact.talk_ms, contact.hold_ms, contact.wrap_ms
    if talk < 0 or hold < 0 or wrap < 0 or talk + hold + wrap > LONGEST_MS:
        return True
    if (contact.ring_ms or 0) < 0 or contact.dial_ms < 0:
        return True
    if contact.more is not None and contact.more.consult_ms < 0:
        return True
    start, close = contact.start_utc, contact.close_utc
    if _backwards(start, contact.answered_utc, contact.end_utc, close):
        return True
    if contact.close_b != contact.start_b or contact.close_u is None:
        return False
    if start is None or close is None:
        return False
    return abs(close - start - (contact.close_u - contact.start_u)) > JUMP_MS


def _backwards(
    start: int | None, answered: int | None, end: int | None, close: int | None
) -> bool:
    if start is not None and answered is not None and end is not None and close is not None:
        return not start <= answered <= end <= close
    known = [utc for utc in (start, answered, end, close) if utc is not None]
    return known != sorted(known)


def talk_of(contact: Contact) -> tuple[int, int, int] | None:
    """When its conversation began and ended, and when it itself began, where all is known."""
    began, ended, start = contact.answered_utc, contact.end_utc, contact.start_utc
    return None if began is None or ended is None or start is None else (began, ended, start)


def doubtful(contacts: Iterable[Contact]) -> set[Key]:
    """Of one agent's contacts those that began to talk while another one of them did: nobody
    leads two conversations. Of two, the later one is in doubt; what is in no average, because of
    another one or by itself, contradicts nothing (the same rule as `metrics.queue.overlapping`).
    """
    found: set[Key] = set()
    talks = [
        (*talk, handle_s(one), one.station, one.epoch, one.sequence)
        for one in contacts
        if (talk := talk_of(one)) is not None and averaged(one)
    ]
    until = 0
    for began, ended, _, _, s, e, n in sorted(talks):
        if began < until:
            found.add((s, e, n))
        else:
            until = ended
    return found


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
    talk, hold, wrap = contact.talk_ms, contact.hold_ms, contact.wrap_ms
    return whole_seconds(talk) + whole_seconds(hold) + whole_seconds(wrap)
