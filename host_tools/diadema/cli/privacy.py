"""`diadema privacy`: what is kept of a person, to hand over, and its erasure after its time."""

import json
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from diadema.cli.account import shell_person
from diadema.cli.options import (
    AsJson,
    Clock,
    Data,
    data_root,
)

app = typer.Typer(
    help="Personal data: hand over what is kept of an agent, erase what is past its time.",
    no_args_is_help=True,
    add_completion=False,
)
_DAY = ["%Y-%m-%d"]


@app.command("export")
def export_person(
    agent: Annotated[str, typer.Argument(help="The id of the agent.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="A new ZIP file.")],
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Everything about one agent, and who read it, as a ZIP of JSON files."""
    from diadema.base.paths import DataDir
    from diadema.maintenance.personal_export import export

    counts = export(DataDir(data_root(data)), agent, output, shell_person())
    if as_json:
        print(json.dumps(counts))
    else:
        print(f"{output}: " + ", ".join(f"{count} {name}" for name, count in counts.items()))


@app.command()
def erase(
    retention: Annotated[
        int, typer.Option("--retention", min=1, help="Months that are kept, but for attendance.")
    ] = 24,
    before: Annotated[
        datetime | None,
        typer.Option("--before", formats=_DAY, help="Instead of months: what is before this day."),
    ] = None,
    data: Data = None,
    as_json: AsJson = False,
    clock: Clock = None,
) -> None:
    """Take names, badges, texts and references out of what is older; marks stay five years.

    The hub must be stopped. Counts and times stay; the record says what, when and by whom.
    """
    import sys

    import msgspec
    from rich.console import Console
    from rich.progress import Progress

    from diadema.base.clock import open_clock
    from diadema.base.paths import DataDir
    from diadema.figures.days import zone_of
    from diadema.maintenance.erase import MONTH_MS
    from diadema.maintenance.erase import erase as work

    directory, now = DataDir(data_root(data)), open_clock(clock)
    if before is None:
        limit = now.now_ms() - round(retention * MONTH_MS)
    else:
        limit = round(before.replace(tzinfo=zone_of(directory)).timestamp() * 1000)
    with Progress(console=Console(stderr=True), disable=as_json or not sys.stderr.isatty()) as bar:
        task = bar.add_task("events", total=None)
        done = work(
            directory, now, shell_person(), limit,
            progress=lambda part, whole: bar.update(task, completed=part, total=whole),
        )  # fmt: skip
    if as_json:
        print(json.dumps(msgspec.to_builtins(done)))
    else:
        print(
            f"{done.events} events of {done.people} people, {done.commands} commands, "
            f"{done.entries} entries and {done.files} files: recorded."
        )


@app.command("obey")
def obey_erasure(data: Data = None, clock: Clock = None) -> None:
    """After a backup was put back: erase again what it has brought back. The hub must be stopped.

    A hub does not start on a store that would undo an erasure.
    """
    from diadema.base.clock import open_clock
    from diadema.base.paths import DataDir
    from diadema.maintenance.erase import obey

    done = obey(DataDir(data_root(data)), open_clock(clock), shell_person())
    print(f"{done.events} events: recorded." if done else "Nothing was ever erased.")
