"""Worlds for the station tests: the firmware is compiled once a test process."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from diadema.site.description import Site, parse
from diadema_sim import people
from diadema_sim.build import SIM, SimBoard, build_firmware
from diadema_sim.station import JOURNAL_BYTES, Station
from diadema_sim.world import World

from tests.support.station_bench import MONDAY_8_LIMA, ROSA, STATION, Bench
from tests.support.wire_host import WireHost

MODELS = Path(__file__).resolve().parents[2] / "boards" / "sim" / "parts"


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("image")
    build_firmware(folder)
    return folder


@pytest.fixture
async def program(tmp_path: Path) -> AsyncIterator[Callable[..., Awaitable[Station]]]:
    """`await program(source)`: a powered station that runs `source` in place of the firmware, on
    the plain board or another, `build` its MicroPython, `psram` whether that answers.
    """
    async with AsyncExitStack() as stack:

        async def start(
            source: str, board: SimBoard = SIM, build: str = "", psram: bool = True
        ) -> Station:
            folder = tmp_path / "program"
            folder.mkdir(exist_ok=True)
            (folder / "main.py").write_text(source)
            world = await stack.enter_async_context(
                World(tmp_path / "w", start_utc_ms=MONDAY_8_LIMA, mode="fast", image=folder)
            )
            station = await world.add_station(STATION, board=board)
            station.build, station.psram = build, psram
            await station.power_on()
            return station

        yield start


@pytest.fixture
async def chips(
    tmp_path: Path, image: Path, program: Callable[..., Awaitable[Station]]
) -> Callable[[str], Awaitable[list[str]]]:
    """`await chips(source)`: what `source` prints, run on the board as compiled, with the real
    drivers under `drivers` and the chips' models under `models`. Its `async def main()` is run.
    """

    async def run(source: str) -> list[str]:
        folder = tmp_path / "program"
        shutil.copytree(image, folder)
        shutil.copytree(MODELS, folder / "models")
        station = await program(
            "import asyncio, machine, wire\nfrom machine import Pin\n"
            + source
            + "\nasyncio.run(main())\nprint('the end')\n"
        )
        console = b""
        async with asyncio.timeout(300):
            while b"the end" not in console and b"Error: " not in console:
                await asyncio.sleep(0.005)
                console = b"".join(station.console)
        assert b"the end" in console, console.decode()
        return console.decode().splitlines()[:-1]

    return run


@pytest.fixture
def site() -> Site:
    """Four sample desks; the first is the station under test."""
    content = people.site(
        people.desks(4), name="Centro de muestra", zone="America/Lima", tree=people.LIMA_TREE
    )
    content["stations"][0]["id"] = STATION
    return parse(json.dumps(content).encode())


@pytest.fixture
def desk(
    tmp_path: Path, image: Path, site: Site
) -> Callable[..., AbstractAsyncContextManager[Bench]]:
    """`async with desk() as bench`: the real firmware, configured over the wire, its clock set; on
    the plain board or another, with a smaller journal where a test has to fill it.

    Entered by the test itself, so that the test's own task is the one that acts in the run.
    """

    @asynccontextmanager
    async def open_desk(
        board: SimBoard = SIM, journal_bytes: int = JOURNAL_BYTES
    ) -> AsyncIterator[Bench]:
        world = World(tmp_path / board.name, start_utc_ms=MONDAY_8_LIMA, mode="fast", image=image)
        async with world:
            station = await world.add_station(STATION, journal_bytes, board)
            host = WireHost(station, site)
            badges = [agent.badges[0].partition(":")[2] for agent in site.agents]
            pin = "" if site.pin == "none" else ROSA.pin
            bench = Bench(world, station, host, badges, pin)
            with world.actor():
                await station.power_on()
                await bench.event("station.clock")
                await bench.event("station.config")
                yield bench
            host.close()

    return open_desk
