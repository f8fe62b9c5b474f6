"""A station from a blank flash to its seat: written by `diadema flash` over the boot loader's own
protocol, started in the VM from the very bytes that were written, provisioned over its cable.
"""

import asyncio
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "host"))  # its boards

from diadema.boards.table import load_board
from diadema.clock import SystemClock
from diadema.flash.plan import Piece, Plan
from diadema.flash.work import Job
from diadema.image.table import OFFSET, SIZE, pack
from diadema.paths import DataDir
from diadema.provision.errors import ProvisionError
from diadema.provision.work import provision
from diadema.sim.build import build_firmware
from diadema.sim.slots import SLOT_BYTES, program_body, program_slot, start_folder
from diadema.sim.world import World
from mock_boards import Board
from test_provision import described, hub_on, kinds

AT = {"slot_a": 0x100000, "slot_b": 0x180000}  # of this board's flash


def plan(image: Path) -> Plan:
    """The program as the VM runs it, where an image has it for the chip."""
    slot = program_slot(program_body(image), "sim", "1", 1)
    places = {one.name: one for one in load_board("lyrat_v4_3").partitions}
    pieces = [
        Piece("slot_a", AT["slot_a"], slot),
        Piece("slot_b", AT["slot_b"], b"\xff" * SLOT_BYTES),
        Piece("partition table", OFFSET, pack(list(places.values())).ljust(4096, b"\xff")),
    ]
    assert SIZE <= 4096
    return Plan("esp32", "sim", "1", 4 << 20, pieces, places["journal"], places["nvs"])


async def hold_at_power_on(station, *keys: int) -> None:
    await station.power_cut()
    await station.power_on()
    await asyncio.gather(*(station.ask({"do": "press", "key": key}) for key in keys))
    await asyncio.sleep(10.5)
    for key in keys:
        await station.ask({"do": "release", "key": key})


async def test_from_its_bag_to_its_seat(tmp_path: Path) -> None:
    image, vfs = tmp_path / "image", tmp_path / "vfs"
    await asyncio.to_thread(build_firmware, image)
    vfs.mkdir()
    start_folder(image, vfs)
    home, other = (described(DataDir(tmp_path / name)) for name in ("home", "other"))
    ask = {"clock": SystemClock(), "by": "Ana"}

    with Board(0xE1, pty=True) as board:
        done = await asyncio.to_thread(Job(plan(image), home).run, board.port)
        assert not done.error
        flash = {name: bytes(board.flash.read(at, SLOT_BYTES)) for name, at in AT.items()}

    async with World(tmp_path / "w", start_utc_ms=int(time.time() * 1000), image=vfs) as world:
        station = await world.add_station(done.found.station, slots=flash)
        await station.power_on()
        async with hub_on(home):
            seated = await provision(home, station.port, "B9", **ask)
            assert (seated.station, seated.board) == (board.station, "sim")
        async with hub_on(other):
            with pytest.raises(ProvisionError, match="obeys that one only"):
                await provision(other, station.port, "B9", limit_s=4, **ask)
            await hold_at_power_on(station, 2, 5)
            await provision(other, station.port, "B9", **ask)
            assert "station.config" in kinds(other, station.id)
