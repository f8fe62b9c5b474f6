"""For paper: A4, each page with the table's header, its number and the cut-off.

The type face is Bitstream Vera, which reportlab's wheel carries; what it has no letter for is
shown as a box, as a reader expects.

A table on paper that goes over as many pages as it needs, its header on each of them.

reportlab's own tables copy all that remains at each page, so that ten thousand rows take minutes.
This one is plain lines of text, and looks at each row once.
"""

import io
from bisect import bisect_right
from collections.abc import Callable, Sequence
from functools import cache
from itertools import accumulate
from typing import Any
from xml.sax.saxutils import escape

from msgspec import Struct
from reportlab.lib.colors import HexColor, linearlyInterpolatedColor
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.lib.utils import simpleSplit
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Paragraph, SimpleDocTemplate
from reportlab.platypus.flowables import Flowable, KeepTogether

from diadema.base import sanitize
from diadema.report.drawing import caption, shade_of
from diadema.report.formats.pdf_chart import Drawing
from diadema.report.model import Cell, Chart, Column, Report, Section
from diadema.report.palette import HEAT
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

INK, SOFT, RULE, HEAD, MISSED = (
    HexColor(one) for one in ("#1c2430", "#5b6675", "#cfd6df", "#eef2f7", "#b3261e")
)
_HEAT = tuple(map(HexColor, HEAT))
PLAIN, BOLD = "Vera", "VeraBd"
PADDING = 0.5  # of the size of the letters, on both sides of a cell
_MOST_LINES = 12  # of one cell; a row must not be higher than a page
_ABOVE, _BELOW, _LEADING = 2.0, 3.0, 1.25


class Text(Struct):
    """What stands in one cell. `under`: smaller, below it. `shade`: of a map, 0 to 1."""

    words: str
    missed: bool = False
    under: str = ""
    shade: float | None = None


class Row(Struct):
    """Ready to be drawn: each cell's lines with their letters and colour, and its ground."""

    cells: list[list[tuple[str, str, Any]]]
    height: float
    bold: bool = False
    shades: Sequence[float | None] = ()


def row_of(
    texts: Sequence[Text], widths: Sequence[float], size: float, *, bold: bool = False
) -> Row:
    cells: list[list[tuple[str, str, Any]]] = []
    face = BOLD if bold else PLAIN
    for one, width in zip(texts, widths, strict=True):
        room = width - 2 * PADDING * size
        lines = simpleSplit(one.words, face, size, room) if one.words else []
        cell = [(line, face, MISSED if one.missed else INK) for line in _bounded(lines)]
        if one.under:
            cell += [(line, PLAIN, SOFT) for line in simpleSplit(one.under, PLAIN, size, room)]
        cells.append(cell)
    lines = max((len(cell) for cell in cells), default=1) or 1
    height = lines * size * _LEADING + _ABOVE + _BELOW
    return Row(cells, height, bold, [one.shade for one in texts])


def _bounded(lines: list[str]) -> list[str]:
    if len(lines) <= _MOST_LINES:
        return lines
    return [*lines[: _MOST_LINES - 1], f"{lines[_MOST_LINES - 1]} …"]


