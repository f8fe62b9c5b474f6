"""Calls that somebody looks for, page by page, read in the worker: what goes in and out must
pickle. The newest first; what has no time is in no page.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, func, select, tuple_

from diadema.base.paths import DataDir
from diadema.quality.call_marks import Mark, call_marks
from diadema.recordings import calls, expiry
from diadema.recordings import settings as recording_settings
from diadema.recordings.index import Index
from diadema.site.directory.people import People
from diadema.site.directory.people_of import people as read_people
from diadema.store import contact_rows, open_reader, tables
from diadema.store.assistance import key_of as key_of_event
from diadema.store.contact_rows import Key, key_of
from diadema.store.quality import (
    OpenedCase,
    RecordedCall,
    assigned_calls,
    call_of,
    cases,
    evaluations,
    recordings,
)
from diadema.store.quality_rows import RecordingAct
from diadema.store.rows import Contact

type Place = tuple[int, str, int, int]  # of a call in the order: its time, then its event
_AT_ONCE = 200
_encode = msgspec.json.encode


class Search(Struct, frozen=True, kw_only=True):
    """`agents` None: all. `queue`: of the directory; `call`: the contact's id or the switch's;
    `reference`: the keyed hash of who called; empty: any. `hidden`: those that one may not find.
    """

    start_ms: int
    end_ms: int
    agents: list[str] | None = None
    queue: str = ""
    code: str = ""
    call: str = ""
    reference: str = ""
    hidden: frozenset[Key] = frozenset()


class FoundCall(Struct, kw_only=True):
    """`cases`: of human resources, open or not; `evaluations`: the ids of those that were
    submitted of it.
    """

    contact: Contact
    recorded: RecordedCall
    cases: list[OpenedCase]
    evaluations: list[str]


def find(
    data: DataDir, on: date, search: Search, after: Place | None, limit: int
) -> list[FoundCall]:
    """At most so many of them; `on`: today."""
    if not data.store.exists():
        return []
    people = read_people(data, on, on)
    with open_reader(data.store) as reader, reader.engine.connect() as tx:
        found = []
        for contact in _matching(tx, people, search, after):
            found.append(contact)
            if len(found) == limit:
                break
        return _recorded(tx, found)


def one(data: DataDir, key: Key) -> FoundCall | None:
    """None where there is no such call, or it is not over."""
    if not data.store.exists():
        return None
    with open_reader(data.store) as reader, reader.engine.connect() as tx:
        contact = calls.find(tx, key)
        return _recorded(tx, [contact])[0] if contact is not None else None


def marks(data: DataDir, key: Key) -> list[Mark]:
    """What happened in the call, as its station said."""
    with open_reader(data.store) as reader, reader.engine.connect() as tx:
        contact = calls.find(tx, key)
        return call_marks(tx, contact).marks if contact is not None else []


def copy_of(data: DataDir, of: Key) -> tuple[RecordingAct, FoundCall] | None:
    """That handing over, and the call of which it was."""
    if not data.store.exists():
        return None
    row = tables.recording_acts.c
    query = select(row.call_s, row.call_e, row.call_n).where(
        row.s == of[0], row.e == of[1], row.n == of[2], row.kind == "released"
    )
    with open_reader(data.store) as reader, reader.engine.connect() as tx:
        key = tx.execute(query).first()
        contact = calls.find(tx, key.tuple()) if key is not None else None
        if contact is None:
            return None
        (found,) = _recorded(tx, [contact])
    acts = found.recorded.acts
    return next((act, found) for act in acts if (act.station, act.epoch, act.sequence) == of)


class Terms(Struct, kw_only=True):
    """`due`: how many recordings of each month may be deleted now, by (month, count); `held`: how
    many may not, whatever their age; `instruction`: the document by which they are.
    """

    due: list[tuple[str, int]]
    held: int
    instruction: str


def terms(data: DataDir, now_ms: int) -> Terms | None:
    """None where no recordings are set up."""
    settings = recording_settings.read(data)
    if settings is None or not data.store.exists():
        return None
    with open_reader(data.store) as reader:
        with reader.engine.connect() as tx:
            held = calls.held(tx, now_ms)
        counts: dict[str, int] = {}
        if data.recordings_index.exists():
            with Index(data.recordings_index) as index:
                for due in expiry.due(read_people(data), reader, index, held, now_ms):
                    month = _month(due.file.start_utc, settings)
                    counts[month] = counts.get(month, 0) + 1
    return Terms(due=sorted(counts.items()), held=len(held), instruction=settings.instruction)


def _month(utc_ms: int, settings: recording_settings.Settings) -> str:
    return f"{datetime.fromtimestamp(utc_ms / 1000, settings.tz):%Y-%m}"


def _recorded(tx: Connection, found: list[Contact]) -> list[FoundCall]:
    keys = [key_of(one) for one in found]
    known, evaluated = recordings(tx, keys), _evaluated(tx, keys)
    opened: dict[Key, list[OpenedCase]] = {}
    for case in cases(tx, calls=keys):
        opened.setdefault(case.call, []).append(case)
    return [
        FoundCall(
            contact=one,
            recorded=known.get(key, RecordedCall()),
            cases=opened.get(key, []),
            evaluations=evaluated.get(key, []),
        )
        for key, one in zip(keys, found, strict=True)
    ]


def _evaluated(tx: Connection, calls: Sequence[Key]) -> dict[Key, list[str]]:
    given = [key_of_event(one.assignment) for one in assigned_calls(tx, calls=calls)]
    found: dict[Key, list[str]] = {}
    for one in evaluations(tx, assignments=given):
        found.setdefault(call_of(one.submitted), []).append(one.submitted.evaluation)
    return found


def _matching(
    tx: Connection, people: People, search: Search, after: Place | None
) -> Iterator[Contact]:
    row = tables.contacts.c
    order = (row.start_utc, row.s, row.e, row.n)
    query = select(row.row).where(row.start_utc >= search.start_ms, row.start_utc < search.end_ms)
    if search.agents is not None:
        query = query.where(row.a.in_(search.agents))
    for said in (search.code, search.call, search.reference):
        if said:  # most rows need not be decoded
            query = query.where(func.instr(row.row, _encode(said).decode()) > 0)
    if after is not None:
        query = query.where(tuple_(*order) < after)
    query = query.order_by(*(one.desc() for one in order))
    for some in tx.execute(query).scalars().partitions(_AT_ONCE):
        for contact in map(contact_rows.contact_of, some):
            if key_of(contact) not in search.hidden and _fits(contact, people, search):
                yield contact


def _fits(contact: Contact, people: People, search: Search) -> bool:
    its = contact.more.reference if contact.more is not None else None
    queue = people.queue(contact.queue, contact.start_utc) if contact.queue else ""
    return (
        search.queue in ("", queue)
        and search.code in ("", contact.code)
        and search.call in ("", contact.contact, contact.pbx)
        and search.reference in ("", its)
    )
