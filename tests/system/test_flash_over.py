"""`diadema flash` over a station that works: its flash is written over the boot loader's protocol,
the cable is pulled, and it starts in the VM from the very bytes that were written.
"""

import asyncio
import os
import time
from dataclasses import replace
from pathlib import Path

import pytest
from diadema.base.clock import SystemClock
from diadema.base.errors import ProvisionError
from diadema.base.paths import DataDir
from diadema.gateway.bridge import Gateway
from diadema.stations import trouble
from diadema.stations.boards.partitions import TABLE_OFFSET, Partition, pack_table
from diadema.stations.boards.table import load_board
from diadema.stations.cable import greeting_on
from diadema.stations.flash.plan import FlashPlan, Piece
from diadema.stations.flash.run import FlashResult, Job
from diadema.stations.fleet import all_stations
from diadema.stations.image.files import (
    SECTOR,
    VFS_BLOCK,
    pack,
    unpack,
)
from diadema.stations.provision import provision
from diadema_sim import people
from diadema_sim.build import build_firmware
from diadema_sim.station import JOURNAL_BYTES, Station
from diadema_sim.world import World

from tests.support.mock_boards import Board
from tests.support.program_slots import SLOT_BYTES, program_body, program_slot, start_folder
from tests.system.test_provision import described, hub_on, kinds

VFS_BYTES = 28 * VFS_BLOCK
_SIZES = {
    "slot_a": (0x100000, SLOT_BYTES), "slot_b": (0x180000, SLOT_BYTES),
    "journal": (0x200000, JOURNAL_BYTES), "vfs": (0x3E4000, VFS_BYTES),
}  # fmt: skip
TABLE = [
    replace(one, offset=_SIZES[one.name][0], size=_SIZES[one.name][1])
    if one.name in _SIZES else one
    for one in load_board("lyrat_v4_3").partitions
]  # fmt: skip
PLACES = {one.name: one for one in TABLE}
NUMBER = 0xE3


class Flashed:
    """A station's flash, as it lies in the boards that stand for it one after the other."""

    def __init__(self, plan: FlashPlan, data: DataDir) -> None:
        self.plan, self.data = plan, data
        self.bytes = bytearray(b"\xff" * (4 << 20))
        self.bytes[TABLE_OFFSET : TABLE_OFFSET + SECTOR] = pack_table(TABLE).ljust(SECTOR, b"\xff")

    def take(self, station: Station) -> None:
        """What it has while it is without power."""
        for name, flash in (("journal", station.flash), *station.slots.items()):
            self.bytes[PLACES[name].offset : PLACES[name].end] = flash.image

    def of(self, name: str) -> bytes:
        return bytes(self.bytes[PLACES[name].offset : PLACES[name].end])

    def files(self) -> dict[str, bytes]:
        return unpack(self.of("vfs"), VFS_BLOCK)

    async def run(self, pull_at: int | None = None) -> FlashResult:
        with Board(NUMBER, pty=pull_at is None) as board:
            board.flash.data[:] = self.bytes
            board.flash.pull_at = pull_at
            done = await asyncio.to_thread(Job(self.plan, self.data).run, board.port)
            self.bytes[:] = board.flash.data
            return done

    async def plugged_in(self, world: World, station_id: str) -> Station:
        """A station with all that, unpowered."""
        folder = world.root / "stations" / station_id
        folder.mkdir(parents=True)
        (folder / "journal.bin").write_bytes(self.of("journal"))
        slots = {name: self.of(name) for name in ("slot_a", "slot_b", "vfs")}
        return await world.add_station(station_id, slots=slots)


def plan(image: Path, starts: dict[str, bytes]) -> FlashPlan:
    """The program as the VM runs it, where an image has it for the chip."""
    body = program_body(image)

    def piece(place: Partition, content: bytes) -> Piece:
        return Piece(place.name, place.offset, content)

    pieces = [
        piece(PLACES["slot_a"], program_slot(body, "sim", "2", 1)),
        piece(PLACES["slot_b"], b"\xff" * SLOT_BYTES),
        piece(PLACES["vfs"], pack(starts, VFS_BYTES, VFS_BLOCK)),
        Piece("partition table", TABLE_OFFSET, pack_table(TABLE).ljust(SECTOR, b"\xff")),
    ]
    return FlashPlan("esp32", "sim", "2", 4 << 20, pieces, PLACES["journal"], PLACES["nvs"])


PULLS = [
    PLACES["slot_a"].end - 60_000,  # its end is another, with the version
    PLACES["slot_a"].end - 4_000,
    PLACES["vfs"].offset,
    PLACES["vfs"].offset + 7,
    PLACES["vfs"].offset + 700,
    PLACES["vfs"].offset + SECTOR,
    PLACES["vfs"].offset + 2 * SECTOR + 2_000,
    PLACES["vfs"].offset + 9 * SECTOR + 99,
    PLACES["vfs"].offset + 14 * SECTOR + 1,
    PLACES["vfs"].end - 50,
]


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("image")
    build_firmware(folder)
    return folder


