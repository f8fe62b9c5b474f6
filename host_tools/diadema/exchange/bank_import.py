"""Takes whole «anonymous bank» logs into the store: all of their calls, or none.

A file's events are the same each time that it is read, so that its second import changes nothing
and a broken-off one is completed. What is in already under another file's name is refused.

A row says how long the caller waited and was served, and that is what counts; the times of day
beside it say when. Where they contradict it, the row is impossible: it is taken as it says,
listed, and, where it is not known when it was served, marked as estimated.
"""

import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct
from sqlalchemy import select

from diadema.base.clock import Clock
from diadema.base.errors import DiademaError
from diadema.base.locks import alone
from diadema.base.paths import DataDir
from diadema.exchange.bank_rows import (
    DAY_S,
    NO_SERVER,
    BadRow,
    Row,
    clock_text,
    read_file,
    scan,
)
from diadema.ingest.core import Ingest
from diadema.ingest.decode import decode_known
from diadema.ingest.messages import Message, subject_of
from diadema.metrics.queue import overlapping
from diadema.site.context import note_zone, site_of, tz_of
from diadema.store import QueueCall, Writer, open_writer, tables
from diadema.wire.events import (
    EVENT_LIMIT,
    QueueAbandoned,
    QueueConnected,
    QueueEntered,
    QueueEvent,
    QueueLeft,
)
from diadema.words import Sentence

SOURCE = "PBX-anonymous-bank"
COLUMNS = (
    "vru+line", "call_id", "type", "date", "vru_entry", "vru_exit", "q_start", "q_exit", "q_time",
    "outcome", "ser_start", "ser_exit", "ser_time", "server",
)  # fmt: skip
_SLOP_S = 60  # the menu's, the queue's and the agents' clocks differ by some seconds
_encode = msgspec.json.Encoder().encode
_BATCH = 5000
type Progress = Callable[[int, int], None]  # events taken in, of how many


@dataclass(frozen=True, slots=True)
class BankCall:
    """Seconds count from `midnight`, the local one of its day. `entered_s` is None for a call that
    never stood in the queue; `served_s` and `talk_s` are of one that was answered.
    """

    line: int
    pbx: str
    queue: str
    midnight: datetime
    cause: str  # completed, abandoned, before_queue, phantom
    ended_s: int
    entered_s: int | None = None
    wait_s: int = 0
    served_s: int = 0
    talk_s: int = 0
    agent: str | None = None
    estimated: bool = False
    odd: tuple[str, ...] = ()  # why the row is impossible

    def utc(self, second: int, zone: ZoneInfo) -> int:
        """Seconds of its day as UTC milliseconds. Parts of a call are counted from its first
        hour, so that a clock change within it changes no length.
        """
        first = self.ended_s if self.entered_s is None else self.entered_s
        local = (self.midnight + timedelta(seconds=first)).replace(tzinfo=zone)
        return int(local.astimezone(UTC).timestamp() + second - first) * 1000


def call_of(row: Row) -> BankCall:
    """Raises BadRow."""
    outcome, day = row.outcome(), row.day()
    menu_start, menu_end = row.time("vru_entry"), row.time("vru_exit")
    queue_start, queue_end = row.time("q_start"), row.time("q_exit")
    served, served_end = row.time("ser_start"), row.time("ser_exit")
    wait, talk = row.whole("q_time"), row.whole("ser_time")
    for column in ("vru+line", "call_id", "type"):
        if not row.cells[column]:
            raise row.bad(column, Sentence("errors.row.wanted.anything"))
    cells = row.cells
    known: dict[str, Any] = {
        "line": row.line,
        "pbx": f"{cells['date']}-{cells['vru+line']}-{cells['call_id']}-{cells['vru_entry']}",
        "queue": cells["type"],
        "midnight": datetime.combine(day, time()),
    }
    menu_end = _near(menu_start, menu_end)
    odd = ["menu_backwards"] if menu_end < menu_start else []
    joined = wait > 0 or (outcome == "HANG" and wait == 0 and queue_start > 0)
    if joined:
        if (queue_end - queue_start - wait) % DAY_S:
            odd.append("wait_differs")
        queue_start = _near(menu_start, queue_start)
        queue_end = queue_start + wait
    if outcome == "PHANTOM":
        return BankCall(**known, cause="phantom", ended_s=menu_end, odd=tuple(odd))
    if outcome == "HANG":
        if not joined:
            return BankCall(**known, cause="before_queue", ended_s=menu_end, odd=tuple(odd))
        return BankCall(
            **known,
            cause="abandoned",
            entered_s=queue_start,
            wait_s=wait,
            ended_s=queue_end,
            odd=tuple(odd),
        )
    if wait < 0:
        raise row.bad("q_time", Sentence("errors.row.wanted.waited"))
    if talk < 0:
        raise row.bad("ser_time", Sentence("errors.row.wanted.served"))
    left = queue_end if wait else menu_end
    estimated = False
    server = row.server()
    if server == NO_SERVER:
        odd.append("no_server")
    if (served_end - served - talk) % DAY_S:
        odd.append("service_differs")
        estimated = True
    if served == served_end == 0 and abs(_near(left, 0) - left) > _SLOP_S:
        odd.append("no_service_time")
        served, estimated = left, True
    served = _near(menu_start, served)
    if served < left - _SLOP_S:
        odd.append("served_while_waiting")
    return BankCall(
        **known,
        cause="completed",
        entered_s=queue_start if wait else served,
        wait_s=wait,
        served_s=served,
        talk_s=talk,
        ended_s=served + talk,
        agent=None if server == NO_SERVER else server,
        estimated=estimated,
        odd=tuple(odd),
    )


