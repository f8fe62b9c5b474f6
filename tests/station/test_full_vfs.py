"""A vfs without room, as littlefs itself has it: a configuration that does not fit is refused and
told, and the station works on with the one it has.
"""

import json

import pytest
from diadema.site.description import parse
from diadema.site.station_config import ConfigMaker
from diadema.stations.image.files import VFS_BLOCK, free_bytes, pack
from diadema_sim import people

from tests.station.test_update import body, slots, vfs  # noqa: F401 - three fixtures
from tests.support.station_bench import STATION
from tests.support.wire_host import BADGE_KEY, CARD_KEY

BYTES = 32 * VFS_BLOCK


@pytest.fixture
def nearly_full(vfs):  # noqa: F811
    """`nearly_full(blocks)`: what stands in a vfs, and a file that leaves so many."""
    files = {
        str(path.relative_to(vfs)): path.read_bytes()
        for path in sorted(vfs.rglob("*"))
        if path.is_file()
    }

    def make(blocks):
        room = free_bytes(pack(files, BYTES, VFS_BLOCK), VFS_BLOCK) // VFS_BLOCK
        # of each block littlefs takes some words to find the others
        image = pack(
            files | {"ballast": bytes((room - blocks) * (VFS_BLOCK - 64))}, BYTES, VFS_BLOCK
        )
        assert free_bytes(image, VFS_BLOCK) == blocks * VFS_BLOCK
        return image

    return make


def configuration(generation, desks):
    content = people.site(
        people.desks(desks), name="Centro de muestra", zone="America/Lima", tree=people.LIMA_TREE
    )
    content["stations"][0]["id"] = STATION
    site = parse(json.dumps(content).encode())
    return ConfigMaker(site, BADGE_KEY, -300, generation, card_key=CARD_KEY).build(STATION)


async def test_a_first_configuration_that_does_not_fit_is_told(slots, nearly_full):  # noqa: F811
    async with slots(configured=False, vfs=nearly_full(0)) as bench:
        fault = await bench.event("station.fault", part="config")
        refused = await bench.event("command.refused", command="config")
        assert fault["code"] == "not_written"
        assert refused["reason"] == "bad_config"
        assert refused["detail"].startswith("flash: ")
        await bench.station.power_cut()
        since = bench.since()
        await bench.station.power_on()
        await bench.event("station.booted", since)
        await bench.until(lambda: bench.host.hellos[-1]["b"] == 2)
        assert not bench.station.restarts


async def test_one_that_does_not_fit_leaves_the_one_before(slots, nearly_full):  # noqa: F811
    async with slots(vfs=nearly_full(5)) as bench:
        await bench.ready()
        since = bench.since()
        told = await bench.host.answer(bench.host.configure(configuration(2, 100)))
        assert (told["k"], told["reason"]) == ("command.refused", "bad_config")
        await bench.event("station.fault", since, part="config", code="not_written")
        await bench.ring("C-1")
        await bench.keys(1)
        await bench.event("contact.answered", since)
        await bench.station.power_cut()
        since = bench.since()
        await bench.station.power_on()
        await bench.event("station.booted", since)
        await bench.until(lambda: bench.host.hellos[-1]["b"] == 2)
        assert bench.host.hellos[-1]["generation"] == 1
        await bench.event("wrapup.ended", since)  # and the sound of it all is over

        told = await bench.host.answer(bench.host.configure(configuration(3, 1)))
        assert (told["k"], told.get("generation")) == ("station.config", 3)
        await bench.event("station.fault_cleared", since, part="config")
        assert not bench.station.slots["vfs"].violations
