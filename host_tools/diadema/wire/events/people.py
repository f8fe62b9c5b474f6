"""Who is there: attendance, sessions, presence, and what people are told and sign.

What is done at the host: supervisors' actions, corrections of attendance, messages, and what
was published (`s` is HUB-…). Such an event has no boot: `b` and `u` are 0, `t` is the hub's clock.
"""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta

from diadema.wire.actions import ACTIONS, NOTE_KINDS, ON_ENTRIES
from diadema.wire.letters import (
    By,
    Count,
    Direction,
    Event,
    Maybe,
    Of,
    Station,
    Utc,
    Version,
    tag_of,
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

    agent: str
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

    agent: str
    i: Count


class SessionCorrected(Event, tag="session.corrected", kw_only=True, gc=False):
    agent: str
    i: Count
    verdict: Annotated[str, words("closed", "kept")]
    reason: str | None = None
    who: Maybe[str] = UNSET
    note: Maybe[str] = UNSET


class SessionClosed(Event, tag="session.closed", kw_only=True, gc=False):
    """`who`: the supervisor's name."""

    agent: str
    reason: Annotated[
        str, words("agent", "relieved", "supervisor", "moved", "shift_end", "corrected")
    ]
    by: Maybe[str] = UNSET
    who: Maybe[str] = UNSET


class PresenceChanged(Event, tag="presence.changed", kw_only=True, gc=False):
    """`reason`: a code of the site's, or the system's own: login, no_answer, fault, link,
    supervisor, wrapup_end. `who`: the supervisor's name; `note`: why.
    """

    agent: str
    from_: Presence = msgspec.field(name="from")
    to: Presence
    reason: str | None = None
    by: Annotated[str, words("agent", "system", "supervisor")]
    who: Maybe[str] = UNSET
    note: Maybe[str] = UNSET


class PresenceIntended(Event, tag="presence.intended", kw_only=True, gc=False):
    agent: str
    to: Presence
    reason: str | None = None
    by: Maybe[str] = UNSET
    who: Maybe[str] = UNSET
    note: Maybe[str] = UNSET


class NoticeAcknowledged(Event, tag="notice.acknowledged", kw_only=True, gc=False):
    """The agent has seen a change that somebody else made."""

    of: Of


class PinChosen(Event, tag="pin.chosen", kw_only=True, gc=False):
    """In place of the code for one use that ends at `until`, a second of UTC. `verifier`: its
    salt, and its hash under the station's key, in hex.
    """

    agent: str
    until: Count
    verifier: str


class MessageShown(Event, tag="message.shown", kw_only=True, gc=False):
    m: str


class MessageAcknowledged(Event, tag="message.acknowledged", kw_only=True, gc=False):
    m: str
    answer: Maybe[Annotated[str, words("read", "agree", "observe")]] = UNSET
    how: Maybe[Annotated[str, words("key", "badge")]] = UNSET


type Sha256 = Annotated[str, Meta(min_length=64, max_length=64)]
type Pause = tuple[Utc, Utc, str]  # from, to, reason


class HostEvent(Event, kw_only=True, gc=False):
    utc_ms: Utc
    by: By


class SupervisionActed(HostEvent, tag="supervision.acted", kw_only=True, gc=False):
    """`a`: on whom. `target` was told by its command number `command`, whose answer is the result.
    `of`: the press, or the entry that is annulled or answered; `m`: the message; `state`: what a
    press became; `kind`: of a note; `rule` and `since`: the alert. `who`: the name that the
    station shows.
    """

    action: Annotated[str, words(*map(tag_of, ACTIONS + ON_ENTRIES))]
    who: Maybe[str] = UNSET
    reason: Maybe[str] = UNSET
    note: Maybe[str] = UNSET
    target: Maybe[Station] = UNSET
    command: Maybe[Count] = UNSET
    of: Maybe[Of] = UNSET
    m: Maybe[str] = UNSET
    state: Maybe[str] = UNSET
    seat: Maybe[str] = UNSET
    kind: Maybe[Annotated[str, words(*NOTE_KINDS)]] = UNSET
    rule: Maybe[str] = UNSET
    since: Maybe[Utc] = UNSET


class AttendanceCorrected(HostEvent, tag="attendance.corrected", kw_only=True, gc=False):
    """What should have been marked. `of`: the mark, which stays as it is; none for one that
    was not made. `time`: the time that counts instead.
    """

    agent: str
    direction: Direction
    time: Utc
    reason: str
    of: Maybe[Of] = UNSET
    evidence: Maybe[str] = UNSET


class AttendanceJustified(HostEvent, tag="attendance.justified", kw_only=True, gc=False):
    """Why the agent was late or away; no time changes. `day`: of the shift, where there is no
    mark. `time`: a moment of the exception to the shift that is meant, and no lateness is.
    """

    agent: str
    reason: str
    of: Maybe[Of] = UNSET
    day: Maybe[str] = UNSET
    time: Maybe[Utc] = UNSET
    evidence: Maybe[str] = UNSET


class MessageSent(HostEvent, tag="message.sent", kw_only=True, gc=False):
    """One event a reader; those of one message have the same `m`."""

    agent: str
    m: str
    text: str
    target: Station
    command: Count
    sign: bool = False


class SchedulePublished(HostEvent, tag="schedule.published", kw_only=True, gc=False):
    """One agent's day. `absence`: permission, vacation, medical rest."""

    agent: str
    day: str
    version: Version
    shift: Maybe[str] = UNSET
    start: Maybe[Utc] = UNSET
    end: Maybe[Utc] = UNSET
    pauses: Maybe[list[Pause]] = UNSET
    absence: Maybe[str] = UNSET


class StationInspected(HostEvent, tag="station.inspected", kw_only=True, gc=False):
    """A bench test, once each. `of`: the station.selftest, which has the checks; `signature`: the
    hub's over both (`diadema.stations.selftest.record`).
    """

    of: Of
    board: str
    firmware: str
    fit: bool
    signature: str
    seat: Maybe[str] = UNSET


class CataloguePublished(HostEvent, tag="catalogue.published", kw_only=True, gc=False):
    catalogue: str
    version: Version
    hash: Sha256
