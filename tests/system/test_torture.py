"""The torture bench in short: the same campaigns as `diadema torture`, a small share of each."""

from diadema.sim.torture import campaigns
from diadema.sim.torture.outcome import Plan


async def test_the_journal_loses_nothing_at_any_cut():
    summary = await campaigns.run(["journal"], Plan(seed=11, share=0.03))
    assert summary["failures"] == []
    assert (summary["lost"], summary["doubled"]) == (0, 0)
    assert summary["cut_points"] > 2_000
