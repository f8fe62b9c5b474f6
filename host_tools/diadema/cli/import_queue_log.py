"""`diadema import queue-log`: a switch's log, once or as it is written."""

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from diadema.base.errors import DiademaError
from diadema.cli.options import (
    AsJson,
    Clock,
    Data,
    data_root,
)

if TYPE_CHECKING:
    from diadema.base.paths import DataDir
    from diadema.exchange.imports.queue_log import Imported, Told

_SHOWN = 20  # rows of a list; --json has all
_NAME = re.compile(r"[A-Za-z0-9_-]{1,32}")


def queue_log(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="The logs, or dumps.")],
    data: Data = None,
    name: Annotated[
        str, typer.Option("--name", help="Of the switch that wrote them.")
    ] = "central",
    zone: Annotated[
        str | None,
        typer.Option("--zone", help="Of a dump's local times. Default: the site's, or UTC."),
    ] = None,
    queue: Annotated[
        list[str] | None, typer.Option("--queue", help="Only this one; can be repeated.")
    ] = None,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Import the rest when some rows cannot be read.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be imported.")
    ] = False,
    follow: Annotated[
        bool, typer.Option("--follow", help="Go on with what the switch writes, until Ctrl-C.")
    ] = False,
    as_json: AsJson = False,
    clock: Clock = None,
) -> None:
    """Import an Asterisk queue_log, or a dump of its table, as the switch's calls.

    The same log again changes nothing, and one that has grown or was rotated goes on. One row that
    cannot be read stops it all. Phone numbers are not kept; lines of agents and members are only
    counted, for the stations tell who is there. --follow takes one log into a running hub.
    """
    from zoneinfo import ZoneInfo, available_timezones

    from rich.console import Console
    from rich.progress import Progress

    from diadema.base.clock import open_clock
    from diadema.base.paths import DataDir
    from diadema.exchange.imports.queue_log import import_queue_log

    if zone is not None and zone not in available_timezones():
        raise DiademaError(f"{zone!r} is no time zone; write one like America/Lima")
    if not _NAME.fullmatch(name):
        raise DiademaError(f"--name {name!r}: up to 32 letters, digits, _ and - without accents")
    where = DataDir(data_root(data))
    if follow:
        if len(files) != 1 or zone or skip_bad or dry_run:
            raise DiademaError("--follow takes one text log, --name, --queue and --data")
        _follow(where, files[0], name, queue or [])
        return
    quiet = as_json or not sys.stderr.isatty()
    with Progress(console=Console(stderr=True), transient=True, disable=quiet) as bar:
        task = bar.add_task("events", total=None)
        done = import_queue_log(
            files,
            where,
            open_clock(clock),
            name=name,
            zone=ZoneInfo(zone) if zone else None,
            queues=queue or [],
            skip_bad=skip_bad,
            dry_run=dry_run,
            progress=lambda at, total: bar.update(task, completed=at, total=total),
        )
    if as_json:
        import msgspec

        print(json.dumps(msgspec.to_builtins(done), ensure_ascii=False))
    else:
        _tell(done)
    sys.exit(1 if done.bad and not skip_bad else 0)


def _follow(data: "DataDir", path: Path, name: str, queues: list[str]) -> None:
    import logging

    from diadema.base.logs import begin_log
    from diadema.cli.main import run_until_signal
    from diadema.exchange.imports.queue_follow import Follower

    begin_log(logging.INFO, "%(asctime)s %(message)s")
    run_until_signal(Follower(path, data, name, queues).run())


def _tell(done: "Imported") -> None:
    _list("cannot be read", done.bad)
    _list("not whole", done.unfinished)
    days = f"{done.days[0]} to {done.days[-1]}" if done.days else "no day"
    print(f"{done.rows} rows of {done.source}, {days} ({len(done.days)} days):")
    for what, calls in done.calls.items():
        print(f"  {what}: {calls}")
    for what, verbs in (("of agents and settings", done.other), ("unknown", done.unknown)):
        if verbs:
            told = ", ".join(f"{verb} {n}" for verb, n in sorted(verbs.items()))
            print(f"  lines {what}, counted only: {told}")
    if done.repeated or done.unentered:
        print(f"  told twice: {done.repeated}; calls without a beginning: {done.unentered}")
    if done.imported:
        print(f"{done.events} events, {done.new} of them new in the store.")
    else:
        print(f"{done.events} events, {done.new} of them not in the store.")
        print("Nothing was imported." + " Mend those rows, or use --skip-bad." * bool(done.bad))


def _list(what: str, rows: "list[Told]") -> None:
    if not rows:
        return
    print(f"{len(rows)} rows {what}:")
    for row in rows[:_SHOWN]:
        print(f"  {row.file}, line {row.line}: {row.what}")
    if len(rows) > _SHOWN:
        print(f"  and {len(rows) - _SHOWN} more; --json lists them all")
