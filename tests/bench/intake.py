"""Ingest: a stream that is full already goes through the real ingest into the store, every commit
on the disk; then the same rows go into a bare SQLite by one `executemany`.
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

from broker_fixtures import IngestProcess, RunningBroker
from diadema.hub.broker import STREAM
from diadema.ingest.messages import PREFIX
from diadema.store import open_reader
from diadema.store.tables import events
from scripted_station import Script
from sqlalchemy.schema import CreateTable

from tests.bench.figure import Figure

_STATIONS = 8
_CALLS = 2000  # of each station, six events a call
_LOOK_S = 0.02

type Row = tuple[str, int, int, str, bytes]


@dataclass(frozen=True)
class Taken:
    """Events a second."""

    ingest_s: float
    bare_s: float


async def figures() -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="diadema-bench-") as folder:
        taken = await measure(Path(folder))
    return [
        Figure("ingest", taken.ingest_s, "events/s", taken.bare_s, "bare executemany, same rows")
    ]


async def measure(folder: Path) -> Taken:
    rows = list(_side_by_side([_script(number) for number in range(_STATIONS)]))
    broker = RunningBroker(folder / "hub")
    await broker.start(mqtt=False)
    try:
        await _fill(broker, rows)
        ingest_s = await _ingest(broker, len(rows))
    finally:
        await broker.stop()
    return Taken(ingest_s, _bare(folder / "bare.sqlite3", rows))


def _script(number: int) -> Script:
    script = Script(s=f"DIA-02000000{number:04x}", agent=f"a{number:03}").boot().clock()
    script.login().ready()
    for call in range(_CALLS):
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
        await client.publish(f"{PREFIX}{s}.ev", body)
    await client.flush(30)
    while (await client.jetstream().stream_info(STREAM)).state.messages < len(rows):
        await asyncio.sleep(_LOOK_S)
    await client.close()


async def _ingest(broker: RunningBroker, total: int) -> float:
    """From the first batch that is stored to the last; the ingest's start is not counted."""
    async with IngestProcess(broker):
        reader = open_reader(broker.data.store)
        first, began = 0, 0.0
        while (stored := reader.count()) < total:
            if stored and not first:
                first, began = stored, time.monotonic()
            await asyncio.sleep(_LOOK_S)
        took = time.monotonic() - began
        reader.close()
    return (total - first) / took


def _bare(path: Path, rows: list[Row]) -> float:
    with sqlite3.connect(path) as bare:
        bare.execute("PRAGMA journal_mode = WAL")
        bare.execute("PRAGMA synchronous = FULL")
        bare.execute(str(CreateTable(events)))
        bare.commit()
        began = time.monotonic()
        bare.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?)", rows)
        bare.commit()
        took = time.monotonic() - began
    bare.close()
    return len(rows) / took
