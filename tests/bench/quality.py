"""The report `calidad` of a month of a thousand agents with eight evaluations each, from a store
whose calls were drawn in four weeks. The first time is apart: it makes the roll-ups.
"""

import asyncio
import tempfile
import time
from pathlib import Path

from diadema.report.make import make
from diadema.report.model import Scope
from diadema.report.period import around
from msgspec.structs import replace

from tests.bench.figure import Figure
from tests.support.evaluated_month import FIRST, PLAN, Month, week

_AGENTS, _CALLS, _WEEKS, _TURNS = 1000, 4, 4, 4
_BUDGET_MS = 1000


async def figures() -> list[Figure]:
    took = await asyncio.to_thread(_report_ms, _AGENTS)
    return [Figure(f"report calidad, {_AGENTS:,} agents, 8 evaluations each", took, "ms",
                   _BUDGET_MS, "budget")]  # fmt: skip


def _report_ms(agents: int) -> float:
    """The quickest of some turns: what else runs here can only slow it."""
    plan = replace(PLAN, twice_share=5)
    took = []
    with tempfile.TemporaryDirectory(prefix="diadema-bench-") as folder:
        month = Month(Path(folder) / "data", agents=agents, calls=_CALLS)
        for number in range(_WEEKS):
            _, _, calls = month.draw(week(number), plan)
            month.submit(*((one, month.answers(one)) for one in calls))
        for _ in range(_TURNS):
            began = time.perf_counter()
            made = make(month.data, "calidad", around("month", FIRST), Scope(), month.now_ms)
            took.append((time.perf_counter() - began) * 1000)
        assert len(made.section("quality_agents").rows) == agents
    return min(took)
