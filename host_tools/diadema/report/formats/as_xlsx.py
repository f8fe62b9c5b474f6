"""For Excel and LibreOffice: the charts, a sheet a table, real numbers, durations and hours,
totals that are formulas (they follow the filter) with the right value stored in them, and a sheet
of notes.

Text is written as text: nothing that somebody typed becomes a formula or a link.
"""

import io
import re
from datetime import date, datetime
from typing import Any

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.utility import xl_rowcol_to_cell
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from diadema.base import sanitize
from diadema.report.formats.xlsx_charts import draw
from diadema.report.model import Cell, Column, Kind, Ratio, Report, Section, kind_of, plain
from diadema.report.palette import HEAT
from diadema.report.writing import (
    NUMBERS,
    SIGN,
    cut_line,
    interval,
    is_missed,
    local,
    pending_line,
    span_line,
    target,
    written,
)
from diadema.words import text
from diadema.words.formatting import long_clock

_DAY_S = 86_400
_FORMS: dict[Kind, str] = {
    "text": "@",
    "count": "#,##0",
    "seconds": "[h]:mm:ss",
    "percent": "0.0%",
    "score": "0.0",
    "coefficient": "0.00",
    "day": "yyyy-mm-dd",
    "moment": "yyyy-mm-dd hh:mm:ss",
    "hour": "hh:mm:ss",
    "minute": "hh:mm",
    "figure": "General",
}
_SERIES = 109  # SUBTOTAL's sum of what a filter shows
_COUNTED = 102  # how many numbers it shows


def content(report: Report) -> bytes:
    held = io.BytesIO()
    book = xlsxwriter.Workbook(
        held,
        {
            "in_memory": True,
            "strings_to_formulas": False,
            "strings_to_numbers": False,
            "strings_to_urls": False,
        },
    )
    made = local(report.cut.at_ms, report.zone).replace(tzinfo=None)
    book.set_properties(
        {"title": report.title, "created": made, "comments": cut_line(report)}
    )  # not the time of writing: the same report is the same file
    styles = _Styles(book)
    first, *names = _sheet_names(
        [_say(report, "charts"), *(one.title for one in report.sections), _say(report, "notes")]
    )
    drawn = [one for one in zip(report.sections, names, strict=False) if one[0].drawn()]
    charts = book.add_worksheet(first) if drawn else None
    heads: dict[str, int] = {}
    for section, name in zip(report.sections, names, strict=False):
        heads[name] = _section(book.add_worksheet(name), section, report, styles)
    if charts is not None:
        line = _above(charts, _say(report, "charts"), report, styles)
        draw(book, charts, report, [(one, name, heads[name]) for one, name in drawn], line)
    _notes(book.add_worksheet(names[-1]), report, styles)
    book.close()
    return held.getvalue()


class _Styles:
    """Each look is made once."""

    def __init__(self, book: Workbook) -> None:
        self._book = book
        self._made: dict[tuple[tuple[str, Any], ...], Format] = {}

    def of(self, **look: Any) -> Format:
        key = tuple(sorted(look.items()))
        if key not in self._made:
            self._made[key] = self._book.add_format(look)
        return self._made[key]

    def cell(
        self, kind: Kind, *, missed: bool = False, total: bool = False, interval: str = ""
    ) -> Format:
        """`interval`: what stands behind the number."""
        look: dict[str, Any] = {"num_format": _FORMS[kind], "valign": "top"}
        if interval:
            look["num_format"] += f'"{interval}"'
        if missed:
            look["num_format"] += f'" {SIGN}"'
            look["font_color"] = "#B3261E"
        if total:
            look |= {"bold": True, "top": 1}
        return self.of(**look)


def _section(sheet: Worksheet, section: Section, report: Report, styles: _Styles) -> int:
    """Gives the row of its header."""
    head = _above(sheet, section.title, report, styles)
    for place, column in enumerate(section.columns):
        word = column.word
        if column.target is not None:
            goal = target(column.target, column.kind, long_clock)
            word = f"{word}\n{_say(report, 'target', target=goal)}"
        align = "right" if column.kind in NUMBERS else "left"
        style = styles.of(bold=True, bottom=1, text_wrap=True, align=align, valign="top")
        sheet.write_string(head, place, sanitize.visible(word, lines=True), style)
        sheet.set_column(place, place, _width(section, place, report))
    for line, row in enumerate(section.rows, head + 1):
        for place, (column, cell) in enumerate(zip(section.columns, row, strict=True)):
            missed = is_missed(section, row, place)
            behind = interval(cell, report.language)
            style = styles.cell(kind_of(column, cell), missed=missed, interval=behind)
            _write(sheet, (line, place), column, cell, style, report.zone)
    sheet.freeze_panes(head + 1, 1)
    last = head + len(section.rows)
    if section.rows:
        sheet.autofilter(head, 0, last, len(section.columns) - 1)
        if section.total is not None:
            _total(sheet, section, (head + 1, last), report, styles)
    else:
        sheet.write_string(head + 1, 0, _say(report, "empty"))
    for line, note in enumerate(section.notes, last + 3):
        sheet.write_string(line, 0, sanitize.visible(note), styles.of(italic=True))
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(head)
    sheet.set_footer(f"&L{cut_line(report).replace('&', '&&')[:200]}&R&P / &N")
    if section.heat and section.rows:
        low, high = HEAT
        look = {"type": "2_color_scale", "min_color": low, "max_color": high}
        sheet.conditional_format(head + 1, 1, last, len(section.columns) - 1, look)
    return head


