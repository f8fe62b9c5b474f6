"""Badge readers from tap to read, and the bus while nobody taps.

Models and drivers run in the VM; the clock there stands while code runs, so the bus's own time is
worked out from the bytes that went over it (I2C 400 kHz, SPI 1 MHz, UARTs 115 200 and 9 600 baud).
How long the chips themselves take is not in here.
"""

import asyncio
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

from diadema_sim.build import build_firmware, station_tree
from diadema_sim.world import World

from tests.bench.figure import Figure

_START_MS = 1_770_037_200_000
_TAP_BUDGET_MS = 300  # tap to «hola»
_BUSY_BUDGET = 10  # % of a bus
_BYTES_A_SECOND = {"I2C": 400_000 / 9, "SPI": 1_000_000 / 8, "HSU": 115_200 / 10, "RDM6300": 960}
_LIMIT_S = 120


async def figures() -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="diadema-bench-") as name:
        said = [json.loads(line) for line in await _in_vm(Path(name))]
    found: list[Figure] = []
    for kind, *values in said:
        if kind == "reader":
            found += _reader(*values)
        elif kind == "secure":
            ms = 1000 * values[0] / _BYTES_A_SECOND["I2C"]
            what = "DESFire tap to proof, PN532 on I2C, bus"
            found.append(Figure(what, ms, "ms", _TAP_BUDGET_MS, "budget"))
    return found


def _reader(name: str, ms: int, count: int, transfers: float, idle: float) -> list[Figure]:
    bus = name.rpartition(" ")[2]
    rate = _BYTES_A_SECOND.get(bus)  # a Wiegand line's bits take the clock's time
    whole = ms + (1000 * count / rate if rate else 0)
    found = [Figure(f"badge tap to read, {name}, worst", whole, "ms", _TAP_BUDGET_MS, "budget")]
    if bus in ("I2C", "SPI"):
        found.append(Figure(f"{name}, at idle", transfers, "transfers/s"))
    if bus != "RDM6300" and rate:
        busy = 100 * idle / rate
        found.append(Figure(f"{name}, bus used at idle", busy, "%", _BUSY_BUDGET, "budget"))
    return found


async def _in_vm(folder: Path) -> list[str]:
    program = folder / "program"
    build_firmware(program)
    shutil.copytree(station_tree() / "boards/sim/parts", program / "models")
    shutil.copy(Path(__file__).with_name("vm_readers.py"), program / "main.py")
    async with World(folder / "w", start_utc_ms=_START_MS, mode="fast", image=program) as world:
        station = await world.add_station("DIA-0200000000b1")
        await station.power_on()
        return await _until_the_end(station)


async def _until_the_end(station: Any) -> list[str]:
    async with asyncio.timeout(_LIMIT_S):
        while True:
            lines = b"".join(station.console).decode().splitlines()
            if lines and lines[-1] == "the end":
                return lines[:-1]
            if any(line.startswith("Traceback") for line in lines):
                await asyncio.sleep(0.1)
                raise SystemExit(b"".join(station.console).decode())
            await asyncio.sleep(0.01)
