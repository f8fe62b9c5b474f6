"""What it costs to know when the chip stood, in CPU time of a simulated day at an empty desk.

The loop tells at its own turns (`drivers.stalls`), which costs no wake; a task that wakes each
20 ms beside it would. The boards with keys on GPIO 36 and 39 look at those each 10 ms.
"""

import resource
import tempfile
from pathlib import Path

from diadema_sim.build import SIM, SimBoard, build_firmware
from diadema_sim.world import World

from tests.bench.figure import Figure

_START_MS = 1_770_037_200_000
_HOUR_MS = 3_600_000
_STARTED_MS = 60_000
_DAY_HOURS = 8
_PART_HOURS = 0.25  # of what is too slow for a day

# laid before main.py
_WITHOUT = """
from drivers import stalls
stalls.core.IOQueue.wait_io_event = stalls._wait
"""
_TASK = """
import asyncio
async def beat():
    while True:
        await asyncio.sleep_ms(20)
asyncio.create_task(beat())
"""


async def figures() -> list[Figure]:
    plain = await _day(SIM, _WITHOUT, _DAY_HOURS)
    day = await _day(SIM, "", _DAY_HOURS)
    task = await _day(SIM, _WITHOUT + _TASK, _PART_HOURS)
    found = [
        Figure("CPU time of a simulated day, the loop's turns watched", day, "s", plain,
               "without"),
        Figure("with a task each 20 ms instead", task, "s", plain, "without"),
    ]  # fmt: skip
    for name in ("lyrat_v4_3", "aithinker_audiokit"):
        board = SimBoard(name)
        with_poll = await _day(board, "", _PART_HOURS)
        found.append(Figure(f"the day of {name}", with_poll, "s", day, "plain board"))
    return found


async def _day(board: SimBoard, before: str, hours: float) -> float:
    """Seconds of both processes, for a day."""
    with tempfile.TemporaryDirectory() as folder:
        image = Path(folder, "image")
        build_firmware(image)
        main = image / "main.py"
        main.write_text(before + main.read_text())
        start_s, whole_s = [
            await _run(board, image, Path(folder, name), length)
            for name, length in (("start", 0.0), ("run", hours))
        ]
        return (whole_s - start_s) * _DAY_HOURS / hours


async def _run(board: SimBoard, image: Path, folder: Path, hours: float) -> float:
    began_s = _cpu_s()
    async with World(folder, start_utc_ms=_START_MS, mode="fast", image=image) as world:
        station = await world.add_station("DIA-0200000000a1", board=board)
        with world.actor():
            await station.power_on()
            await world.sleep(_STARTED_MS + hours * _HOUR_MS)
    return _cpu_s() - began_s


def _cpu_s() -> float:
    """Of this process and of those that ended."""
    return sum(
        used.ru_utime + used.ru_stime
        for used in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )
