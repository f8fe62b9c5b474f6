"""Every kind of event that a station of this version writes, typed; tagged by `k`.

The published schema comes from here. What a newer station adds is not refused: the ingest sets
unknown kinds and fields apart, stores and counts them, and any word passes where words stand.
"""

from collections.abc import Iterator
from functools import reduce
from operator import or_
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

EVENT_LIMIT = 512  # bytes of one event's JSON
STATION_ID = r"^(DIA-[0-9a-f]{12}|(HUB|WEB|PBX)-[A-Za-z0-9_-]{1,32})$"

UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)  # what a decoder raises

_SAFE = 2**53 - 1  # what every JSON reader can hold

type Station = Annotated[str, Meta(extra_json_schema={"pattern": STATION_ID})]
type Epoch = Annotated[int, Meta(ge=0, le=2**32 - 1)]
type Sequence = Annotated[int, Meta(ge=1, le=_SAFE)]
type Count = Annotated[int, Meta(ge=0, le=_SAFE)]
type Percent = Annotated[int, Meta(ge=0, le=100)]
type Utc = Annotated[int, Meta(ge=0, le=_SAFE, description="UTC milliseconds")]
type Maybe[T] = T | UnsetType | None


def _words(*words: str) -> Meta:
    """The words that a field may hold today; any other text is stored all the same."""
    return Meta(extra_json_schema={"enum": list(words)})


type Via = Annotated[str, _words("key", "host")]
type Presence = Annotated[str, _words("logged_out", "ready", "not_ready")]
type Direction = Annotated[str, _words("in", "out")]
type Part = Annotated[
    str,
    _words(
        "badge_reader", "codec", "audio", "keys", "headset", "lights", "screen", "journal",
        "uplink", "wifi", "config",
    ),
]  # fmt: skip


class Event(Struct, kw_only=True, tag_field="k", forbid_unknown_fields=True, gc=False):
    """What every event carries: identity (s, e, n), measured time (b, u), known time (t)."""

    s: Station
    e: Epoch
    n: Sequence
    b: Count
    u: Count
    t: Utc | None = None
    a: Maybe[str] = UNSET
    c: Maybe[str] = UNSET
    i: Maybe[Count] = UNSET


class StationBooted(Event, tag="station.booted", kw_only=True, gc=False):
    cause: Annotated[str, _words("power_on", "hard", "watchdog", "deep_sleep", "soft")]
    firmware: str
    board: str
    torn: Count = 0


class StationClock(Event, tag="station.clock", kw_only=True, gc=False):
    utc: Utc
    source: Annotated[str, _words("host", "sntp")]
    uncertainty_ms: Count


class StationConfig(Event, tag="station.config", kw_only=True, gc=False):
    generation: Count
    hash: str


class StationHealth(Event, tag="station.health", kw_only=True, gc=False):
    heap: Count
    journal: Count
    discards: Count = 0
    bad_frames: Count = 0


class StationFault(Event, tag="station.fault", kw_only=True, gc=False):
    part: Part
    code: str | int


class StationFaultCleared(Event, tag="station.fault_cleared", kw_only=True, gc=False):
    part: Part
    code: str | int


class StationLost(Event, tag="station.lost", kw_only=True, gc=False):
    """In place of records that cannot be read: `n` to `to`."""

    to: Sequence
    b: Count = 0
    u: Count = 0


class CommandRefused(Event, tag="command.refused", kw_only=True, gc=False):
    command: str
    reason: str
    detail: Maybe[str] = UNSET


class SessionOpened(Event, tag="session.opened", kw_only=True, gc=False):
    a: str
    method: Annotated[str, _words("badge", "badge_secure")]
    provisional: bool = False


class SessionDenied(Event, tag="session.denied", kw_only=True, gc=False):
    badge: Maybe[str] = UNSET
    reason: Annotated[
        str, _words("unknown_badge", "no_roster", "in_call", "bad_read", "not_genuine")
    ]


class SessionClosed(Event, tag="session.closed", kw_only=True, gc=False):
    a: str
    reason: Annotated[str, _words("agent", "relieved")]
    by: Maybe[str] = UNSET


