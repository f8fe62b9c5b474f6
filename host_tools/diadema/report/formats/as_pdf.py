"""For paper: A4, each page with the table's header, its number and the cut-off.

The type face is Bitstream Vera, which reportlab's wheel carries; what it has no letter for is
shown as a box, as a reader expects.
"""

import io
from functools import cache
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_LEFT, TA_RIGHT
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import LongTable, Paragraph, SimpleDocTemplate
from reportlab.platypus.flowables import Flowable, KeepTogether

from diadema import harmless
from diadema.report.model import Cell, Column, Report, Section
from diadema.report.writing import (
    NUMBERS,
    cut_line,
    is_missed,
    owing_line,
    span_line,
    target,
    written,
    written_total,
)
from diadema.words import text

_PLAIN, _BOLD, _ITALIC = "Vera", "VeraBd", "VeraIt"
_INK, _SOFT, _LINE, _HEAD, _MISSED = (
    HexColor(one) for one in ("#1c2430", "#5b6675", "#cfd6df", "#eef2f7", "#b3261e")
)
_MARGIN = 14 * mm
_WIDE = 8  # columns, from which on the page lies on its side
_SHORT = 12  # rows that are not parted
_SIZES = (8.0, 7.5, 7.0, 6.5, 6.0, 5.5, 5.0)
_WORD = 30 * mm  # a longer word may be parted


@cache
def _fonts() -> frozenset[int]:
    """Register them; gives what they have letters for."""
    for name in (_PLAIN, _BOLD, _ITALIC):
        pdfmetrics.registerFont(TTFont(name, f"{name}.ttf"))
    return frozenset(pdfmetrics.getFont(_PLAIN).face.charToGlyph)


def content(report: Report) -> bytes:
    _fonts()
    held = io.BytesIO()
    wide = any(len(section.columns) > _WIDE for section in report.sections)
    page = landscape(A4) if wide else A4
    document = SimpleDocTemplate(
        held,
        pagesize=page,
        leftMargin=_MARGIN,
        rightMargin=_MARGIN,
        topMargin=_MARGIN,
        bottomMargin=_MARGIN + 8 * mm,
        title=report.title,
        author=report.site,
        invariant=1,
        lang=report.language,
    )
    width = page[0] - 2 * _MARGIN
    story: list[Flowable] = list(_top(report))
    for section in report.sections:
        story += _section(section, report, width)
    if report.notes:
        story.append(_line(text("reports.notes", report.language), 10, bold=True, above=12))
        story += [_line(note, 7.5, color=_SOFT) for note in report.notes]
    document.build(story, canvasmaker=_numbered(report))
    return held.getvalue()


def _top(report: Report) -> list[Flowable]:
    lines = [
        _line(report.title, 16, bold=True),
        _line(f"{report.site} · {span_line(report)}", 9.5),
        _line(cut_line(report), 8, color=_SOFT),
    ]
    owing = owing_line(report)
    if owing:
        lines.append(_line(owing, 8, bold=True, color=_MISSED))
    return lines


def _section(section: Section, report: Report, width: float) -> list[Flowable]:
    title = _line(section.title, 11, bold=True, above=12, below=3)
    notes = [_line(note, 7, color=_SOFT) for note in section.notes]
    if not section.rows:
        empty = _line(text("reports.empty", report.language), 8.5, color=_SOFT)
        return [KeepTogether([title, empty, *notes])]
    table = _table(section, report, width)
    if len(section.rows) <= _SHORT:
        return [KeepTogether([title, table, *notes])]
    title.keepWithNext = True
    return [title, table, *notes]


def _table(section: Section, report: Report, width: float) -> LongTable:
    size, widths = _fitting(section, report, width)
    rights = [column.kind in NUMBERS for column in section.columns]
    heads = []
    for column, right in zip(section.columns, rights, strict=True):
        words = _markup(column.word)
        if column.target is not None:
            goal = target(column.target, column.kind, report.language)
            goal = text("reports.target", report.language, target=goal)
            words += f'<br/><font name="{_PLAIN}" color="#5b6675">{_markup(goal)}</font>'
        heads.append(Paragraph(words, _style(size - 0.5, bold=True, right=right)))
    rows: list[list[Any]] = [heads]
    rows += [_cells(section, row, report, size, rights) for row in section.rows]
    style: list[tuple[Any, ...]] = [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("BACKGROUND", (0, 0), (-1, 0), _HEAD),
        ("LINEBELOW", (0, 0), (-1, -1), 0.4, _LINE),
        ("LEFTPADDING", (0, 0), (-1, -1), 4),
        ("RIGHTPADDING", (0, 0), (-1, -1), 4),
        ("TOPPADDING", (0, 0), (-1, -1), 2),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2.5),
    ]
    if section.total is not None:
        cells = _cells(section, section.total, report, size, rights, bold=True)
        label = section.label or text("reports.total", report.language)
        cells[0] = Paragraph(_markup(label), _style(size, bold=True))
        rows.append(cells)
        style.append(("LINEABOVE", (0, -1), (-1, -1), 0.9, _INK))
    return LongTable(rows, colWidths=widths, repeatRows=1, style=style, hAlign="LEFT")


