"""`diadema report schedule`: reports that the hub makes by itself."""

import json
from typing import Annotated, Any

import typer

from diadema.cli.options import (
    AsJson,
    Clock,
    Data,
    data_root,
)
from diadema.report.kinds import KINDS

app = typer.Typer(
    help="Reports that the running hub makes by itself, with what came of each run.",
    no_args_is_help=True,
    add_completion=False,
)
Name = Annotated[str, typer.Argument(help="Of its own: letters, digits, - and _.")]


@app.command()
def add(
    name: Name,
    kind: Annotated[str, typer.Option("--kind", help=f"One of: {', '.join(KINDS)}.")],
    every: Annotated[
        str, typer.Option("--every", help="day, week (on Monday) or month (on the first).")
    ] = "day",
    at: Annotated[str, typer.Option("--at", help="Hour of the site's clock, as 06:30.")] = "06:00",
    form: Annotated[str, typer.Option("--format", help="json, csv, xlsx or pdf.")] = "xlsx",
    running: Annotated[
        bool, typer.Option("--running", help="Of the span that goes on, not of the one before.")
    ] = False,
    agent: Annotated[str | None, typer.Option("--agent", help="Of one agent.")] = None,
    team: Annotated[str | None, typer.Option("--team", help="Of one team.")] = None,
    queue: Annotated[str | None, typer.Option("--queue", help="Of one queue.")] = None,
    data: Data = None,
    clock: Clock = None,
) -> None:
    """Have a report made each day, week or month, with its cut-off on it.

    Files are kept in the folder `reports` of the data directory, those of the last 400 runs.
    """
    from typing import cast

    from diadema.base.clock import open_clock
    from diadema.base.paths import DataDir
    from diadema.report import schedule
    from diadema.report.period import Grain
    from diadema.report.print_report import scope_of

    place = DataDir(data_root(data))
    language = _language(place)
    one = schedule.Schedule(
        name=name,
        kind=kind,
        every=cast(Grain, every),
        at=at,
        form=cast(Any, form),
        scope=scope_of({"agent": agent, "team": team, "queue": queue}, language),
        running=running,
        since_ms=open_clock(clock).now_ms(),
    )
    schedule.add(place, one, language)


@app.command()
def remove(name: Name, data: Data = None) -> None:
    """Make it no more. The files that were made stay."""
    from diadema.base.paths import DataDir
    from diadema.report import schedule

    place = DataDir(data_root(data))
    schedule.remove(place, name, _language(place))


@app.command("list")
def list_(data: Data = None, as_json: AsJson = False, clock: Clock = None) -> None:
    """What is ordered, when it comes next, and what came of the last runs."""
    from diadema.base.clock import open_clock
    from diadema.base.paths import DataDir
    from diadema.report.schedule import as_fields, show

    place = DataDir(data_root(data))
    now_ms = open_clock(clock).now_ms()
    if as_json:
        print(json.dumps(as_fields(place, now_ms), ensure_ascii=False))
        return
    from rich.console import Console

    show(Console(highlight=False, markup=False), place, now_ms, _language(place))


def _language(place: Any) -> str:
    from diadema.site import description

    return description.load(place.site).language if place.site.exists() else "es"
