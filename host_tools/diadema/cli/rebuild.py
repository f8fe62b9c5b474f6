"""`diadema rebuild`: everything that follows from the raw events, worked out again."""

import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from diadema.cli.run import AsJson, Clock, Data, Run, console, print_json
from diadema.cli.speech import say

if TYPE_CHECKING:
    from diadema.maintenance.rebuild.rebuild import Outcome

_SHOWN = 100  # differences in the table; --json has all


def rebuild(
    data: Data = None,
    apply: Annotated[
        bool, typer.Option("--apply", help="Put what was rebuilt in the place of what differs.")
    ] = False,
    as_json: AsJson = False,
    clock: Clock = None,
) -> None:
    """Rebuild contacts, sessions and figures from the raw events.

    Compares them with what is stored. Exit code 1 when something differs, also when it was put
    right.

    Example: diadema rebuild --json
    """
    from diadema.maintenance.rebuild.rebuild import rebuild as work

    run = Run(data, clock, as_json=as_json)
    with run.progress(say("progress.events")) as progress:
        outcome = work(run.data, run.clock, apply=apply, progress=progress)
    if as_json:
        print_json(outcome)
    else:
        _show(outcome)
    sys.exit(1 if outcome.differences else 0)


def _show(outcome: "Outcome") -> None:
    from rich.table import Table

    screen = console()
    if outcome.came_back:
        screen.print(say("rebuild.came_back", count=outcome.came_back))
    if not outcome.differences:
        screen.print(say("rebuild.right", events=outcome.events))
        return
    table = Table(*say("rebuild.columns").split(", "))
    for found in outcome.differences[:_SHOWN]:
        cells = (found.table, found.key, found.field, found.stands, found.rebuilt)
        table.add_row(*(_short(cell) for cell in cells))
    screen.print(table)
    what = f"rebuild.{'replaced' if outcome.applied else 'differs'}"
    screen.print(say(what, events=outcome.events, count=len(outcome.differences)))


def _short(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= 60 else text[:57] + "..."
