"""`diadema recordings`: the switch's recordings, linked to calls, and let go when their time is
over. No command says the name of a file: there are people's numbers in it.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import batched
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from diadema.base.errors import DiademaError
from diadema.cli.account import opened
from diadema.cli.run import AsJson, Clock, Data, Run, group, run_until_signal
from diadema.cli.speech import say
from diadema.words import Sentence
from diadema.words.formatting import local_time

if TYPE_CHECKING:
    from diadema.recordings.index import Index, Link
    from diadema.recordings.scan import Scanned
    from diadema.recordings.settings import Settings
    from diadema.store import Reader

app = group("The switch's recordings: found, and linked to calls.")

_EVERY_S = 10.0
_A_ROW = 50  # recordings, of the record of what was deleted


@app.command()
def setup(
    folder: Annotated[
        list[Path] | None, typer.Option(help="Where they lie; as often as needed.")
    ] = None,
    pattern: Annotated[
        str | None,
        typer.Option(help="Of their names: {pbx}, {agent}, {date}, {time} and *."),
    ] = None,
    zone: Annotated[str | None, typer.Option(help="Of the times in their names.")] = None,
    link: Annotated[
        str | None, typer.Option(help="A call at another platform that records, with {pbx}.")
    ] = None,
    instruction: Annotated[
        str | None, typer.Option(help="Number of the document that has what is due deleted.")
    ] = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Store where recordings lie and how they are called. What is not given stays as it was.

    Example: diadema recordings setup --folder /var/spool/asterisk/monitor
    """
    import msgspec

    from diadema.recordings import settings as stored

    run = Run(data, as_json=as_json)
    run.data.make()
    given = {
        "folders": None if folder is None else [str(one.absolute()) for one in folder],
        "pattern": pattern, "zone": zone, "link": link, "instruction": instruction,
    }  # fmt: skip
    known = stored.read(run.data) or stored.Settings(zone=run.zone.key)
    changed = {key: value for key, value in given.items() if value is not None}
    settings = msgspec.structs.replace(known, **changed)
    with opened(run) as accounts:
        stored.write(run.data, settings)
        accounts.audit.record(run.person, "recordings.set", folders=settings.folders)
    run.answer(
        msgspec.to_builtins(settings),
        say("recordings.set_up", folders=", ".join(settings.folders), pattern=settings.pattern),
    )


@app.command()
def scan(
    follow: Annotated[bool, typer.Option("--follow", help="Go on until Ctrl-C.")] = False,
    data: Data = None,
    as_json: AsJson = False,
    clock: Clock = None,
) -> None:
    """Find new recordings, and link each to the call that it is of.

    Exit code 1 where a folder cannot be read.

    Example: diadema recordings scan
    """
    run = Run(data, clock, as_json=as_json)
    if follow:
        run_until_signal(_follow(run))
        return
    found = _scan(run, whole=True)
    _say(run, found)
    raise typer.Exit(1 if found.absent else 0)


async def _follow(run: Run) -> None:
    whole = True
    while True:
        found = await asyncio.to_thread(_scan, run, whole)
        if whole or found.linked or found.missing or found.absent:
            _say(run, found)
        whole = False
        await asyncio.sleep(_EVERY_S)


def _scan(run: Run, whole: bool) -> "Scanned":
    from diadema.base.locks import locked
    from diadema.recordings.decoding import Decoders
    from diadema.recordings.scan import Scan
    from diadema.site.directory.people_of import CachedPeople, day_at

    with (
        locked(run.data.recordings_index.with_suffix(".lock"), note="diadema recordings"),
        _ready(run) as (settings, index, reader),
        Decoders() as decoders,
    ):
        people = CachedPeople(run.data).read(day_at(run.data, run.now_ms))
        scan = Scan(settings, index, reader, people, decoders, run.now_ms)
        return scan.run(whole)


@contextmanager
def _ready(run: Run) -> "Iterator[tuple[Settings, Index, Reader]]":
    """Raises DiademaError where nothing is set up, or no store is there yet."""
    from diadema.recordings.index import Index
    from diadema.recordings.settings import required
    from diadema.store import open_reader

    settings = required(run.data)
    with open_reader(run.data.store) as reader, Index(run.data.recordings_index) as index:
        yield settings, index, reader


