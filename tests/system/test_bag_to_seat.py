"""A station from a blank flash to its seat: written by `diadema flash` over the boot loader's own
protocol, started in the VM from the very bytes that were written, provisioned over its cable.
"""

import asyncio
import json
import time
from pathlib import Path

import pytest
from diadema.base.clock import SystemClock
from diadema.base.errors import ProvisionError, SelftestError
from diadema.base.paths import DataDir
from diadema.cli.main import app
from diadema.gateway.bridge import Gateway
from diadema.stations.boards.partitions import TABLE_OFFSET, TABLE_SIZE, pack_table
from diadema.stations.boards.table import load_board
from diadema.stations.cable import greeting_on
from diadema.stations.flash.plan import FlashPlan, Piece
from diadema.stations.flash.run import Job
from diadema.stations.image.files import SECTOR
from diadema.stations.image.slots import Trailer, unpack_trailer
from diadema.stations.provision import provision
from diadema.stations.selftest.run import run as selftest
from diadema.stations.update import bundle, keys
from diadema_sim.build import build_firmware
from diadema_sim.flash import NorFlash
from diadema_sim.station import Station
from diadema_sim.world import World
from typer.testing import CliRunner

from tests.support.mock_boards import Board
from tests.support.program_slots import SLOT_BYTES, program_body, program_slot, start_folder
from tests.support.technician import Technician
from tests.system.test_provision import described, hub_on, kinds

AT = {"slot_a": 0x100000, "slot_b": 0x180000}  # of this board's flash


def plan(image: Path) -> FlashPlan:
    """The program as the VM runs it, where an image has it for the chip."""
    slot = program_slot(program_body(image), "sim", "1", 1)
    places = {one.name: one for one in load_board("lyrat_v4_3").partitions}
    pieces = [
        Piece("slot_a", AT["slot_a"], slot),
        Piece("slot_b", AT["slot_b"], b"\xff" * SLOT_BYTES),
        Piece(
            "partition table", TABLE_OFFSET, pack_table(list(places.values())).ljust(4096, b"\xff")
        ),
    ]
    assert TABLE_SIZE <= 4096
    return FlashPlan("esp32", "sim", "1", 4 << 20, pieces, places["journal"], places["nvs"])


async def hold_at_power_on(station, *keys: int) -> None:
    await station.power_cut()
    await station.power_on()
    await asyncio.gather(*(station.ask({"do": "press", "key": key}) for key in keys))
    assert await greeting_on(station.port, 300)  # after it looked at them
    for key in keys:
        await station.ask({"do": "release", "key": key})


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("image")
    build_firmware(folder)
    return folder


@pytest.fixture
def vfs(image: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "vfs"
    folder.mkdir()
    start_folder(image, folder)
    return folder


async def test_from_its_bag_to_its_seat(image: Path, vfs: Path, tmp_path: Path) -> None:
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


async def told(data: DataDir, *words: str):
    """What the command prints, as JSON."""
    done = await asyncio.to_thread(
        CliRunner().invoke, app, [*words, "--data", str(data.root), "--json"]
    )
    assert done.exit_code == 0, done.output or done.exception
    return json.loads(done.stdout)


async def in_order(data: DataDir, station: Station) -> None:
    """A technician goes through its bench test, and has it on record."""
    await station.plug()
    technician = Technician(station, data.log(station.id))
    playing = asyncio.create_task(technician.plays())
    try:
        signed = await selftest(data, "B9", by="Ana", port=station.port)
    except SelftestError as error:
        done = playing.exception() if playing.done() else "goes on"
        raise AssertionError((technician.steps, done, technician.written[-2000:])) from error
    playing.cancel()
    await asyncio.gather(playing, return_exceptions=True)
    assert signed.record.fit, (signed.test, technician.steps)
    assert len(technician.steps) > 10
    shown = await told(data, "selftest", "show", "B9")
    assert (shown["standing"], shown["record"]["by"]) == ("right", "Ana")
    (row,) = [row for row in await told(data, "fleet", "list") if row["s"] == station.id]
    assert (row["seat"], row["test_fit"], row["unfit"]) == ("B9", True, None)


def last_sector(flash: NorFlash) -> tuple[Trailer, dict[str, bool]] | None:
    return unpack_trailer(bytes(flash.image[-SECTOR:]))


async def rolled_out(data: DataDir, file: Path) -> dict:
    """How it went at the one station, when it is over there."""
    await told(data, "update", "start", str(file), "--first", "all", "--quiet", "0")
    async with asyncio.timeout(300):  # two cores carry all of it
        while True:
            (*_, newest) = await told(data, "update", "status")
            over = newest["status"] != "running"  # else the next one is refused
            for seat in newest["seats"] if over else ():  # it may be held for gone as it starts
                if seat["up"] and seat["phase"] in ("good", "failed", "refused", "rolled_back"):
                    return seat
            await asyncio.sleep(0.2)


async def test_its_self_test_an_update_one_that_does_not_work_and_the_way_back_to_the_bag(
    image: Path, vfs: Path, tmp_path: Path
) -> None:
    data = described(DataDir(tmp_path / "data"))
    key = tmp_path / "signing.pem"
    public = keys.make(key)
    private = keys.load(key)
    body = program_body(image)
    slots = {"slot_a": program_slot(body, "sim", "1", 1), "slot_b": b"\xff" * SLOT_BYTES}

    def signed(name: str, body: bytes, version: str) -> Path:
        file = tmp_path / f"{name}.bundle"
        made = int(time.time()) + len(list(tmp_path.glob("*.bundle")))
        file.write_bytes(bundle.sign(body, private, board="sim", version=version, made=made))
        return file

    async with (
        World(tmp_path / "w", start_utc_ms=int(time.time() * 1000), image=vfs) as world,
        hub_on(data),
    ):
        station = await world.add_station("DIA-0200000000e2", slots=slots)
        await station.power_on()
        installed = await told(data, "keys", "install", str(keys.public_path(key)))
        assert installed["fingerprint"] == public.fingerprint
        await provision(data, station.port, "B9", clock=SystemClock(), by="Ana")
        await in_order(data, station)
        bridge = asyncio.create_task(Gateway(data, [station.port], "row").run())
        try:
            good = await rolled_out(data, signed("good", body, "2"))
            assert good["phase"] == "good"
            broken = program_body(image, {"start.mpy": b"M no program"})
            failed = await rolled_out(data, signed("broken", broken, "3"))
            assert (failed["phase"], failed["reason"]) == ("failed", "rolled_back: crash")
            states = [last_sector(one) for one in station.slots.values()]
        finally:
            bridge.cancel()
            await asyncio.gather(bridge, return_exceptions=True)
        provisioned = await greeting_on(station.port, 300)
        await hold_at_power_on(station, 2, 5)
        assert provisioned.generation and not (await greeting_on(station.port, 300)).generation
        kept = {trailer.version: state for trailer, state in filter(None, states)}
        assert kept.pop("2")["good"]
        assert all(state["bad"] for state in kept.values())  # or what failed is erased already
