"""What `diadema report day|week|month` does: makes the report and writes it where it is wanted."""

import sys
from pathlib import Path

from msgspec import Struct

from diadema.base.clock import open_clock
from diadema.base.errors import DiademaError
from diadema.base.paths import DataDir, cannot_write
from diadema.report.formats import MEDIA, made_as
from diadema.report.kinds import KINDS
from diadema.report.make import make
from diadema.report.model import Report, Scope
from diadema.report.period import Grain, period, running
from diadema.report.writing import file_name
from diadema.site.context import zone_of
from diadema.words import text

BINARY = ("xlsx", "pdf")


class Order(Struct, frozen=True):
    """`word`: the span as it was typed; None: the running one. `threshold_s` None: as the targets
    have it.
    """

    grain: Grain
    word: str | None
    kind: str | None
    scope: dict[str, str | None]
    threshold_s: int | None
    short_s: int


def run(
    root: Path,
    clock: Path | None,
    order: Order,
    form: str | None,
    output: Path | None,
    table: str | None,
    language: str,
) -> None:
    """Raises DiademaError, which says what to do."""
    data = DataDir(root)
    form = _form(form, output, language)
    if table is not None and form != "csv":
        raise DiademaError(text("reports.table_of_csv", language))
    kind = kind_of(order.kind, language)
    scope = scope_of(order.scope, language)
    now_ms = open_clock(clock).now_ms()
    span = (
        period(order.grain, order.word, language)
        if order.word is not None
        else running(order.grain, now_ms, zone_of(data))
    )
    report = make(
        data, kind, span, scope, now_ms, order.threshold_s, order.short_s, language=language
    )
    if form == "screen":
        from rich.console import Console

        from diadema.report.formats.on_screen import show

        show(Console(highlight=False, markup=False), report)
        return
    _write(report, form, output, table)


def kind_of(given: str | None, language: str) -> str:
    """Raises DiademaError that names them all."""
    if given not in KINDS:
        word = "reports.no_kind" if given else "reports.which_kind"
        raise DiademaError(text(word, language, given=given, known=", ".join(KINDS)))
    return given


def scope_of(given: dict[str, str | None], language: str) -> Scope:
    """Of the one that is given, else of the floor. Raises DiademaError for two."""
    found = {name: code for name, code in given.items() if code is not None}
    if len(found) > 1:
        raise DiademaError(text("reports.one_scope", language))
    for of in ("agent", "team", "queue", "ticket"):
        if of in found:
            return Scope(of=of, code=found[of])
    return Scope()


def _form(given: str | None, output: Path | None, language: str) -> str:
    form = given or (output.suffix.removeprefix(".").lower() if output else "screen")
    known = [*MEDIA] if output else ["screen", *MEDIA]
    if form not in known:
        raise DiademaError(text("reports.no_format", language, given=form, known=", ".join(known)))
    return form


def _write(report: Report, form: str, output: Path | None, table: str | None) -> None:
    try:
        content = made_as(form, report, table)
    except KeyError:
        known = ", ".join(section.key for section in report.sections)
        raise DiademaError(
            text("reports.no_table", report.language, given=table, known=known)
        ) from None
    if output is None and form not in BINARY:
        sys.stdout.buffer.write(content if form == "csv" else content + b"\n")
        sys.stdout.buffer.flush()
        return
    path = output or Path(file_name(report, form))
    try:
        path.write_bytes(content)
    except OSError as error:
        raise cannot_write(path, error) from error
    print(text("reports.written", report.language, path=path), file=sys.stderr)