def _say(run: Run, found: "Scanned") -> None:
    run.answer(
        {
            "linked": [_brief(one) for one in found.linked],
            "missing": [_brief(one) for one in found.missing],
            "absent": found.absent,
        },
        say("recordings.scanned", linked=len(found.linked), missing=len(found.missing)),
        *(say("recordings.absent", folder=folder) for folder in found.absent),
    )


def _brief(link: "Link") -> dict[str, Any]:
    """Without the file, which says nothing outside of the index."""
    import msgspec

    fields = msgspec.to_builtins(link)
    return {name: value for name, value in fields.items() if name != "file"}


@app.command()
def status(data: Data = None, as_json: AsJson = False) -> None:
    """How many calls have their recording, and what is left over.

    Example: diadema recordings status
    """
    from diadema.recordings.files import is_there

    run = Run(data, as_json=as_json)
    with _ready(run) as (settings, index, _):
        counts = index.counts()
    absent = [folder for folder in settings.folders if not is_there(folder)]
    run.answer(
        counts | {"absent": absent},
        *(say(f"recordings.count.{what}", count=count) for what, count in counts.items()),
        *(say("recordings.absent", folder=folder) for folder in absent),
    )
    raise typer.Exit(1 if absent else 0)


@app.command()
def check(data: Data = None, as_json: AsJson = False) -> None:
    """Look at each folder: whether it can be read, names are as set up, and the newest decodes.

    Exit code 1 where one of them is not so.

    Example: diadema recordings check
    """
    import msgspec

    from diadema.recordings.check import look
    from diadema.recordings.settings import required

    run = Run(data, as_json=as_json)
    settings = required(run.data)
    found = look(settings)
    lines = [
        say(
            f"recordings.folder.{one.state}", folder=one.folder, files=one.files, named=one.named,
            format=one.format, reason=say(f"recordings.unfit.{one.reason}") if one.reason else "",
        )
        for one in found
    ]  # fmt: skip
    sample = settings.address_of("1795000000.1")
    if sample:
        lines.append(say("recordings.elsewhere", address=sample))
    run.answer([msgspec.to_builtins(one) for one in found], *lines)
    raise typer.Exit(0 if all(one.state == "right" for one in found) else 1)


@app.command()
def expired(
    delete: Annotated[bool, typer.Option("--delete", help="Delete them, with a record.")] = False,
    data: Data = None,
    as_json: AsJson = False,
    clock: Clock = None,
) -> None:
    """List the recordings whose time is over, but for those that are held.

    They are deleted only where `setup --instruction` names the document that says so. Exit code 1
    where one could not be.

    Example: diadema recordings expired
    """
    from diadema.recordings import expiry
    from diadema.recordings.calls import held
    from diadema.site.directory.people_of import people

    run = Run(data, clock, as_json=as_json)
    with _ready(run) as (settings, index, reader):
        if delete and not settings.instruction:
            raise DiademaError(Sentence("errors.recordings.no_instruction"))
        with reader.engine.connect() as connection:
            holds = held(connection, run.now_ms)
        due = expiry.due(people(run.data), reader, index, holds, run.now_ms)
        deleted = 0
        if delete and due:
            with opened(run) as accounts:
                for some in batched(due, _A_ROW):
                    gone = [one for one in some if expiry.delete(index, one)]
                    deleted += len(gone)
                    calls = [f"{s}/{e}/{n}" for one in gone for s, e, n in one.contacts]
                    accounts.audit.record(
                        run.person, "recordings.delete", files=len(gone), calls=calls,
                        document=settings.instruction,
                    )  # fmt: skip
    lines = [
        say("recordings.due", until=local_time(one.until_utc, run.zone),
            calls=", ".join(f"{s}/{e}/{n}" for s, e, n in one.contacts) or "—")
        for one in due
    ]  # fmt: skip
    total = say("recordings.deleted", count=deleted) if delete else ""
    run.answer(
        {
            "due": [{"until": one.until_utc, "calls": one.contacts} for one in due],
            "deleted": deleted,
        },
        *lines,
        total or say("recordings.due_in_all", count=len(due)),
    )
    raise typer.Exit(1 if delete and deleted < len(due) else 0)
