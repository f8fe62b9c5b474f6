"""The firmware in the VM, counted by callgrind: instructions and flash reads of each step.

The same each time, as nothing of it is time. `python -m tests.bench.counted FILE` writes the
counts of the tree that it lies in, as JSON; `chip_model` makes a chip's milliseconds of them.
"""

import asyncio
import json
import re
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import msgspec
from diadema.base.errors import DiademaError
from diadema.site.description import parse
from diadema.stations.boards.table import BOARDS, load_board
from diadema.stations.image import files
from diadema_sim import people, vm
from diadema_sim.build import SimBoard, compile_mpy, interpreter, station_tree
from diadema_sim.station import Station
from diadema_sim.world import World

from tests.support.program_slots import SLOT_BYTES, program_slot
from tests.support.wire_host import WireHost

VALGRIND = "valgrind"
_PLAIN = Path(__file__).with_name("chip_board.py")
_NAME = "devkitc_wm8960"  # whose table that one stands in for
_HEAP = "96m"  # nothing is collected
_JOURNAL_BYTES, _VFS_BYTES = 0x70000, 0x1C000  # of a 4 MB board
_MONDAY_8_LIMA = 1_770_037_200_000
_STATION = "DIA-0200000000a1"
_IDLE_MS = 300
_START_MS = 5_000
_TAP_MS = 60  # an RDM6300 tells a card each 65 ms
_LONG_MS = 900
_CLOSED_MS = 9_000  # a list that nobody uses has closed
_HEALTH_MS = 900_500
_PLACES = ("light", "drawn", "idle")
_TIMES = 1000  # of `vm_count`, as are these parts
_WEIGHED = ("before", "names", "calls", "reads", "imports", "loads", "loop")
# gc_alloc looks for room from the last place that was freed on: in a heap that nobody collects
# that is far. So it counts as one that finds room at once.
_ALLOC = 120
# what comes after a search in vain: the names of the board, which are among them, stand no chip in
# the way
_MISSED = {
    ("mp_obj_new_str_type_from_vstr", "mp_obj_malloc_helper"),
    ("mp_obj_new_str", "mp_obj_new_str_copy"),
    ("qstr_from_strn_helper", "qstr_compute_hash"),
}
_FUNCTION = re.compile(r"(c?fn)=\((\d+)\)(?: (.*?)(?:'\d+)?)?$")
_COST = re.compile(r"(?:[+-]\d+|\*|\d+) (\d+)$")


class Count(msgspec.Struct, frozen=True):
    """A part of what the firmware did. `measures`: of how much memory is in use; `slot`, `vfs`,
    `journal`: reads of these partitions; `beyond`: pieces of 64 bytes beyond the first 128 of a
    read; `at_ms`: on the station's clock, at the end of it.
    """

    name: str
    instructions: int
    allocations: int
    collections: int
    measures: int
    slot: int
    vfs: int
    journal: int
    beyond: int
    at_ms: int


def total(parts: Sequence[Count]) -> Count:
    """All parts as one."""
    rows = [msgspec.structs.asdict(part) for part in parts]
    sums = {key: sum(row[key] for row in rows) for key in rows[0] if key not in ("name", "at_ms")}
    return Count(name=parts[-1].name, at_ms=parts[-1].at_ms, **sums)


def functions(path: Path) -> tuple[Counter[str], Counter[str]]:
    """Of a part that callgrind wrote: instructions of each C function itself, and its calls;
    "missed" are searches for a name that there is not.
    """
    names: dict[str, str] = {}
    own: Counter[str] = Counter()
    calls: Counter[str] = Counter()
    inside, target, called = "", "", False
    with path.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if found := _FUNCTION.match(line):
                kind, number, name = found.groups()
                if name:
                    names[number] = name
                if kind == "fn":
                    inside = names[number]
                else:
                    target = names[number]
            elif line.startswith("calls="):
                times = int(line[6:].split()[0])
                calls[target] += times
                calls["missed"] += times * ((inside, target) in _MISSED)
                called = True
            elif found := _COST.match(line):
                if not called:
                    own[inside] += int(found[1])
                called = False  # the line after a call is the cost of what was called
    return own, calls


