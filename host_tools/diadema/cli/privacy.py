"""`diadema privacy`: what is kept of a person, to hand over, and its erasure after its time."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from diadema.cli.run import AsJson, Clock, Data, Run, group
from diadema.cli.speech import say

app = group("Personal data of agents: hand over, or erase after its time.")
_DAY = ["%Y-%m-%d"]


@app.command("export")
def export_person(
    agent: Annotated[str, typer.Argument(help="The id of the agent.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="A new ZIP file.")],
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Everything about one agent, and who read it, as a ZIP of JSON files.

    Example: diadema privacy export a001 -o a001.zip
    """
    from diadema.maintenance.personal_export import export

    run = Run(data, as_json=as_json)
    counts = export(run.data, agent, output, run.person)
    run.answer(counts, f"{output}: " + ", ".join(f"{n} {name}" for name, n in counts.items()))


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

    The hub must be stopped. Counts and times stay; the record says what, when and by whom. The
    list of erasures is left beside each backup, so that none brings anybody back.

    Example: diadema privacy erase --retention 24
    """
    from diadema.maintenance.backup import leave_erasures
    from diadema.maintenance.erase import MONTH_MS
    from diadema.maintenance.erase import erase as work

    run = Run(data, clock, as_json=as_json)
    if before is None:
        limit = run.now_ms - round(retention * MONTH_MS)
    else:
        limit = round(before.replace(tzinfo=run.zone).timestamp() * 1000)
    with run.progress(say("progress.events")) as progress:
        done = work(run.data, run.clock, run.person, limit, progress=progress)
    run.answer(
        done,
        say(
            "privacy.erased",
            events=done.events,
            people=done.people,
            commands=done.commands,
            entries=done.entries,
            files=done.files,
        ),
        *(say("privacy.untold", folder=folder) for folder in leave_erasures(run.data)),
    )


@app.command("obey")
def obey_erasure(data: Data = None, clock: Clock = None) -> None:
    """After a backup was put back: erase again what it has brought back. The hub must be stopped.

    A hub does not start on a store that would undo an erasure.

    Example: diadema privacy obey
    """
    from diadema.maintenance.erase import obey

    run = Run(data, clock)
    done = obey(run.data, run.clock, run.person)
    print(say("privacy.again", events=done.events) if done else say("privacy.nothing"))