class Grid(Flowable):  # type: ignore[misc]
    """Rows [start, stop) of all, under the header."""

    def __init__(
        self,
        head: Row,
        rows: Sequence[Row],
        widths: Sequence[float],
        rights: Sequence[bool],
        size: float,
        part: tuple[int, int] | None = None,
        sums: Sequence[float] | None = None,
    ) -> None:
        super().__init__()
        self.hAlign = "LEFT"
        self._head, self._rows, self._widths, self._rights = head, rows, widths, rights
        self._size = size
        self._start, self._stop = part or (0, len(rows))
        self._sums = sums or [0.0, *accumulate(row.height for row in rows)]

    def wrap(self, width: float, height: float) -> tuple[float, float]:
        self.width = sum(self._widths)
        self.height = self._head.height + self._sums[self._stop] - self._sums[self._start]
        return self.width, self.height

    def split(self, width: float, height: float) -> list["Grid"]:
        room = height - self._head.height + self._sums[self._start]
        fits = min(bisect_right(self._sums, room + 1e-6) - 1, self._stop)
        if fits == self._stop - 1 and fits - self._start > 1:
            fits -= 1  # a total does not stand alone
        if fits <= self._start:
            return []
        return [self._part(self._start, fits), self._part(fits, self._stop)]

    def _part(self, start: int, stop: int) -> "Grid":
        return Grid(
            self._head, self._rows, self._widths, self._rights, self._size, (start, stop),
            self._sums,
        )  # fmt: skip

    def draw(self) -> None:
        top = self.height - self._head.height
        self.canv.setFillColor(HEAD)
        self.canv.rect(0, top, self.width, self._head.height, stroke=0, fill=1)
        self._draw(self._head, top)
        for place in range(self._start, self._stop):
            row = self._rows[place]
            top -= row.height
            if row.bold:
                self.canv.setStrokeColor(INK)
                self.canv.setLineWidth(0.9)
                self.canv.line(0, top + row.height, self.width, top + row.height)
            self._draw(row, top)

    def _draw(self, row: Row, bottom: float) -> None:
        size, canvas = self._size, self.canv
        left = 0.0
        for shade, width in zip(row.shades, self._widths, strict=True):
            if shade is not None:
                canvas.setFillColor(linearlyInterpolatedColor(*_HEAT, 0, 1, shade))
                canvas.rect(left, bottom, width, row.height, stroke=0, fill=1)
            left += width
        canvas.setStrokeColor(RULE)
        canvas.setLineWidth(0.4)
        canvas.line(0, bottom, self.width, bottom)
        left = 0.0
        for cell, width, right in zip(row.cells, self._widths, self._rights, strict=True):
            base = bottom + row.height - _ABOVE - size
            for line, face, color in cell:
                canvas.setFont(face, size)
                canvas.setFillColor(color)
                if right:
                    canvas.drawRightString(left + width - PADDING * size, base, line)
                else:
                    canvas.drawString(left + PADDING * size, base, line)
                base -= size * _LEADING
            left += width


_MARGIN = 14 * mm
_WIDE = 8  # columns, from which on the page lies on its side
_SHORT = 12  # rows that are not parted
_SIZES = (8.0, 7.5, 7.0, 6.5, 6.0, 5.5, 5.0, 4.5)
_WORD = 30 * mm  # a longer word may be parted
_MEASURED = 40  # cells of a column, the longest ones


@cache
def _fonts() -> frozenset[int]:
    """Register them; gives what they have letters for."""
    for name in (PLAIN, BOLD):
        pdfmetrics.registerFont(TTFont(name, f"{name}.ttf"))
    return frozenset(pdfmetrics.getFont(PLAIN).face.charToGlyph)


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
        story += [_line(note, 7.5, color=SOFT) for note in report.notes]
    document.build(story, canvasmaker=_numbered(report))
    return held.getvalue()


def _top(report: Report) -> list[Flowable]:
    lines = [
        _line(report.title, 16, bold=True),
        _line(f"{report.site} · {span_line(report)}", 9.5),
        _line(cut_line(report), 8, color=SOFT),
    ]
    owing = pending_line(report)
    if owing:
        lines.append(_line(owing, 8, bold=True, color=MISSED))
    return lines


def _section(section: Section, report: Report, width: float) -> list[Flowable]:
    title = _line(section.title, 11, bold=True, above=12, below=3)
    notes = [_line(note, 7, color=SOFT) for note in section.notes]
    if not section.rows:
        empty = _line(text("reports.empty", report.language), 8.5, color=SOFT)
        return [KeepTogether([title, empty, *notes])]
    table = _table(section, report, width)
    charts = [_chart(one, section, report, width) for one in section.drawn()]
    if charts:
        return [KeepTogether([title, *charts[0]]), *map(KeepTogether, charts[1:]), table, *notes]
    if len(section.rows) <= _SHORT:
        return [KeepTogether([title, table, *notes])]
    title.keepWithNext = True
    return [title, table, *notes]


def _chart(chart: Chart, section: Section, report: Report, width: float) -> list[Flowable]:
    lines: list[Flowable] = [_line(chart.title, 9, bold=True, above=4)]
    if said := caption(chart, report.language):
        lines.append(_line(said, 7.5, color=SOFT))
    return [*lines, Drawing(section, chart, report, width, PLAIN, _shown)]


