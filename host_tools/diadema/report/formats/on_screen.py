"""On the terminal."""

from collections.abc import Callable

from rich.console import Console
from rich.table import Table
from rich.text import Text

from diadema.report.model import Cell, Column, Report, Section
from diadema.report.writing import (
    NUMBERS,
    cut_line,
    pending_line,
    shown,
    span_line,
    target,
    written,
    written_total,
)
from diadema.words import text


def show(console: Console, report: Report) -> None:
    """All of it. Names go out as text: nothing in them is markup or moves the cursor."""
    console.print(Text(report.title, style="bold"))
    console.print(Text(span_line(report)))
    for section in report.sections:
        console.print()
        console.print(_table(section, report))
        for note in section.notes:
            console.print(Text(note, style="dim"))
    console.print()
    for note in report.notes:
        console.print(Text(note, style="dim"))
    for line in (pending_line(report), cut_line(report)):
        if line:
            console.print(Text(line))


def _table(section: Section, report: Report) -> Table:
    table = Table(title=Text(section.title), title_justify="left", header_style="bold")
    for column in section.columns:
        head = Text(column.word)
        if column.target is not None:
            goal = target(column.target, column.kind)
            head.append(f"\n{text('reports.target', report.language, target=goal)}", "not bold")
        table.add_column(head, justify="right" if column.kind in NUMBERS else "left")
    for row in section.rows:
        table.add_row(*_texts(section, row, report))
    if not section.rows:
        table.add_row(Text(text("reports.empty", report.language), style="dim"))
    if section.total is not None and section.rows:
        others = _texts(section, section.total, report, written_total)[1:]
        label = section.label or text("reports.total", report.language)
        table.add_section()
        table.add_row(Text(label), *others, style="bold")
    return table


def _texts(
    section: Section,
    row: list[Cell],
    report: Report,
    say: Callable[[Column, Cell, Report], str] = written,
) -> list[Text]:
    return [
        Text(words, style="red" if missed else "")
        for words, missed in (
            shown(section, row, place, report, say) for place in range(len(section.columns))
        )
    ]
