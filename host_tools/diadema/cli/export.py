"""`diadema export`: what the store has, as other systems read it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any

import typer

from diadema.base.errors import DiademaError, why
from diadema.cli.run import AsJson, Data, Run, group
from diadema.cli.speech import say
from diadema.words import Sentence

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from diadema.base.paths import DataDir

app = group("Write what is stored as other systems read it.")

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

    The switch's calls, the stations' contacts that no switch reported, sessions and presence. Its
    seconds are whole, and it has no word for holds and wrap-ups.

    Example: diadema export queue-log --from 2026-11-01 --to 2026-11-30 -o queue_log
    """
    from diadema.exchange.queue_log_export import Export
    from diadema.site.directory.people_of import people

    run = Run(data, as_json=as_json)
    begin, end = _span(run, first, last)
    with run.progress("days") as progress, _beside(output, "w") as file:
        export = Export(run.data, people(run.data, begin, end), run.zone)
        done = export.write(file, begin, end, progress)
    _answer(run, done, output)


@app.command("cloudevents")
def cloudevents(
    output: _Output,
    first: _First = None,
    last: _Last = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Write the raw events as JSON Lines of CloudEvents 1.0, each with how its station stood.

    Example: diadema export cloudevents -o events.jsonl
    """
    from diadema.exchange.cloud_events_export import Export
    from diadema.figures.days import start_of
    from diadema.site.directory.people_of import people

    run = Run(data, as_json=as_json)
    start = None if first is None else start_of(_day(first), run.zone) * 1000
    end = None if last is None else start_of(_day(last) + timedelta(days=1), run.zone) * 1000
    with run.progress(say("progress.events")) as progress, _beside(output, "wb") as file:
        done = Export(run.data, people(run.data)).write(file, start, end, progress)
    _answer(run, done, output)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise DiademaError(Sentence("errors.cli.text_no_day_write_one", text=text)) from None


def _span(run: Run, first: str | None, last: str | None) -> tuple[date, date]:
    """The days that are given, else all that there are. Raises DiademaError."""
    begin, end = (None if text is None else _day(text) for text in (first, last))
    if begin is None or end is None:
        known = _known_days(run.data, run.zone)
        if known is None:
            raise DiademaError(
                Sentence("errors.cli.store_has_nothing_export_yet", store=run.data.store)
            )
        begin, end = begin or known[0], end or known[1]
    if end < begin:
        raise DiademaError(Sentence("errors.cli.end_before_from_begin", end=end, begin=begin))
    return begin, end


def _known_days(data: "DataDir", zone: "ZoneInfo") -> tuple[date, date] | None:
    from sqlalchemy import func, select

    from diadema.store import open_reader, tables

    starts = (
        tables.contacts.c.start_utc,
        tables.sessions.c.open_utc,
        tables.queue_calls.c.start_utc,
    )
    with open_reader(data.store) as reader, reader.engine.connect() as connection:
        found = [
            utc
            for start in starts
            for utc in connection.execute(select(func.min(start), func.max(start))).one()
            if utc is not None
        ]
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
        raise DiademaError(
            Sentence("errors.cli.cannot_write_output_reason", output=output, reason=why(error))
        ) from error
    finally:
        beside.unlink(missing_ok=True)


def _answer(run: Run, done: Any, output: Path) -> None:
    import msgspec

    counts = msgspec.to_builtins(done)
    parts = ", ".join(say(f"export.{what}", count=n) for what, n in counts.items())
    run.answer({"file": str(output), **counts}, f"{output}: {parts}")
