"""All campaigns by name, the one after the other, and their table."""

import time
from collections.abc import Awaitable, Callable
from typing import Any

from diadema.base.errors import DiademaError
from rich.console import Console
from rich.table import Table

from diadema_sim.at_station import NotDelivered, Silent
from diadema_sim.torture import (
    disturb,
    journal,
    offline,
    update,
)
from diadema_sim.torture.outcome import Outcome, Plan
from diadema_sim.torture.rig import Disturber, torment

type Campaign = Callable[[Plan], Awaitable[Outcome]]

_SMALL = 12 * 4096  # a journal that goes round soon


def _live(name: str, seconds: float, *disturbers: Disturber, **more: int) -> Campaign:
    async def run_live(plan: Plan) -> Outcome:
        return await torment(plan, name, seconds=seconds, disturbers=[*disturbers], **more)

    return run_live


CAMPAIGNS: dict[str, Campaign] = {
    journal.NAME: journal.run,
    update.NAME: update.run,
    "power": _live("power", 300, disturb.power, stations=6, journal_bytes=_SMALL),
    "line": _live("line", 100, disturb.line),
    "processes": _live("processes", 150, disturb.processes),
    "disk": _live("disk", 60, disturb.disk),
    "clock": _live("clock", 60, disturb.clock),
    offline.NAME: offline.run,
}


def chosen(names: str) -> list[str]:
    """The campaigns of `all` or NAME[,NAME], in their order. Raises DiademaError."""
    wanted = list(CAMPAIGNS) if names == "all" else names.split(",")
    unknown = [name for name in wanted if name not in CAMPAIGNS]
    if unknown:
        raise DiademaError(f"no campaign {unknown[0]!r}; there are all, {', '.join(CAMPAIGNS)}")
    return [name for name in CAMPAIGNS if name in wanted]


async def run(names: list[str], plan: Plan) -> dict[str, Any]:
    """The object that `diadema torture --json` prints."""
    rows: list[dict[str, Any]] = []
    failures: list[dict[str, Any]] = []
    for name in names:
        began = time.monotonic()
        plan.say(f"{name} …")
        try:
            outcome = await CAMPAIGNS[name](plan)
        except (Silent, NotDelivered) as error:  # the others are told all the same
            outcome = Outcome(name)
            outcome.fail("", str(error))
        outcome.seconds = time.monotonic() - began
        rows.append(outcome.row())
        plan.say(f"{name}: {outcome.lost} lost, {outcome.doubled} doubled; {outcome.row()}")
        for failure in outcome.failures:
            failures.append({"seed": plan.seed, **failure, "repeat": _repeat(failure, plan)})
    return {
        "seed": plan.seed,
        "cut_points": sum(row.get("cut_points", 0) for row in rows),
        "power_cuts": sum(row.get("power_cuts", 0) for row in rows),
        "lost": sum(row["lost"] for row in rows),
        "doubled": sum(row["doubled"] for row in rows),
        "rows": rows,
        "failures": failures,
    }


def _repeat(failure: dict[str, Any], plan: Plan) -> str:
    share = "" if plan.share == 1 else f" --share {plan.share}"
    only = f" --only {failure['only']}" if failure["only"] else ""
    return f"diadema torture --campaign {failure['campaign']} --seed {plan.seed}{only}{share}"


def show(console: Console, summary: dict[str, Any]) -> None:
    """One line a campaign, then each failure with the command that repeats it."""
    table = Table("campaign", "what it did", "lost", "doubled", "seconds")
    for row in summary["rows"]:
        fixed = ("campaign", "lost", "doubled", "seconds")
        counts = [(name, number) for name, number in row.items() if name not in fixed]
        did = ", ".join(f"{number} {name.replace('_', ' ')}" for name, number in counts)
        style = "bold red" if row["lost"] or row["doubled"] else ""
        cells = (row["campaign"], did, *(str(row[name]) for name in fixed[1:]))
        table.add_row(*cells, style=style)
    console.print(table)
    for failure in summary["failures"]:
        console.print(f"{failure['campaign']}: {failure['what']}", style="red", markup=False)
        console.print(f"  again: {failure['repeat']}", markup=False)
