"""The simulated clock moves whenever everybody waits, whatever the hour they wait for."""

import asyncio
from pathlib import Path

import pytest
from diadema_sim.timeline import Timeline


@pytest.mark.parametrize("due", [10.0, 10.0004, 10.5, 10.9999])
async def test_a_sleep_ends_at_any_fraction_of_a_millisecond(tmp_path: Path, due: float):
    timeline = Timeline(tmp_path / "clock", 0, 0.0)
    async with asyncio.timeout(300):
        await timeline.sleep_until(due)
    assert due <= timeline.now() < due + 1
    timeline.close()
