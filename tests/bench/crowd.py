"""A thousand stations by MQTT over TLS, an event a second each for a minute, on a real hub.

The clock starts when a key is pressed at a station, in the stations' own process, and stops when
another reader of the store sees the row. The stations speak the firmware's wire (`light_station`).
"""

import asyncio
import contextlib
import json
import os
import sqlite3
import statistics
import sys
import tempfile
import time
from asyncio.subprocess import PIPE, Process
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path

import msgspec
import nats
from diadema.base import credentials
from diadema.base.paths import DataDir, Hub
from diadema.store import open_reader

from tests.bench.crowd_stations import Plan, Told, plan_of, told_of
from tests.bench.figure import Figure
from tests.support.light_station import Access, accesses
from tests.support.scripted_station import SITE

_STATIONS = 1000
_EVENTS = 60  # of each
_PACE_S = 1.0  # between a station's events
_TEAM = 20
_LOOK_S = 0.005
_WEIGH_S = 1.0
_UP_S = 60.0
_END_S = 150.0
_PATIENCE_S = 10.0
_BUDGET_MS = 1000
_ROOT = Path(__file__).parents[2]
_TICKS = os.sysconf("SC_CLK_TCK")

type Identity = tuple[str, int, int]


@dataclass(frozen=True)
class Weight:
    """What the system says of a process."""

    peak_mb: float
    processor_s: float


@dataclass(frozen=True)
class Seen:
    """`stored`: when each (s, e, n) was first seen in the store, by `time.monotonic()`."""

    told: Told
    stored: dict[Identity, float]
    weights: dict[str, Weight]
    lost: int
    doubled: int


async def figures() -> list[Figure]:
    return list(_figures(await measure(_STATIONS, _EVENTS, _PACE_S)))


def _figures(seen: Seen) -> Iterator[Figure]:
    told = seen.told
    yield Figure("stations in by TLS, all at once", max(told.connected_s), "s", None, "the last")
    yield Figure("until each had the time", told.settled_s, "s", None, "by the hub's command")
    yield Figure("events pressed", len(told.sent), "events", None, f"in {told.load_s:.1f} s")
    yield Figure("events lost", seen.lost, "events", None, "budget 0")
    yield Figure("events doubled", seen.doubled, "events", None, "budget 0")
    stored, acked = [], []
    for sent in told.sent:
        at = seen.stored.get(_identity(sent.body), float("inf"))
        stored.append((at - sent.pressed) * 1000)
        acked.append(((sent.acked or float("inf")) - sent.pressed) * 1000)
    for what, latencies in (("stored", stored), ("acknowledged", acked)):
        for percent in (50, 99):
            value = statistics.quantiles(latencies, n=100, method="inclusive")[percent - 1]
            budget = "budget" if (what, percent) == ("stored", 99) else "budget of p99 stored"
            yield Figure(f"press to {what}, p{percent}", value, "ms", _BUDGET_MS, budget)
    yield Figure("press to stored, longest", max(stored), "ms")
    for name, weight in seen.weights.items():
        spent = f"peak; {weight.processor_s:.0f} s of a core"
        yield Figure(f"memory of {name}", weight.peak_mb, "MB", None, spent)
    tried = told.counts.pop("connections tried")
    yield Figure("connections tried", tried, "times", len(told.connected_s), "stations")
    yield Figure("events sent again", told.counts.pop("resent", 0), "events")
    del told.counts["command time"]
    for what, count in sorted(told.counts.items()):
        yield Figure(f"stations: {what}", count, "times")


async def measure(
    stations: int,
    events: int,
    pace_s: float,
    beside: Callable[[DataDir, Hub], AbstractAsyncContextManager[None]] | None = None,
) -> Seen:
    """`beside` runs from before the stations come until they have ended."""
    with tempfile.TemporaryDirectory(prefix="diadema-bench-") as scratch:
        folder = Path(scratch)
        data = DataDir(folder / "hub")
        data.make()
        data.site.write_text(json.dumps(_site(stations)))
        async with running_hub(folder, data) as hub, _stations(folder) as clients:
            await _plan(folder, data, hub, events, pace_s)
            async with beside(data, hub) if beside else contextlib.nullcontext():
                clients.stdin.write(b"begin\n")
                watched = hub.children | {"hub": hub.pid, "all stations": clients.pid}
                seen, weights = await _watch(data, clients, watched)
            if clients.returncode:
                raise SystemExit(f"the stations failed: {_log(folder, 'stations').read_text()}")
            told = msgspec.json.decode(told_of(folder).read_bytes(), type=Told)
            return Seen(told, seen, weights, *_compare(data, told))


def _site(stations: int) -> dict[str, object]:
    """An agent each, twenty on a team; a station knows its team's."""
    teams = [f"Equipo {n // _TEAM:02}" for n in range(stations)]
    agents = [
        {
            "id": f"a{n:03}", "name": f"Persona {n}", "short": f"P {n}", "alias": f"{n}",
            "team": team, "badges": [],
        }
        for n, team in enumerate(teams)
    ]  # fmt: skip
    seats = [
        {"id": f"DIA-04000000{n:04x}", "seat": f"P-{n:04}", "teams": [team]}
        for n, team in enumerate(teams)
    ]
    return SITE | {"stations": seats, "agents": agents}


