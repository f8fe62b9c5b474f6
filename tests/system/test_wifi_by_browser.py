"""From a browser's Wi-Fi to a desk of the hub's: Improv first, `diadema provision` after it."""

import asyncio
import time
from pathlib import Path

import pytest
from diadema.base.clock import SystemClock
from diadema.base.paths import DataDir
from diadema.stations.provision import provision
from diadema_sim import people
from diadema_sim.build import build_firmware
from diadema_sim.world import World

from tests.support.improv_client import (
    JOINED,
    NOT_AUTHORIZED,
    SCAN,
    TELL,
    ImprovClient,
    command,
    wifi,
)
from tests.support.program_slots import SLOT_BYTES, program_body, program_slot, start_folder
from tests.system.test_provision import described, hub_on, kinds

STATION = "DIA-0200000000e7"
OTHER = {"Otra red": "otra clave"}


@pytest.fixture
def image(tmp_path: Path) -> Path:
    folder = tmp_path / "image"
    folder.mkdir()
    build_firmware(folder)
    return folder


async def told(client: ImprovClient, data: bytes) -> tuple[list[int], list[int]]:
    """States, and errors but «none», that answer it."""
    states, errors = len(client.states), len(client.errors)
    client.send(data)
    async with asyncio.timeout(300):
        while client.states[-1:] != [JOINED] or len(client.states) == states:
            if any(client.errors[errors:]):
                break
            await asyncio.sleep(0.02)
    return client.states[states:], [code for code in client.errors[errors:] if code]


async def test_the_hubs_configuration_wins_and_then_nobody_else_changes_it(
    image: Path, tmp_path: Path
) -> None:
    data = described(DataDir(tmp_path / "data"))
    vfs = tmp_path / "vfs"
    start_folder(image, vfs)
    slots = {
        "slot_a": program_slot(program_body(image), "sim", "1", 1),
        "slot_b": b"\xff" * SLOT_BYTES,
    }
    async with World(tmp_path / "w", start_utc_ms=int(time.time() * 1000), image=vfs) as world:
        station = await world.add_station(STATION, slots=slots)
        kept = station.folder / "files" / "wifi.json"
        await station.set_access_points(OTHER | {people.WIFI["ssid"]: people.WIFI["password"]})
        await station.power_on()
        await asyncio.sleep(1)
        client = ImprovClient(station.port)
        ((name, password),) = OTHER.items()
        assert (await told(client, wifi(name, password)))[1] == []
        assert name in kept.read_text()
        client.close()

        async with hub_on(data):
            done = await provision(data, station.port, "B9", clock=SystemClock(), by="Ana")
            assert (done.station, done.wifi) == (STATION, people.WIFI["ssid"])
            assert "station.config" in kinds(data, STATION)
            assert not kept.exists()
            client = ImprovClient(station.port)
            assert await told(client, command(TELL)) == ([JOINED], [])
            for change in (wifi(name, password), command(SCAN)):
                assert await told(client, change) == ([], [NOT_AUTHORIZED])
            client.close()
            assert not kept.exists()
        assert station.restarts == [] and station.crash is None
