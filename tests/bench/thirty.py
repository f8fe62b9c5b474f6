"""Thirty days at one desk, when asked for by name: shifts, Sundays and holidays, a week in which
nobody touches it, Wi-Fi and the cable that come and go, and the power cut each night.
"""

import random
import sys
import time

from diadema_sim.build import SIM
from diadema_sim.shift import Shift

from tests.bench import desk_days
from tests.bench.desk_days import DAY_MS, HOUR_MS, MINUTE_MS, Desk, open_desk
from tests.bench.figure import Figure

_DAYS = 30
_HOLIDAYS = (2, 20)  # of the days from 0, a Monday
_UNTOUCHED = range(8, 15)  # and never without power
_CALLS_H = 4.0  # thinned: what makes a day long to simulate is its calls
_SHIFT_MS, _NIGHT_MS = 8 * HOUR_MS, 9 * HOUR_MS


async def figures(days: int = _DAYS) -> list[Figure]:
    chance = random.Random("thirty days")
    shifts: list[Shift] = []
    began_s = time.monotonic()
    async with open_desk(SIM) as desk:
        start_ms = desk.centre.world.now_ms()
        for day in range(days):
            works = day % 7 != 6 and day not in _HOLIDAYS and day not in _UNTOUCHED
            if works:
                shifts.append(await _shift(desk, day, chance))
            if day in _UNTOUCHED and day + 1 in _UNTOUCHED:
                await _until(desk, start_ms + (day + 1) * DAY_MS)
            else:
                await _until(desk, start_ms + (day + 1) * DAY_MS - _NIGHT_MS)
                await desk_days.dark(desk, _NIGHT_MS)
            _say(desk, day, time.monotonic() - began_s)
        took_s = time.monotonic() - began_s
        outcome = await desk_days.judged(desk, *shifts)
        for failure in outcome.failures:
            print(failure, file=sys.stderr)
        safe = [event for event in desk.told("station.booted") if event.get("safe")]
    return [
        Figure("days at one desk", days, "days"),
        Figure("a day takes", took_s / days, "s"),
        Figure("calls", outcome.counts["calls"], "calls"),
        Figure("events written", outcome.counts["journaled"], "events"),
        Figure("of them lost or doubled", outcome.lost + outcome.doubled, "events", 0, "budget 0"),
        Figure("starts in safe mode", len(safe), "starts", 0, "budget 0"),
        Figure("all that failed", len(outcome.failures), "failures", 0, "budget 0"),
    ]


async def _shift(desk: Desk, day: int, chance: random.Random) -> Shift:
    """Links that come and go as they like, but never both at once for long."""
    others = [
        desk_days.lose_wifi(desk, at * HOUR_MS, chance.uniform(0.1, 25) * MINUTE_MS)
        for at in (chance.uniform(0, 2), chance.uniform(3, 5), chance.uniform(6, 7))
    ]
    if day % 3 == 0:
        cable_ms = chance.uniform(1, 40) * MINUTE_MS
        others.append(desk_days.pull_cable(desk, 2.5 * HOUR_MS, cable_ms))
    if day % 4 == 1:
        others.append(desk_days.change_site(desk, 5.5 * HOUR_MS))
    shift = await desk_days.work(desk, _SHIFT_MS, *others, seed=day + 1, calls_h=_CALLS_H)
    if day == 3:
        await desk_days.update(desk)
    return shift


async def _until(desk: Desk, at_ms: float) -> None:
    await desk.centre.world.sleep_until(at_ms)


def _say(desk: Desk, day: int, ran_s: float) -> None:
    events = len(desk.centre.world.witness.events(desk.station.id))
    restarts = ", ".join(desk.station.restarts) or "none"
    print(
        f"day {day + 1}: {ran_s:.0f} s, {events} events, restarts: {restarts}",
        file=sys.stderr,
        flush=True,
    )
