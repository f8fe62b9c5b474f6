"""A switch's log into a running hub as it is written: each event once, whoever ends and however;
and how the queues stand meanwhile."""

import asyncio
import contextlib
import json
import sys
from datetime import date

import msgspec
import pytest
from diadema.base import credentials
from diadema.base.clock import SystemClock
from diadema.base.paths import DataDir, Hub
from diadema.exchange import queue_log_follow
from diadema.exchange.queue_log_follow import Follower
from diadema.exchange.queue_log_import import import_queue_log
from diadema.figures.read import read
from diadema.figures.rows import QueueSums
from diadema.ingest.queues import QueueBoard
from diadema.metrics.queue import service_level
from diadema.store import open_reader

from tests.support.broker_fixtures import IngestProcess, until
from tests.support.queue_logs import QueueLog, T
from tests.support.scripted_station import SITE, T0
from tests.support.targeted import centre, put

S = "PBX-central"


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(queue_log_follow, "EVERY_S", 0.01)
    monkeypatch.setattr(queue_log_follow, "_RETRY_S", 0.05)
    monkeypatch.setattr(queue_log_follow, "_ANSWER_S", 2.0)


@contextlib.asynccontextmanager
async def following(path, data):
    task = asyncio.create_task(Follower(path, data, "central").run())
    try:
        yield task
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@pytest.fixture
async def ingesting(broker, stack):
    broker.write_hub()
    return await stack.enter_async_context(IngestProcess(broker))


def append(path, *lines):
    with path.open("a") as file:
        file.write("".join(f"{line}\n" for line in lines))


def a_log(calls):
    log = QueueLog()
    for number in range(calls):
        log.call(number, f"1.{number}", talk=30)
    return log


def stored(data):
    reader = open_reader(data.store)
    try:
        return reader.queue_calls(), [event.body for event in reader.events_of(S)]
    finally:
        reader.close()


async def all_there(data, calls):
    await until(lambda: sum(c.end_utc is not None for c in stored(data)[0]) == calls)
    found, bodies = stored(data)
    assert (len(found), len(bodies), any(call.estimated for call in found)) == (
        calls, 3 * calls, False)  # fmt: skip
    assert len({*bodies}) == len(bodies)


async def test_a_hub_that_is_not_there_is_told_in_a_line(tmp_path, caplog):
    data, log = DataDir(tmp_path / "data"), tmp_path / "queue_log"
    data.make()
    credentials.load_or_create(data)
    hub = Hub(pid=1, children={}, web="", nats="nats://127.0.0.1:1", mqtt=("127.0.0.1", 1))
    data.hub.write_bytes(msgspec.json.encode(hub))
    a_log(1).write(log)
    async with following(log, data):
        await until(lambda: "does not answer" in caplog.text)
    assert [record for record in caplog.records if record.exc_info] == []


async def test_what_is_written_is_taken_in(broker, ingesting, tmp_path):
    path, log = tmp_path / "queue_log", a_log(30)
    append(path, *log.lines[:20])
    async with following(path, broker.data):
        await until(lambda: len(stored(broker.data)[1]) == 20)
        with path.open("a") as file:
            file.write(log.lines[20][:9])  # a line is written in two goes
            file.flush()
            file.write(log.lines[20][9:] + "\n")
        append(path, "garbage", *log.lines[21:])
        await all_there(broker.data, 30)
    importing = asyncio.to_thread(
        import_queue_log, [path], broker.data, SystemClock(), skip_bad=True
    )
    assert (await importing).new == 0  # the same log by the other way


@pytest.mark.parametrize("way", ["renamed", "copied and cut off"])
async def test_a_rotated_log_is_finished(broker, ingesting, tmp_path, way):
    path, old = tmp_path / "queue_log", tmp_path / "queue_log.1"
    log = a_log(30)
    append(path, *log.lines[:40])

    def rotate():
        if way == "renamed":
            path.rename(old)
        else:
            old.write_bytes(path.read_bytes())
            path.write_bytes(b"")

    async with following(path, broker.data):
        await until(lambda: len(stored(broker.data)[1]) == 40)
        append(path, *log.lines[40:50])
        rotate()
        append(path, *log.lines[50:60])
        await until(lambda: len(stored(broker.data)[1]) == 60)
    append(path, *log.lines[60:70])  # nobody follows: this one is rotated too
    old.rename(tmp_path / "queue_log.2")
    rotate()
    append(path, *log.lines[70:])
    async with following(path, broker.data):
        await all_there(broker.data, 30)


async def test_once_whoever_is_killed(broker, stack, tmp_path):
    broker.write_hub()
    path, log = tmp_path / "queue_log", a_log(600)
    ingest = await stack.enter_async_context(IngestProcess(broker))
    command = [sys.executable, "-m", "diadema", "import", "queue-log", str(path), "--follow"]
    command += ["--data", str(broker.data.root)]
    step = len(log.lines) // 6
    for turn in range(6):
        follower = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
        )
        had = turn * step
        append(path, *log.lines[had : had + step])
        await until(lambda had=had: len(stored(broker.data)[1]) > had)
        if turn % 2:
            await ingest.stop(kill=True)
            append(path)
            await ingest.start()
        follower.kill()
        await follower.wait()
    async with following(path, broker.data):
        await all_there(broker.data, 600)


