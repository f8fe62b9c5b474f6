"""What the hub does about a disk that fills and a broker that can write no more."""

import pytest
from diadema.base.errors import DiademaError
from diadema.base.paths import Disk, Room
from diadema.hub import storage_watch
from diadema.hub.storage_watch import Hands, Watch


class Broker:
    """What was done to it; `error` is what it cannot write, or raised where it is silent."""

    def __init__(self):
        self.done = []
        self.error = None
        self.starts = True

    async def pause(self):
        self.done.append("pause")

    async def resume(self):
        self.done.append("resume")
        if not self.starts:
            raise DiademaError("nats does not answer")

    async def restart(self):
        self.done.append("restart")

    async def write_error(self):
        if isinstance(self.error, Exception):
            raise self.error
        return self.error


class Statvfs:
    def __init__(self, free_mb, total_mb=1000):
        self.f_bavail, self.f_blocks, self.f_frsize = free_mb, total_mb, 1 << 20


@pytest.fixture
def broker():
    return Broker()


@pytest.fixture
def look(broker, monkeypatch, tmp_path):
    """`look(free)`: one look at a disk of 1 000 MB; gives what was done by it."""
    hands = Hands(broker.pause, broker.resume, broker.restart, broker.write_error)
    watching = Watch(Disk(tmp_path), hands)

    async def look(free):
        monkeypatch.setattr("os.statvfs", lambda _: Statvfs(free))
        broker.done.clear()
        await watching.look()
        return broker.done

    return look


async def test_it_pauses_below_five_percent_and_goes_on_above_six(look, broker):
    assert await look(51) == []
    assert await look(49) == ["pause"]
    assert await look(0) == [] == await look(59)
    broker.starts = False
    assert await look(61) == ["resume"]  # and again, until it starts
    broker.starts = True
    assert await look(61) == ["resume"]
    assert await look(51) == []


async def test_a_large_disk_keeps_five_gigabytes(monkeypatch, tmp_path):
    monkeypatch.setattr("os.statvfs", lambda _: Statvfs(5_121, 4_000_000))
    assert Disk(tmp_path).look() == Room(5_121 << 20, 5 << 30, low=False)
    monkeypatch.setattr("os.statvfs", lambda _: Statvfs(5_119, 4_000_000))
    assert Disk(tmp_path).look().low


async def test_one_that_cannot_write_is_started_again_but_not_in_a_loop(look, broker, monkeypatch):
    now = 1000.0
    monkeypatch.setattr(storage_watch.time, "monotonic", lambda: now)
    broker.error = "stream '$MQTT_msgs' write error: no space left on device"
    assert await look(500) == ["restart"]
    now += 9
    assert await look(500) == []
    now += 1
    assert await look(500) == ["restart"]
    now += 29
    assert await look(500) == []
    broker.error = TimeoutError()  # nobody answers: whoever keeps it sees to that
    now += 1
    assert await look(500) == []
    broker.error = None
    assert await look(500) == []
    now += 301
    broker.error = "write error"
    assert await look(500) == ["restart"]
