"""Takes whole «anonymous bank» logs into the store: all of their calls, or none.

A file's events are the same each time that it is read, so that its second import changes nothing
and a broken-off one is completed. What is in already under another file's name is refused.
"""

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo

from msgspec import Struct
from sqlalchemy import select

from diadema.base.clock import Clock
from diadema.base.errors import DiademaError
from diadema.base.exclusive import alone
from diadema.base.paths import DataDir
from diadema.exchange.imports.bank_calls import (
    COLUMNS,
    SOURCE,
    BankCall,
    bodies,
    call_of,
)
from diadema.exchange.imports.bank_file import (
    BadRow,
    clock_text,
    read_file,
    scan,
)
from diadema.ingest.core import Ingest
from diadema.ingest.messages import Message, subject_of
from diadema.metrics.queue import overlapping
from diadema.site import description
from diadema.site.directory.reading import note_zone
from diadema.store import QueueCall, Writer, open_writer, tables

_BATCH = 5000

type Progress = Callable[[int, int], None]  # events taken in, of how many


class Told(Struct):
    """A line of a file, and what is to be said of it: why it is bad, or impossible."""

    file: str
    line: int
    reasons: list[str]


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
    bad: list[Told]
    impossible: list[Told]


@dataclass
class _Read:
    """One file, read."""

    path: Path
    e: int
    calls: list[BankCall] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    bad: list[Told] = field(default_factory=list)


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
    described = description.load(data.site) if data.site.exists() else None
    told, zone = zone, zone or (described.tz if described else ZoneInfo("UTC"))
    read = [*{file.e: file for file in (_read(path, zone) for path in files)}.values()]
    done = _summary(read, zone)
    if done.bad and not (skip_bad and any(file.calls for file in read)):
        return done
    data.make()
    with alone(data, "import"):
        if told is not None:
            note_zone(data, told)
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
                raise BadRow(path, row.line, f": the same call as line {lines[call.pbx]}.")
            told = bodies(row, call, zone, file.e, len(file.bodies) + 1)
        except BadRow as bad:
            file.bad.append(Told(str(path), bad.line, [bad.why]))
            continue
        lines[call.pbx] = call.line
        file.calls.append(call)
        file.bodies += told
    return file


def _summary(read: Sequence[_Read], zone: ZoneInfo) -> Imported:
    outcomes = {"completed": 0, "abandoned": 0, "before_queue": 0, "phantom": 0}
    odd: dict[tuple[str, int], list[str]] = {}
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
        key = str(read[later.e].path), later.n
        other = "" if later.e == before.e else f" of {read[before.e].path}"
        told = f"overlaps line {before.n}{other}, which ends at {where[before.e, before.n]}"
        odd.setdefault(key, []).append(told)
    return Imported(
        imported=False,
        zone=zone.key,
        rows=sum(len(file.calls) + len(file.bad) for file in read),
        calls=outcomes,
        days=sorted(days),
        events=sum(len(file.bodies) for file in read),
        new=0,
        bad=[bad for file in read for bad in file.bad],
        impossible=[Told(*key, reasons) for key, reasons in sorted(odd.items())],
    )


def _served(file: int, call: BankCall, zone: ZoneInfo) -> QueueCall:
    return QueueCall(
        s=SOURCE,
        e=file,
        n=call.line,
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
    query = select(row.body).where((row.s == SOURCE) & (row.e == file.e)).order_by(row.n)
    with writer.transaction() as tx:
        there = list(tx.execute(query).scalars())
    if there != file.bodies[: len(there)]:
        raise DiademaError(
            f"{file.path} is in the store already, with another --zone or other bad rows skipped: "
            "events are never changed. Repeat it as it was, or give another --data"
        )
    return file.bodies[len(there) :]


def _refuse_others(writer: Writer, read: Sequence[_Read]) -> None:
    """A call that is in from another file must not be counted twice."""
    row = tables.queue_calls.c
    with writer.transaction() as tx:
        query = select(row.pbx, row.e).where(row.s == SOURCE)
        known: dict[str, int] = {pbx: e for pbx, e in tx.execute(query)}
    for file in read:
        doubles = [call for call in file.calls if known.setdefault(call.pbx, file.e) != file.e]
        if doubles:
            raise DiademaError(
                f"{file.path}: {len(doubles)} of its calls came in from another file already, "
                f"the first of them in line {doubles[0].line}. Remove them, and import the rest"
            )
