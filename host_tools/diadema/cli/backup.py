"""`diadema backup`, `restore` and `resume`: a sealed copy of everything, and the way back."""

from pathlib import Path
from typing import Annotated

import typer

from diadema.cli.run import AsJson, Clock, Data, Run, RunFirst, group
from diadema.cli.speech import say

app = group("A sealed copy of everything, made while the hub runs.", cls=RunFirst)

Passphrase = Annotated[
    Path | None,
    typer.Option(
        "--passphrase-file",
        metavar="FILE",
        help="Its first line is the passphrase. Default: the scheduled backups' one.",
    ),
]


@app.command()
def run(
    file: Annotated[Path, typer.Argument(help="The file to write, not in the data directory.")],
    passphrase_file: Passphrase = None,
    data: Data = None,
    as_json: AsJson = False,
    clock: Clock = None,
) -> None:
    """Copy databases, keys, certificates, site, reports, images and bundles into one sealed file.

    The hub may run meanwhile. `diadema backup FILE` is the same. Without the passphrase nobody
    opens the file: keep that elsewhere than the file and this machine.

    Example: diadema backup run lunes.backup --passphrase-file frase
    """
    from diadema.maintenance.backup import back_up, passphrase_of

    run = Run(data, clock, as_json=as_json)
    passphrase = passphrase_of(run.data, passphrase_file)
    with run.progress(say("progress.bytes")) as progress:
        made = back_up(run.data, file, passphrase, run.clock, run.person, progress)
    size = f"{made.bytes / 1e6:,.1f}"
    run.answer(made, say("backup.made", file=made.file, size=size, events=made.position))


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="A backup.")],
    passphrase_file: Passphrase = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Read every byte of a backup, and check each database in it; exit code 1 if it is not whole.

    Example: diadema backup check lunes.backup --passphrase-file frase
    """
    from diadema.maintenance.backup import check as work
    from diadema.maintenance.backup import passphrase_of

    run = Run(data, as_json=as_json)
    passphrase = passphrase_of(run.data, passphrase_file)
    with run.progress(say("progress.bytes")) as progress:
        found = work(file, passphrase, progress)
    lines = [str(one.say(run.language)) for one in found.faults]
    if found.manifest is not None and not lines:
        made, files = found.manifest.made_ms, len(found.manifest.files)
        whole = say("backup.whole", made=_moment(run, made, found.manifest.zone), files=files,
                    events=found.manifest.position)  # fmt: skip
        lines = [whole]
    run.answer(found, *lines)
    raise typer.Exit(1 if found.faults else 0)


@app.command()
def schedule(
    folder: Annotated[Path, typer.Argument(help="Where they go: another disk or machine.")],
    passphrase_file: Annotated[
        Path,
        typer.Option("--passphrase-file", metavar="FILE", help="Its first line is taken over."),
    ],
    at: Annotated[str, typer.Option("--at", help="Time of the site's clock, as 03:00.")] = "03:00",
    number: Annotated[
        int, typer.Option("--number", min=1, help="So many of the newest are kept.")
    ] = 14,
    days: Annotated[
        int, typer.Option("--days", min=0, help="And all that are no older than this.")
    ] = 30,
    data: Data = None,
    clock: Clock = None,
) -> None:
    """Have the running hub make one each day; older ones go.

    The passphrase then lies in secrets.json, so that the hub can use it: it protects the copies
    where they lie, not on this machine.

    Example: diadema backup schedule copias --at 03:00 --passphrase-file frase
    """
    from diadema.base.backups import Schedule
    from diadema.base.sealed import read_passphrase
    from diadema.maintenance.backup_schedule import order

    run = Run(data, clock)
    one = Schedule(
        folder=str(folder.absolute()), at=at, number=number, days=days, since_ms=run.now_ms
    )
    order(run.data, one, read_passphrase(passphrase_file))
    print(say("backup.ordered", folder=one.folder, at=at, secrets=run.data.secrets))


@app.command()
def unschedule(data: Data = None) -> None:
    """Have no more made. Those that were made stay.

    Example: diadema backup unschedule
    """
    from diadema.maintenance.backup_schedule import cancel

    cancel(Run(data).data)


@app.command("list")
def list_(data: Data = None, as_json: AsJson = False, clock: Clock = None) -> None:
    """What is ordered, when the next one comes, and what came of the last.

    Example: diadema backup list
    """
    from diadema.base.backups import read_backups
    from diadema.maintenance.backup_schedule import next_due

    run = Run(data, clock, as_json=as_json)
    known, lines = read_backups(run.data), [say("backup.none")]
    if known.schedule is not None:
        one, due = known.schedule, next_due(known.schedule, run.now_ms, run.zone)
        lines = [say("backup.next", folder=one.folder, next=_moment(run, due), number=one.number,
                     days=one.days)]  # fmt: skip
    if known.last is not None:
        made = _moment(run, known.last.made_ms)
        lines.append(say("backup.last", file=known.last.file, made=made))
    if known.reason is not None:
        moment = _moment(run, known.tried_ms)
        lines.append(say("backup.failed", moment=moment, reason=known.reason))
    run.answer(known, *lines, *run.held)


def restore(
    file: Annotated[Path, typer.Argument(help="A backup.")],
    passphrase_file: Annotated[
        Path, typer.Option("--passphrase-file", metavar="FILE", help="Its first line opens it.")
    ],
    old: Annotated[
        Path | None,
        typer.Option(
            "--old",
            metavar="DIR",
            help="The directory in whose place this one comes, if it is still there: its stream "
            "has what came since, and it knows what was erased.",
        ),
    ] = None,
    erasures: Annotated[
        Path | None,
        typer.Option(
            "--erasures",
            metavar="FILE",
            help="List of erasures. Default: diadema-erasures.sealed beside the backup.",
        ),
    ] = None,
    data: Data = None,
    as_json: AsJson = False,
    clock: Clock = None,
) -> None:
    """Make a data directory out of a backup.

    One that was used is refused. What was erased since is erased again, the restore is entered in
    both records, and everybody logs in anew. Then start the hub: stations go on. Nothing is sent
    until `diadema resume`.

    Example: diadema restore lunes.backup --data nueva --passphrase-file frase
    """
    from diadema.base.paths import DataDir
    from diadema.base.sealed import read_passphrase
    from diadema.maintenance.restore import restore as work

    run = Run(data, clock, as_json=as_json)
    passphrase = read_passphrase(passphrase_file)
    with run.progress(say("progress.bytes")) as progress:
        done = work(
            file,
            passphrase,
            run.data,
            run.clock,
            run.person,
            old=DataDir(old.absolute()) if old is not None else None,
            erasures=erasures,
            progress=progress,
        )
    made = _moment(run, done.manifest.made_ms)
    lines = [say("restore.done", root=run.data.root, made=made, events=done.manifest.position)]
    if done.erased is not None:
        lines.append(say("restore.erased", events=done.erased.events, people=done.erased.people))
    elif not done.knew_erasures:
        lines.append(say("restore.erasures_unknown", made=made))
    lines.append(say("restore.stream" if done.stream else "restore.no_stream"))
    lines.append(say("restore.access", made=made))
    run.answer(done, *lines, *run.held)


def resume(data: Data = None, clock: Clock = None) -> None:
    """Let a restored hub send again: mail, webhooks and backups.

    What fell due before is not mailed. For a trial beside the hub of before, leave it be.

    Example: diadema resume --data nueva
    """
    from diadema.maintenance.restore import put_in_force

    run = Run(data, clock)
    put_in_force(run.data, run.clock, run.person)
    print(say("restore.resumed"))


def _moment(run: Run, utc_ms: int, zone: str = "") -> str:
    """By that clock, or the site's, with its name: copies are read on other machines too."""
    from diadema.words.formatting import local_time

    zone = zone or run.zone.key
    return f"{local_time(utc_ms, zone)} ({zone})"