def bodies(row: Row, call: BankCall, zone: ZoneInfo, e: int, n: int) -> list[bytes]:
    """Its events, numbered from `n` on. Raises BadRow when the ingest would not take one."""
    found = [_encode(event) for event in _events(call, zone, e, n)]
    if max(map(len, found)) > EVENT_LIMIT:
        raise BadRow(row.path, row.line, Sentence("errors.row.too_long", limit=EVENT_LIMIT))
    try:
        for body in found:
            decode_known(body)
    except msgspec.ValidationError as error:
        reason = Sentence("errors.row.not_taken", error=error)
        raise BadRow(row.path, row.line, reason) from error
    return found


def _events(call: BankCall, zone: ZoneInfo, e: int, n: int) -> Iterator[QueueEvent]:
    ended = call.utc(call.ended_s, zone)
    wait_ms = call.wait_s * 1000

    def common(at: int, t: int) -> dict[str, Any]:
        fields: dict[str, Any] = {
            "station": SOURCE,
            "epoch": e,
            "sequence": n + at,
            "boot": 0,
            "uptime_ms": 0,
            "utc_ms": t,
        }
        return fields | {"pbx": call.pbx, "queue": call.queue, "line": call.line}

    if call.entered_s is None:
        yield QueueLeft(**common(0, ended), cause=call.cause)
        return
    yield QueueEntered(**common(0, call.utc(call.entered_s, zone)))
    if call.cause == "abandoned":
        yield QueueAbandoned(**common(1, ended), wait_ms=wait_ms)
        return
    yield QueueConnected(
        **common(1, call.utc(call.served_s, zone)),
        wait_ms=wait_ms,
        pbx_agent=call.agent,
        estimated=call.estimated,
    )
    yield QueueLeft(**common(2, ended), cause=call.cause)


def _near(base: int, second: int) -> int:
    """A time of day that lies within half a day of `base`, over midnight if need be."""
    if base - second > DAY_S // 2:
        return second + DAY_S
    return second - DAY_S if second - base > DAY_S // 2 else second


class Finding(Struct):
    """A line of a file, and what is to be said of it: why it is bad, or impossible."""

    file: str
    line: int
    reasons: list[Any]  # words of ours, or sentences


class Imported(Struct):
    """`events` of the files, and those that are `new` in the store. Nothing was imported when
    there are `bad` rows that were not to be skipped."""

    imported: bool
    zone: str
    rows: int
    calls: dict[str, int]  # by what became of them
    days: list[str]
    events: int
    new: int
    bad: list[Finding]
    impossible: list[Finding]


@dataclass
class _Read:
    """One file, read."""

    path: Path
    epoch: int
    calls: list[BankCall] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    bad: list[Finding] = field(default_factory=list)


def import_bank(
    files: Sequence[Path],
    data: DataDir,
    clock: Clock,
    *,
    zone: ZoneInfo | None = None,
    skip_bad: bool = False,
    progress: Progress = lambda *_: None,
) -> Imported:
    """`zone`: whose local times the files have; the site's by default, UTC while there is none.
    Raises DiademaError.
    """
    described = site_of(data)
    given_zone, zone = zone, zone or tz_of(described)
    read = [*{file.epoch: file for file in (_read(path, zone) for path in files)}.values()]
    done = _summary(read, zone)
    if done.bad and not (skip_bad and any(file.calls for file in read)):
        return done
    data.make()
    with alone(data, "import"):
        if given_zone is not None:
            note_zone(data, given_zone)
        writer = open_writer(data.store)
        try:
            new = [_new_bodies(writer, file) for file in read]
            _refuse_others(writer, read)
            done.new = sum(map(len, new))
            ingest = Ingest(writer, described, clock)
            taken = 0
            for file_bodies in new:
                for at in range(0, len(file_bodies), _BATCH):
                    batch = file_bodies[at : at + _BATCH]
                    ingest.take_file([Message(0, subject_of(SOURCE), one) for one in batch])
                    taken += len(batch)
                    progress(taken, done.new)
        finally:
            writer.close()
    done.imported = True
    return done