class Counted:
    """A station under callgrind, its program in a slot as on the chip, and its host."""

    badge = "0000001234"

    def __init__(
        self, folder: Path, world: World, station: Station, host: WireHost, pin: str
    ) -> None:
        self.world, self.station, self.host = world, station, host
        self.pin = pin
        self.rows: dict[str, list[Count]] = {}
        self.hot: dict[str, Counter[str]] = {}  # C functions of each row
        self._folder = folder
        self._taken = 0
        self._name = 0.0  # of a search for a name, among those of the board
        self._way = (0.0, 0.0, 0.0)  # into the board: instructions of a call, a read, an import

    async def parts(self) -> tuple[list[Count], Counter[str]]:
        """Since power came or this was asked before, and its C functions."""
        if self.station.crash:
            raise DiademaError(self.station.crash)
        marks = (await self.station.ask({"do": "marks"}))["marks"]
        new = marks[self._taken :]
        raw = []
        hot: Counter[str] = Counter()
        for at in range(self._taken + 1, len(marks) + 1):
            path = self._folder / f"counted.{at}"
            own, calls = functions(path)
            path.unlink()
            own["gc_alloc"] = _ALLOC * calls["gc_alloc"]
            if self._taken == 0 and at == _WEIGHED.index("names") + 1:
                self._name = own["qstr_find_strn"] / calls["qstr_find_strn"]
            own["qstr_find_strn"] -= round(self._name * calls["missed"])
            raw.append((sum(own.values()), calls["gc_alloc"]))
            hot += own
        if self._taken == 0:
            _, _, calls, reads, imports, loads, loop = (
                count / _TIMES for count, _ in raw[: len(_WEIGHED)]
            )
            self._way = (calls - loop, reads - loop, imports - loads)
            new, raw = new[len(_WEIGHED) :], raw[len(_WEIGHED) :]
        self._taken = len(marks)
        return [self._count(mark, *one) for mark, one in zip(new, raw, strict=True)], hot

    def _count(self, mark: Any, instructions: int, allocations: int) -> Count:
        """Without the ways into the board."""
        name, at_ms, tally = mark
        reads = tally["slot"] + tally["vfs"] + tally["journal"]
        amounts = (tally.pop("calls"), reads, tally.pop("imports"))
        ways = sum(amount * each for amount, each in zip(amounts, self._way, strict=True))
        return Count(name, round(instructions - ways), allocations, at_ms=at_ms, **tally)

    async def step(self, name: str, action: Awaitable[Any], *at: str) -> None:
        """Count what the firmware does for `action`: the moment with the most work is kept,
        without a key's bounce and what each second brings. A part ends where the firmware comes
        by `at`, lights its lights, has drawn its screen, or waits.
        """
        await self.world.sleep(_IDLE_MS)
        await self.station.ask({"do": "begin", "name": "before", "at": [*at, *_PLACES]})
        await self.parts()
        await action
        await self.world.sleep(_IDLE_MS)
        await self.station.ask({"do": "begin", "name": "after", "at": []})
        parts, self.hot[name] = await self.parts()
        spent: Counter[int] = Counter()
        for part in parts:
            spent[part.at_ms] += part.instructions
        (moment, _), *_ = spent.most_common(1)
        self.rows[name] = [part for part in parts if part.at_ms == moment]

    async def again(self) -> None:
        """Power goes and comes back; nobody answers on the cable."""
        self.host.answering = False
        await self.station.power_cut()
        for path in self._folder.glob("counted.*"):
            path.unlink()
        self._taken = 0
        await self.station.power_on()
        await self.world.sleep(_START_MS)
        await self.station.ask({"do": "begin", "name": "at rest", "at": []})
        self.rows["start"], self.hot["start"] = await self.parts()


def _command(out: Path, board: SimBoard, *arguments: str) -> list[str]:
    _, *start = board.start()
    own = Path(__file__).with_name("vm_count.py")
    return [
        VALGRIND, "-q", "--tool=callgrind", f"--callgrind-out-file={out}",
        "--toggle-collect=re_sub_helper", "--collect-atstart=yes",
        "--dump-before=mp_cmath_phase", *interpreter(), "-X", f"heapsize={_HEAP}",
        str(own), str(station_tree() / "boards" / "sim"), *start, *arguments,
    ]  # fmt: skip


def _program(scratch: Path, table: Path) -> dict[str, bytes]:
    """The files of a slot as the chip has them, but for the board's table, with the drivers that
    it names; native code is that of the VM.
    """
    made = files.program_files(load_board(_NAME))
    found: dict[str, Any] = {}
    exec(table.read_text(encoding="utf-8"), found)
    names = {f"drivers/{part[0]}.mpy" for part in found["PARTS"].values()} - set(made)
    names |= {  # those with an architecture
        name for name, code in made.items() if name.endswith(".mpy") and code[2] >> 2
    }
    sources = {name: (files.FIRMWARE / name).with_suffix(".py") for name in names}
    for name, source in {**sources, "board.mpy": table}.items():
        compile_mpy(source, scratch / "one.mpy", name)
        made[name] = (scratch / "one.mpy").read_bytes()
    return made


