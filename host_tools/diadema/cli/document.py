"""`diadema document`: a paper of the site's own, on the screen, for a script or as a file."""

from pathlib import Path
from typing import Annotated

import typer

from diadema.cli.run import AsJson, Clock, Data, Run
from diadema.report.kinds import KINDS

_NAMES = ", ".join(name for name, kind in KINDS.items() if kind.document)


def document(
    name: Annotated[str, typer.Argument(help=f"One of: {_NAMES}.")],
    period: Annotated[
        str | None,
        typer.Option("--period", help="As 2026-11-25, 2026-W48 or 2026-11. Default: today."),
    ] = None,
    data: Data = None,
    ticket: Annotated[
        str | None, typer.Option("--ticket", help="Of one ticket, by its code.")
    ] = None,
    team: Annotated[str | None, typer.Option("--team", help="Of one team, by its code.")] = None,
    agent: Annotated[str | None, typer.Option("--agent", help="Of one agent, by the id.")] = None,
    form: Annotated[
        str | None,
        typer.Option(
            "--format", help="screen, json, csv, xlsx or pdf. Default: as -o ends, or screen."
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="File to write. Default: standard output; for xlsx, pdf a file."
        ),
    ] = None,
    as_json: AsJson = False,
    clock: Clock = None,
) -> None:
    """A document of a span of time, or of one ticket.

    Example: diadema document consultas --period 2026-11 -o consultas.pdf
    """
    from diadema.report.period import any_period
    from diadema.report.print_report import Order, run

    its = Run(data, clock)
    grain = any_period(period, its.language).grain if period is not None else "day"
    scope = {"ticket": ticket, "team": team, "agent": agent}
    order = Order(grain, period, name, scope, None, 5)
    run(its.data.root, clock, order, "json" if as_json else form, output, None, its.language)
