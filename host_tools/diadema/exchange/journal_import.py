"""Takes the events of a station's journal in, as `diadema flash` kept them: one a line, as the
station would have sent it. Through the hub when one runs. Each counts once, whoever brought it.
"""

import asyncio
import itertools
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct
from sqlalchemy import select

from diadema.base.clock import Clock, open_clock
from diadema.base.errors import DiademaError, why
from diadema.base.locks import alone
from diadema.base.paths import DataDir
from diadema.ingest.core import Ingest
from diadema.ingest.messages import Message, subject_of
from diadema.site.context import site_of
from diadema.store import open_reader, open_writer, tables
from diadema.wire.ask_hub import ask_hub
from diadema.wire.events import (
    EVENT_LIMIT,
    UNREADABLE,
    Epoch,
    Sequence,
)
from diadema.wire.letters import LETTERS
from diadema.words import Sentence

_REQUEST_EVENTS = 400  # events of a question to the hub: well within the broker's largest message


class Taken(Struct):
    """`new` in the store; `left` out, for too many before them in their journal are missing."""

    stations: list[str]
    events: int
    new: int = 0
    left: int = 0


class _Head(Struct, rename=LETTERS):
    """An event's place; whatever else is wrong with it, the ingest says."""

    station: Annotated[str, Meta(pattern=r"^DIA-[0-9a-f]{12}\Z")]
    epoch: Epoch
    sequence: Sequence


type _Place = tuple[str, int, int]  # s, e, n


def import_journal(files: Iterable[Path], data: DataDir, clock: Clock | None = None) -> Taken:
    """Raises DiademaError; a file with a line that is no event is refused whole."""
    events = dict(itertools.chain.from_iterable(map(_read, files)))
    in_order = sorted(events)
    done = Taken(sorted({s for s, *_ in in_order}), len(events))
    before = _stored(data, in_order)
    for s, group in itertools.groupby(in_order, key=lambda place: place[0]):
        bodies = [events[place] for place in group]
        for at in range(0, len(bodies), _REQUEST_EVENTS):
            _take(s, bodies[at : at + _REQUEST_EVENTS], data, clock)
    after = _stored(data, in_order)
    done.new, done.left = after - before, len(events) - after
    return done


def _take(s: str, bodies: list[bytes], data: DataDir, clock: Clock | None) -> None:
    if data.read_hub() is not None:
        request = {"s": s, "events": [body.decode() for body in bodies]}
        asyncio.run(ask_hub(data, "hub.journal", request))
        return
    described = site_of(data)
    data.make()
    with alone(data, "import"):
        writer = open_writer(data.store)
        try:
            ingest = Ingest(writer, described, clock or open_clock(None))
            ingest.take_file([Message(0, subject_of(s), body) for body in bodies])
        finally:
            writer.close()


def _read(path: Path) -> list[tuple[_Place, bytes]]:
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise DiademaError(
            Sentence("errors.cli.cannot_read_file_reason", file=path, reason=why(error))
        ) from error
    return [(_place(path, number, line), line) for number, line in enumerate(lines, 1)]


def _place(path: Path, number: int, line: bytes) -> _Place:
    try:
        if len(line) > EVENT_LIMIT:
            raise msgspec.DecodeError("it is too long")
        return place_of(line)
    except UNREADABLE as error:
        raise DiademaError(
            Sentence(
                "errors.exchange.path_line_number_no_event", path=path, number=number, error=error
            )
        ) from error


def place_of(line: bytes) -> _Place:
    """Raises what is UNREADABLE, also when the line has more than one place."""
    head = msgspec.json.decode(line, type=_Head)
    names = [name for name, _ in json.loads(line, object_pairs_hook=list)]
    if any(names.count(name) > 1 for name in _Head.__struct_encode_fields__):
        raise msgspec.ValidationError("it says twice whose it is")
    return head.station, head.epoch, head.sequence


def _stored(data: DataDir, places: list[_Place]) -> int:
    """How many of these the store has, dead letters too."""
    if not places or not data.store.exists():
        return 0
    wanted = {*places}
    found: set[_Place] = set()
    with open_reader(data.store) as reader, reader.engine.connect() as connection:
        for (s, e), group in itertools.groupby(places, key=lambda place: place[:2]):
            numbers = [n for *_, n in group]
            for row in (tables.events.c, tables.dead_letters.c):
                query = select(row.n).where(
                    (row.s == s) & (row.e == e) & row.n.between(numbers[0], numbers[-1])
                )
                found |= {(s, e, n) for n in connection.execute(query).scalars()}
    return len(found & wanted)
