"""`diadema import`: what other systems have written, into the store."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from diadema.cli.import_journal import journal
from diadema.cli.import_queue_log import queue_log
from diadema.cli.options import (
    AsJson,
    Clock,
    Data,
    data_root,
)

if TYPE_CHECKING:
    from diadema.exchange.imports.bank import Imported, Told

_SHOWN = 20  # rows of a list; --json has all

app = typer.Typer(
    help="Take in what other systems have written.", no_args_is_help=True, add_completion=False
)


app.command()(journal)
app.command("queue-log")(queue_log)


@app.command("anonymous-bank")
def anonymous_bank(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="The call logs.")],
    data: Data = None,
    zone: Annotated[
        str | None,
        typer.Option("--zone", help="Whose local times they have. Default: the site's, or UTC."),
    ] = None,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Import the rest when some rows cannot be read.")
    ] = False,
    as_json: AsJson = False,
    clock: Clock = None,
) -> None:
    """Import an «anonymous bank» call log, all of its days, as the switch's calls.

    The same file again changes nothing. Rows that contradict themselves are imported and listed.
    One row that cannot be read stops it all.
    """
    from zoneinfo import ZoneInfo, available_timezones

    from rich.console import Console
    from rich.progress import Progress

    from diadema.base.clock import open_clock
    from diadema.base.errors import DiademaError
    from diadema.base.paths import DataDir
    from diadema.exchange.imports.bank import import_bank

    if zone is not None and zone not in available_timezones():
        raise DiademaError(f"{zone!r} is no time zone; write one like America/Lima")
    quiet = as_json or not sys.stderr.isatty()
    with Progress(console=Console(stderr=True), transient=True, disable=quiet) as bar:
        task = bar.add_task("events", total=None)
        done = import_bank(
            files,
            DataDir(data_root(data)),
            open_clock(clock),
            zone=ZoneInfo(zone) if zone else None,
            skip_bad=skip_bad,
            progress=lambda at, total: bar.update(task, completed=at, total=total),
        )
    if as_json:
        import msgspec

        print(json.dumps(msgspec.to_builtins(done), ensure_ascii=False))
    else:
        _tell(done)
    sys.exit(0 if done.imported else 1)


def _tell(done: "Imported") -> None:
    _list("cannot be read", done.bad)
    _list("impossible, imported as they say", done.impossible)
    if not done.imported:
        print("Nothing was imported. " + (
            "Mend those rows, or import the rest with --skip-bad." if any(done.calls.values())
            else "No row of it is a call: is it the right file?"
        ))  # fmt: skip
        return
    days = f"{done.days[0]} to {done.days[-1]}" if done.days else "no day"
    print(f"{done.rows} rows, {days} ({len(done.days)} days), local times of {done.zone}:")
    for what, calls in done.calls.items():
        print(f"  {what.replace('_', ' ')}: {calls}")
    print(f"{done.events} events, {done.new} of them new in the store.")


def _list(what: str, rows: "list[Told]") -> None:
    if not rows:
        return
    print(f"{len(rows)} rows {what}:")
    for row in rows[:_SHOWN]:
        reasons = ", ".join(reason.replace("_", " ") for reason in row.reasons)
        print(f"  {row.file}, line {row.line}: {reasons}")
    if len(rows) > _SHOWN:
        print(f"  and {len(rows) - _SHOWN} more; --json lists them all")
