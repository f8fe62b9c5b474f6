"""Backup: how long an ingest's commits take beside a backup of its directory, and without one.

A store of 200 000 events; batches of 100 are committed one after the other, each on the disk,
while `diadema backup` runs in a process of its own, and as many while none does, in turns.
"""

import asyncio
import contextlib
import statistics
import sys
import tempfile
import time
from asyncio.subprocess import DEVNULL
from collections.abc import Iterator
from pathlib import Path

from diadema.base.credentials import load_or_create
from diadema.base.paths import DataDir
from diadema.ingest.core import Ingest
from diadema.ingest.messages import Message
from diadema.store import open_writer

from tests.bench.figure import Figure
from tests.support.scripted_station import T0, FixedClock, Script

_EVENTS = 200_000
_BATCH = 100
_FILL = 16_000
_BACKUPS = 3
_WORDS = "cinco palabras que nadie adivina"


async def figures() -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="diadema-bench-") as folder:
        return list(await _measure(Path(folder)))


async def _measure(folder: Path, events: int = _EVENTS) -> Iterator[Figure]:
    data = DataDir(folder / "hub")
    data.make()
    load_or_create(data)
    words = folder / "words"
    words.write_text(_WORDS)
    words.chmod(0o600)
    copy = folder / "a.backup"
    command = [sys.executable, "-m", "diadema", "backup", "run", str(copy)]
    command += ["--passphrase-file", str(words), "--data", str(data.root)]
    with contextlib.closing(open_writer(data.store)) as writer:
        ingest = Ingest(writer, None, FixedClock(T0))
        work = _work(ingest)
        while ingest.position < events:
            next(work)
        small = _work(ingest, _BATCH)
        beside: list[float] = []
        alone: list[float] = []
        took: list[float] = []
        for _ in range(_BACKUPS):
            copy.unlink(missing_ok=True)
            began = time.monotonic()
            process = await asyncio.create_subprocess_exec(*command, stdout=DEVNULL)
            waiting = asyncio.create_task(process.wait())
            while not waiting.done():
                beside.append(next(small))
                await asyncio.sleep(0)
            if waiting.result():
                raise SystemExit("the backup failed")
            took.append(time.monotonic() - began)
            alone += [next(small) for _ in range(len(beside) - len(alone))]
    size, store = (path.stat().st_size / 1e6 for path in (copy, data.store))
    whole = f"{size:,.0f} MB sealed, of {store:,.0f} MB of store"
    return iter([
        Figure("backup, its whole process", statistics.median(took), "s", None, whole),
        *(Figure(f"commit beside a backup, {name}", of(beside), "ms", of(alone), "without one")
          for name, of in (("p50", statistics.median), ("p99", _p99), ("longest", max))),
    ])  # fmt: skip


def _p99(found: list[float]) -> float:
    return statistics.quantiles(found, n=100, method="inclusive")[98]


def _work(ingest: Ingest, batch: int = _FILL) -> Iterator[float]:
    """Milliseconds of each commit, of whole calls at one station."""
    number = ingest.position
    script = Script(s=f"DIA-02000000{batch:04x}", e=batch).boot().clock().login().ready()
    sent = 0
    while True:
        while script.n - sent < batch:
            script.call(f"c{number}", talk=2000)
            number += 1
        messages = [
            Message(n, script.topic, body) for n, body in enumerate(script.bodies, sent + 1)
        ]
        script.bodies.clear()
        sent = script.n
        began = time.monotonic()
        ingest.take(messages, "bench", "bench")
        yield (time.monotonic() - began) * 1000
