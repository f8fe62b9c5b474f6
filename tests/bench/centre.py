"""A month of a thousand agents, through the ingest itself into a store that the other parts read.

`python -m tests.bench.centre FOLDER --days 3` makes a smaller one and leaves it there;
DIADEMA_BENCH_CENTRE=FOLDER has the other parts take that one.
"""

import argparse
import atexit
import functools
import heapq
import json
import os
import shutil
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from diadema.base.paths import DataDir
from diadema.ingest.core import Begun, Ingest
from diadema.ingest.messages import PREFIX, Message, subject_of
from diadema.site import description as sites
from diadema.site.directory.book import Change, Directory
from diadema.site.directory.kinds import KINDS
from diadema.site.directory.publishing import begin
from diadema.site.example import EXAMPLE
from diadema.store import open_reader, open_writer

from tests.bench.centre_load import FIRST, ZONE, Load, Told, directory, site
from tests.bench.figure import Figure

AGENTS, DAYS = 1000, 30
_BATCH = 16_000
_DEPTH = 2  # batches under way, as in the ingest's own pipeline
_NOW_H = 15.2  # the last day goes on at this hour
_SEEN = "seen.json"


@dataclass(frozen=True)
class Centre:
    """`now_ms`: the last day's afternoon, when everything that was said until then is in."""

    data: DataDir
    agents: int
    days: int
    now_ms: int
    events: int
    took_s: float

    @property
    def first(self) -> str:
        return FIRST.isoformat()

    @property
    def last(self) -> str:
        return (FIRST + timedelta(days=self.days - 1)).isoformat()


class Stands:
    """A clock that stands."""

    def __init__(self, utc_ms: int) -> None:
        self.utc_ms = utc_ms

    def now_ms(self) -> int:
        return self.utc_ms


async def figures() -> list[Figure]:
    made = centre()
    size = sum(file.stat().st_size for file in made.data.root.glob("store.sqlite3*"))
    return [
        Figure("a month of 1 000 agents", made.events, "events", 4_000_000, "at least"),
        Figure("taken in by the ingest", made.events / made.took_s, "events/s"),
        Figure("its store", size / made.events, "bytes/event"),
    ]


@functools.cache
def centre() -> Centre:
    """Made once a run."""
    if given := os.environ.get("DIADEMA_BENCH_CENTRE"):
        return read(Path(given))
    folder = Path(tempfile.mkdtemp(prefix="diadema-bench-centre-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return build(folder, AGENTS, DAYS)


def build(
    folder: Path, agents: int, days: int, progress: Callable[[int, int], None] = lambda *_: None
) -> Centre:
    data = DataDir(folder)
    data.make()
    data.site.write_text(json.dumps(site(agents, json.loads(EXAMPLE) | {"materials": []})))
    midnight = datetime.combine(FIRST + timedelta(days=days - 1), datetime.min.time(), ZONE)
    now_ms = int(midnight.timestamp() * 1000 + _NOW_H * 3_600_000)
    load = Load(agents, days)
    _fill_directory(data, load, now_ms)
    writer = open_writer(data.store)
    try:
        ingest = Ingest(writer, sites.load(data.site), Stands(now_ms))
        events, took = 0, 0.0
        for at, messages in _batches(load, now_ms):
            began = time.monotonic()
            _take(ingest, messages)
            took += time.monotonic() - began
            events += sum(message.subject.endswith(".ev") for message in messages)
            if ingest.deferred:
                raise SystemExit(f"{ingest.deferred} events were out of order")
            progress(at + 1, days)
        told = [Message(0, subject_of("HUB-main"), one) for one in load.assistance(now_ms)]
        ingest.take_file(told)
    finally:
        writer.close()
    made = Centre(data, agents, days, now_ms, events, took)
    (folder / _SEEN).write_text(json.dumps([agents, days, now_ms, events, took]))
    return made


def _fill_directory(data: DataDir, load: Load, now_ms: int) -> None:
    with Directory(data.directory) as book:
        begin(book, sites.load(data.site), now_ms)
        for told in (directory(), (("roster", row) for row in load.roster())):
            read = [(KINDS[kind], KINDS[kind].read(body)) for kind, body in told]
            wanted = [Change(kind=of.name, code=of.code(body), body=body) for of, body in read]
            book.apply(wanted, by="bench", reason="bench", at_ms=now_ms)


def read(folder: Path) -> Centre:
    return Centre(DataDir(folder), *json.loads((folder / _SEEN).read_text()))


def _take(ingest: Ingest, messages: list[Message]) -> None:
    begun: deque[Begun] = deque()
    for at in range(0, len(messages), _BATCH):
        begun.append(ingest.begin(messages[at : at + _BATCH], "bench", "bench"))
        if len(begun) == _DEPTH:
            ingest.end(begun.popleft())
    while begun:
        ingest.end(begun.popleft())


def _batches(load: Load, now_ms: int) -> Iterator[tuple[int, list[Message]]]:
    """Day by day in the order of time; what a night shift says after midnight comes there too."""
    subjects = {at: subject_of(one.s) for at, one in enumerate(load.journals)}
    subjects |= {-at: f"{PREFIX}{one.s}.st.wifi" for at, one in enumerate(load.journals) if at}
    later: list[Told] = []
    sequence = 0
    for at in range(load.days):
        day = FIRST + timedelta(days=at + 1)
        midnight = int(datetime.combine(day, datetime.min.time(), ZONE).timestamp() * 1000)
        until = min(midnight, now_ms)
        told = heapq.merge(later, *load.day(at))
        messages, later = [], []
        for one in told:
            if one[0] >= until:
                later.append(one)
                continue
            t, whose, body = one
            sequence += 1
            told = body if whose else load.numbered(t, body)
            messages.append(Message(sequence, subjects[whose], told))
        yield at, messages


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--agents", type=int, default=AGENTS)
    parser.add_argument("--days", type=int, default=DAYS)
    asked = parser.parse_args()
    made = build(asked.folder, asked.agents, asked.days, lambda at, of: print(at, "of", of))
    reader = open_reader(made.data.store)
    print(reader.status())
    print(f"{made.events} events in {made.took_s:.1f} s: {made.events / made.took_s:.0f} a second")


if __name__ == "__main__":
    main()
