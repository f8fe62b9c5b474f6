"""`diadema report`: figures of a span of time, on the screen, for a script or as a file."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from diadema.cli.report_schedule import app as schedule
from diadema.cli.run import AsJson, Clock, Data, Run, console, group, print_json
from diadema.report.kinds import KINDS

if TYPE_CHECKING:
    from diadema.report.period import Grain

app = group("Figures of a span of time, with their cut-off.")
app.add_typer(schedule, name="schedule")

_DAY = """A day of the site's zone.

Example: diadema report day --kind tmo
"""
_WEEK = """A week by ISO 8601.

Example: diadema report week --kind tmo --team Norte -o tmo.xlsx
"""
_MONTH = """A month.

Without --kind that of the switch's calls: service level, waits, contacts and talk of each agent,
to the half-hour. Days and half-hours are those of the site's zone; while there is no site, of the
zone that the last import had, or UTC's.

Example: diadema report month --month 1999-02 --threshold 20
"""


def _add(grain: "Grain", about: str, form_of_span: str) -> None:
    """Add the verb of one length of time."""

    @app.command(grain, help=about)
    def report(
        span: Annotated[str | None, typer.Option(f"--{grain}", help=form_of_span)] = None,
        kind: Annotated[
            str | None, typer.Option("--kind", help=f"One of: {', '.join(KINDS)}.")
        ] = None,
        data: Data = None,
        agent: Annotated[str | None, typer.Option("--agent", help="Of one agent, by the id.")] = (
            None
        ),
        team: Annotated[str | None, typer.Option("--team", help="Of one team, by its code.")] = (
            None
        ),
        queue: Annotated[str | None, typer.Option("--queue", help="Of one queue.")] = None,
        threshold: Annotated[
            int | None,
            typer.Option(
                "--threshold",
                min=0,
                help="Service level: seconds to an answer. Default: its targets'.",
            ),
        ] = None,
        short: Annotated[
            int, typer.Option("--short", min=0, help="An abandon up to so many seconds is short.")
        ] = 5,
        form: Annotated[
            str | None,
            typer.Option(
                "--format", help="screen, json, csv, xlsx or pdf. Default: as -o ends, or screen."
            ),
        ] = None,
        output: Annotated[
            Path | None,
            typer.Option(
                "--output",
                "-o",
                help="File to write. Default: standard output; for xlsx, pdf a file.",
            ),
        ] = None,
        table: Annotated[
            str | None, typer.Option("--table", help="Of a CSV only this table, by its key.")
        ] = None,
        as_json: AsJson = False,
        clock: Clock = None,
    ) -> None:
        from diadema.report.print_report import Order, run

        its = Run(data, clock)
        if (
            grain == "month"
            and kind is None
            and not any((agent, team, queue, form, output, table))
        ):
            _switch_month(its, span, threshold, short, as_json)
            return
        scope = {"agent": agent, "team": team, "queue": queue}
        order = Order(grain, span, kind, scope, threshold, short)
        run(its.data.root, clock, order, "json" if as_json else form, output, table, its.language)


def _switch_month(
    run: Run, word: str | None, threshold_s: int | None, short_s: int, as_json: bool
) -> None:
    from diadema.report.context import ReportContext
    from diadema.report.model import Scope
    from diadema.report.month import Month, show
    from diadema.report.period import period, running

    now_ms = run.now_ms
    span = period("month", word, run.language) if word else running("month", now_ms, run.zone)
    month = Month(
        ReportContext(
            run.data,
            "servicio",
            span,
            Scope(),
            now_ms,
            threshold_s,
            short_s,
            language=run.language,
        )
    )
    if as_json:
        print_json(month.as_json())
    else:
        show(console(markup=False), month, run.language)


_add("day", _DAY, "As 2026-11-25. Default: the running one.")
_add("week", _WEEK, "As 2026-W48, from Monday. Default: this one.")
_add("month", _MONTH, "As 1999-02. Default: the running one.")
