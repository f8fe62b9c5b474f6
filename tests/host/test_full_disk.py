"""A disk that is full takes nothing, which everybody is told; with room all goes on by itself."""

import resource

import pytest
from broker_fixtures import until
from full_disk import SmallDisk, way_in

pytestmark = pytest.mark.skipif(way_in() is None, reason="no mount namespaces here (unshare)")


@pytest.fixture
async def disk(tmp_path, stack):
    return await stack.enter_async_context(SmallDisk(tmp_path, 2))


async def _live(disk):
    return (await disk.status())["live"]


async def test_it_pauses_at_its_reserve_and_goes_on(disk):
    disk.work(1)
    await disk.until_held()
    disk.fill(but=2 << 20)
    await until(lambda: "PAUSED: 2 MB are left" in disk.said)

    async def told():
        status = await disk.status()
        return not status["live"] and status["disk"]["low"]

    await until(told)
    assert "diadema_web_disk_low 1.0" in await disk.metrics()
    disk.work(1)
    disk.free()
    await disk.until_held()
    disk.stored()
    await until(lambda: _live(disk))
    assert "going on" in disk.said
    assert "diadema_web_disk_low 0.0" in await disk.metrics()


async def test_a_broker_that_can_write_no_more_is_started_again(disk):
    """One write failed, and nobody saw the disk full: it would refuse everything for ever."""
    disk.work(1)
    await disk.until_held()
    nats = disk.data.read_hub().children["nats"]
    size = max(file.stat().st_size for file in disk.data.nats.rglob("*.blk"))
    resource.prlimit(nats, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
    disk.work(3)
    await until(lambda: "the broker can write no more" in disk.said)
    await disk.until_held()
    disk.stored()
    assert "file too large" in disk.said and "PAUSED" not in disk.said
    assert disk.data.read_hub().children["nats"] != nats
    await until(lambda: _live(disk))