def _cells(
    section: Section,
    row: list[Cell],
    report: Report,
    size: float,
    rights: list[bool],
    *,
    bold: bool = False,
) -> list[Any]:
    cells = []
    say = written_total if bold else written
    for column, cell, right in zip(section.columns, row, rights, strict=True):
        color = _MISSED if is_missed(column, cell) else _INK
        style = _style(size, bold=bold, right=right, color=color)
        cells.append(Paragraph(_markup(say(column, cell, report)), style))
    return cells


def _fitting(section: Section, report: Report, width: float) -> tuple[float, list[float]]:
    """The largest letters at which no word and no figure is parted, and the columns' widths."""
    for size in _SIZES:
        wanted, least = _widths(section, report, size)
        if sum(least) <= width:
            break
    excess = sum(wanted) - width
    if excess <= 0:
        return size, wanted
    spare = sum(wanted) - sum(least)
    part = min(1.0, excess / spare) if spare else 0.0
    wanted = [one - part * (one - low) for one, low in zip(wanted, least, strict=True)]
    scale = min(1.0, width / sum(wanted))
    return size, [one * scale for one in wanted]


def _widths(section: Section, report: Report, size: float) -> tuple[list[float], list[float]]:
    """What each column would like, and what it cannot do without: text can go over lines."""
    wanted: list[float] = []
    least: list[float] = []
    for place, column in enumerate(section.columns):
        cells = [written(column, row[place], report) for row in section.rows[:400]]
        if section.total is not None:
            cells.append(written_total(column, section.total[place], report))
        if place == 0:
            cells.append(section.label or text("reports.total", report.language))
        longest = max((_long(cell, size) for cell in cells), default=0.0)
        words = [*_head(column, report).split(" "), ""]
        if column.kind == "text":
            words += [word for cell in cells for word in cell.split(" ")]
        word = max(min(_long(part, size), _WORD) for part in words)
        wanted.append(max(longest, word) + 9)
        least.append((word if column.kind == "text" else max(longest, word)) + 9)
    return wanted, least


def _head(column: Column, report: Report) -> str:
    if column.target is None:
        return column.word
    return f"{column.word} {target(column.target, column.kind, report.language)}"


def _long(words: str, size: float) -> float:
    return float(pdfmetrics.stringWidth(words, _BOLD, size))


@cache
def _style(
    size: float, *, bold: bool = False, right: bool = False, color: Any = _INK
) -> ParagraphStyle:
    return ParagraphStyle(
        "cell",
        fontName=_BOLD if bold else _PLAIN,
        fontSize=size,
        leading=size * 1.25,
        textColor=color,
        alignment=TA_RIGHT if right else TA_LEFT,
        splitLongWords=1,
    )


def _line(
    words: str, size: float, *, bold: bool = False, color: Any = _INK, above: float = 0,
    below: float = 1,
) -> Paragraph:  # fmt: skip
    style = ParagraphStyle(
        "line", parent=_style(size, bold=bold, color=color), spaceBefore=above, spaceAfter=below
    )
    return Paragraph(_markup(words), style)


def _markup(words: str) -> str:
    """As reportlab's markup takes text; a letter that the type face lacks is a box."""
    known = _fonts()
    shown = harmless.visible(words)
    return escape("".join(one if ord(one) in known else "¤" for one in shown))


def _numbered(report: Report) -> type[Canvas]:
    """Pages that know how many there are, each with the cut-off."""
    cut, language = cut_line(report), report.language

    class Numbered(Canvas):  # type: ignore[misc]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self._pages: list[dict[str, Any]] = []

        def showPage(self) -> None:  # reportlab's name
            self._pages.append(dict(self.__dict__))
            self._startPage()

        def save(self) -> None:
            for number, page in enumerate(self._pages, 1):
                self.__dict__.update(page)
                self._foot(number, len(self._pages))
                super().showPage()
            super().save()

        def _foot(self, number: int, of: int) -> None:
            width = self._pagesize[0]
            self.setStrokeColor(_LINE)
            self.line(_MARGIN, _MARGIN + 3 * mm, width - _MARGIN, _MARGIN + 3 * mm)
            self.setFont(_PLAIN, 7)
            self.setFillColor(_SOFT)
            self.drawString(_MARGIN, _MARGIN - 1 * mm, f"Diadema · {cut}")
            page = text("reports.page", language, number=number, of=of)
            self.drawRightString(width - _MARGIN, _MARGIN - 1 * mm, page)

    return Numbered
