"""`diadema rebuild` as people and scripts see it."""

import json
import sys
from pathlib import Path

import msgspec
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from diadema.base.clock import open_clock
from diadema.base.paths import DataDir
from diadema.maintenance.rebuild.rebuild import Outcome, rebuild

_SHOWN = 100  # differences in the table; --json has all


def run(root: Path, clock_file: Path | None, *, apply: bool, as_json: bool) -> int:
    """Exit code: 1 when what stood differs, also when it was put right."""
    with Progress(console=Console(stderr=True), disable=as_json or not sys.stderr.isatty()) as bar:
        task = bar.add_task("events", total=None)
        outcome = rebuild(
            DataDir(root),
            open_clock(clock_file),
            apply=apply,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    if as_json:
        print(json.dumps(msgspec.to_builtins(outcome)))
    else:
        _tell(outcome)
    return 1 if outcome.differences else 0


def _tell(outcome: Outcome) -> None:
    console = Console(highlight=False, soft_wrap=True)
    if outcome.came_back:
        console.print(
            f"{outcome.came_back} events were once taken as lost; a rebuild works them in."
        )
    if not outcome.differences:
        console.print(f"{outcome.events} events: everything that follows from them stands right.")
        return
    table = Table("table", "row", "field", "stands", "rebuilt")
    for found in outcome.differences[:_SHOWN]:
        cells = (found.table, found.key, found.field, found.stands, found.rebuilt)
        table.add_row(*(_short(cell) for cell in cells))
    console.print(table)
    console.print(
        f"{outcome.events} events, {len(outcome.differences)} differences"
        + (": replaced by what was rebuilt." if outcome.applied else "; --apply replaces them.")
    )


def _short(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= 60 else text[:57] + "..."