def _above(sheet: Worksheet, title: str, report: Report, styles: _Styles) -> int:
    """What stands over the table; gives the row of its header."""
    about = [f"{report.title} · {title}", f"{report.site} · {span_line(report)}", cut_line(report)]
    lines = [*about, pending_line(report)] if report.cut.pending_stations else about
    for row, line in enumerate(lines):
        style = styles.of(bold=True, font_size=13) if row == 0 else styles.of()
        sheet.write_string(row, 0, sanitize.visible(line), style)
    return len(lines) + 1


def _write(
    sheet: Worksheet, at: tuple[int, int], column: Column, cell: Cell, style: Format, zone: str
) -> None:
    value = plain(cell)
    if value is None:
        sheet.write_blank(*at, None, style)
        return
    match kind_of(column, cell):
        case "seconds":
            sheet.write_number(*at, int(value) / _DAY_S, style)
        case "percent":
            sheet.write_number(*at, _share(float(value)), style)
        case "count":
            sheet.write_number(*at, int(value), style)
        case "score" | "coefficient":
            sheet.write_number(*at, float(value), style)
        case "moment" | "hour" | "minute":
            sheet.write_datetime(*at, local(int(value), zone).replace(tzinfo=None), style)
        case "day":
            day = date.fromisoformat(str(value))
            sheet.write_datetime(*at, datetime(day.year, day.month, day.day), style)
        case _:
            sheet.write_string(*at, sanitize.visible(str(value), lines=True), style)


def _total(
    sheet: Worksheet, section: Section, rows: tuple[int, int], report: Report, styles: _Styles
) -> None:
    assert section.total is not None
    line = rows[1] + 1
    here = {column.key: place for place, column in enumerate(section.columns)}
    label = section.label or _say(report, "total")
    sheet.write_string(line, 0, label, styles.cell("text", total=True))
    for place, (column, cell) in enumerate(zip(section.columns, section.total, strict=True)):
        if place == 0:
            continue
        kind = kind_of(column, cell)
        missed = is_missed(section, section.total, place)
        behind = interval(cell, report.language)
        style = styles.cell(kind, missed=missed, total=True, interval=behind)
        if column.total == "sum":
            span = f"{xl_rowcol_to_cell(rows[0], place)}:{xl_rowcol_to_cell(rows[1], place)}"
            formula = f"SUBTOTAL({_SERIES},{span})"
            if any(plain(row[place]) is None for row in section.rows):  # nothing known, no 0
                formula = f'IF(SUBTOTAL({_COUNTED},{span})=0,"",{formula})'
            formula = f"={formula}"
        elif isinstance(column.total, Ratio):
            formula = _ratio(section, column.total, column.kind, line, here)
        else:
            _write(sheet, (line, place), column, cell, style, report.zone)
            continue
        sheet.write_formula(line, place, formula, style, _stored(kind, plain(cell)))


def _ratio(section: Section, ratio: Ratio, kind: Kind, line: int, here: dict[str, int]) -> str:
    """In whole seconds, so that a half is one and is rounded up as everywhere."""

    def term(name: str) -> str:
        sign, key = ("-", name[1:]) if name.startswith("-") else ("+", name)
        cell = f"N({xl_rowcol_to_cell(line, here[key])})"
        whole = f"ROUND({cell}*{_DAY_S},0)" if _kind(section, here[key]) == "seconds" else cell
        return f"{sign}{whole}"

    over, by = ("".join(map(term, names)).removeprefix("+") for names in (ratio.over, ratio.by))
    if kind == "percent":
        return f'=IF(({by})=0,"",ROUND(1000*({over})/({by}),0)/1000)'
    scale = f"/{_DAY_S}" if kind == "seconds" else ""
    return f'=IF(({by})=0,"",ROUND(({over})/({by}),0){scale})'


def _kind(section: Section, place: int) -> Kind:
    return section.columns[place].kind


def _stored(kind: Kind, value: str | int | float | None) -> str | int | float:
    if value is None:
        return ""
    if kind == "seconds":
        return int(value) / _DAY_S
    return _share(float(value)) if kind == "percent" else value


def _share(percent: float) -> float:
    """52.1 as 0.521, the number nearest to it."""
    return round(percent * 10) / 1000


def _notes(sheet: Worksheet, report: Report, styles: _Styles) -> None:
    line = _above(sheet, _say(report, "notes"), report, styles)
    sheet.set_column(0, 0, 110)
    wrapped = styles.of(text_wrap=True, valign="top")
    for note in report.notes:
        sheet.write_string(line, 0, sanitize.visible(note), wrapped)
        line += 1
    for section in report.sections:
        if section.notes:
            sheet.write_string(line + 1, 0, sanitize.visible(section.title), styles.of(bold=True))
            line += 2
            for note in section.notes:
                sheet.write_string(line, 0, sanitize.visible(note), wrapped)
                line += 1


def _width(section: Section, place: int, report: Report) -> float:
    column = section.columns[place]
    cells = [row[place] for row in section.rows[:500]]
    if section.total is not None:
        cells.append(section.total[place])
    longest = max((len(written(column, cell, report)) for cell in cells), default=0)
    words = max(len(word) for word in [*column.word.split(), ""])
    return min(60, max(longest + 2, words + 3, 9))


def _sheet_names(titles: list[str]) -> list[str]:
    """As Excel takes them: 31 characters, some never, each once."""
    names: list[str] = []
    for title in titles:
        base = re.sub(r"[\[\]:*?/\\']", " ", sanitize.stripped(title)).strip()[:31] or "·"
        name, number = base, 2
        while name.casefold() in {one.casefold() for one in names}:
            name, number = f"{base[:27]} {number}", number + 1
        names.append(name)
    return names


def _say(report: Report, name: str, **values: object) -> str:
    return text(f"reports.{name}", report.language, **values)
