"""An event that was erased and comes again, from a board's flash or a stream that was put back, is
what the store has of it: an exact double, or without whoever it told of.
"""

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection

from diadema.ingest.messages import Message
from diadema.store.doubles import known_bodies
from diadema.store.erased import ErasedList
from diadema.wire.scrub import Names, scrubbed


class _Place(msgspec.Struct):
    s: str
    e: int
    n: int


def obeyed(messages: Sequence[Message], erased: ErasedList, tx: Connection) -> Sequence[Message]:
    """The messages, with others in the place of those that were erased."""
    if not any(erased.has(one.data) for one in messages):
        return messages
    names = Names()
    return [_as_kept(one, names, tx) if erased.has(one.data) else one for one in messages]


def _as_kept(message: Message, names: Names, tx: Connection) -> Message:
    try:
        place = msgspec.json.decode(message.data, type=_Place)
    except msgspec.MsgspecError:  # it could never be read
        return Message(message.place, message.subject, b"")
    kept = known_bodies(tx, [(place.s, place.e, place.n)]).get((place.s, place.e, place.n))
    if kept:
        return Message(message.place, message.subject, min(kept))
    plain = msgspec.json.encode(scrubbed(msgspec.json.decode(message.data), names))
    return Message(message.place, message.subject, plain)
