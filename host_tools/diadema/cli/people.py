"""`diadema people`: people and places in and out of files, and in force."""

import json
import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from diadema.cli.options import (
    AsJson,
    Clock,
    Data,
    data_root,
)

if TYPE_CHECKING:
    from diadema.base.paths import DataDir
    from diadema.site.directory.plan import Plan
    from diadema.site.directory.publishing import Difference

_SHOWN = 20  # rows of a list; --json has all

app = typer.Typer(
    help="People and places: in and out of files, and in force.",
    no_args_is_help=True,
    add_completion=False,
)

KindName = Annotated[str, typer.Argument(metavar="KIND", help="As `diadema people kinds` lists.")]
By = Annotated[str, typer.Option("--by", help="Who does it; stands in the history.")]
Language = Annotated[
    Literal["es", "en"], typer.Option("--language", help="Of columns and of what is wrong.")
]


@app.command()
def kinds(language: Language = "es", as_json: AsJson = False) -> None:
    """List the kinds, and the columns that a file of each has."""
    from diadema.site.directory.kinds import KINDS
    from diadema.site.directory.labels import label

    columns = {
        kind.name: {field.name: label(kind.name, field.name, language) for field in kind.fields}
        for kind in KINDS.values()
    }
    if as_json:
        print(json.dumps(columns, ensure_ascii=False))
        return
    for name, those in columns.items():
        print(f"{name}: {', '.join(those.values())}")


@app.command()
def export(
    kind: KindName,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="An .xlsx or .csv file. Default: CSV to the screen."),
    ] = None,
    first: Annotated[
        str | None, typer.Option("--from", help="First day of a roster, as 2026-12-01.")
    ] = None,
    last: Annotated[str | None, typer.Option("--to", help="Last day of a roster.")] = None,
    data: Data = None,
    language: Language = "es",
    clock: Clock = None,
) -> None:
    """Write what is in force today as a table that `import` takes back."""
    from diadema.base.errors import DiademaError
    from diadema.base.paths import write_whole
    from diadema.site.directory.exporting import as_csv, as_xlsx, rows_of

    if output is not None and output.suffix.lower() not in (".csv", ".xlsx"):
        raise DiademaError(f"{output}: the name must end in .xlsx or .csv")
    place, day, now_ms = _today(data, clock)
    with _open(place, now_ms) as book:
        entries = rows_of(book, kind, day, _day(first), _day(last))
    if output is None:
        sys.stdout.buffer.write(as_csv(kind, entries, language))
        return
    write = as_xlsx if output.suffix.lower() == ".xlsx" else as_csv
    try:
        write_whole(output, write(kind, entries, language))
    except OSError as error:
        raise DiademaError(f"cannot write {output}: {error.strerror}") from error
    print(f"{len(entries)} rows in {output}", file=sys.stderr)


@app.command("import")
def import_(
    kind: KindName,
    file: Annotated[Path, typer.Argument(help="An .xlsx or .csv file.")],
    by: By = "",
    reason: Annotated[str, typer.Option("--reason", help="Default: the file's name.")] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would change.")
    ] = False,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Import the rest when some rows are wrong.")
    ] = False,
    whole: Annotated[
        bool, typer.Option("--whole", help="The file has everything: retire what it lacks.")
    ] = False,
    since: Annotated[
        str | None, typer.Option("--from", help="Changes hold from this day. Default: today.")
    ] = None,
    data: Data = None,
    language: Language = "es",
    as_json: AsJson = False,
    clock: Clock = None,
) -> None:
    """Take a table in. One wrong row stops it all, and each is told; an empty column changes
    nothing that is not in it.
    """
    from rich.console import Console
    from rich.progress import Progress

    from diadema.base.errors import DiademaError
    from diadema.site.directory.importing import plan_import, run_import
    from diadema.site.directory.sheets import read_sheet

    if not by and not dry_run:
        raise DiademaError("say who does it with --by NAME, or only look with --dry-run")
    try:
        given = file.read_bytes()
    except OSError as error:
        raise DiademaError(f"cannot read {file}: {error.strerror}") from error
    place, day, now_ms = _today(data, clock)
    quiet = as_json or not sys.stderr.isatty()
    with (
        _open(place, now_ms) as book,
        Progress(console=Console(stderr=True), transient=True, disable=quiet) as bar,
    ):
        task = bar.add_task("rows", total=None)
        plan = plan_import(
            book, kind, read_sheet(given), _day(since) or day, whole=whole, skip_bad=skip_bad,
            progress=lambda at: bar.update(task, completed=at),
        )  # fmt: skip
        if not dry_run:
            run_import(
                book, plan, by=by, reason=reason or file.name, at_ms=now_ms, skip_bad=skip_bad
            )
    if as_json:
        print(json.dumps(plan.summary(language), ensure_ascii=False))
    else:
        _tell(plan, language, dry_run=dry_run)
    sys.exit(1 if plan.problems and not (plan.done or (dry_run and skip_bad)) else 0)


