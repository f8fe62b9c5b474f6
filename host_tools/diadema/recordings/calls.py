"""What the store says of a contact that its recording is held against: when the agent had the
recording paused, how sure its times are, and what the switch said of its recordings.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, Engine, exists, func, select, tuple_

from diadema.recordings.decoding import Stretch
from diadema.recordings.index import Index, Key, Recorded
from diadema.store import contact_rows, tables
from diadema.store.quality import cases
from diadema.store.rows import HUB, SWITCH, Contact
from diadema.store.station_state import UNTOLD_MS
from diadema.wire.letters import LETTERS, Maybe

_EVENTS = 5_000  # of a station during one call
_SWITCH_MS = 500  # between what the switch does and its event
_PAUSED, _RESUMED = "contact.recording_paused", "contact.recording_resumed"
_OVER = ("contact.ended", "wrapup.ended")
_STARTED, _STOPPED = "recording.started", "recording.stopped"
_HELD = "recording.held"
_AT_ONCE = 5_000


class _Event(Struct, rename=LETTERS | {"kind": "k"}):
    kind: str
    boot: int
    uptime_ms: int
    utc_ms: int | None = None
    contact: Maybe[str] = msgspec.UNSET
    pbx: str | None = None
    linked: str = ""


class _Hold(Struct):
    """`until`: UTC ms; anything else: for good."""

    call: Key
    until: int | str | None = None


class Pauses(Struct, frozen=True):
    """`stretches`: ms since the contact's first event; the last may be without an end. `known`:
    no event of the contact is missing, so that there are no others.
    """

    stretches: tuple[tuple[int, int | None], ...]
    known: bool


def find(connection: Connection, key: Key) -> Contact | None:
    row = tables.contacts.c
    its = (row.s == key[0]) & (row.e == key[1]) & (row.n == key[2])
    return next(contact_rows.ended(connection, its), None)


def begun(engine: Engine, start_utc: int, end_utc: int) -> list[Contact]:
    """The calls that somebody answered, are over and began in [start_utc, end_utc)."""
    row = tables.contacts.c
    with engine.connect() as connection:
        found = contact_rows.ended(connection, row.start_utc >= start_utc, row.start_utc < end_utc)
        return [one for one in found if one.outcome == "answered"]


def pauses(connection: Connection, contact: Contact) -> Pauses:
    """As the station said it. What was paused when the call's end is not known stays so."""
    row = tables.events.c
    query = (
        select(row.n, row.body)
        .where(row.s == contact.station, row.e == contact.epoch, row.n >= contact.sequence)
        .order_by(row.n)
        .limit(_EVENTS)
    )
    found: list[tuple[int, int | None]] = []
    expected, since, over = contact.sequence, None, None
    for n, body in connection.execute(query):
        if n != expected:
            break
        expected += 1
        event = msgspec.json.decode(body, type=_Event)
        if event.contact != contact.contact:
            continue
        at = _since_start(contact, event)
        if at is None:
            break
        if event.kind == _PAUSED and since is None:
            since = at
        elif event.kind == _RESUMED and since is not None:
            found.append((since, at))
            since = None
        elif event.kind in _OVER:
            over = at
            break
    if since is not None:
        found.append((since, over if over is not None and not contact.interrupted else None))
    return Pauses(tuple(found), over is not None)


def _since_start(contact: Contact, event: _Event) -> int | None:
    if event.boot == contact.start_b:
        return event.uptime_ms - contact.start_u
    if event.utc_ms is None or contact.start_utc is None:
        return None
    return event.utc_ms - contact.start_utc


def uncertainty_ms(connection: Connection, contact: Contact) -> int:
    """Of the contact's times against the switch's, which the bridge reads by the host's clock."""
    row = tables.anchors.c
    its = (row.s == contact.station) & (row.e == contact.epoch) & (row.b == contact.start_b)
    query = select(row.u, row.uncertainty_ms, row.drift_error_ppb).where(its)
    anchors = connection.execute(query.order_by(row.u)).all()
    near = [one for one in anchors if one.u <= contact.start_u][-1:] or anchors[:1]
    own = contact.uncertainty_ms
    if own is None:
        own = UNTOLD_MS
        for u, doubt, drift in near:
            own = doubt + abs(contact.start_u - u) * drift // 1_000_000_000
    return own + _SWITCH_MS


def hear_switch(engine: Engine, index: Index) -> None:
    """Take in what the switch said of recordings since."""
    position, row = tables.positions.c, tables.events.c
    with engine.connect() as connection:
        journals = connection.execute(
            select(position.s, position.e, position.position).where(position.s.startswith(SWITCH))
        ).all()
        heard = index.heard()
        for s, e, last in journals:
            first = heard.get((s, e), 0)
            while first < last:
                until = min(first + _AT_ONCE, last)
                its = (row.s == s) & (row.e == e) & (row.n > first) & (row.n <= until)
                query = select(row.k, row.body).where(its, row.k.in_((_STARTED, _STOPPED)))
                index.hear(s, e, until, [*_said(connection.execute(query.order_by(row.n)).all())])
                first = until


def _said(rows: Iterable[Any]) -> Iterator[Recorded]:
    for kind, body in rows:
        event = msgspec.json.decode(body, type=_Event)
        if event.utc_ms is not None and event.pbx:
            stopped = event.utc_ms if kind == _STOPPED else None
            yield Recorded(event.pbx, event.linked, event.utc_ms, stopped)


def held(connection: Connection, now_utc: int) -> set[Key]:
    """Contacts whose recording may not be deleted now: it is held, or a case of it is open."""
    row = tables.events.c
    its = row.s.startswith(HUB) & (row.k == _HELD)
    holds: dict[Key, int | str | None] = {}
    for body in connection.execute(
        select(row.body).where(its).order_by(row.s, row.e, row.n)
    ).scalars():
        hold = msgspec.json.decode(body, type=_Hold)
        holds[hold.call] = hold.until
    said = {key for key, until in holds.items() if not isinstance(until, int) or until > now_utc}
    return said | {one.call for one in cases(connection) if one.is_open(now_utc)}


def unheeded(connection: Connection, since_utc: int) -> int:
    """Of how many calls the recording, as it was last found, did not respect a pause."""
    said, later = tables.recordings.c, tables.recordings.alias()
    same = (
        (later.c.call_s == said.call_s)
        & (later.c.call_e == said.call_e)
        & (later.c.call_n == said.call_n)
        & (tuple_(later.c.utc, later.c.n) > tuple_(said.utc, said.n))
    )
    its = (said.utc >= since_utc) & (said.pauses == "not") & ~exists().where(same)
    return int(
        connection.execute(
            select(func.count()).select_from(tables.recordings).where(its)
        ).scalar_one()
    )


def placed(stretch: tuple[int, int | None], offset_ms: int, file_ms: int) -> Stretch:
    """A stretch of the contact in a file that began `offset_ms` after it; an end that is not known
    is the file's.
    """
    first, last = stretch
    return first - offset_ms, file_ms if last is None else last - offset_ms
