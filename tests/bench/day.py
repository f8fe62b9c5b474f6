"""One day at a desk of each board: a shift of ten hours with the calls of a real centre, a new
configuration, Wi-Fi and the cable that come and go, a new program, and a night without power.
"""

import time

from diadema_sim.build import SimBoard, board_names

from tests.bench import desk_days
from tests.bench.desk_days import HOUR_MS, MINUTE_MS, Desk, open_desk
from tests.bench.figure import Figure

_CALLS_H = 12.0
_SHIFT_MS, _EVENING_MS, _NIGHT_MS = 10 * HOUR_MS, 4 * HOUR_MS, 10 * HOUR_MS


async def figures() -> list[Figure]:
    found = []
    for name in board_names():
        async with open_desk(SimBoard(name)) as desk:
            found += await _day(name, desk)
    return found


async def _day(name: str, desk: Desk) -> list[Figure]:
    world = desk.centre.world
    began_s, start_ms = time.monotonic(), world.now_ms()
    shift = await desk_days.work(
        desk,
        _SHIFT_MS,
        desk_days.lose_wifi(desk, 40 * MINUTE_MS, 15 * MINUTE_MS),
        desk_days.change_site(desk, 2 * HOUR_MS),
        desk_days.pull_cable(desk, 3 * HOUR_MS, HOUR_MS),
        desk_days.lose_wifi(desk, 5 * HOUR_MS, 5 * MINUTE_MS),
        desk_days.pull_cable(desk, 7 * HOUR_MS, 2 * MINUTE_MS),
        calls_h=_CALLS_H,
    )
    await desk_days.update(desk)
    await world.sleep(_EVENING_MS)
    cpu_s = desk.cpu_s()
    await desk_days.dark(desk, _NIGHT_MS)
    ran_s, took_s = (world.now_ms() - start_ms) / 1000, time.monotonic() - began_s
    outcome = await desk_days.judged(desk, shift)
    return [
        Figure(f"a day at a desk of {name}", outcome.counts["calls"], "calls"),
        Figure("its clock against the real one", ran_s / took_s, "×"),
        Figure("processor time of its VM until the evening", cpu_s, "s"),
        Figure("events written", outcome.counts["journaled"], "events"),
        Figure("of them lost or doubled", outcome.lost + outcome.doubled, "events", 0, "budget 0"),
        Figure("all that failed", len(outcome.failures), "failures", 0, "budget 0"),
    ]
