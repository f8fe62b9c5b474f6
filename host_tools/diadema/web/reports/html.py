"""A report as a page shows it: plain tables, made where the report is (the worker), so that the
web's own process only passes them on.
"""

from msgspec import Struct, field

from diadema.access.roles import Person
from diadema.base.errors import DiademaError
from diadema.base.paths import DataDir
from diadema.report.context import NotYours
from diadema.report.drawing import shade_of
from diadema.report.make import make
from diadema.report.model import Cell, Column, Report, Scope, Section
from diadema.report.palette import HEAT, HEAT_DARK
from diadema.report.period import Period
from diadema.report.writing import (
    NUMBERS,
    cut_line,
    pending_line,
    span_line,
    target,
    written_total,
)
from diadema.report.writing import shown as cell_of
from diadema.web.reports.drawn import Picture, pictures
from diadema.web.templating import render
from diadema.words import text
from diadema.words.formatting import grouped

ROWS = 300  # of one table; the files have all
_SEATS = 12  # with events pending, that stand in one line
_SHORT = 12  # rows that are seen at a glance
_LONG = 36  # characters that stand in one line


class _Cell(Struct):
    """`look`: its class; `goal`: of a head, the column's target; `key`: of a total, its column.
    `shade`: of a map, how much of its darkest colour, in percent.
    """

    words: str
    look: str = ""
    missed: bool = False
    goal: str = ""
    key: str = ""
    shade: int | None = None


class _Table(Struct):
    """A section of the report, cell by cell. `totals`: the last row but for its `label`."""

    key: str
    title: str
    count: str
    heads: list[_Cell]
    rows: list[list[_Cell]]
    label: str
    totals: list[_Cell] | None
    notes: list[str]
    is_map: bool


class Shown(Struct):
    """`head`: what it is and until when; `pictures`: its charts, which come before the tables.
    `refused`: why there is nothing.
    """

    head: str = ""
    pictures: list[Picture] = field(default_factory=list)
    html: str = ""
    refused: str = ""


def shown(
    data: DataDir,
    kind: str,
    span: Period,
    scope: Scope,
    now_ms: int,
    person: Person,
    language: str,
) -> Shown:
    try:
        report = make(data, kind, span, scope, now_ms, person=person, language=language)
    except (NotYours, DiademaError) as error:
        return Shown(refused=str(error))
    return page_of(report)


def page_of(report: Report) -> Shown:
    """Many seats with pending events fold behind how many they are."""
    pending, seats = pending_line(report), ""
    if len(report.cut.pending_stations) > _SEATS:
        pending, _, seats = pending.partition(": ")
    head = render(
        "report_head.html",
        title=report.title,
        span=span_line(report),
        cut=cut_line(report),
        pending=pending,
        seats=seats,
    )
    html = render(
        "report.html",
        most=HEAT[-1],
        most_dark=HEAT_DARK,
        tables=[_table(one, report) for one in report.sections],
        empty=text("reports.empty", report.language),
        missed=text("reports.missed", report.language),
        notes_word=text("reports.notes", report.language),
        report_notes=report.notes,
    )
    return Shown(head, pictures(report), html)


def _table(section: Section, report: Report) -> _Table:
    notes = section.notes
    if len(section.rows) > ROWS:
        rows = grouped(len(section.rows))
        more = text("reports.more_rows", report.language, shown=ROWS, n=rows)
        notes = [more, *notes]
    most = section.largest
    return _Table(
        key=section.key,
        title=section.title,
        count=_count(section, report),
        heads=[_head(column, report) for column in section.columns],
        rows=[_row(section, row, report, most) for row in section.rows[:ROWS]],
        label=section.label or text("reports.total", report.language),
        totals=_totals(section, report),
        notes=notes,
        is_map=section.heat,
    )


def _count(section: Section, report: Report) -> str:
    """How many rows there are, of a table that a window may not show whole."""
    n = len(section.rows)
    return "" if n <= _SHORT else text("reports.rows", report.language, n=grouped(n))


def _head(column: Column, report: Report) -> _Cell:
    goal = ""
    if column.target is not None:
        goal = target(column.target, column.kind)
        goal = text("reports.target", report.language, target=goal)
    return _Cell(column.word, _look(column), goal=goal)


def _row(section: Section, row: list[Cell], report: Report, most: float) -> list[_Cell]:
    """`most`: the largest figure of a map."""
    cells = []
    for place, column in enumerate(section.columns):
        words, missed = cell_of(section, row, place, report)
        look = _look(column) or ("long" if len(words) > _LONG else "")
        dark = shade_of(row[place], most)
        shade = None if dark is None else round(100 * dark)
        cells.append(_Cell(words, look, missed, shade=shade))
    return cells


def _totals(section: Section, report: Report) -> list[_Cell] | None:
    if section.total is None:
        return None
    cells = []
    for place, column in enumerate(section.columns[1:], 1):
        words, missed = cell_of(section, section.total, place, report, written_total)
        cells.append(_Cell(words, _look(column), missed, key=column.key))
    return cells


def _look(column: Column) -> str:
    return "number" if column.kind in NUMBERS else ""