def _table(section: Section, report: Report, width: float) -> Grid:
    columns = section.columns
    most = section.largest
    lines = [_texts(section, row, report, written, most) for row in section.rows]
    if section.total is not None:
        total = _texts(section, section.total, report, written_total)
        total[0] = Text(_shown(section.label or text("reports.total", report.language)))
        lines.append(total)
    heads = [_head_text(column, report) for column in columns]
    size, widths = _fitting([column.kind == "text" for column in columns], heads, lines, width)
    rows = [row_of(line, widths, size) for line in lines]
    if section.total is not None:
        rows[-1] = row_of(lines[-1], widths, size, bold=True)
    rights = [column.kind in NUMBERS for column in columns]
    return Grid(row_of(heads, widths, size, bold=True), rows, widths, rights, size)


def _head_text(column: Column, report: Report) -> Text:
    if column.target is None:
        return Text(_shown(column.word))
    goal = target(column.target, column.kind)
    return Text(_shown(column.word), under=text("reports.target", report.language, target=goal))


def _texts(
    section: Section,
    row: list[Cell],
    report: Report,
    say: Callable[[Column, Cell, Report], str],
    most: float = 0,
) -> list[Text]:
    """`most`: the largest figure of a map."""
    return [
        Text(_shown(words), missed, shade=shade_of(cell, most))
        for cell, (words, missed) in zip(
            row,
            (shown(section, row, place, report, say) for place in range(len(section.columns))),
            strict=True,
        )
    ]


def _fitting(
    flows: list[bool], heads: list[Text], lines: list[list[Text]], width: float
) -> tuple[float, list[float]]:
    """The largest letters at which no word and no figure is parted, and the columns' widths;
    `flows`: which ones may go over lines.
    """
    columns = [_longest([line[place].words for line in lines]) for place in range(len(heads))]
    for size in _SIZES:
        each = [
            _widths(flow, head, words, size)
            for flow, head, words in zip(flows, heads, columns, strict=True)
        ]
        if sum(low for _, low in each) <= width:
            break
    wanted = [one for one, _ in each]
    excess = sum(wanted) - width
    if excess <= 0:
        return size, wanted
    spare = sum(one - low for one, low in each)
    part = min(1.0, excess / spare) if spare else 0.0
    wanted = [one - part * (one - low) for one, low in each]
    scale = min(1.0, width / sum(wanted))
    return size, [one * scale for one in wanted]


def _longest(words: list[str]) -> list[str]:
    """Those that can be the widest."""
    return sorted(set(words), key=len)[-_MEASURED:]


def _widths(flow: bool, head: Text, cells: list[str], size: float) -> tuple[float, float]:
    """What a column would like, and what it cannot do without."""
    longest = max((_long(cell, size) for cell in cells), default=0.0)
    words = [*head.words.split(" "), *head.under.split(" ")]
    if flow:
        words += [word for cell in cells for word in cell.split(" ")]
    word = max(min(_long(one, size), _WORD) for one in words)
    edges = 2 * PADDING * size + 1
    return max(longest, word) + edges, (word if flow else max(longest, word)) + edges


def _long(words: str, size: float) -> float:
    return float(pdfmetrics.stringWidth(words, BOLD, size))


def _line(
    words: str, size: float, *, bold: bool = False, color: Any = INK, above: float = 0,
    below: float = 1,
) -> Paragraph:  # fmt: skip
    style = ParagraphStyle(
        "line",
        fontName=BOLD if bold else PLAIN,
        fontSize=size,
        leading=size * 1.25,
        textColor=color,
        spaceBefore=above,
        spaceAfter=below,
        splitLongWords=1,
    )
    return Paragraph(escape(_shown(words)), style)


def _shown(words: str) -> str:
    """A letter that the type face lacks is a box."""
    known = _fonts()
    shown = sanitize.visible(words)
    if shown.isascii():
        return shown
    return "".join(one if ord(one) in known else "¤" for one in shown)


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
            self.setStrokeColor(RULE)
            self.line(_MARGIN, _MARGIN + 3 * mm, width - _MARGIN, _MARGIN + 3 * mm)
            self.setFont(PLAIN, 7)
            self.setFillColor(SOFT)
            self.drawString(_MARGIN, _MARGIN - 1 * mm, f"Diadema · {cut}")
            page = text("reports.page", language, number=number, of=of)
            self.drawRightString(width - _MARGIN, _MARGIN - 1 * mm, page)

    return Numbered
