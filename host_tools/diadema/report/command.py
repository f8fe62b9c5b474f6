"""`diadema report`: figures of a span of time, on the screen or for a script."""

import json
from typing import Annotated

import typer

from diadema.options import AsJson, Clock, Data, data_root

app = typer.Typer(
    help="Figures of a span of time, with their cut-off.",
    no_args_is_help=True,
    add_completion=False,
)


@app.command()
def month(
    month: Annotated[
        str | None, typer.Option("--month", help="As 1999-02. Default: the running one.")
    ] = None,
    data: Data = None,
    threshold: Annotated[
        int, typer.Option("--threshold", min=0, help="Service level: seconds to an answer.")
    ] = 20,
    short: Annotated[
        int, typer.Option("--short", min=0, help="An abandon up to so many seconds is short.")
    ] = 5,
    as_json: AsJson = False,
    clock: Clock = None,
) -> None:
    """A month of the switch's calls: service level, waits, contacts and talk of each agent.

    Days and half-hours are those of the site's zone; UTC's while there is no site.
    """
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from diadema import site
    from diadema.clock import open_clock
    from diadema.paths import DataDir
    from diadema.report.month import as_json as plain
    from diadema.report.month import month_report
    from diadema.store import open_reader

    place = DataDir(data_root(data))
    described = site.load(place.site) if place.site.exists() else None
    zone = described.tz if described else ZoneInfo("UTC")
    now_ms = open_clock(clock).now_ms()
    asked = month or f"{datetime.fromtimestamp(now_ms / 1000, zone):%Y-%m}"
    reader = open_reader(place.store)
    try:
        made = month_report(reader, asked, zone, now_ms, threshold, short)
    finally:
        reader.close()
    if as_json:
        print(json.dumps(plain(made), ensure_ascii=False))
        return
    from rich.console import Console

    from diadema.report.screen import show

    show(Console(highlight=False, markup=False), made, described.language if described else "es")
