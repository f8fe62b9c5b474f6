"""Ingest: a full stream through the real ingest into the store, every commit on the disk.

The baseline of the same run, for 1 and for 1 000 stations: the same rows, made beforehand, go into
the same events table of an own SQLite (WAL, synchronous FULL, the store's cache and checkpoints)
by one `executemany` and one commit for each batch as large as the ingest's largest; nothing else.
Ingest and baseline take turns; each figure is the best of its turns, for what else runs on the
machine can only slow them. The ingest fills one core, and the thread that writes and the broker
most of a second one: where that one is busy otherwise, the ratio falls.
"""

import asyncio
import json
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from diadema.hub.broker import STREAM
from diadema.hub.stream import BATCH
from diadema.ingest.messages import PREFIX
from diadema.store.tables import events
from sqlalchemy.schema import CreateTable

from tests.bench.figure import Figure
from tests.support.broker_fixtures import IngestProcess, RunningBroker
from tests.support.scripted_station import Script

_EVENTS = 96_000
_TURNS = 5
_CALL = 6  # events
_LOOK_S = 0.01
_HEADERS = {"Nmqtt-Pub": "1"}  # as the broker marks what comes by MQTT

type Row = tuple[str, int, int, str, bytes]


@dataclass(frozen=True)
class Taken:
    """Events a second."""

    ingest_s: float
    bare_s: float


async def figures() -> list[Figure]:
    found = []
    for stations in (1, 1000):
        with tempfile.TemporaryDirectory(prefix="diadema-bench-") as folder:
            taken = await measure(Path(folder), stations)
        what = f"ingest, {stations} station{'s' * (stations > 1)}"
        against = f"bare executemany, same rows, {BATCH} a commit"
        found.append(Figure(what, taken.ingest_s, "events/s", taken.bare_s, against))
    return found


async def measure(folder: Path, stations: int, turns: int = _TURNS) -> Taken:
    calls = _EVENTS // _CALL // stations
    rows = rows_of(stations, calls)
    broker = RunningBroker(folder / "hub")
    await broker.start(mqtt=False)
    ingest_s, bare_s = [], []
    try:
        await _fill(broker, rows)
        for turn in range(turns):
            bare_s.append(_bare(folder / f"bare{turn}.sqlite3", rows))
            ingest_s.append(await _ingest(broker, len(rows)))
            for file in broker.data.root.glob(broker.data.store.name + "*"):
                file.unlink()
    finally:
        await broker.stop()
    return Taken(max(ingest_s), max(bare_s))


def rows_of(stations: int, calls: int) -> list[Row]:
    """What as many stations send, each with so many calls."""
    return list(_side_by_side([_script(number, calls) for number in range(stations)]))


def _script(number: int, calls: int) -> Script:
    script = Script(s=f"DIA-02000000{number:04x}", agent=f"a{number:03}").boot().clock()
    script.login().ready()
    for call in range(calls):
        script.call(f"c{number}-{call}")
    return script


def _side_by_side(scripts: list[Script]) -> Iterator[Row]:
    """Event by event in turn, as stations that work side by side send them."""
    for bodies in zip_longest(*(script.bodies for script in scripts)):
        for script, body in zip(scripts, bodies, strict=True):
            if body is not None:
                event = json.loads(body)
                yield script.s, script.e, event["n"], event["k"], body


async def _fill(broker: RunningBroker, rows: list[Row]) -> None:
    client = await broker.client()
    for s, _, _, _, body in rows:
        await client.publish(f"{PREFIX}{s}.ev", body, headers=_HEADERS)
    await client.flush(30)
    while (await client.jetstream().stream_info(STREAM)).state.messages < len(rows):
        await asyncio.sleep(_LOOK_S)
    await client.close()


async def _ingest(broker: RunningBroker, total: int) -> float:
    """From the first batch that is stored to the last; the ingest's start is not counted."""
    async with IngestProcess(broker):
        with sqlite3.connect(broker.data.store) as store:
            first, began = 0, 0.0
            while (stored := _stored(store)) < total:
                if stored and not first:
                    first, began = stored, time.monotonic()
                await asyncio.sleep(_LOOK_S)
            took = time.monotonic() - began
        store.close()
    return (total - first) / took


def _stored(store: sqlite3.Connection) -> int:
    """The stream's sequence, which is committed with the events; nothing but events is in it."""
    return store.execute("SELECT coalesce(max(sequence), 0) FROM stream").fetchone()[0]


def _bare(path: Path, rows: list[Row]) -> float:
    bare = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "wal_autocheckpoint = 8000"):
        bare.execute(f"PRAGMA {pragma}")
    bare.execute("PRAGMA cache_size = -65536")
    bare.execute(str(CreateTable(events)))
    began = time.monotonic()
    for at in range(0, len(rows), BATCH):
        bare.execute("BEGIN IMMEDIATE")
        bare.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?)", rows[at : at + BATCH])
        bare.execute("COMMIT")
    took = time.monotonic() - began
    bare.close()
    return len(rows) / took