class PresenceChanged(Event, tag="presence.changed", kw_only=True, gc=False):
    a: str
    from_: Presence = msgspec.field(name="from")
    to: Presence
    reason: str | None = None
    by: Annotated[str, _words("agent", "system", "supervisor")]


class PresenceIntended(Event, tag="presence.intended", kw_only=True, gc=False):
    a: str
    to: Presence
    reason: str | None = None
    by: Maybe[str] = UNSET


class ContactEvent(Event, kw_only=True, gc=False):
    a: str
    c: str
    via: Via


class ContactOffered(ContactEvent, tag="contact.offered", kw_only=True, gc=False):
    direction: Direction
    queue: Maybe[str] = UNSET
    pbx: Maybe[str] = UNSET


class ContactDialed(ContactEvent, tag="contact.dialed", kw_only=True, gc=False):
    direction: Direction


class ContactAnswered(ContactEvent, tag="contact.answered", kw_only=True, gc=False):
    ring_ms: Maybe[Count] = UNSET


class ContactMissed(Event, tag="contact.missed", kw_only=True, gc=False):
    a: str
    c: str
    cause: Annotated[
        str, _words("no_answer", "caller_gave_up", "withdrawn", "rejected", "technical")
    ]
    ring_ms: Maybe[Count] = UNSET


class ContactHeld(ContactEvent, tag="contact.held", kw_only=True, gc=False):
    pass


class ContactResumed(ContactEvent, tag="contact.resumed", kw_only=True, gc=False):
    pass


class ContactMuted(ContactEvent, tag="contact.muted", kw_only=True, gc=False):
    pass


class ContactUnmuted(ContactEvent, tag="contact.unmuted", kw_only=True, gc=False):
    pass


class ContactEnded(Event, tag="contact.ended", kw_only=True, gc=False):
    a: str
    c: str
    by: Annotated[str, _words("agent", "caller", "system", "interrupted")]
    on_hold: bool = False
    dial_result: Maybe[str] = UNSET


class ContactTypified(Event, tag="contact.typified", kw_only=True, gc=False):
    a: str
    c: str
    code: str
    version: str | int
    how: Annotated[str, _words("agent", "timeout")]


class WrapupStarted(Event, tag="wrapup.started", kw_only=True, gc=False):
    a: str
    c: str


class WrapupEnded(Event, tag="wrapup.ended", kw_only=True, gc=False):
    a: str
    c: str
    cause: Annotated[str, _words("typified", "timeout", "next_contact", "agent", "session_closed")]


class MessageShown(Event, tag="message.shown", kw_only=True, gc=False):
    m: str


class MessageAcknowledged(Event, tag="message.acknowledged", kw_only=True, gc=False):
    m: str


class HeadsetPlugged(Event, tag="headset.plugged", kw_only=True, gc=False):
    pass


class HeadsetUnplugged(Event, tag="headset.unplugged", kw_only=True, gc=False):
    pass


class AudioChanged(Event, tag="audio.changed", kw_only=True, gc=False):
    volume: Percent
    mute: bool
    sidetone: Percent


class VoiceSummary(Event, tag="voice.summary", kw_only=True, gc=False):
    """Of one contact, measured only while talking; levels in dBFS, null for who said nothing."""

    a: str
    c: str
    agent_ms: Count
    caller_ms: Count
    both_ms: Count
    silence_ms: Count
    longest_silence_ms: Count
    interruptions: Count
    clipping: Count
    agent_db: int | None = None
    caller_db: int | None = None


def _tagged(base: type[Event]) -> Iterator[tuple[str, type[Event]]]:
    for kind in base.__subclasses__():
        tag = kind.__struct_config__.tag
        if isinstance(tag, str) and tag != kind.__name__:  # else a base of kinds
            yield tag, kind
        yield from _tagged(kind)


KINDS: dict[str, type[Event]] = dict(_tagged(Event))
ANY_EVENT: Any = reduce(or_, KINDS.values())
