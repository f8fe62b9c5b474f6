"""A good program's start files come to the vfs, whatever the power does meanwhile."""

# ruff: noqa: F811 - fixtures of another file
import asyncio
import random
import re

import pytest
from diadema.stations.image.files import (
    BESIDE,
    START_TEXT,
    carried,
    pack,
    unpack,
)
from diadema_sim.flash import CutPlan

from tests.station.test_update import (  # noqa: F401 - three fixtures
    FIRMWARE,
    OLD,
    body,
    compiled,
    parts,
    slots,
    vfs,
)
from tests.support.program_slots import program_body, program_slot, start_files
from tests.support.station_bench import STATION

SECTOR = 4096
VFS_BYTES = 0x1C000  # as on a board of 4 MB
NUMBER = int(re.findall(r"^START = (\d+)$", (FIRMWARE / "slots.py").read_text(), re.MULTILINE)[0])


def renewed(image, folder, number):
    """Every start file, another one than those of this checkout."""
    made = {}
    for name in BESIDE:
        source = (FIRMWARE / name).read_text()
        if name == "slots.py":
            source = source.replace(f"\nSTART = {NUMBER}\n", f"\nSTART = {number}\n")
        made |= compiled(folder, name, source + f"\nrenewed = {number}\n")
    for name in START_TEXT:
        made[name] = (FIRMWARE / name).read_bytes() + b"# renewed %d\n" % number
    return made


@pytest.fixture(scope="session")
def newer(image, tmp_path_factory):
    """(start files, the body of a program with them), of the next number."""
    files = renewed(image, tmp_path_factory.mktemp("newer"), NUMBER + 1)
    lines = "".join(f"{line}\n" for line in (NUMBER + 1, *files)).encode()
    return files, program_body(image, carried(files) | {"start_files/list": lines})


def here(bench):
    """The station's vfs as a reader of its flash finds it: start files alone."""
    files = unpack(bytes(bench.station.slots["vfs"].image), SECTOR)
    return {name: data for name, data in files.items() if name.endswith((".py", ".mpy"))}


def packed(files):
    return pack(files, VFS_BYTES, SECTOR)


async def test_a_good_program_brings_its_start_files(slots, image, newer):
    files, program = newer
    async with slots(vfs=packed(start_files(image))) as bench:
        assert (await bench.event("station.booted"))["start"] == NUMBER
        since = bench.since()
        await bench.send(parts(program, version="2"))
        await bench.event("station.booted", since, firmware="2")
        assert here(bench) == start_files(image)  # it is on trial
        await bench.event("station.update", since, phase="good")
        await bench.until(lambda: here(bench) == files)
        await bench.station.power_cut()
        since = bench.since()
        await bench.station.power_on()
        booted = await bench.event("station.booted", since)
        assert (booted["start"], booted["cause"]) == (NUMBER + 1, "power_on")
        erased = bench.station.slots["vfs"].erased
        await bench.world.sleep(120_000)
        assert bench.station.slots["vfs"].erased == erased  # all is there
        assert not bench.station.slots["vfs"].violations


async def test_cuts_after_any_write_of_them_leave_what_starts(slots, image, newer):
    chance = random.Random(8)
    files, program = newer
    old, cuts = start_files(image), 0
    async with slots(
        a=program_slot(program, "sim", "1", OLD), vfs=packed(old), configured=False
    ) as bench:
        await bench.station.power_cut()
        while here(bench) != files:
            since = bench.since()
            plan = CutPlan(chance.randrange(9_000), chance, at_erase=chance.random() < 0.3)
            await bench.station.power_on()
            cut = asyncio.create_task(bench.station.power_cut_in_flash(plan, 60, only="vfs"))
            for _ in range(100):
                if cut.done() or here_or_none(bench) == files:
                    break
                await bench.world.sleep(1_000)
            cuts += cut.done()
            assert "station.booted" in bench.kinds(since)
            if not cut.done():
                cut.cancel()
                await bench.station.power_cut()
            found = here(bench)
            mixed = {name: found[name] for name in old}
            assert all(data in (old[name], files[name]) for name, data in mixed.items())
            assert mixed["main.py"] == old["main.py"] or mixed == files  # the last of them
        assert cuts > 5
        since = bench.since()
        await bench.station.power_on()
        assert (await bench.event("station.booted", since))["start"] == NUMBER + 1
        numbers = [seen.sequence for seen in bench.world.witness.events(STATION)]
        assert numbers == list(range(1, len(numbers) + 1))


def here_or_none(bench):
    """While the station writes there."""
    try:
        return here(bench)
    except Exception:
        return None


@pytest.mark.parametrize("count", range(8))
async def test_some_of_them_new_start_too(slots, image, newer, count):
    """As a cut leaves them, the next one half written."""
    files, program = newer
    names = [*files]
    mixed = start_files(image) | {name: files[name] for name in names[:count]}
    if count < len(names):
        mixed[names[count] + ".new"] = files[names[count]][:700]
    async with slots(
        a=program_slot(program, "sim", "1", OLD), vfs=packed(mixed), configured=False
    ) as bench:
        await bench.until(lambda: here_or_none(bench) == files)
        assert not bench.station.restarts


async def test_an_older_program_leaves_newer_ones_alone(slots, image, newer, body):
    files, _ = newer
    async with slots(vfs=packed(files)) as bench:
        assert (await bench.event("station.booted"))["start"] == NUMBER + 1
        await bench.world.sleep(120_000)
        assert here(bench) == files


async def test_where_they_have_no_room_the_old_ones_go_on(slots, image, newer):
    _, program = newer
    old = start_files(image)
    full = old | {
        "full": bytes(
            VFS_BYTES - sum(-len(data) // SECTOR * -SECTOR for data in old.values()) - 6 * SECTOR
        )
    }
    async with slots(
        a=program_slot(program, "sim", "1", OLD), vfs=packed(full), configured=False
    ) as bench:
        await bench.world.sleep(120_000)
        assert {name: data for name, data in here(bench).items() if name in old} == old
        assert b"start file" in b"".join(bench.station.console)
        assert not bench.station.restarts