def _read(path: Path, zone: ZoneInfo) -> _Read:
    content = read_file(path)
    file = _Read(path, zlib.crc32(content))
    lines: dict[str, int] = {}
    for row in scan(path, content, COLUMNS):
        try:
            if isinstance(row, BadRow):
                raise row
            call = call_of(row)
            if call.pbx in lines:
                raise BadRow(path, row.line, Sentence("errors.row.same", line=lines[call.pbx]))
            new = bodies(row, call, zone, file.epoch, len(file.bodies) + 1)
        except BadRow as bad:
            file.bad.append(Finding(str(path), bad.line, [bad.why]))
            continue
        lines[call.pbx] = call.line
        file.calls.append(call)
        file.bodies += new
    return file


def _summary(read: Sequence[_Read], zone: ZoneInfo) -> Imported:
    outcomes = {"completed": 0, "abandoned": 0, "before_queue": 0, "phantom": 0}
    odd: dict[tuple[str, int], list[Any]] = {}
    days: set[str] = set()
    served: list[QueueCall] = []
    where: dict[tuple[int, int], str] = {}
    for at, file in enumerate(read):
        for call in file.calls:
            outcomes[call.cause] += 1
            days.add(call.midnight.date().isoformat())
            if call.odd:
                odd[str(file.path), call.line] = list(call.odd)
            if call.cause == "completed":
                served.append(_served(at, call, zone))
                where[at, call.line] = clock_text(call.ended_s)
    for later, before in overlapping(served):
        key = str(read[later.epoch].path), later.sequence
        of_file = Sentence("errors.row.of_file", path=read[before.epoch].path)
        other = "" if later.epoch == before.epoch else of_file
        ends = where[before.epoch, before.sequence]
        reason = Sentence("errors.row.overlaps", line=before.sequence, other=other, ends=ends)
        odd.setdefault(key, []).append(reason)
    return Imported(
        imported=False,
        zone=zone.key,
        rows=sum(len(file.calls) + len(file.bad) for file in read),
        calls=outcomes,
        days=sorted(days),
        events=sum(len(file.bodies) for file in read),
        new=0,
        bad=[bad for file in read for bad in file.bad],
        impossible=[Finding(*key, reasons) for key, reasons in sorted(odd.items())],
    )


def _served(file: int, call: BankCall, zone: ZoneInfo) -> QueueCall:
    return QueueCall(
        station=SOURCE,
        epoch=file,
        sequence=call.line,
        pbx=call.pbx,
        queue=call.queue,
        start_utc=0,
        agent=call.agent,
        connected_utc=call.utc(call.served_s, zone),
        end_utc=call.utc(call.ended_s, zone),
        estimated=call.estimated,
    )


def _new_bodies(writer: Writer, file: _Read) -> list[bytes]:
    """What is not in yet. Raises DiademaError when it came in otherwise than it is read now."""
    row = tables.events.c
    query = select(row.body).where((row.s == SOURCE) & (row.e == file.epoch)).order_by(row.n)
    with writer.transaction() as tx:
        there = list(tx.execute(query).scalars())
    if there != file.bodies[: len(there)]:
        raise DiademaError(
            Sentence("errors.exchange.path_store_already_with_another", path=file.path)
        )
    return file.bodies[len(there) :]


def _refuse_others(writer: Writer, read: Sequence[_Read]) -> None:
    """A call that is in from another file must not be counted twice."""
    row = tables.queue_calls.c
    with writer.transaction() as tx:
        query = select(row.pbx, row.e).where(row.s == SOURCE)
        known: dict[str, int] = {pbx: e for pbx, e in tx.execute(query)}
    for file in read:
        doubles = [
            call for call in file.calls if known.setdefault(call.pbx, file.epoch) != file.epoch
        ]
        if doubles:
            raise DiademaError(
                Sentence(
                    "errors.exchange.path_count_its_calls_came",
                    path=file.path,
                    count=len(doubles),
                    line=doubles[0].line,
                )
            )
