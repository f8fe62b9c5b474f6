"""`diadema report`: figures of a span of time, on the screen, for a script or as a file."""

import json
from pathlib import Path
from typing import Annotated

import typer

from diadema.cli.options import (
    AsJson,
    Clock,
    Data,
    data_root,
)
from diadema.cli.report_schedule import app as schedule_app
from diadema.report.kinds import KINDS

app = typer.Typer(
    help="Figures of a span of time, with their cut-off.",
    no_args_is_help=True,
    add_completion=False,
)
app.add_typer(schedule_app, name="schedule")

Kind = Annotated[str | None, typer.Option("--kind", help=f"One of: {', '.join(KINDS)}.")]
Agent = Annotated[str | None, typer.Option("--agent", help="Of one agent, by the id.")]
Team = Annotated[str | None, typer.Option("--team", help="Of one team, by its code.")]
Queue = Annotated[str | None, typer.Option("--queue", help="Of one queue.")]
Format = Annotated[
    str | None,
    typer.Option(
        "--format", help="screen, json, csv, xlsx or pdf. Default: as -o ends, or screen."
    ),
]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        help="File to write. Default: standard output; for xlsx, pdf a file.",
    ),
]
Table = Annotated[
    str | None, typer.Option("--table", help="Of a CSV only this table, by its key.")
]
Threshold = Annotated[
    int | None,
    typer.Option(
        "--threshold", min=0, help="Service level: seconds to an answer. Default: its targets'."
    ),
]
Short = Annotated[
    int, typer.Option("--short", min=0, help="An abandon up to so many seconds is short.")
]


@app.command()
def day(
    day: Annotated[
        str | None, typer.Option("--day", help="As 2026-11-25. Default: the running one.")
    ] = None,
    kind: Kind = None,
    data: Data = None,
    agent: Agent = None,
    team: Team = None,
    queue: Queue = None,
    threshold: Threshold = None,
    short: Short = 5,
    form: Format = None,
    output: Output = None,
    table: Table = None,
    as_json: AsJson = False,
    clock: Clock = None,
) -> None:
    """A day of the site's zone."""
    from diadema.report.print_report import Order, run

    scope = {"agent": agent, "team": team, "queue": queue}
    run(data_root(data), clock, Order("day", day, kind, scope, threshold, short),
        "json" if as_json else form, output, table)  # fmt: skip


@app.command()
def week(
    week: Annotated[
        str | None,
        typer.Option("--week", help="As 2026-W48, from Monday. Default: this one."),
    ] = None,
    kind: Kind = None,
    data: Data = None,
    agent: Agent = None,
    team: Team = None,
    queue: Queue = None,
    threshold: Threshold = None,
    short: Short = 5,
    form: Format = None,
    output: Output = None,
    table: Table = None,
    as_json: AsJson = False,
    clock: Clock = None,
) -> None:
    """A week by ISO 8601."""
    from diadema.report.print_report import Order, run

    scope = {"agent": agent, "team": team, "queue": queue}
    run(data_root(data), clock, Order("week", week, kind, scope, threshold, short),
        "json" if as_json else form, output, table)  # fmt: skip


@app.command()
def month(
    month: Annotated[
        str | None, typer.Option("--month", help="As 1999-02. Default: the running one.")
    ] = None,
    kind: Kind = None,
    data: Data = None,
    agent: Agent = None,
    team: Team = None,
    queue: Queue = None,
    threshold: Threshold = None,
    short: Short = 5,
    form: Format = None,
    output: Output = None,
    table: Table = None,
    as_json: AsJson = False,
    clock: Clock = None,
) -> None:
    """A month. Without --kind that of the switch's calls: service level, waits, contacts and talk
    of each agent, to the half-hour.

    Days and half-hours are those of the site's zone; while there is no site, of the zone that the
    last import was told, or UTC's.
    """
    from diadema.report.print_report import Order, run

    scope = {"agent": agent, "team": team, "queue": queue}
    if kind is None and not any((agent, team, queue, form, output, table)):
        _switch_month(data_root(data), clock, month, threshold, short, as_json)
        return
    run(data_root(data), clock, Order("month", month, kind, scope, threshold, short),
        "json" if as_json else form, output, table)  # fmt: skip


def _switch_month(
    root: Path,
    clock: Path | None,
    month: str | None,
    threshold: int | None,
    short: int,
    as_json: bool,
) -> None:
    from datetime import datetime

    from diadema.base.clock import open_clock
    from diadema.base.paths import DataDir
    from diadema.figures.days import zone_of
    from diadema.report.month import as_json as plain
    from diadema.report.month import month_report
    from diadema.site import description
    from diadema.site.directory.people_of import people
    from diadema.store import open_reader

    place = DataDir(root)
    described = description.load(place.site) if place.site.exists() else None
    zone = zone_of(place)
    now_ms = open_clock(clock).now_ms()
    asked = month or f"{datetime.fromtimestamp(now_ms / 1000, zone):%Y-%m}"
    reader = open_reader(place.store)
    try:
        made = month_report(reader, asked, zone, now_ms, people(place), threshold, short)
    finally:
        reader.close()
    if as_json:
        print(json.dumps(plain(made), ensure_ascii=False))
        return
    from rich.console import Console

    from diadema.report.screen import show

    show(Console(highlight=False, markup=False), made, described.language if described else "es")
