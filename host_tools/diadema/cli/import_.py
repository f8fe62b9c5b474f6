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
from diadema.cli.speech import language, say
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
        say(
            "import.journal",
            events=done.events,
            stations=", ".join(done.stations) or "—",
            new=done.new,
        )
    ]
    if done.left:
        lines.append(say("import.left", count=done.left))
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
    with run.progress(say("progress.events")) as progress:
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
    _print_rows("unread", [(row, row.what.say(language())) for row in done.bad])
    _print_rows("unfinished", [(row, row.what.say(language())) for row in done.unfinished])
    _print_rows("different", [(row, row.what.say(language())) for row in done.different])
    print(say("import.rows", rows=done.rows, source=done.source, days=_days(done.days)))
    for what, calls in done.calls.items():
        print(f"  {say(f'import.calls.{what}')}: {calls}")
    for what, verbs in (("other", done.other), ("unknown", done.unknown)):
        if verbs:
            each = ", ".join(f"{verb} {n}" for verb, n in sorted(verbs.items()))
            print(f"  {say(f'import.lines.{what}')}: {each}")
    if done.repeated or done.unentered:
        print(f"  {say('import.odd', repeated=done.repeated, unentered=done.unentered)}")
    if done.live_calls:
        different = len(done.different)
        print(
            say("import.live", fresh=done.fresh, different=different, live_calls=done.live_calls)
        )
    if done.imported:
        print(say("import.done", events=done.events, new=done.new))
    else:
        print(say("import.would_be", events=done.events, new=done.new))
        print(say("import.mend" if done.bad else "import.nothing"))


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
    with run.progress(say("progress.events")) as progress:
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
    _print_rows("unread", [(row, _reasons(row)) for row in done.bad])
    _print_rows("impossible", [(row, _reasons(row)) for row in done.impossible])
    if not done.imported:
        print(say("import.mend" if any(done.calls.values()) else "import.no_call"))
        return
    print(say("import.rows_of_zone", rows=done.rows, days=_days(done.days), zone=done.zone))
    for what, calls in done.calls.items():
        print(f"  {say(f'import.calls.{what}')}: {calls}")
    print(say("import.done", events=done.events, new=done.new))


def _days(days: list[str]) -> str:
    if not days:
        return say("import.no_day")
    return say("import.days", first=days[0], last=days[-1], count=len(days))


def _reasons(row: "bank_import.Finding") -> str:
    return ", ".join(
        say(f"import.odd.{reason}") if isinstance(reason, str) else reason.say(language())
        for reason in row.reasons
    )


def _print_rows(
    what: str, rows: "list[tuple[bank_import.Finding | switch_log.Finding, str]]"
) -> None:
    if not rows:
        return
    print(say(f"import.found.{what}", count=len(rows)))
    for row, why in rows[:_SHOWN]:
        print(f"  {say('import.line', file=row.file, line=row.line, why=why)}")
    if len(rows) > _SHOWN:
        print(f"  {say('more', count=len(rows) - _SHOWN)}")
