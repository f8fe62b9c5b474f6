"""For spreadsheets that take no XLSX, and for imports: UTF-8 with a BOM, by which Excel
knows it, semicolon-separated; numbers with a decimal point and their thousands not
apart, as JSON has them and as Excel in es-PE reads them.

A duration is always `h:mm:ss`: of `5:12` Excel makes five hours. Text is guarded against formulas.
"""

import csv
import io
from typing import TYPE_CHECKING

from diadema.base import sanitize
from diadema.report.model import Cell, Column, Figure, Report, Section, kind_of, plain
from diadema.report.writing import cut_line, pending_line, span_line
from diadema.words import text
from diadema.words.formatting import local_time, long_clock

if TYPE_CHECKING:
    import _csv

DELIMITER = ";"


def content(report: Report, section: str | None = None) -> bytes:
    """All tables below each other with what is said of them, or one alone: a line of names, its
    rows and its total.
    """
    written = io.StringIO()
    writer = csv.writer(written, delimiter=DELIMITER, lineterminator="\r\n")
    if section is not None:
        _table(writer, report.section(section), report)
    else:
        about = (report.title, report.site, span_line(report), cut_line(report))
        for line in (*about, pending_line(report)):
            if line:
                writer.writerow([sanitize.cell(line)])
        for one in report.sections:
            writer.writerow([])
            writer.writerow([sanitize.cell(one.title)])
            _table(writer, one, report)
            for note in one.notes:
                writer.writerow([sanitize.cell(note)])
        writer.writerow([])
        for note in report.notes:
            writer.writerow([sanitize.cell(note)])
    return b"\xef\xbb\xbf" + written.getvalue().encode("utf-8", "replace")


def _table(writer: "_csv.Writer", section: Section, report: Report) -> None:
    writer.writerow([word for column in section.columns for word in _heads(column, report)])
    for row in section.rows:
        writer.writerow(_fields(section.columns, row, report))
    if section.total is not None:
        first = sanitize.cell(section.label or text("reports.total", report.language))
        writer.writerow([first, *_fields(section.columns, section.total, report)[1:]])


def _heads(column: Column, report: Report) -> list[str]:
    """An interval's bounds, and of how many it is, are numbers in columns of their own."""
    words = [sanitize.cell(column.word)]
    if column.interval:
        parts = ("low", "high", "n", "of")[: 4 if column.sampled else 3]
        words += [text(f"reports.interval.{part}", report.language) for part in parts]
    return words


def _fields(columns: list[Column], row: list[Cell], report: Report) -> list[str]:
    found: list[str] = []
    for column, cell in zip(columns, row, strict=True):
        found.append(_field(column, cell, report.zone))
        if column.interval:
            within = cell.within if isinstance(cell, Figure) else None
            its = (within.low, within.high, within.n, within.of) if within else (None,) * 4
            found += ["" if one is None else str(one) for one in its[: 4 if column.sampled else 3]]
    return found


def _field(column: Column, cell: Cell, zone: str) -> str:
    value = plain(cell)
    if value is None:
        return ""
    match kind_of(column, cell):
        case "seconds":
            return long_clock(int(value), "-")
        case "percent" | "score":
            return f"{value:.1f}"
        case "coefficient":
            return f"{value:.2f}"
        case "count":
            return str(value)
        case "moment" | "hour" | "minute" as kind:
            return local_time(int(value), zone, kind)
        case _:
            return sanitize.cell(str(value))
