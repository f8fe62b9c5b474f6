"""Who is there: attendance, sessions, presence, and what people are told and sign."""

from typing import Annotated

import msgspec
from msgspec import UNSET

from diadema.wire.events.common import (
    Count,
    Direction,
    Event,
    Maybe,
    Of,
    words,
)

type Presence = Annotated[str, words("logged_out", "ready", "not_ready")]


class AttendanceMarked(Event, tag="attendance.marked", kw_only=True, gc=False):
    """The worker's own act, at the tap. `a` is null for a badge that the station does not know."""

    direction: Direction
    method: Annotated[str, words("badge", "badge_secure", "code_pin")]
    badge: str | None = None  # its keyed hash


class SessionOpened(Event, tag="session.opened", kw_only=True, gc=False):
    """`of`: the mark of the same tap, if the tap made one."""

    a: str
    method: Annotated[str, words("badge", "badge_pin", "badge_secure", "code_pin")]
    provisional: bool = False
    of: Maybe[Of] = UNSET


class SessionDenied(Event, tag="session.denied", kw_only=True, gc=False):
    badge: Maybe[str] = UNSET
    reason: Annotated[
        str,
        words(
            "unknown_badge", "no_roster", "in_call", "bad_read", "two_badges", "not_genuine",
            "wrong_pin", "pin_cancelled", "locked", "at_other_seat",
        ),
    ]  # fmt: skip


class SessionConfirmed(Event, tag="session.confirmed", kw_only=True, gc=False):
    """The host's answer to a provisional session, as the station took it."""

    a: str
    i: Count


class SessionCorrected(Event, tag="session.corrected", kw_only=True, gc=False):
    a: str
    i: Count
    verdict: Annotated[str, words("closed", "kept")]
    reason: str | None = None
    who: Maybe[str] = UNSET
    note: Maybe[str] = UNSET


class SessionClosed(Event, tag="session.closed", kw_only=True, gc=False):
    """`who`: the supervisor's name."""

    a: str
    reason: Annotated[
        str, words("agent", "relieved", "supervisor", "moved", "shift_end", "corrected")
    ]
    by: Maybe[str] = UNSET
    who: Maybe[str] = UNSET


class PresenceChanged(Event, tag="presence.changed", kw_only=True, gc=False):
    """`reason`: a code of the site's, or the system's own: login, no_answer, fault, link,
    supervisor, wrapup_end. `who`: the supervisor's name; `note`: why he did it.
    """

    a: str
    from_: Presence = msgspec.field(name="from")
    to: Presence
    reason: str | None = None
    by: Annotated[str, words("agent", "system", "supervisor")]
    who: Maybe[str] = UNSET
    note: Maybe[str] = UNSET


class PresenceIntended(Event, tag="presence.intended", kw_only=True, gc=False):
    a: str
    to: Presence
    reason: str | None = None
    by: Maybe[str] = UNSET
    who: Maybe[str] = UNSET
    note: Maybe[str] = UNSET


class NoticeAcknowledged(Event, tag="notice.acknowledged", kw_only=True, gc=False):
    """She has seen a change that she did not make."""

    of: Of


class PinChosen(Event, tag="pin.chosen", kw_only=True, gc=False):
    """In place of the code for one use that ends at `until`, a second of UTC. `verifier`: its
    salt, and its hash under the station's key, in hex.
    """

    a: str
    until: Count
    verifier: str


class MessageShown(Event, tag="message.shown", kw_only=True, gc=False):
    m: str


class MessageAcknowledged(Event, tag="message.acknowledged", kw_only=True, gc=False):
    m: str
    answer: Maybe[Annotated[str, words("read", "agree", "observe")]] = UNSET
    how: Maybe[Annotated[str, words("key", "badge")]] = UNSET
