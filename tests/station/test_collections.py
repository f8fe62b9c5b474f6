"""Memory is collected only where nobody waits: never by itself, and never more than half a
megabyte apart; the chip runs at its full speed. Told by the station itself, in a day of 120
agents and in an update.
"""

import json
from pathlib import Path

import pytest
from diadema.site.description import Site, parse
from diadema.site.station_config import ConfigMaker
from diadema_sim import people
from diadema_sim.build import build_firmware

from tests.station.test_update import body, parts, slots, vfs  # noqa: F401 - three fixtures
from tests.support.station_bench import STATION
from tests.support.wire_host import BADGE_KEY, CARD_KEY

MOST = 512 * 1024
_QUIET_MS = 1_200

_TRACER = """
def _trace():
    import gc
    import machine
    import wire
    import packed  # the program's files are found by it
    from lib import memory

    taken = []
    own = memory.collect

    def collect():
        taken.append(gc.mem_alloc() - memory._in_use)
        own()

    memory.collect = collect

    def told(command):
        return {"taken": taken, "alone": gc.isenabled(), "hertz": machine.freq()}

    wire.on("collections", told)


_trace()

"""


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("collecting")
    build_firmware(folder)
    main = folder / "main.py"
    main.write_text(_TRACER + main.read_text())
    return folder


@pytest.fixture
def site() -> Site:
    content = people.site(
        people.desks(120), name="Centro", zone="America/Lima", tree=people.LIMA_TREE
    )
    content["stations"][0]["id"] = STATION
    return parse(json.dumps(content).encode())


async def collections(bench) -> list[int]:
    """Bytes that were taken before each of them."""
    told = await bench.station.ask({"do": "collections"})
    assert not told["alone"], "the automatic collection is on"
    assert told["hertz"] == 240_000_000
    assert told["taken"] and max(told["taken"]) <= MOST
    return told["taken"]


async def test_a_day(desk, site):
    config = ConfigMaker(site, BADGE_KEY, -300, 2, card_key=CARD_KEY).build(STATION)
    async with desk() as bench:
        await bench.ready()
        for number in range(6):
            contact = f"C-{number}"
            await bench.ring(contact)
            await bench.answer(contact)
            await bench.world.sleep(20_000)
            await bench.keys(4)
            await bench.world.sleep(10_000)
            await bench.keys(4, 6, 2)
            await bench.world.sleep(9_000)
            await bench.keys(1)
            await bench.event("wrapup.started", c=contact)
            await bench.typify(contact)
        await bench.caught_up()
        before = len(await collections(bench))
        await bench.keys(6)
        await bench.world.sleep(_QUIET_MS)
        assert len(await collections(bench)) == before + 1, "a second without input"
        await bench.world.sleep(600_000)
        assert (await bench.host.answer(bench.host.configure(config)))["k"] == "station.config"
        await bench.world.sleep(_QUIET_MS)
        await collections(bench)


async def test_an_update(slots, body):  # noqa: F811
    async with slots() as bench:
        told = await bench.send(parts(body, version="2"), until=200)
        assert told["next"] >= 200
        assert len(await collections(bench)) > 2
