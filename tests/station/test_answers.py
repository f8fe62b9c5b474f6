"""From an input to its light nothing is loaded from flash, and no memory is collected."""

from pathlib import Path

import pytest
from diadema_sim.build import build_firmware

from tests.station.test_update import body, slots, vfs  # noqa: F401 - three fixtures
from tests.support.station_bench import SETTLED_MS
from tests.support.traced import ANSWERED

_LISTS_CLOSE_MS = 9_000


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("traced")
    build_firmware(folder)
    main = folder / "main.py"
    main.write_text(ANSWERED + main.read_text())
    return folder


async def test_a_login_and_a_call(slots):  # noqa: F811
    async with slots() as bench:
        await bench.ready()
        await bench.keys(6)  # Menú
        await bench.world.sleep(SETTLED_MS)
        await bench.keys(1)
        await bench.station.press(6, 900)  # Ajustes
        await bench.keys(1)
        await bench.ring("C-1")
        await bench.answer("C-1")
        await bench.keys(2, 2, 4, 4, 3)  # mute, hold, the protocol's first step
        await bench.world.sleep(_LISTS_CLOSE_MS)
        await bench.keys(6)
        await bench.world.sleep(_LISTS_CLOSE_MS)
        await bench.keys(5)  # Ayuda
        await bench.world.sleep(_LISTS_CLOSE_MS)
        await bench.keys(1)
        await bench.event("wrapup.started", c="C-1")
        await bench.typify("C-1")
        await bench.badge_and_choose(4)
        await bench.event("session.closed")
        told = await bench.station.ask({"do": "answered"})
        assert told["lit"] > 15
        assert (told["reads"], told["drops"]) == (0, 0)