async def test_the_floor_is_told_how_the_queues_stand(broker, ingesting, client, tmp_path):
    path, log = tmp_path / "queue_log", QueueLog()
    now = 0  # the ingest's hour
    log.abandon(now - 60, "1.1", 30).call(now - 30, "1.2", wait=3, talk=4).enter(now - 9, "1.3")
    log.enter(now - 5, "1.4", "reclamos")
    append(path, *log.lines)

    async def shown():
        with contextlib.suppress(Exception):
            entry = await (await client.jetstream(timeout=60).key_value("live")).get("queues")
            board = json.loads(entry.value)
            return board if board["total"]["waiting"] else None

    async with following(path, broker.data):
        board = await until(shown)
        append(path, QueueLog().connect(now, "1.3", 9).lines[0])
        await until(lambda: stored(broker.data)[0][2].outcome == "answered")
    assert (board["source"], board["total"]["threshold_s"], board["short_s"]) == (S, 20, 5)
    assert board["total"]["waiting"] == 2
    assert board["total"]["longest_since"] == (T + now - 9) * 1000
    assert board["queues"]["reclamos"]["waiting"] == 1


class Stands:
    def __init__(self, utc_ms):
        self.utc_ms = utc_ms

    def now_ms(self):
        return self.utc_ms


def test_the_floor_has_the_queues_t_variant_and_name(tmp_path, site, monkeypatch):
    """A3, A4: the floor's T was 20 s whatever the target said, and its queues the switch's."""
    monkeypatch.setattr("diadema.ingest.queues.EVERY_S", 0.0)
    half_hour = T0 // 1000 - T0 // 1000 % 1800
    log, at = QueueLog(), half_hour - T
    log.call(at, "1.1", wait=30, queue="IT").call(at + 1, "1.2", wait=30).abandon(
        at, "1.3", 5, "IT"
    )
    data = centre(tmp_path, log)
    put(data, "queues", code="soporte", name="Soporte", switch_names=["IT"])
    put(data, "targets", metric="service_level", queue="soporte", value=40, threshold_s=30,
        variant="answered")  # fmt: skip
    reader, clock = open_reader(data.store), Stands((half_hour + 600) * 1000)
    board = QueueBoard(reader, clock, data)
    board.hear(S, site, {})
    told = json.loads(board.news(site))
    support, saldos = told["queues"]["soporte"], told["queues"]["saldos"]
    assert (support["threshold_s"], support["variant"]) == (30, "answered")
    assert support["service_level"]["answered"] == 100.0
    assert support["service_level"]["offered"] == 50.0
    assert (saldos["threshold_s"], saldos["service_level"]["offered"]) == (20, 0.0)
    assert told["total"]["service_level"]["offered"] == 33.3
    assert board.news(site) is None
    put(data, "queues", code="otra", name="Otra", switch_names=["saldos"])
    assert json.loads(board.news(site))["queues"].keys() == {"soporte", "otra"}
    reader.close()


def test_the_running_half_hour(tmp_path, site, monkeypatch):
    monkeypatch.setattr("diadema.ingest.queues.EVERY_S", 0.0)
    data = DataDir(tmp_path)
    data.make()
    data.site.write_text(json.dumps(SITE))
    half_hour = T0 // 1000 - T0 // 1000 % 1800
    log, at = QueueLog(), half_hour - T
    log.call(at - 100, "0.1", talk=5).enter(at - 50, "0.2").call(at, "1.1", wait=20, talk=5)
    log.call(at, "1.2", wait=21).abandon(at, "1.3", 5).abandon(at, "1.4", 25)
    log.enter(at - 9000, "0.0", "perdida").enter(at + 9, "1.5")
    import_queue_log([log.write(tmp_path / "queue_log")], data, SystemClock())
    reader, clock = open_reader(data.store), Stands((half_hour + 600) * 1000)
    board = QueueBoard(reader, clock, data)
    assert board.news(site) is None  # nobody follows
    calls = {call.pbx: call for call in reader.queue_calls()}
    board.hear(S, site, {})
    board.take([calls["0.2"], calls["0.0"]])
    told = json.loads(board.news(site))
    assert (told["half_hour"], told["heard"]) == (half_hour, clock.now_ms())
    assert told["queues"]["saldos"] == told["total"]
    assert told["total"] == {
        "waiting": 2, "longest_since": (half_hour - 50) * 1000, "received": 5, "answered": 2,
        "abandoned": 2,
        "service_level": {"offered": 25.0, "noshort": 33.3, "answered": 50.0, "removed": 50.0,
                          "all": 20.0},
        "threshold_s": 20, "variant": "offered",
    }  # fmt: skip
    assert board.news(site) is None  # nothing new
    day = date(2026, 11, 18)
    figures = read(data, day, day, clock.now_ms(), intervals=True)
    flow = QueueSums()
    for queue in figures.days[0].queue_intervals[half_hour].values():
        flow += queue
    flow = flow.flow(20, 5)
    for name in ("received", "answered", "abandoned"):
        assert told["total"][name] == getattr(flow, name)
    assert told["total"]["service_level"] == service_level(flow)
    clock.utc_ms += 1_800_000
    told = json.loads(board.news(site))
    assert (told["half_hour"], told["total"]["received"], told["total"]["waiting"]) == (
        half_hour + 1800, 0, 2)  # fmt: skip
    assert told["total"]["service_level"]["offered"] is None
    reader.close()
