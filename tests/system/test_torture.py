"""The torture bench in short: the campaigns of `diadema torture`, a small share of each.

Whole stations meet everything at once here; the command gives each its own campaign and hours.
"""

from diadema_sim.torture import campaigns
from diadema_sim.torture.live_centre import run_disturbed
from diadema_sim.torture.runner import Plan

_TWELVE_SECTORS = 12 * 4096


async def test_the_journal_loses_nothing_at_any_cut():
    summary = await campaigns.run(["journal"], Plan(seed=11, share=0.02))
    assert summary["failures"] == []
    assert (summary["lost"], summary["doubled"]) == (0, 0)
    assert summary["cut_points"] > 1_500


async def test_an_update_leaves_a_program_that_runs_at_any_cut():
    summary = await campaigns.run(["update"], Plan(seed=11, share=0.025))
    assert summary["failures"] == []
    assert (summary["lost"], summary["doubled"]) == (0, 0)
    assert summary["rows"][0]["bricked"] == 0
    assert summary["cut_points"] > 500
    assert summary["rows"][0]["in_the_vm"]


async def test_a_centre_under_everything_at_once_keeps_each_event_once():
    outcome = await run_disturbed(
        Plan(seed=11),
        "everything",
        stations=3,
        journal_bytes=_TWELVE_SECTORS,
        seconds=10,
        disturbers=[
            campaigns.power,
            campaigns.line,
            campaigns.processes,
            campaigns.disk,
            campaigns.clock,
        ],
    )
    assert outcome.failures == []
    assert (outcome.lost, outcome.doubled) == (0, 0)
    assert outcome.counts["power_cuts"] > 2
    assert outcome.counts["journaled"] == outcome.counts["stored"] > 20


async def test_three_days_without_a_link_lose_nothing_and_a_journal_that_fills_refuses_calls():
    summary = await campaigns.run(["offline"], Plan(seed=11, share=0.01))
    assert summary["failures"] == []
    assert (summary["lost"], summary["doubled"]) == (0, 0)
    (row,) = summary["rows"]
    assert (row["contacts_at_load_1"], row["refused_at_load_1"]) == (12, 0)
    assert row["contacts_at_load_3"] > row["refused_at_load_3"] > 0
