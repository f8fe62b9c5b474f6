"""`diadema report schedule`: reports that the hub makes by itself."""

from typing import Annotated, Any, cast

import typer

from diadema.cli.account import opened
from diadema.cli.run import AsJson, Clock, Data, Run, console, group, print_json, print_line
from diadema.report.kinds import KINDS

app = group("Reports that the running hub makes by itself, with what came of each run.")
Name = Annotated[str, typer.Argument(help="Of its own: letters, digits, - and _.")]


@app.command()
def add(
    name: Name,
    kind: Annotated[str, typer.Option("--kind", help=f"One of: {', '.join(KINDS)}.")],
    every: Annotated[
        str, typer.Option("--every", help="day, week (on Monday) or month (on the first).")
    ] = "day",
    at: Annotated[str, typer.Option("--at", help="Time of the site's clock, as 06:30.")] = "06:00",
    form: Annotated[str, typer.Option("--format", help="json, csv, xlsx or pdf.")] = "xlsx",
    running: Annotated[
        bool, typer.Option("--running", help="Of the span that goes on, not of the one before.")
    ] = False,
    agent: Annotated[str | None, typer.Option("--agent", help="Of one agent.")] = None,
    team: Annotated[str | None, typer.Option("--team", help="Of one team.")] = None,
    queue: Annotated[str | None, typer.Option("--queue", help="Of one queue.")] = None,
    to: Annotated[
        list[str] | None,
        typer.Option("--to", help="Mail it there too, if `diadema mail` allows it; repeatable."),
    ] = None,
    by: Annotated[
        str, typer.Option("--by", help="Account in whose name, and with whose rights, it is sent.")
    ] = "",
    data: Data = None,
    clock: Clock = None,
) -> None:
    """Have a report made each day, week or month, with its cut-off on it.

    Files stay in the folder `reports` of the data directory, those of the last 400 runs.

    Example: diadema report schedule add diario --kind llamadas --at 06:00
    """
    from diadema.report import schedule
    from diadema.report.delivery import check
    from diadema.report.period import Grain
    from diadema.report.print_report import scope_of
    from diadema.site.directory.people_of import people

    run = Run(data, clock)
    one = schedule.Schedule(
        name=name,
        kind=kind,
        every=cast(Grain, every),
        at=at,
        form=cast(Any, form),
        scope=scope_of({"agent": agent, "team": team, "queue": queue}, run.language),
        running=running,
        to=[address.lower() for address in to or ()],
        by=by,
        since_ms=run.now_ms,
    )
    if to:
        with opened(run) as accounts:
            check(run.data, accounts, people(run.data), one)
    schedule.add(run.data, one, run.language)


@app.command()
def remove(name: Name, data: Data = None) -> None:
    """Remove a schedule. The files that were made stay.

    Example: diadema report schedule remove diario
    """
    from diadema.report import schedule

    run = Run(data)
    schedule.remove(run.data, name, run.language)


@app.command("list")
def list_(data: Data = None, as_json: AsJson = False, clock: Clock = None) -> None:
    """What is ordered, when it comes next, and what came of the last runs.

    Example: diadema report schedule list
    """
    from diadema.report.schedule import as_fields, show

    run = Run(data, clock)
    if as_json:
        print_json(as_fields(run.data, run.now_ms))
    else:
        show(console(markup=False), run.data, run.now_ms, run.language)
        for line in run.held:
            print_line(line)