@app.command()
def publish(
    by: By = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what stations would be told.")
    ] = False,
    data: Data = None,
    language: Language = "es",
    as_json: AsJson = False,
    clock: Clock = None,
) -> None:
    """Put people and places in force, as `diadema site` does with a file; stations get what is new
    as a configuration of the next generation.
    """
    from diadema.base.errors import DiademaError
    from diadema.site.directory import asking, publishing

    if not by and not dry_run:
        raise DiademaError("say who does it with --by NAME, or only look with --dry-run")
    place, day, now_ms = _today(data, clock)
    if dry_run:
        with _open(place, now_ms) as book:
            made = publishing.draft(book, place, day)
            found, lacking = publishing.differences(made, place), made.without_pin
        generation = None
    else:
        place.make()
        done = asking.publish(place, now_ms, by)
        found, generation = done.differences, done.generation
        lacking = done.without_pin
    if as_json:
        import msgspec

        told = {"differences": msgspec.to_builtins(found), "generation": generation}
        told["without_pin"] = lacking
        print(json.dumps(told, ensure_ascii=False))
        return
    _tell_differences(found, language)
    if lacking:
        print(f"No PIN yet: {', '.join(lacking[:_SHOWN])}{' …' if len(lacking) > _SHOWN else ''}")
        print("A code for one use lets each choose hers at a station; a supervisor gives it.")
    if generation is not None:
        print(f"In force as generation {generation}; stations get it now.")
    elif not dry_run:
        print("Stored; the hub takes it at its next start.")


@app.command("take-in")
def take_in(by: By, data: Data = None, clock: Clock = None) -> None:
    """Take in what somebody has changed in site.json since people and places are kept here."""
    from diadema.site.directory.taking_in import take_in as take

    place, day, now_ms = _today(data, clock)
    with _open(place, now_ms) as book:
        count = take(book, place, day, by=by, at_ms=now_ms)
    print(f"{count} entries changed.")


@app.command()
def pin(
    agent: Annotated[str, typer.Argument(help="The agent's code.")],
    stdin: Annotated[
        bool, typer.Option("--stdin", help="Read the PIN from standard input, for scripts.")
    ] = False,
    data: Data = None,
    clock: Clock = None,
) -> None:
    """Ask for an agent's PIN; what is kept in its place is in force after the next `publish`."""
    from diadema.cli.pin import ask_twice
    from diadema.site.directory.taking_in import set_pin
    from diadema.site.pins import make_verifier

    place, _, now_ms = _today(data, clock)
    with _open(place, now_ms) as book:
        set_pin(
            book, agent,
            lambda: make_verifier(
                sys.stdin.readline().rstrip("\r\n") if stdin else ask_twice(agent)
            ),
        )  # fmt: skip
    print(f"{agent} has another PIN after the next `diadema people publish`.")


@app.command()
def history(
    kind: KindName,
    code: Annotated[str, typer.Argument(help="Of the entry, as an export has it.")],
    data: Data = None,
    as_json: AsJson = False,
    clock: Clock = None,
) -> None:
    """Every version of an entry: who made it, when, and what it says."""
    from datetime import UTC, datetime

    from diadema.base.errors import DiademaError
    from diadema.base.sanitize import visible
    from diadema.site.badges import brief
    from diadema.site.directory.kinds import kind_of

    place, _, now_ms = _today(data, clock)
    with _open(place, now_ms) as book:
        versions = book.history(kind, code)
    if not versions:
        raise DiademaError(f"there is no {code} of {kind}: `diadema people export {kind}` has all")
    if as_json:
        import msgspec

        print(json.dumps(msgspec.to_builtins(versions), ensure_ascii=False))
        return
    for one in versions:
        at = datetime.fromtimestamp(one.at_ms / 1000, UTC)
        body = one.body and kind_of(kind).with_badges(one.body, brief)
        says = json.dumps(body, ensure_ascii=False) if body else "retired"
        validity = f"{one.valid_from or ''}…{one.valid_until or ''}"
        print(visible(f"{one.version}  {at:%Y-%m-%d %H:%M}Z  {one.by}: {one.reason}"))
        print(visible(f"   {validity}  {says}"))


def _open(place: "DataDir", now_ms: int) -> Any:
    from diadema.site.directory.taking_in import open_directory

    place.make()
    return open_directory(place, now_ms)


def _today(data: Path | None, clock: Path | None) -> "tuple[DataDir, date, int]":
    from diadema.base.clock import open_clock
    from diadema.base.paths import DataDir
    from diadema.site.directory.people_of import day_at

    place = DataDir(data_root(data))
    now_ms = open_clock(clock).now_ms()
    return place, day_at(place, now_ms), now_ms


def _day(text: str | None) -> date | None:
    from diadema.site.directory.sheets import read_date

    return read_date("day", text) if text else None


def _tell(plan: "Plan", language: str, *, dry_run: bool) -> None:
    for problem in (*plan.notes, *plan.problems)[: _SHOWN * 2]:
        print(problem.whole(language))
    hidden = len(plan.notes) + len(plan.problems) - _SHOWN * 2
    if hidden > 0:
        print(f"and {hidden} more; --json lists them all")
    print(
        f"{plan.rows} rows: {plan.added} added, {plan.changed} changed, "
        f"{plan.unchanged} unchanged, {plan.retired} retired, {len(plan.bad)} wrong."
    )
    if plan.done or dry_run:
        if plan.done:
            print("Done. `diadema people publish` puts it in force at the stations.")
        return
    print("Nothing was imported. Mend those rows, or import the rest with --skip-bad.")


def _tell_differences(found: "list[Difference]", language: str) -> None:
    from diadema.base.sanitize import visible
    from diadema.words import section

    words = section("people", language)
    if not found:
        print("Stations know all of it already.")
    for one in found:
        kind = {"stations": "seats", "negative_codes": "dispositions"}.get(one.part, one.part)
        print(words[f"kind.{kind}"])
        for mark, those in (("+", one.added), ("~", one.changed), ("-", one.removed)):
            for code in those[:_SHOWN]:
                print(visible(f"  {mark} {code}"))
            if len(those) > _SHOWN:
                print(f"  {mark} and {len(those) - _SHOWN} more")
