"""Calls with a conversation by who made them: agents' segments of one call are one, so that a
transfer is no second call.
"""

from collections.abc import Sequence

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, select
from sqlalchemy.exc import DBAPIError

from diadema.base.paths import DataDir
from diadema.figures import rollups
from diadema.figures.days import DaySpan, day_at, spans
from diadema.figures.read import rolled
from diadema.figures.roll import Scope, bring, current
from diadema.site.context import zone_of
from diadema.site.directory.people_of import people as read_people
from diadema.store import contact_rows, open_reader, tables
from diadema.store.rows import Contact
from diadema.wire.letters import LETTERS

_NOBODY: frozenset[str] = frozenset()


class Segment(Struct, array_like=True, gc=False, rename=LETTERS):
    """Of a contact with a conversation what joins it to others. Key: `s`, `e`, `n`. It has a
    reference or a parent; `motive` and `code` as they were given.
    """

    station: str
    epoch: int
    sequence: int
    utc: int
    contact: str
    agent: str
    queue: str
    pbx: str | None
    parent: str | None
    reference: str | None
    motive: str | None
    code: str | None

    @property
    def key(self) -> contact_rows.Key:
        return self.station, self.epoch, self.sequence

    def motive_of(self, of_code: dict[str, str]) -> str | None:
        """The level-1 code: of the motive that was chosen in it, else of its disposition."""
        return self.motive or of_code.get(self.code or "")


_pack = msgspec.msgpack.Encoder().encode
_segments_of = msgspec.msgpack.Decoder(list[Segment]).decode


class Call(Struct):
    """Of its first segment; `motive`: the level-1 code of the first one that has any."""

    utc: int
    queue: str
    agent: str
    reference: str
    motive: str | None


class Joined:
    """Segments with a reference become calls, taken in the order in which they began. One that
    names its `parent`, or has the switch's id of an earlier one, goes on with it; where that has
    no reference, or began before all that is known, it is no call of its own.
    """

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self._by_pbx: dict[str, Call] = {}
        self._by_c: dict[str, Call] = {}

    def take(self, segment: Segment, motive: str | None) -> None:
        parent = segment.parent
        call = self._by_pbx.get(segment.pbx) if segment.pbx else None
        if call is None and parent is not None:
            call = self._by_c.get(parent)
        if call is None:
            if parent is not None or segment.reference is None:
                return
            call = Call(segment.utc, segment.queue, segment.agent, segment.reference, motive)
            self.calls.append(call)
        elif call.motive is None:
            call.motive = motive
        self._by_c[segment.contact] = call
        if segment.pbx:
            self._by_pbx[segment.pbx] = call


def attended(data: DataDir, start_ms: int, end_ms: int, now_ms: int) -> list[Segment]:
    """Those that began in [start_ms, end_ms), in that order, also those that go on. Days that are
    over are kept beside the cells. Raises DiademaError where there is no store.
    """
    question = data, start_ms, end_ms, now_ms
    with open_reader(data.store) as reader:
        try:
            with rolled(data) as rx, reader.engine.connect() as tx:  # in this order
                return _attended(rx, tx, *question)
        except DBAPIError as error:
            rollups.give_up(data.rollups, error)
        with reader.engine.connect() as tx:
            return _attended(None, tx, *question)


def _attended(
    rx: tuple[Connection, bool] | None,
    tx: Connection,
    data: DataDir,
    start_ms: int,
    end_ms: int,
    now_ms: int,
) -> list[Segment]:
    zone = zone_of(data)
    today = day_at(now_ms // 1000, zone)
    first, last = day_at(start_ms // 1000, zone), day_at((end_ms - 1) // 1000, zone)
    scope = Scope(first.isoformat(), last.isoformat(), _NOBODY)
    stored = _stored(*rx, tx, data, scope, now_ms) if rx else {}
    on = {contact_rows.key_of(one): one for one in contact_rows.running(tx)}
    found = [segment for one in on.values() for segment in _segments(one)]
    made = {}
    for span in spans(first, last, zone):
        day = span.day.isoformat()
        if day in stored:
            its = _segments_of(stored[day])
        else:
            its = _of_day(tx, span)
            if span.day < today:
                made[day] = _pack(its)
        found += [one for one in its if one.key not in on]
    if rx is not None and rx[1] and made:
        rx[0].exec_driver_sql("INSERT OR REPLACE INTO caller_days VALUES (?, ?)", [*made.items()])
    return sorted((one for one in found if start_ms <= one.utc < end_ms), key=_began)


def _stored(
    rx: Connection, keep: bool, tx: Connection, data: DataDir, scope: Scope, now_ms: int
) -> dict[str, bytes]:
    """What is kept of the days and holds."""
    zone = zone_of(data)
    known, anew = current(rx, tx, zone, read_people(data))
    fresh, _ = bring(rx, tx, known, zone, now_ms, scope, keep=keep)
    if anew and not keep:
        return {}
    row = rollups.caller_days.c
    query = select(row.day, row.body).where(row.day.between(scope.first, scope.last))
    others = set() if keep else {day for day, _, _ in fresh.fed}
    return {day: body for day, body in rx.execute(query) if day not in others}


def _of_day(tx: Connection, span: DaySpan) -> list[Segment]:
    row = tables.contacts.c
    within = (row.start_utc >= span.start_s * 1000) & (row.start_utc < span.end_s * 1000)
    return [
        segment for one in contact_rows.with_reference(tx, within) for segment in _segments(one)
    ]


def _segments(one: Contact) -> Sequence[Segment]:
    """It, or none."""
    more = one.more
    if one.outcome != "answered" or more is None or one.start_utc is None:
        return ()
    if more.reference is None and more.parent is None:
        return ()
    segment = Segment(
        *contact_rows.key_of(one), one.start_utc, one.contact, one.agent, one.queue or "",
        one.pbx,
        more.parent, more.reference, more.motive, one.code,
    )  # fmt: skip
    return (segment,)


def _began(one: Segment) -> int:
    return one.utc


def abandons(tx: Connection, start_ms: int, end_ms: int) -> dict[str, list[int]]:
    """When who hung up in a queue: UTC milliseconds by reference, in order."""
    row = tables.queue_calls.c
    within = (row.start_utc >= start_ms) & (row.start_utc < end_ms)
    query = select(row.reference, row.start_utc).where(
        within, row.outcome == "abandoned", row.reference.is_not(None)
    )
    found: dict[str, list[int]] = {}
    for reference, utc in tx.execute(query.order_by(row.start_utc)):
        found.setdefault(reference, []).append(utc)
    return found
