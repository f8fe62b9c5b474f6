"""From bytes to an event. What is new is set apart and named; what is broken says why.

An event that was erased and comes again, from a board's flash or a stream that was put back, is
what the store has of it: an exact double, or without whoever it told of.
"""

import re
from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection

from diadema.base.errors import DiademaError
from diadema.ingest.messages import Message
from diadema.store.erased import ErasedList
from diadema.store.writer import known_bodies
from diadema.wire.events import ANY_EVENT, EVENT_LIMIT, KINDS, UNREADABLE, Event
from diadema.wire.letters import LETTERS
from diadema.wire.scrub import Names, scrubbed

type Unknown = list[tuple[str, str]]  # (kind, field); field '' for the kind itself

_BYTES_A_NAME = 128  # of an event: what is kept of names is no more than what is kept of it

decode_known = msgspec.json.Decoder(ANY_EVENT).decode
_decode_any = msgspec.json.Decoder().decode
KIND_OF: dict[type[Event], str] = {kind: tag for tag, kind in KINDS.items()}


# a station writes each event's place first: so it can be acknowledged although the rest is broken
_HEAD = re.compile(rb'\{"s":"[^"]*","e":(\d{1,10}),"n":(\d{1,16}),')


class BadEvent(DiademaError):
    """No event. `e` and `n` stand here when at least its place in the journal could be read."""

    def __init__(self, reason: str, e: int | None = None, n: int | None = None) -> None:
        super().__init__(reason)
        self.reason, self.e, self.n = reason, e, n


class UnknownEvent(msgspec.Struct, kw_only=True, rename=LETTERS):
    """An event of a kind that is not known here: its common fields."""

    station: str
    epoch: int
    sequence: int
    boot: int
    uptime_ms: int
    k: str
    utc_ms: int | None = None


class _Common(Event, kw_only=True):
    """The common fields alone, with their limits."""


def _place(data: bytes) -> tuple[int, int] | tuple[None, None]:
    head = _HEAD.match(data)
    if head is None:
        return None, None
    e, n = int(head[1]), int(head[2])
    return (e, n) if _is_place(e, n) else (None, None)


def _is_place(e: object, n: object) -> bool:
    return type(e) is int and type(n) is int and 0 <= e < 2**32 and 1 <= n < 2**53


def decode(data: bytes) -> tuple[str, Event | UnknownEvent, Unknown]:
    """(kind, event, what is unknown of it: so many names as its length allows). Raises BadEvent.
    For what `decode_known` refuses.
    """
    if len(data) > EVENT_LIMIT:
        raise BadEvent(f"{len(data)} bytes; an event has at most {EVENT_LIMIT}", *_place(data))
    try:
        raw = _decode_any(data)
    except UNREADABLE as error:
        raise BadEvent(f"no JSON: {error}", *_place(data)) from error
    if not isinstance(raw, dict):
        raise BadEvent("no JSON object")
    e, n = raw.get("e"), raw.get("n")
    if not _is_place(e, n):
        raise BadEvent("no e and n that can be its place in a journal")
    k = raw.get("k")
    if not isinstance(k, str) or not k:
        raise BadEvent("no kind", e, n)
    kind = KINDS.get(k)
    try:
        if kind is None:
            fields = {name: raw[name] for name in _Common.__struct_encode_fields__ if name in raw}
            msgspec.convert(fields | {"k": "_Common"}, _Common)
            return k, msgspec.convert(raw, UnknownEvent), [(k, "")]
        names = {*kind.__struct_encode_fields__, "k"}
        strange = sorted(raw.keys() - names)
        known = {name: value for name, value in raw.items() if name in names}
        named = strange[: 1 + len(data) // _BYTES_A_NAME]
        return k, msgspec.convert(known, kind), [(k, name[:64]) for name in named]
    except msgspec.ValidationError as error:
        raise BadEvent(str(error), e, n) from error


class _Place(msgspec.Struct, rename=LETTERS):
    station: str
    epoch: int
    sequence: int


def obeyed(messages: Sequence[Message], erased: ErasedList, tx: Connection) -> Sequence[Message]:
    """The messages, with others in the place of those that were erased."""
    if not any(erased.has(one.data) for one in messages):
        return messages
    names = Names()
    return [_as_stored(one, names, tx) if erased.has(one.data) else one for one in messages]


def _as_stored(message: Message, names: Names, tx: Connection) -> Message:
    try:
        place = msgspec.json.decode(message.data, type=_Place)
    except msgspec.MsgspecError:  # it could never be read
        return Message(message.place, message.subject, b"")
    stored = known_bodies(tx, [(place.station, place.epoch, place.sequence)]).get(
        (place.station, place.epoch, place.sequence)
    )
    if stored:
        return Message(message.place, message.subject, min(stored))
    plain = msgspec.json.encode(scrubbed(msgspec.json.decode(message.data), names))
    return Message(message.place, message.subject, plain)
