"""A disk that is full takes nothing, which everybody is told; with room all goes on by itself."""

import asyncio
import random
import resource
from pathlib import Path

import pytest
from diadema.access.roles import Person
from diadema.web.shell import NAV

from tests.support.broker_fixtures import until
from tests.support.full_disk import SmallDisk, filled_and_freed, way_in

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
    assert (await disk.wall())["why"] == "disk"
    disk.work(1)
    disk.free()
    await disk.until_held()
    disk.stored()
    await until(lambda: _live(disk))
    assert "going on" in disk.said
    assert "diadema_web_disk_low 0.0" in await disk.metrics()


async def test_nothing_is_lost_at_random_moments_under_load(tmp_path):
    """A few of those of `python -m tests.bench disk`."""
    chance = random.Random("a few times")
    async with asyncio.timeout(300), SmallDisk(tmp_path, 2) as disk:
        await filled_and_freed(disk, (6.0, 1.0, 8.0), chance)
        await disk.until_held()
        disk.stored()
        await until(lambda: _live(disk))


async def test_no_page_fails_while_the_disk_is_full(disk):
    assert (await disk.log_in())[0] == 303
    paths = [f"/{name}" for name in ("", "login", "account", "wall", "handover", "ui/")]
    admin = Person(id="x", name="", role="admin")
    paths += [to for _, ways in NAV for _, to, *rights in ways if admin.may(*rights)]
    paths += [f"/api/v1/{name}" for name in ("agents", "marks", "contacts", "status", "audit")]
    nats = disk.data.read_hub().children["nats"]
    disk.fill()
    await until(lambda: "PAUSED" in disk.said)
    await until(lambda: not Path(f"/proc/{nats}").exists())
    disk.fill()  # with what the broker gave back
    answers = {path: await disk.look_at(path) for path in paths}
    assert {path: code for path, code in answers.items() if code not in (200, 303, 307, 503)} == {}
    for _ in range(2):
        code, said = await disk.log_in()
        assert (code, "El disco del servidor" in said) == (503, True)
    disk.free()
    await until(lambda: _goes_in(disk))
    assert await disk.look_at("/handover") == 200


async def _goes_in(disk):
    return (await disk.log_in())[0] == 303


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
