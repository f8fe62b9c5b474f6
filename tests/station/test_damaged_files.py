"""A vfs on flash, damaged while the power is off: what station and MicroPython make of it."""

import os

import pytest
from diadema.stations.flash.preserved import config_file, serial_of
from diadema.stations.image.files import VFS_BLOCK, pack, unpack

from tests.station.test_full_vfs import configuration
from tests.station.test_update import body, slots, vfs  # noqa: F401 - three fixtures

BYTES = 28 * VFS_BLOCK


@pytest.fixture
def files(vfs):  # noqa: F811
    return {
        str(path.relative_to(vfs)): path.read_bytes()
        for path in sorted(vfs.rglob("*"))
        if path.is_file()
    }


def contents(station):
    return unpack(bytes(station.slots["vfs"].image), VFS_BLOCK)


def spoil(station, at, data):
    flash = station.slots["vfs"]
    flash.image[at : at + len(data)] = data
    with (station.folder / "vfs.bin").open("r+b") as file:
        os.pwrite(file.fileno(), data, at)


def spoil_file(station, name, at=100):
    """A byte of it, wherever it lies."""
    text = contents(station)[name]
    found = station.slots["vfs"].image.find(text[at : at + 64])
    assert found >= 0
    spoil(station, found, bytes([text[at] ^ 1]))


async def test_the_newer_configuration_damaged(slots, files):  # noqa: F811
    async with slots(vfs=pack(files, BYTES, VFS_BLOCK)) as bench:
        number = bench.host.configure(configuration(2, 4))
        assert (await bench.host.answer(number))["generation"] == 2
        kept = contents(bench.station)
        newer = max(("config.0", "config.1"), key=lambda name: serial_of(kept[name]))
        await bench.station.power_cut()
        spoil_file(bench.station, newer)
        since = bench.since()
        await bench.station.power_on()
        await bench.event("station.fault", since, part="config", code="damaged")
        await bench.until(lambda: bench.host.hellos[-1]["b"] == 2)
        assert bench.host.hellos[-1]["generation"] == 1
        assert newer not in contents(bench.station)
        told = await bench.host.answer(bench.host.configure(configuration(3, 4)))
        assert told["generation"] == 3
        await bench.event("station.fault_cleared", since, part="config", code="damaged")
        assert not bench.station.restarts and not bench.station.slots["vfs"].violations


async def test_both_damaged_it_waits_for_another(slots, files):  # noqa: F811
    async with slots(vfs=pack(files, BYTES, VFS_BLOCK)) as bench:
        number = bench.host.configure(configuration(2, 4))
        assert (await bench.host.answer(number))["generation"] == 2
        await bench.station.power_cut()
        for name in ("config.0", "config.1"):
            spoil_file(bench.station, name)
        since = bench.since()
        await bench.station.power_on()
        await bench.event("station.fault", since, part="config", code="unreadable")
        await bench.until(lambda: bench.host.hellos[-1]["b"] == 2)
        assert bench.host.hellos[-1]["generation"] == 0
        assert not bench.station.restarts


async def test_damaged_wishes_are_told_when_she_logs_in(slots, files):  # noqa: F811
    files |= {"prefs.json": b'{"a001": {"volume": 75}}*00000000'}
    async with slots(vfs=pack(files, BYTES, VFS_BLOCK)) as bench:
        await bench.ready()
        await bench.event("station.fault", part="config", code="damaged")
        assert "prefs.json" not in contents(bench.station)
        assert not bench.station.restarts


async def test_a_configuration_of_the_host_is_one(slots, files):  # noqa: F811
    """As `diadema flash` puts it there."""
    files |= {"config.0": config_file(configuration(9, 4), 1)}
    async with slots(configured=False, vfs=pack(files, BYTES, VFS_BLOCK)) as bench:
        await bench.until(lambda: bool(bench.host.hellos))
        assert bench.host.hellos[-1]["generation"] == 9


@pytest.mark.parametrize("noise", [b"\x00", b"\x5a"])
async def test_no_file_system_is_told_without_end(slots, files, noise):  # noqa: F811
    image = bytearray(pack(files, BYTES, VFS_BLOCK))
    image[: 2 * VFS_BLOCK] = noise * (2 * VFS_BLOCK)
    async with slots(configured=False, vfs=bytes(image)) as bench:
        await bench.world.sleep(10_000)
        said = b"".join(bench.station.console)
        assert said.count(b"The filesystem appears to be corrupted.") >= 3
        assert not bench.kinds() and not bench.station.restarts


async def test_a_blank_one_is_made_new_and_has_no_program(slots):  # noqa: F811
    async with slots(configured=False, vfs=b"\xff" * BYTES) as bench:
        await bench.world.sleep(3_000)
        assert b"Performing initial setup" in b"".join(bench.station.console)
        assert not bench.kinds() and not contents(bench.station)
