"""`diadema import`: what other systems have written, into the store.

`anonymous-bank` and `queue-log` read calls of a switch, `journal` what `diadema flash` read from a
station before its journal went.
"""

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from diadema.base.errors import DiademaError
from diadema.cli.run import AsJson, Clock, Data, Run, group, print_json, run_until_signal
from diadema.words import Sentence

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from diadema.exchange import bank_import
    from diadema.exchange import queue_log_import as switch_log

_NAME = re.compile(r"[A-Za-z0-9_-]{1,32}")
_SHOWN = 20  # rows of a list; --json has all

app = group("Take in what other systems have written.")


@app.command()
def journal(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="As `diadema flash` names them.")
    ],
    data: Data = None,
    as_json: AsJson = False,
    clock: Clock = None,
) -> None:
    """Take in the events of a station's journal that `diadema flash` kept in a file.

    With a hub or without one; each event counts once, also if its station sent it too.

    Example: diadema import journal journals/DIA-0123456789ab.journal
    """
    from diadema.exchange.journal_import import import_journal

    run = Run(data, clock, as_json=as_json)
    done = import_journal(files, run.data, run.clock)
    lines = [
        f"{done.events} events of {', '.join(done.stations) or 'no station'}, "
        f"{done.new} of them new in the store."
    ]
    if done.left:
        lines.append(
            f"{done.left} found no room: too many before them are missing. When those are "
            "in, repeat this."
        )
    run.answer(done, *lines)
    sys.exit(1 if done.left else 0)


@app.command("queue-log")
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
    counted, for the stations report who is there. --follow takes one log into a running hub.

    Example: diadema import queue-log queue_log --zone America/Lima
    """
    from diadema.exchange.queue_log_import import import_queue_log

    its_zone = _zone(zone)
    if not _NAME.fullmatch(name):
        raise DiademaError(Sentence("errors.cli.name_name_up_32_letters", name=name))
    run = Run(data, clock, as_json=as_json)
    if follow:
        if len(files) != 1 or zone or skip_bad or dry_run:
            raise DiademaError(Sentence("errors.cli.follow_takes_one_text_log"))
        from diadema.exchange.queue_log_follow import Follower

        run_until_signal(Follower(files[0], run.data, name, queue or []).run())
        return
    with run.progress("events") as progress:
        done = import_queue_log(
            files,
            run.data,
            run.clock,
            name=name,
            zone=its_zone,
            queues=queue or [],
            skip_bad=skip_bad,
            dry_run=dry_run,
            progress=progress,
        )
    if as_json:
        print_json(done)
    else:
        _print_queue_log(done)
    sys.exit(1 if done.bad and not skip_bad else 0)


def _zone(name: str | None) -> "ZoneInfo | None":
    """Raises DiademaError for what is none."""
    from zoneinfo import ZoneInfo, available_timezones

    if name is not None and name not in available_timezones():
        raise DiademaError(Sentence("errors.cli.name_no_time_zone_write", name=name))
    return ZoneInfo(name) if name else None


def _print_queue_log(done: "switch_log.Imported") -> None:
    _print_rows("cannot be read", [(row, row.what) for row in done.bad])
    _print_rows("not whole", [(row, row.what) for row in done.unfinished])
    days = f"{done.days[0]} to {done.days[-1]}" if done.days else "no day"
    print(f"{done.rows} rows of {done.source}, {days} ({len(done.days)} days):")
    for what, calls in done.calls.items():
        print(f"  {what}: {calls}")
    for what, verbs in (("of agents and settings", done.other), ("unknown", done.unknown)):
        if verbs:
            each = ", ".join(f"{verb} {n}" for verb, n in sorted(verbs.items()))
            print(f"  lines {what}, counted only: {each}")
    if done.repeated or done.unentered:
        print(f"  told twice: {done.repeated}; calls without a beginning: {done.unentered}")
    if done.imported:
        print(f"{done.events} events, {done.new} of them new in the store.")
    else:
        print(f"{done.events} events, {done.new} of them not in the store.")
        print("Nothing was imported." + " Mend those rows, or use --skip-bad." * bool(done.bad))


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

    Example: diadema import anonymous-bank calls.tsv --zone Asia/Jerusalem
    """
    from diadema.exchange.bank_import import import_bank

    its_zone = _zone(zone)
    run = Run(data, clock, as_json=as_json)
    with run.progress("events") as progress:
        done = import_bank(
            files,
            run.data,
            run.clock,
            zone=its_zone,
            skip_bad=skip_bad,
            progress=progress,
        )
    if as_json:
        print_json(done)
    else:
        _print_bank(done)
    sys.exit(0 if done.imported else 1)


def _print_bank(done: "bank_import.Imported") -> None:
    _print_rows("cannot be read", [(row, _reasons(row)) for row in done.bad])
    _print_rows(
        "impossible, imported as they say", [(row, _reasons(row)) for row in done.impossible]
    )
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


def _reasons(row: "bank_import.Finding") -> str:
    return ", ".join(reason.replace("_", " ") for reason in row.reasons)


def _print_rows(
    what: str, rows: "list[tuple[bank_import.Finding | switch_log.Finding, str]]"
) -> None:
    if not rows:
        return
    print(f"{len(rows)} rows {what}:")
    for row, why in rows[:_SHOWN]:
        print(f"  {row.file}, line {row.line}: {why}")
    if len(rows) > _SHOWN:
        print(f"  and {len(rows) - _SHOWN} more; --json lists them all")
