"""Takes whole logs of a switch into the store: all of their rows, or none.

A log is known by its first row, and its events by their order: so the same log again changes
nothing, and one that has grown goes on where it was. With the hub running it goes through the hub.
What the switch's bridge told live is in already, and is left out.
"""

import asyncio
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct, field
from sqlalchemy import Connection, select

from diadema.base import credentials
from diadema.base.clock import Clock
from diadema.base.errors import DiademaError
from diadema.base.locks import alone
from diadema.base.paths import DataDir
from diadema.exchange import queue_log_live
from diadema.exchange.queue_log_events import OTHERS, VERBS, Translator
from diadema.exchange.queue_log_rows import BadRow, Row, read_rows
from diadema.ingest.core import Ingest
from diadema.ingest.decode import decode_known
from diadema.ingest.messages import Message, subject_of
from diadema.site.context import note_zone, site_of, tz_of
from diadema.store import open_reader, open_writer, tables
from diadema.store.rows import SWITCH
from diadema.wire.ask_hub import ask_hub
from diadema.wire.events import (
    QueueAbandoned,
    QueueConnected,
    QueueEntered,
    QueueEvent,
    QueueLeft,
)
from diadema.words import Sentence

_QUARTER_MS = 900_000  # no day begins within one
_REQUEST_EVENTS = 400  # events of a question to the hub: well within the broker's largest message

type Progress = Callable[[int, int], None]  # events taken in, of how many


class Finding(Struct):
    """A line of a file, and what is to be said of it."""

    file: str
    line: int
    what: Any  # a sentence


class Imported(Struct, kw_only=True):
    """`calls` by what became of them, each once, see `Translator.outcomes`; `other` and `unknown`:
    lines by verb that say nothing of callers, and that nobody knows. Nothing was imported when
    there are `bad` rows that were not to be skipped, or when it was only looked at. `live_calls`:
    those that the bridge told, which are left out of `events`; `different`: those of them of which
    the log says otherwise; `fresh`: calls that are new, where the bridge told some.
    """

    imported: bool = False
    source: str
    zone: str
    rows: int = 0
    days: list[str] = field(default_factory=list)
    calls: dict[str, int] = field(default_factory=dict)
    verbs: dict[str, int] = field(default_factory=dict)
    other: dict[str, int] = field(default_factory=dict)
    unknown: dict[str, int] = field(default_factory=dict)
    repeated: int = 0
    unentered: int = 0
    events: int = 0
    new: int = 0
    bad: list[Finding] = field(default_factory=list)
    unfinished: list[Finding] = field(default_factory=list)
    live_calls: int = 0
    fresh: int | None = None
    different: list[Finding] = field(default_factory=list)


@dataclass
class _Read:
    path: Path
    epoch: int
    bodies: Sequence[bytes]
    translator: Translator
    rows: list[Row]
    bad: list[BadRow]
    unfinished: int | None


def epoch(first: bytes, queues: Iterable[str]) -> int:
    """Of a log that begins with this row, when only these queues of it are taken."""
    return zlib.crc32(b"\n".join([first, *(queue.encode() for queue in sorted({*queues}))]))


def import_queue_log(
    files: Sequence[Path],
    data: DataDir,
    clock: Clock,
    *,
    name: str = "central",
    zone: ZoneInfo | None = None,
    queues: Sequence[str] = (),
    skip_bad: bool = False,
    dry_run: bool = False,
    progress: Progress = lambda *_: None,
) -> Imported:
    """`name` of the switch; `zone` of a dump's local times, the site's by default, UTC while there
    is none. Raises DiademaError.
    """
    described = site_of(data)
    given_zone, zone = zone, zone or tz_of(described)
    key = ""
    if data.secrets.exists() or not dry_run:
        data.make()
        key = credentials.load_or_create(data).badge_key
    s = SWITCH + name
    read = _in_order(_read(path, s, key, zone, queues) for path in files)
    live = queue_log_live.look(data, s, [(file.epoch, file.bodies) for file in read])
    for file, left in zip(read, live.bodies, strict=True):
        file.bodies = left
    done = _summary(read, s, zone)
    done.live_calls, done.fresh = live.calls, live.fresh
    done.different = [Finding(str(read[at].path), line, what) for at, line, what in live.different]
    wanted = not done.bad or skip_bad
    if not wanted or dry_run:
        done.new = sum(len(_new(data, s, file)) for file in read)
        return done
    try:
        with alone(data, "import"):
            _check(data, s, read, done)
            writer = open_writer(data.store)
            try:
                ingest = Ingest(writer, described, clock)
                _send(data, s, read, done.new, progress, _Into(ingest, s))
            finally:
                writer.close()
    except DiademaError:
        if data.read_hub() is None:
            raise
        _check(data, s, read, done)
        _send(data, s, read, done.new, progress, _Through(data, s))
    if given_zone is not None:
        note_zone(data, given_zone)
    done.imported = True
    return done


class _Into:
    """The store itself."""

    size = _REQUEST_EVENTS

    def __init__(self, ingest: Ingest, s: str) -> None:
        self._ingest, self._subject = ingest, subject_of(s)

    def __call__(self, e: int, bodies: Sequence[bytes]) -> None:
        self._ingest.take_file([Message(0, self._subject, body) for body in bodies])


class _Through:
    """The hub that runs there."""

    size = _REQUEST_EVENTS

    def __init__(self, data: DataDir, s: str) -> None:
        self._data, self._s = data, s

    def __call__(self, e: int, bodies: Sequence[bytes]) -> None:
        body = {"s": self._s, "e": e, "events": [one.decode() for one in bodies]}
        asyncio.run(ask_hub(self._data, "hub.queue", body))


