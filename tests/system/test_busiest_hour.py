"""The busiest hour of a day on each board, with all that the chip does and the world can: calls,
badges, a new configuration, a new program, Wi-Fi and the cable that go and come. And days in which
nobody touches a station, over the wraps of its ticks.
"""

import pytest
from diadema_sim.build import SIM, SimBoard, board_names

from tests.bench import desk_days
from tests.bench.desk_days import MINUTE_MS, open_desk

# a board of each chip; the others do all that in a third of the time
WHOLE_HOUR = ("devkitc_wm8960", "s3_korvo2")


@pytest.mark.parametrize("name", board_names())
async def test_the_busiest_hour_loses_nothing(name):
    share = 1 if name in WHOLE_HOUR else 1 / 3
    minute_ms = MINUTE_MS * share
    async with open_desk(SimBoard(name)) as desk:
        first = await desk_days.work(
            desk,
            30 * minute_ms,
            desk_days.change_site(desk, 5 * minute_ms),
            desk_days.lose_wifi(desk, 12 * minute_ms, 3 * minute_ms),
            desk_days.pull_cable(desk, 18 * minute_ms, 6 * minute_ms),
        )
        await desk_days.update(desk)
        second = await desk_days.work(
            desk,
            30 * minute_ms,
            desk_days.pull_cable(desk, 2 * minute_ms, 10 * minute_ms),
            desk_days.lose_wifi(desk, 6 * minute_ms, minute_ms),
            seed=2,
        )
        outcome = await desk_days.judged(desk, first, second)
        assert outcome.failures == []
        assert (outcome.lost, outcome.doubled) == (0, 0)
        assert outcome.counts["calls"] > 5 * share
        assert desk.station.restarts == ["hard"]  # the new program, once


async def test_a_week_untouched_and_another_one_lose_nothing():
    """Ticks differ by more than half their ring after 6.2 days, and come round after 12.4."""
    shifts = []
    async with open_desk(SIM) as desk:
        for number, days in enumerate((6.3, 6.3, 6.0), start=1):
            shifts.append(await desk_days.work(desk, 5 * MINUTE_MS, seed=number))
            await desk_days.leap(desk, days)
        shifts.append(await desk_days.work(desk, 5 * MINUTE_MS, seed=4))
        outcome = await desk_days.judged(desk, *shifts)
        assert outcome.failures == []
        assert (outcome.lost, outcome.doubled) == (0, 0)
        assert len(desk.told("session.opened")) == len(desk.told("session.closed")) == 4
        assert desk.station.restarts == []
