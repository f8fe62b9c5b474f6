"""A table on paper that goes over as many pages as it needs, its header on each of them.

reportlab's own tables copy all that remains at each page, so that ten thousand rows take minutes.
This one is plain lines of text, and looks at each row once.
"""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

from msgspec import Struct
from reportlab.lib.colors import HexColor
from reportlab.lib.utils import simpleSplit
from reportlab.platypus.flowables import Flowable

INK, SOFT, RULE, HEAD, MISSED = (
    HexColor(one) for one in ("#1c2430", "#5b6675", "#cfd6df", "#eef2f7", "#b3261e")
)
PLAIN, BOLD = "Vera", "VeraBd"
PADDING = 0.5  # of the size of the letters, on both sides of a cell
_MOST_LINES = 12  # of one cell; a row must not be higher than a page
_ABOVE, _BELOW, _LEADING = 2.0, 3.0, 1.25


class Text(Struct):
    """What stands in one cell. `under`: smaller, below it."""

    words: str
    missed: bool = False
    under: str = ""


class Row(Struct):
    """Ready to be drawn: each cell's lines with their letters and colour."""

    cells: list[list[tuple[str, str, Any]]]
    height: float
    bold: bool = False


def row_of(
    texts: Sequence[Text], widths: Sequence[float], size: float, *, bold: bool = False
) -> Row:
    cells: list[list[tuple[str, str, Any]]] = []
    face = BOLD if bold else PLAIN
    for text, width in zip(texts, widths, strict=True):
        room = width - 2 * PADDING * size
        lines = simpleSplit(text.words, face, size, room) if text.words else []
        cell = [(line, face, MISSED if text.missed else INK) for line in _bounded(lines)]
        if text.under:
            cell += [(line, PLAIN, SOFT) for line in simpleSplit(text.under, PLAIN, size, room)]
        cells.append(cell)
    lines = max((len(cell) for cell in cells), default=1) or 1
    return Row(cells, lines * size * _LEADING + _ABOVE + _BELOW, bold)


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