def _send(
    data: DataDir,
    s: str,
    read: Sequence[_Read],
    total: int,
    progress: Progress,
    take: _Into | _Through,
) -> None:
    taken = 0
    for file in read:
        bodies = _new(data, s, file)
        for at in range(0, len(bodies), take.size):
            batch = bodies[at : at + take.size]
            take(file.epoch, batch)
            taken += len(batch)
            progress(taken, total)


def _read(path: Path, s: str, key: str, zone: ZoneInfo, queues: Sequence[str]) -> _Read:
    found = read_rows(path, zone)
    e = epoch(found.first, queues)
    translator = Translator(s, e, key, queues)
    bodies: list[bytes] = []
    file = _Read(path, e, bodies, translator, [], [], found.unfinished)
    for row in found.rows:
        taken = row if isinstance(row, BadRow) else translator.take(row)
        if isinstance(taken, BadRow):
            file.bad.append(taken)
        else:
            assert isinstance(row, Row)
            file.rows.append(row)
            bodies += taken
    return file


def _in_order(read: Iterable[_Read]) -> list[_Read]:
    """Each log once, the oldest first: a call may begin in one and end in the next."""
    once = {file.epoch: file for file in sorted(read, key=lambda file: len(file.bodies))}
    return sorted(once.values(), key=lambda file: file.rows[0].utc_ms if file.rows else 0)


def _summary(read: Sequence[_Read], s: str, zone: ZoneInfo) -> Imported:
    done = Imported(source=s, zone=zone.key)
    days: set[str] = set()
    calls: Counter[str] = Counter()
    verbs: Counter[str] = Counter()
    unknown: Counter[str] = Counter()
    for file in read:
        one = file.translator
        done.rows += len(file.rows) + len(file.bad)
        done.events += len(file.bodies)
        done.repeated += one.repeated
        done.unentered += one.unentered
        calls += one.outcomes
        verbs += one.verbs
        unknown += one.unknown
        days |= {_day(one, zone) for one in {row.utc_ms // _QUARTER_MS for row in file.rows}}
        path = str(file.path)
        done.bad += [Finding(path, bad.line, bad.why) for bad in sorted(file.bad, key=_line)]
        if file.unfinished is not None:
            done.unfinished.append(
                Finding(path, file.unfinished, Sentence("errors.row.unfinished"))
            )
    done.days, done.calls, done.unknown = sorted(days), dict(calls), dict(unknown)
    done.other = {verb: n for verb, n in verbs.items() if verb in OTHERS}
    done.verbs = {verb: n for verb, n in verbs.items() if verb in VERBS}
    return done


def _line(bad: BadRow) -> int:
    return bad.line


def _day(quarter: int, zone: ZoneInfo) -> str:
    return datetime.fromtimestamp(quarter * _QUARTER_MS // 1000, zone).date().isoformat()


def _check(data: DataDir, s: str, read: Sequence[_Read], done: Imported) -> None:
    """Raises DiademaError for what is in otherwise, or from another log, already."""
    done.new = sum(len(_new(data, s, file)) for file in read)
    if not data.store.exists():
        return
    with open_reader(data.store) as reader, reader.engine.connect() as connection:
        for file in read:
            _refuse_others(connection, s, file, _new(data, s, file))


def _new(data: DataDir, s: str, file: _Read) -> Sequence[bytes]:
    """What is not in yet. Raises DiademaError when it came in otherwise than it is read now."""
    if not data.store.exists():
        return file.bodies
    row = tables.events.c
    query = select(row.body).where((row.s == s) & (row.e == file.epoch)).order_by(row.n)
    with open_reader(data.store) as reader, reader.engine.connect() as connection:
        there = list(connection.execute(query).scalars())
    if not all(map(_same, there, file.bodies)):
        raise DiademaError(
            Sentence("errors.exchange.path_store_already_with_another_2", path=file.path)
        )
    return file.bodies[len(there) :]


def _same(stored: bytes, now: bytes) -> bool:
    """An older program reported less of the same row."""
    if stored == now:
        return True
    before: dict[str, Any] = msgspec.json.decode(stored)
    return bool(before.items() <= msgspec.json.decode(now).items())


def _refuse_others(connection: Connection, s: str, file: _Read, new: Sequence[bytes]) -> None:
    """What is in from another log of this switch must not be counted twice."""
    if not new:
        return
    events: list[QueueEvent] = [decode_known(body) for body in new]
    row = tables.queue_calls.c
    first, last = (bound(event.utc_ms for event in events) for bound in (min, max))
    query = select(row.queue, row.pbx, row.start_utc, row.connected_utc, row.end_utc).where(
        (row.s == s) & (row.e != file.epoch) & (row.start_utc <= last)
    )
    query = query.where((row.end_utc >= first) | (row.start_utc >= first))
    moments = {(queue, pbx, t) for queue, pbx, *ts in connection.execute(query) for t in ts if t}
    twice = [
        event
        for event in events
        if isinstance(event, QueueEntered | QueueConnected | QueueAbandoned | QueueLeft)
        and (event.queue, event.pbx, event.utc_ms) in moments
    ]
    if twice:
        raise DiademaError(
            Sentence(
                "errors.exchange.path_count_its_rows_came",
                path=file.path,
                count=len(twice),
                line=twice[0].line,
            )
        )
