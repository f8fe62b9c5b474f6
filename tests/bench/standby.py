"""Standby: how long until it has what its hub acknowledged, at a thousand events a second.

The clock starts when the hub's broker has acknowledged an event, which is before a station is told
so, and stops when the standby's own stream has it: both files go to their disk within a second.
The hub, its ingest and its pages, the standby and its backup all work on this machine.
"""

import asyncio
import contextlib
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import nats
from diadema.access import Accounts
from diadema.access.roles import Person
from diadema.base import credentials
from diadema.base.certificates import PageCertificates
from diadema.base.paths import DataDir
from diadema.hub.broker import LOOPBACK, read_ports
from diadema.hub.standby import Credential
from diadema.ingest.messages import PREFIX
from diadema.wire.ask_hub import STREAM
from nats.aio.client import Client
from nats.js.errors import NotFoundError

from tests.bench.crowd import running, running_hub
from tests.bench.figure import Figure
from tests.bench.intake import rows_of
from tests.support.broker_fixtures import until
from tests.support.scripted_station import SITE

_STATIONS = 1000
_A_SECOND = 1000
_SECONDS = 20
_CALL = 6  # events
_TICK_S = 0.01
_ADDRESS = "127.0.0.2"
_HEADERS = {"Nmqtt-Pub": "1"}  # as the broker marks what comes by MQTT
_ME = Person(id="bench", name="bench", role="service")

type Times = dict[int, float]  # by number in the stream


async def figures() -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="diadema-bench-") as scratch:
        return list(_figures(*await measure(Path(scratch), _A_SECOND * _SECONDS)))


def _figures(acknowledged: Times, held: Times, took_s: float) -> Iterator[Figure]:
    lags = [held[number] - at for number, at in acknowledged.items()]
    rate = f"{len(lags) / took_s:,.0f} events/s"
    for percent in (50, 99):
        value = statistics.quantiles(lags, n=100, method="inclusive")[percent - 1]
        yield Figure(f"acknowledged to held by a standby, p{percent}", value, "s", None, rate)
    yield Figure("acknowledged to held by a standby, longest", max(lags), "s", None, rate)


async def measure(folder: Path, events: int) -> tuple[Times, Times, float]:
    data, there = DataDir(folder / "hub"), DataDir(folder / "standby")
    data.make()
    data.site.write_text(json.dumps(SITE))
    with contextlib.closing(Accounts(data)) as accounts:
        accounts.book.add(_ME, "jefa", "Jefa", "admin")
    async with running_hub(folder, data, "--host", _ADDRESS) as hub:
        file = _credential(folder, data)
        words = ["standby", "--of", hub.web, "--here", "https://127.0.0.3:1"]
        command = [sys.executable, "-m", "diadema", *words, "--credential", str(file)]
        command += ["--data", str(there.root)]
        async with running(command, folder / "standby.log"):
            ours = await _connect(hub.nats, data)
            its_own = DataDir(there.standby)
            await until((there.standby / "newest.backup").exists)
            ports = read_ports(its_own)
            assert ports is not None
            theirs = await _connect(f"nats://{LOOPBACK}:{ports.nats}", its_own)
            began = time.monotonic()
            held: Times = {}
            watching = asyncio.create_task(_watch(theirs, held))
            acknowledged = await _load(ours, events)
            took_s = time.monotonic() - began
            await until(lambda: watching.done() or max(acknowledged) in held)
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
            await ours.close()
            await theirs.close()
    return acknowledged, held, took_s


def _credential(folder: Path, data: DataDir) -> Path:
    with contextlib.closing(Accounts(data)) as accounts:
        token = accounts.tokens.add(_ME, "reserva", "standby")
    ca = PageCertificates(data.tls).ca.read_text()
    file = folder / "reserva.json"
    file.touch(0o600)
    file.write_bytes(msgspec.json.encode(Credential(token=token, ca=ca)))
    return file


async def _connect(url: str, data: DataDir) -> Client:
    password = credentials.load(data).host
    return await nats.connect(url, user="host", password=password, connect_timeout=60)


async def _load(client: Client, events: int) -> Times:
    """So many a second, whatever comes back."""
    jetstream = client.jetstream(timeout=60, publish_async_max_pending=events)
    rows = rows_of(_STATIONS, events // _STATIONS // _CALL + 1)[:events]
    acknowledged: Times = {}
    waiting = []
    began = time.monotonic()
    for number, (s, _, _, _, body) in enumerate(rows):
        while number > (time.monotonic() - began) * _A_SECOND:
            await asyncio.sleep(_TICK_S)
        future = await jetstream.publish_async(f"{PREFIX}{s}.ev", body, headers=_HEADERS)
        future.add_done_callback(
            lambda done: acknowledged.setdefault(done.result().seq, time.monotonic())
        )
        waiting.append(future)
    await asyncio.gather(*waiting)
    return acknowledged


async def _watch(client: Client, held: Times) -> None:
    """Each number when the standby's stream was first seen to have it."""
    jetstream, known = client.jetstream(timeout=60), 0
    while True:
        with contextlib.suppress(NotFoundError):  # it begins with the first message
            last = (await jetstream.stream_info(STREAM)).state.last_seq
            held.update(dict.fromkeys(range(known + 1, last + 1), time.monotonic()))
            known = last
        await asyncio.sleep(_TICK_S)
