"""Worlds for the station tests: the firmware is compiled once a test process."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from diadema.sim.build import build_firmware
from diadema.sim.station import Station
from diadema.sim.world import World

MONDAY_8_LIMA = 1_770_037_200_000  # 2026-02-02 08:00 in Lima, UTC ms
STATION = "DIA-0200000000a1"


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("image")
    build_firmware(folder)
    return folder


@pytest.fixture
async def program(tmp_path: Path) -> AsyncIterator[Callable[[str], Awaitable[Station]]]:
    """`await program(source)`: a powered station that runs `source` in place of the firmware."""
    async with AsyncExitStack() as stack:

        async def start(source: str) -> Station:
            folder = tmp_path / "program"
            folder.mkdir()
            (folder / "main.py").write_text(source)
            world = await stack.enter_async_context(
                World(tmp_path / "w", start_utc_ms=MONDAY_8_LIMA, mode="fast", image=folder)
            )
            station = await world.add_station(STATION)
            await station.power_on()
            return station

        yield start
