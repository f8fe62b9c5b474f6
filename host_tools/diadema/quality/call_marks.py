"""One call as whoever evaluates it sees it: when what happened in it, by the contact's own events
and since the first of them, and what the station measured. Nothing here says whose call it is.
"""

from collections.abc import Iterator
from typing import Literal

import msgspec
from msgspec import UNSET, Struct, field
from sqlalchemy import Connection, select

from diadema.quality.measured import Voice, voice_of
from diadema.store import contact_rows, tables
from diadema.store.assistance import Key
from diadema.store.rows import Contact
from diadema.wire.letters import LETTERS, Maybe

_EVENTS = 5_000  # of a station during one call
_AFTER = 20  # events after its end among which is what the voice measured
_UNCODED = (None, "SIN_TIPIFICAR")

type MarkKind = Literal[
    "answer", "step", "hold", "mute", "help", "pause", "consult", "transfer", "end"
]
_MOMENTS: dict[str, MarkKind] = {
    "contact.answered": "answer",
    "contact.step": "step",
    "help.requested": "help",
    "contact.transferred": "transfer",
    "contact.ended": "end",
}
_BEGIN: dict[str, MarkKind] = {
    "contact.held": "hold",
    "contact.muted": "mute",
    "contact.recording_paused": "pause",
    "contact.consulted": "consult",
}
_END: dict[str, MarkKind] = {
    "contact.resumed": "hold",
    "contact.unmuted": "mute",
    "contact.recording_resumed": "pause",
    "contact.consult_ended": "consult",
}


class Mark(Struct, frozen=True, omit_defaults=True):
    """At `ms`, or from there to `to`. `step`: which one of the protocol."""

    ms: int
    kind: MarkKind
    to: int | None = None
    step: str = ""


class TickedStep(Struct, frozen=True):
    """`how`: key, automatic, or block: ticked near another one or after the call."""

    step: str
    how: str


class CallMarks(Struct):
    """`ms`: from the first event to the end, None where nobody said when that was. `untyped`:
    it has no code.
    """

    marks: list[Mark] = field(default_factory=list)
    ms: int | None = None
    voice: Voice | None = None
    holds: int = 0
    longest_hold_ms: int = 0
    untyped: bool = False
    steps: list[TickedStep] = field(default_factory=list)


class _Event(Struct, rename=LETTERS | {"kind": "k"}):
    kind: str
    boot: int
    uptime_ms: int
    utc_ms: int | None = None
    contact: Maybe[str] = UNSET
    step: str = ""


def contact_of(tx: Connection, key: Key) -> Contact | None:
    """A contact that is over."""
    row = tables.contacts.c
    its = (row.s == key[0]) & (row.e == key[1]) & (row.n == key[2])
    return next(contact_rows.ended(tx, its), None)


def length_of(contact: Contact) -> int | None:
    """Ms from the first event to the end."""
    if contact.end_u is not None and contact.end_b == contact.start_b:
        return contact.end_u - contact.start_u
    return None


def call_marks(tx: Connection, contact: Contact) -> CallMarks:
    """Of a contact that is over."""
    found = CallMarks(untyped=contact.code in _UNCODED, ms=length_of(contact))
    since: dict[MarkKind, int] = {}
    for event, body in _events(tx, contact):
        if event.kind == "voice.summary":
            found.voice = voice_of(body)
            continue
        at = _since_start(contact, event)
        if at is None:
            continue
        if (kind := _BEGIN.get(event.kind)) is not None:
            since.setdefault(kind, at)
        elif (kind := _END.get(event.kind)) is not None and kind in since:
            found.marks.append(Mark(since.pop(kind), kind, at))
        elif (kind := _MOMENTS.get(event.kind)) is not None:
            if kind == "end":
                found.marks += [Mark(began, kind, at) for kind, began in since.items()]
                since.clear()
            found.marks.append(Mark(at, kind, step=event.step if kind == "step" else ""))
    found.marks += [Mark(began, kind) for kind, began in since.items()]
    found.marks.sort(key=lambda one: one.ms)
    held = [one.to - one.ms for one in found.marks if one.kind == "hold" and one.to is not None]
    found.holds, found.longest_hold_ms = len(held), max(held, default=0)
    steps = contact.more.steps if contact.more is not None else []
    found.steps = [
        TickedStep(one.step, "block" if one.block else one.how)
        for one in steps
        if one.result == "done"
    ]
    return found


def _events(tx: Connection, contact: Contact) -> Iterator[tuple[_Event, bytes]]:
    """The contact's own, in order."""
    row = tables.events.c
    query = (
        select(row.body)
        .where(row.s == contact.station, row.e == contact.epoch, row.n >= contact.sequence)
        .order_by(row.n)
        .limit(_EVENTS)
    )
    left = None
    for (body,) in tx.execute(query):
        event = msgspec.json.decode(body, type=_Event)
        if event.contact == contact.contact:
            yield event, body
            if event.kind == "wrapup.ended":
                left = _AFTER
        if left is not None:
            left -= 1
            if not left:
                return


def _since_start(contact: Contact, event: _Event) -> int | None:
    if event.boot == contact.start_b:
        return event.uptime_ms - contact.start_u
    if event.utc_ms is None or contact.start_utc is None:
        return None
    return event.utc_ms - contact.start_utc
