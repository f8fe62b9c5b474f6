"""`diadema export`: what the store has, as other systems read it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any

import typer

from diadema.base.errors import DiademaError
from diadema.cli.options import AsJson, Data, data_root

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

app = typer.Typer(
    help="Write what is stored as other systems read it.",
    no_args_is_help=True,
    add_completion=False,
)

_First = Annotated[
    str | None, typer.Option("--from", help="First day, as 2026-11-01. Default: the first there.")
]
_Last = Annotated[
    str | None, typer.Option("--to", help="Last day, which is in it. Default: the last there.")
]
_Output = Annotated[Path, typer.Option("-o", "--output", help="The file to write.")]


@app.command("queue-log")
def queue_log(
    output: _Output,
    first: _First = None,
    last: _Last = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Write an Asterisk queue_log, for the reporters that read one.

    The switch's calls, the stations' contacts of which no switch told, sessions and presence. Its
    seconds are whole, and it has no word for holds and wrap-ups.
    """
    from diadema.base.paths import DataDir
    from diadema.exchange.exports.queue_log import Export
    from diadema.figures.days import zone_of
    from diadema.site.directory.people_of import people

    where = DataDir(data_root(data))
    zone = zone_of(where)
    begin, end = _span(where, first, last, zone)
    with _bar("days", as_json) as progress, _beside(output, "w") as file:
        export = Export(where, people(where, begin, end), zone)
        done = export.write(file, begin, end, progress)
    _tell(done, output, as_json)


@app.command("cloudevents")
def cloudevents(
    output: _Output,
    first: _First = None,
    last: _Last = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Write the raw events as JSON Lines of CloudEvents 1.0, each with how its station stood."""
    from diadema.base.paths import DataDir
    from diadema.exchange.exports.cloud_events import Export
    from diadema.figures.days import start_of, zone_of
    from diadema.site.directory.people_of import people

    where = DataDir(data_root(data))
    zone = zone_of(where)
    start = None if first is None else start_of(_day(first), zone) * 1000
    end = None if last is None else start_of(_day(last) + timedelta(days=1), zone) * 1000
    with _bar("events", as_json) as progress, _beside(output, "wb") as file:
        done = Export(where, people(where)).write(file, start, end, progress)
    _tell(done, output, as_json)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise DiademaError(f"{text!r} is no day; write one like 2026-11-01") from None


def _span(where: Any, first: str | None, last: str | None, zone: "ZoneInfo") -> tuple[date, date]:
    """As asked; else all that there is. Raises DiademaError."""
    begin, end = (None if text is None else _day(text) for text in (first, last))
    if begin is None or end is None:
        known = _known_days(where, zone)
        if known is None:
            raise DiademaError(f"{where.store} has nothing to export yet")
        begin, end = begin or known[0], end or known[1]
    if end < begin:
        raise DiademaError(f"--to {end} is before --from {begin}")
    return begin, end


def _known_days(where: Any, zone: "ZoneInfo") -> tuple[date, date] | None:
    from sqlalchemy import func, select

    from diadema.store import open_reader, tables

    hours = tables.contacts.c.start_utc, tables.sessions.c.open_utc, tables.queue_calls.c.start_utc
    reader = open_reader(where.store)
    try:
        with reader.engine.connect() as connection:
            found = [
                utc
                for hour in hours
                for utc in connection.execute(select(func.min(hour), func.max(hour))).one()
                if utc is not None
            ]
    finally:
        reader.close()
    if not found:
        return None
    first, last = (datetime.fromtimestamp(utc / 1000, zone) for utc in (min(found), max(found)))
    return first.date(), last.date()


@contextmanager
def _beside(output: Path, mode: str) -> Iterator[IO[Any]]:
    """Whole or not at all; whoever stands there stays until then."""
    beside = output.with_name(f".{output.name}.part")
    try:
        text = {} if "b" in mode else {"encoding": "utf-8", "newline": "\n"}
        with beside.open(mode, **text) as file:  # type: ignore[call-overload]
            yield file
        beside.replace(output)
    except OSError as error:
        raise DiademaError(f"cannot write {output}: {error.strerror}") from error
    finally:
        beside.unlink(missing_ok=True)


@contextmanager
def _bar(what: str, as_json: bool) -> Iterator[Any]:
    import sys

    from rich.console import Console
    from rich.progress import Progress

    quiet = as_json or not sys.stderr.isatty()
    with Progress(console=Console(stderr=True), transient=True, disable=quiet) as bar:
        task = bar.add_task(what, total=None)
        yield lambda at, of: bar.update(task, completed=at, total=of)


def _tell(done: Any, output: Path, as_json: bool) -> None:
    import msgspec

    told = msgspec.to_builtins(done)
    if as_json:
        print(json.dumps({"file": str(output), **told}, ensure_ascii=False))
    else:
        print(f"{output}: " + ", ".join(f"{what} {n}" for what, n in told.items()))