def _packed(program: dict[str, bytes]) -> bytes:
    if hasattr(files, "pack_slot"):
        return files.pack_slot(program, SLOT_BYTES)
    # as the older program wanted it, which is counted too
    snug: bytes = files.pack_snug(program, SLOT_BYTES - files.SECTOR, files.SLOT_BLOCK)
    return snug


@asynccontextmanager
async def counted(table: Path, pins: bool = False) -> AsyncIterator[Counted]:
    """A station whose board's table is `table`, in a site of 20 agents, with power for a while."""
    with tempfile.TemporaryDirectory(prefix="diadema-bench-") as name:
        folder = Path(name)
        board = folder / _NAME
        board.mkdir()
        shutil.copy(table, board / "board.py")
        (folder / "empty").mkdir()
        body = _packed(_program(folder, board / "board.py"))
        flash = {
            "slot_a": program_slot(body, _NAME, "0.1.0", 1),
            "slot_b": b"\xff" * SLOT_BYTES,
            "vfs": files.pack(files.start_files(), _VFS_BYTES, files.VFS_BLOCK),
        }
        desks = people.desks(20)
        content = people.site(
            desks, name="Centro", zone="America/Lima", tree=people.LIMA_TREE, pins=pins
        )
        content["stations"][0]["id"] = _STATION
        for at, agent in enumerate(content["agents"]):
            agent["badges"] = [f"em4100:{int(Counted.badge, 16) + at:010X}"]
        world = World(
            folder / "w", start_utc_ms=_MONDAY_8_LIMA, mode="fast", image=folder / "empty"
        )
        one = partial(_command, folder / "counted")
        with patch.object(vm, "vm_command", one):  # the other parts' VMs are plain ones
            async with world:
                station = await world.add_station(
                    _STATION, _JOURNAL_BYTES, SimBoard(_NAME, boards=folder), flash
                )
                host = WireHost(station, parse(json.dumps(content).encode()))
                with world.actor():
                    await station.power_on()
                    await world.sleep(_START_MS)
                    yield Counted(folder, world, station, host, desks[0].person.pin)
                host.close()


async def day(one: Counted) -> None:
    """A login, and a key of each kind in the order of a day."""
    station, world = one.station, one.world
    await one.step("badge", station.tap(one.badge, _TAP_MS))
    await one.step("settings", station.press(6, _LONG_MS))
    await station.press(1)
    await world.sleep(_CLOSED_MS)
    await one.step("menu, idle", station.press(6))
    await station.press(1)
    await world.sleep(_CLOSED_MS)
    await one.step("key", station.press(3), "machine")
    call = {"contact": "C-1", "direction": "in", "queue": "Consultas", "pbx": "1"}
    await one.host.answer(one.host.command("ring", **call))
    await world.sleep(2_000)
    await one.step("answer", station.press(1))
    await world.sleep(2_000)
    await one.step("mute", station.press(2))
    await one.step("unmute", station.press(2))
    await one.step("methods", station.press(3))
    await one.step("method", station.press(3))
    await one.step("menu", station.press(6))
    await world.sleep(_CLOSED_MS)
    await one.step("help", station.press(5))
    await world.sleep(_CLOSED_MS)
    await one.step("codes", station.press(1))
    await world.sleep(1_000)
    await one.step("level", station.press(3))
    await one.step("level below", station.press(3))
    await one.step("code", station.press(3))


async def report_and_pin(one: Counted) -> None:
    """Nobody is logged in until the first report on the station's health."""
    due = one.world.sleep_until(_MONDAY_8_LIMA + _HEALTH_MS)
    await one.step("health", due, "lib.report", "mem_free")
    *digits, last = one.pin
    await one.world.sleep(_CLOSED_MS)
    await one.station.tap(one.badge, _TAP_MS)
    await one.world.sleep(_IDLE_MS)
    for digit in digits:
        await one.station.press(int(digit))
    await one.step("pin", one.station.press(int(last)), "lib.pin", "rounds")


async def counts() -> tuple[dict[str, list[Count]], dict[str, Counter[str]]]:
    """Of each step its parts, and its C functions; `start` is that of a whole board's station
    that has its configuration.
    """
    rows: dict[str, list[Count]] = {}
    hot: dict[str, Counter[str]] = {}
    for table, pins, live in (
        (_PLAIN, False, day),
        (_PLAIN, True, report_and_pin),
        (BOARDS / _NAME / "board.py", False, Counted.again),
    ):
        async with counted(table, pins) as one:
            await live(one)
        rows |= one.rows
        hot |= one.hot
    return rows, hot


def main(path: Path) -> None:
    if shutil.which(VALGRIND) is None:
        raise SystemExit("The program valgrind is missing (Debian: apt install valgrind).")
    path.write_bytes(msgspec.json.encode(asyncio.run(counts())[0]))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
