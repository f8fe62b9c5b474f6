"""`diadema people`: people and places in and out of files, and in force."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from diadema.base.errors import DiademaError
from diadema.cli import speech
from diadema.cli.run import AsJson, Clock, Data, Run, group, print_json, read_file, writing
from diadema.cli.speech import say
from diadema.words import Listed, Sentence
from diadema.words.formatting import local_time

if TYPE_CHECKING:
    from diadema.site.directory.importing import Plan
    from diadema.site.directory.publishing import Difference

_SHOWN = 20  # rows of a list; --json has all
_NAMED = 5  # of those in a sentence

app = group("People and places: in and out of files, and in force.")

KindName = Annotated[str, typer.Argument(metavar="KIND", help="As `diadema people kinds` lists.")]
By = Annotated[str, typer.Option("--by", help="Who does it; stands in the history.")]
Language = Annotated[
    Literal["es", "en"] | None,
    typer.Option("--language", help="Of columns. Default: as all that is said, see --lang."),
]


@app.command()
def kinds(language: Language = None, data: Data = None, as_json: AsJson = False) -> None:
    """List the kinds, and the columns that a file of each has.

    Example: diadema people kinds
    """
    from diadema.site.directory.kinds import KINDS
    from diadema.site.directory.labels import label

    columns = {
        kind.name: {
            field.name: label(kind.name, field.name, language or speech.language())
            for field in kind.fields
        }
        for kind in KINDS.values()
    }
    lines = [f"{name}: {', '.join(those.values())}" for name, those in columns.items()]
    Run(data, as_json=as_json).answer(columns, *lines)


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
    language: Language = None,
    clock: Clock = None,
) -> None:
    """Write what is in force today as a table that `import` takes back.

    Example: diadema people export agents -o agents.xlsx
    """
    from diadema.base.paths import write_whole
    from diadema.site.directory.exporting import as_csv, as_xlsx, rows_of

    if output is not None and output.suffix.lower() not in (".csv", ".xlsx"):
        raise DiademaError(Sentence("errors.cli.output_name_must_end_xlsx", output=output))
    run = Run(data, clock)
    with _open(run) as (book, day, _):
        entries = rows_of(book, kind, day, _day(first), _day(last))
    if output is None:
        sys.stdout.buffer.write(as_csv(kind, entries, language or speech.language()))
        return
    write = as_xlsx if output.suffix.lower() == ".xlsx" else as_csv
    with writing(output):
        write_whole(output, write(kind, entries, language or speech.language()))
    print(say("people.exported", count=len(entries), file=output), file=sys.stderr)


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
    language: Language = None,
    as_json: AsJson = False,
    clock: Clock = None,
) -> None:
    """Take a table in.

    One wrong row stops it all, and each is reported; an empty column changes nothing that is not
    in it.

    Example: diadema people import agents agents.xlsx --by ANA
    """
    from diadema.site.directory.importing import plan_import, run_import
    from diadema.site.directory.sheets import read_sheet

    if not by and not dry_run:
        raise DiademaError(Sentence("errors.cli.say_who_does_with_name"))
    content = read_file(file)
    run = Run(data, clock, as_json=as_json)
    with _open(run) as (book, day, now_ms), run.progress(say("progress.rows")) as progress:
        plan = plan_import(
            book, kind, read_sheet(content), _day(since) or day, whole=whole, skip_bad=skip_bad,
            progress=progress,
        )  # fmt: skip
        if not dry_run:
            run_import(
                book, plan, by=by, reason=reason or file.name, at_ms=now_ms, skip_bad=skip_bad
            )
    if as_json:
        print_json(plan.summary(language or speech.language()))
    else:
        _show(plan, language or speech.language(), dry_run=dry_run)
    sys.exit(1 if plan.problems and not (plan.done or (dry_run and skip_bad)) else 0)


@app.command()
def template(
    code: Annotated[str, typer.Argument(help="Of the new scorecard, at most 14 characters.")],
    by: By,
    data: Data = None,
    language: Language = None,
    clock: Clock = None,
) -> None:
    """Add a scorecard to begin with: the protocol, what was done, the attitudes, compliance.

    Example: diadema people template atencion --by ANA
    """
    from diadema.site.directory.scorecard_template import template as changes_of

    changes = changes_of(code, language or speech.language())
    with _open(Run(data, clock)) as (book, _, now_ms):
        book.apply(changes, by=by, reason="template", at_ms=now_ms)
    count = sum(one.kind == "scorecard_items" for one in changes)
    print(say("people.template", code=code, count=count))


@app.command()
def publish(
    kind: Annotated[
        Literal["scorecards", "notices"] | None,
        typer.Argument(
            metavar="[KIND]",
            help="scorecards or notices, which no station gets. Default: people and places.",
        ),
    ] = None,
    by: By = "",
    codes: Annotated[
        list[str] | None,
        typer.Option("--code", help="Of those to publish. Default: all that have changed."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what stations would get.")
    ] = False,
    data: Data = None,
    as_json: AsJson = False,
    clock: Clock = None,
) -> None:
    """Put people and places in force, as `diadema site` does with a file.

    Stations get what is new as a configuration of the next generation. A scorecard or a notice is
    kept whole, as its next version.

    Example: diadema people publish --by ANA
    """
    from diadema.site.directory import publishing, queries

    if not by and not dry_run:
        raise DiademaError(Sentence("errors.cli.say_who_does_with_name"))
    run = Run(data, clock)
    if kind is not None:
        _freeze(run, kind, by, codes or [], dry_run=dry_run, as_json=as_json)
        return
    if dry_run:
        with _open(run) as (book, day, _):
            made = publishing.draft(book, run.data, day)
            found, lacking = publishing.differences(made, run.data), made.without_pin
        generation = None
    else:
        run.data.make()
        done = queries.publish(run.data, run.now_ms, by)
        found, generation = done.differences, done.generation
        lacking = done.without_pin
    if as_json:
        print_json({"differences": found, "generation": generation, "without_pin": lacking})
        return
    if not found:
        print(say("people.nothing_new"))
    show_differences(found)
    if lacking:
        names = ", ".join(lacking[:_SHOWN]) + (" …" if len(lacking) > _SHOWN else "")
        print(say("people.no_pin", names=names))
        print(say("people.codes"))
    if dry_run:
        return
    if generation is not None:
        print(say("in_force", generation=generation))
    elif found:
        print(say("stored"))


@app.command("take-in")
def take_in(
    by: By,
    whole: Annotated[
        bool, typer.Option("--whole", help="The file has everything: retire what it lacks.")
    ] = False,
    data: Data = None,
    clock: Clock = None,
) -> None:
    """Take in what somebody has changed in site.json since people and places are kept here.

    Example: diadema people take-in --by ANA
    """
    from diadema.site.directory.publishing import replacing
    from diadema.site.directory.publishing import take_in as take
    from diadema.site.file import whole as described

    run = Run(data, clock)
    with _open(run) as (book, day, now_ms):
        if not whole and run.data.site.exists():
            found = replacing(run.data, described(run.data.site), day)
            show_differences(found)
            refuse_losses(run.data.site, found)
        count = take(book, run.data, day, by=by, at_ms=now_ms)
    print(say("people.taken_in", count=count))


@app.command()
def pin(
    agent: Annotated[str, typer.Argument(help="The agent's code.")],
    stdin: Annotated[
        bool, typer.Option("--stdin", help="Read the PIN from standard input, for scripts.")
    ] = False,
    data: Data = None,
    clock: Clock = None,
) -> None:
    """Ask for an agent's PIN; its verifier is in force after the next `publish`.

    Example: diadema people pin a001
    """
    from diadema.cli.pin import ask_twice
    from diadema.site.directory.publishing import set_pin
    from diadema.site.pins import make_verifier

    with _open(Run(data, clock)) as (book, _, _now):
        set_pin(
            book, agent,
            lambda: make_verifier(
                sys.stdin.readline().rstrip("\r\n") if stdin else ask_twice(agent)
            ),
        )  # fmt: skip
    print(say("people.pin", agent=agent))


@app.command()
def history(
    kind: KindName,
    code: Annotated[str, typer.Argument(help="Of the entry, as an export has it.")],
    data: Data = None,
    as_json: AsJson = False,
    clock: Clock = None,
) -> None:
    """Every version of an entry: who made it, when, and what it says.

    Example: diadema people history agents a001
    """
    from datetime import UTC

    from diadema.base.sanitize import visible
    from diadema.site.badges import brief
    from diadema.site.directory.kinds import kind_of

    with _open(Run(data, clock)) as (book, _, _now):
        versions = book.history(kind, code)
    if not versions:
        raise DiademaError(Sentence("errors.cli.there_no_code_kind_diadema", code=code, kind=kind))
    if as_json:
        print_json(versions)
        return
    for one in versions:
        at = local_time(one.at_ms, UTC, "moment_minute")
        body = one.body and kind_of(kind).with_badges(one.body, brief)
        says = json.dumps(body, ensure_ascii=False) if body else say("people.retired")
        validity = f"{one.valid_from or ''}…{one.valid_until or ''}"
        print(visible(f"{one.version}  {at}Z  {one.by}: {one.reason}"))
        print(visible(f"   {validity}  {says}"))


@contextmanager
def _open(run: Run) -> Iterator[tuple[Any, date, int]]:
    """The directory of people and places, today there, and now as UTC in milliseconds."""
    from diadema.site.directory.people_of import day_at
    from diadema.site.directory.publishing import open_directory

    now_ms = run.now_ms
    today = day_at(run.data, now_ms)
    run.data.make()
    with open_directory(run.data, now_ms) as book:
        yield book, today, now_ms


def _freeze(
    run: Run,
    kind: Literal["scorecards", "notices"],
    by: str,
    codes: list[str],
    *,
    dry_run: bool,
    as_json: bool,
) -> None:
    from diadema.site.directory import queries
    from diadema.site.directory.freezing import fresh

    if dry_run:
        with _open(run) as (book, _, _now):
            found = fresh(book, kind, codes)
    else:
        run.data.make()
        found = queries.freeze(run.data, kind, run.now_ms, by, codes)
    if as_json:
        print_json([{"code": one.code, "version": one.version, "hash": one.hash} for one in found])
        return
    for one in found:
        print(say("people.frozen", code=one.code, version=one.version))
    if not found:
        print(say("people.nothing_new"))


def _day(text: str | None) -> date | None:
    from diadema.site.directory.sheets import read_date

    return read_date("day", text) if text else None


def _show(plan: "Plan", language: str, *, dry_run: bool) -> None:
    for problem in (*plan.notes, *plan.problems)[: _SHOWN * 2]:
        print(problem.whole(language))
    hidden = len(plan.notes) + len(plan.problems) - _SHOWN * 2
    if hidden > 0:
        print(say("more", count=hidden))
    print(
        say("people.counts", rows=plan.rows, added=plan.added, changed=plan.changed,
            unchanged=plan.unchanged, retired=plan.retired, wrong=len(plan.bad))
    )  # fmt: skip
    if plan.done or dry_run:
        if plan.done:
            print(say("people.done"))
        return
    print(say("import.mend"))


def show_differences(found: "list[Difference]") -> None:
    from diadema.base.sanitize import visible
    from diadema.words import section

    words = section("people", speech.language())
    for one in found:
        kind = {"stations": "seats", "negative_codes": "dispositions"}.get(one.part, one.part)
        changes = [("+", one.added), ("~", one.changed), ("-", one.removed)]
        counts = (f"{mark}{len(those)}" for mark, those in changes if those)
        print(f"{words[f'kind.{kind}']}: {' '.join(counts)}")
        for mark, those in changes:
            for code in those[:_SHOWN]:
                print(visible(f"  {mark} {code}"))
            if len(those) > _SHOWN:
                print(f"  {mark} {say('more_of_them', count=len(those) - _SHOWN)}")


def refuse_losses(file: Path, found: "list[Difference]") -> None:
    """Raises DiademaError where anything would be out that nobody has said is to go."""
    lacking = [
        Sentence(
            "errors.cli.lacking",
            count=len(one.removed),
            kind=Sentence(f"people.kind.{one.part}"),
            codes=", ".join(one.removed[:_NAMED]) + (" …" if len(one.removed) > _NAMED else ""),
        )
        for one in found
        if one.removed
    ]
    if lacking:
        raise DiademaError(
            Sentence("errors.cli.site_would_remove", file=file, lacking=Listed(lacking))
        )