@contextlib.asynccontextmanager
async def running_hub(folder: Path, data: DataDir, *words: str) -> AsyncIterator[Hub]:
    """`diadema hub` on free ports."""
    command = [sys.executable, "-m", "diadema", "hub", "--data", str(data.root), "--json"]
    command += ["--port", "0", "--mqtt-port", "0", *words]
    async with running(command, _log(folder, "hub")) as hub:
        async with asyncio.timeout(_UP_S):
            line = await hub.stdout.readline()
        if not line:
            raise SystemExit(f"no hub: {_log(folder, 'hub').read_text()}")
        yield msgspec.json.decode(line, type=Hub)


def _stations(folder: Path) -> AbstractAsyncContextManager[Process]:
    """They begin with the first line of their input, and end with it."""
    command = [sys.executable, "-m", "tests.bench.crowd_stations", str(folder)]
    return running(command, _log(folder, "stations"))


def _log(folder: Path, name: str) -> Path:
    return folder / f"{name}.log"


@contextlib.asynccontextmanager
async def running(command: list[str], log: Path) -> AsyncIterator[Process]:
    with log.open("wb") as said:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=PIPE, stdout=PIPE, stderr=said, cwd=_ROOT
        )
    try:
        yield process
    finally:
        await _end(process)


async def _end(process: Process) -> None:
    if process.returncode is None:
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), _PATIENCE_S)
        except TimeoutError:
            process.kill()
            await process.wait()


async def _plan(folder: Path, data: DataDir, hub: Hub, events: int, pace_s: float) -> None:
    """Every station is configured already, as over its cable."""
    password = credentials.load(data).host
    client = await nats.connect(hub.nats, user="host", password=password, connect_timeout=60)
    try:
        ids = [station["id"] for station in json.loads(data.site.read_text())["stations"]]
        found: list[Access] = await accesses(client, data, ids)
        status = json.loads((await client.request("hub.status", b"{}", timeout=5)).data)
    finally:
        await client.close()
    plan = Plan(found, str(data.tls / "ca.pem"), status["generation"], events, pace_s)
    plan_of(folder).write_bytes(msgspec.json.encode(plan))


async def _watch(
    data: DataDir, clients: Process, watched: dict[str, int]
) -> tuple[dict[Identity, float], dict[str, Weight]]:
    """Look every 5 ms what rows are new in the store, until the stations have ended."""
    stored: dict[Identity, float] = {}
    weights: dict[str, Weight] = {}
    last, weigh_at, limit = 0, 0.0, time.monotonic() + _END_S
    with contextlib.closing(sqlite3.connect(f"file:{data.store}?mode=ro", uri=True)) as store:
        while clients.returncode is None:
            rows = store.execute(
                "SELECT rowid, s, e, n FROM events WHERE rowid > ? ORDER BY rowid", (last,)
            ).fetchall()
            now = time.monotonic()
            for row, *identity in rows:
                stored.setdefault(tuple(identity), now)
                last = row
            if now >= weigh_at:
                weigh_at = now + _WEIGH_S
                beneath = {f"worker {pid}": pid for pid in _children(watched["web"])}
                found = (watched | beneath).items()
                weights |= {name: weight for name, pid in found if (weight := weight(pid))}
            if now > limit:
                said = data.log("ingest").read_text()[-2000:]
                raise SystemExit(f"the stations do not end; the ingest said last: {said}")
            await asyncio.sleep(_LOOK_S)
    return stored, weights


def _children(pid: int) -> list[int]:
    try:
        told = [file.read_text() for file in Path(f"/proc/{pid}/task").glob("*/children")]
    except OSError:  # one of its threads has ended
        return []
    return [int(child) for line in told for child in line.split()]


def weight(pid: int) -> Weight | None:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
        spent = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    peak_kb = next((int(line.split()[1]) for line in status.splitlines() if "VmHWM" in line), 0)
    return Weight(peak_kb / 1024, (int(spent[11]) + int(spent[12])) / _TICKS) if peak_kb else None


def _compare(data: DataDir, told: Told) -> tuple[int, int]:
    """(lost, doubled): what was journaled beside what is stored, byte by byte, and the calls in
    it beside the contacts that the ingest made of them.
    """
    reader = open_reader(data.store)
    stored = Counter(event.body for s in reader.stations() for event in reader.events_of(s))
    conflicts, contacts = len(reader.conflicts()), len(reader.contacts())
    reader.close()
    journaled = Counter([*told.before, *(sent.body for sent in told.sent)])
    calls = sum(b'"k":"contact.offered"' in body for body in journaled)
    lost = (journaled - stored).total() + max(calls - contacts, 0)
    doubled = (stored - journaled).total() + conflicts + max(contacts - calls, 0)
    return lost, doubled


def _identity(body: bytes) -> Identity:
    event = msgspec.json.decode(body)
    return event["s"], event["e"], event["n"]