@pytest.fixture
def starts(image: Path, tmp_path: Path) -> dict[str, bytes]:
    folder = tmp_path / "starts"
    folder.mkdir()
    start_folder(image, folder)
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def now_ms() -> int:
    return int(time.time() * 1000)


async def until(true, limit_s: float = 150) -> None:
    async with asyncio.timeout(limit_s):
        while not true():
            await asyncio.sleep(0.05)


async def test_it_is_the_station_that_it_was(
    image: Path, starts: dict[str, bytes], tmp_path: Path
) -> None:
    data = described(DataDir(tmp_path / "data"))
    newer = starts | {"main.py": starts["main.py"] + b"# as the newer image has it\n"}
    flash = Flashed(plan(image, newer), data)
    for name, content in (
        ("slot_a", program_slot(program_body(image), "sim", "1", 1)),
        ("slot_b", b"\xff" * SLOT_BYTES),
        ("vfs", pack(starts, VFS_BYTES, VFS_BLOCK)),
    ):
        flash.bytes[PLACES[name].offset : PLACES[name].offset + len(content)] = content
    s = f"DIA-240ac40000{NUMBER:02x}"
    async with hub_on(data):
        async with World(tmp_path / "before", start_utc_ms=now_ms(), image=image) as world:
            station = await flash.plugged_in(world, s)
            await station.power_on()
            assert await greeting_on(station.port, 300)
            seated = await provision(data, station.port, "B9", clock=SystemClock(), by="Ana")
            since = len(world.witness.events(s))
            await station.tap(people.desks(1)[0].person.badge)
            await world.wait_event(
                s, lambda event: event["k"] == "presence.changed", since=since, timeout_s=30
            )
            await station.power_cut()
            flash.take(station)
        before, journal = flash.files(), flash.of("journal")
        own = {name: text for name, text in before.items() if name not in starts}
        (config,) = (text for name, text in own.items() if name.startswith("config."))
        assert b'"wifi"' in config and b'"key"' in config

        for at in PULLS:
            assert "Plug it in again" in (await flash.run(at)).error, hex(at)
        done = await flash.run()
        assert not done.error and done.journal == "left as it is"
        assert flash.files() == newer | own and flash.of("journal") == journal
        assert not [*data.boards.glob("*")]

        async with World(tmp_path / "after", start_utc_ms=now_ms(), image=image) as world:
            station = await flash.plugged_in(world, s)
            bridge = asyncio.create_task(Gateway(data, [station.port], "row").run())
            try:
                await station.power_on()
                await until(lambda: kinds(data, s).count("station.booted") == 2)
                await until(lambda: kinds(data, s).count("station.clock") == 2)  # it has its key
                assert kinds(data, s).count("station.config") == 1
                assert "session.closed" not in kinds(data, s)
                was = kinds(data, s).count("presence.changed")
                async with asyncio.timeout(150):  # her session goes on, once she has seen why
                    while kinds(data, s).count("presence.changed") == was:
                        await station.press(3)
                        await asyncio.sleep(0.5)

                await station.power_cut()
                noise = os.urandom(2 * SECTOR)
                (station.folder / "vfs.bin").write_bytes(noise + flash.of("vfs")[2 * SECTOR :])
                await station.power_on()
                await until(lambda: told(data, s).startswith("MicroPython no puede leer"))
            finally:
                bridge.cancel()
                await asyncio.gather(bridge, return_exceptions=True)
            with pytest.raises(ProvisionError, match=r"cannot read its files.*diadema flash"):
                await provision(data, station.port, "B9", clock=SystemClock(), by="Ana")
            await station.power_cut()
            flash.take(station)
        flash.bytes[PLACES["vfs"].offset : PLACES["vfs"].offset + len(noise)] = noise
        done = await flash.run()
        assert not done.error and str(done.files.unread) == "it is damaged"
        assert done.files.source == "hub" and done.files.names == ["config.0"]

        async with World(tmp_path / "again", start_utc_ms=now_ms(), image=image) as world:
            station = await flash.plugged_in(world, s)
            await station.power_on()
            hello = await greeting_on(station.port, 300)
            assert (hello.station, hello.generation) == (
                s,
                seated.generation + 1,
            )  # with a new key
            again = await provision(data, station.port, "B9", clock=SystemClock(), by="Ana")
            assert again.generation == hello.generation
            assert kinds(data, s).count("station.config") == 1


def told(data: DataDir, s: str) -> str:
    (row,) = [row for row in all_stations(data, now_ms()) if row.station == s]
    return "; ".join(trouble.start(row.needs_image, row.safe, row.cause, row.board, "es"))
