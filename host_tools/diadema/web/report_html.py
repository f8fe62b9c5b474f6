"""A report as a page shows it: plain tables, made where the report is (the worker), so that the
web's own process only passes them on.
"""

from html import escape

from msgspec import Struct

from diadema.access.roles import Person
from diadema.base.errors import DiademaError
from diadema.base.paths import DataDir
from diadema.report.asked import NotYours
from diadema.report.make import make
from diadema.report.model import Cell, Report, Scope, Section
from diadema.report.period import Period
from diadema.report.writing import (
    NUMBERS,
    cut_line,
    owing_line,
    span_line,
    target,
    written_total,
)
from diadema.report.writing import shown as cell_of
from diadema.words import text

ROWS = 300  # of one table; the files have all
_SEATS = 12  # that owe events and stand in one line
_LONG = 36  # characters that stand in one line


class Shown(Struct):
    """`refused`: why there is nothing."""

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
    return Shown(html=page_of(report))


def page_of(report: Report) -> str:
    """Everything that somebody typed is text in it."""
    owing = owing_line(report)
    notes = "".join(f"<p>{escape(note)}</p>" for note in report.notes)
    summary = escape(text("reports.notes", report.language))
    return (
        f"<h3>{escape(report.title)}</h3>"
        f'<p class="status">{escape(span_line(report))}</p>'
        f'<p class="status" data-cut>{escape(cut_line(report))}</p>'
        + _owing(owing, len(report.cut.owing))
        + "".join(_section(one, report) for one in report.sections)
        + f'<details class="report-notes"><summary>{summary}</summary>{notes}</details>'
    )


def _owing(line: str, n: int) -> str:
    """Few seats in a line; many fold away behind how many they are and since when."""
    if n <= _SEATS:
        return f'<p class="owing" data-owing>{escape(line)}</p>' if line else ""
    head, _, seats = line.partition(": ")
    return (
        f'<details class="owing" data-owing><summary>{escape(head)}</summary>'
        f"<p>{escape(seats)}</p></details>"
    )


def _section(section: Section, report: Report) -> str:
    title = f'<h4 id="t-{escape(section.key)}">{escape(section.title)}</h4>'
    notes = "".join(f'<p class="note">{escape(note)}</p>' for note in section.notes)
    if not section.rows:
        empty = escape(text("reports.empty", report.language))
        return f'<section>{title}<p class="empty">{empty}</p>{notes}</section>'
    more = ""
    if len(section.rows) > ROWS:
        said = text("reports.more_rows", report.language, shown=ROWS, n=len(section.rows))
        more = f'<p class="note">{escape(said)}</p>'
    rows = "".join(_row(section, row, report) for row in section.rows[:ROWS])
    return (
        f'<section aria-labelledby="t-{escape(section.key)}">{title}'
        f'<div class="report-scroll" tabindex="0" role="group"'
        f' aria-labelledby="t-{escape(section.key)}">'
        f'<table data-section="{escape(section.key)}"><thead><tr>{_heads(section, report)}</tr>'
        f"</thead><tbody>{rows}</tbody>{_foot(section, report)}</table></div>"
        f"{more}{notes}</section>"
    )


def _heads(section: Section, report: Report) -> str:
    heads = []
    for column in section.columns:
        word = escape(column.word)
        if column.target is not None:
            goal = target(column.target, column.kind, report.language)
            goal = text("reports.target", report.language, target=goal)
            word += f' <span class="goal">{escape(goal)}</span>'
        side = ' class="number"' if column.kind in NUMBERS else ""
        heads.append(f'<th scope="col"{side}>{word}</th>')
    return "".join(heads)


def _row(section: Section, row: list[Cell], report: Report) -> str:
    cells = []
    missed_word = escape(text("reports.missed", report.language))
    for place, column in enumerate(section.columns):
        number = column.kind in NUMBERS
        words, missed = cell_of(section, row, place, report)
        look = "number" if number else "long" if len(words) > _LONG else ""
        side = f' class="{look}"' if look else ""
        mark = f' data-missed title="{missed_word}"' if missed else ""
        cells.append(f"<td{side}{mark}>{escape(words)}</td>")
    return f"<tr>{''.join(cells)}</tr>"


def _foot(section: Section, report: Report) -> str:
    if section.total is None:
        return ""
    label = section.label or text("reports.total", report.language)
    cells = [f'<th scope="row">{escape(label)}</th>']
    for place, column in enumerate(section.columns[1:], 1):
        side = ' class="number"' if column.kind in NUMBERS else ""
        words, missed = cell_of(section, section.total, place, report, written_total)
        mark = " data-missed" if missed else ""
        cells.append(f'<td{side}{mark} data-total="{escape(column.key)}">{escape(words)}</td>')
    return f"<tfoot><tr>{''.join(cells)}</tr></tfoot>"
