"""A chart on paper: bars, lines and what is aimed at, with their axes and a legend. Beside its
colour each run of bars has a hatching, each line a mark and a dash of its own.
"""

from collections.abc import Callable, Sequence
from typing import Any

from reportlab.lib.colors import HexColor
from reportlab.lib.units import mm
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.platypus.flowables import Flowable

from diadema.report.drawing import Aim, Axis, aims, axes
from diadema.report.model import Chart, Column, Report, Section
from diadema.report.palette import INK, LIGHT
from diadema.report.writing import written

_HEIGHT = 62 * mm
_SIZE = 6.5  # of its letters
_SIDE, _LEGEND, _FOOT = 36.0, 14.0, 22.0
_LINE, _SAMPLE = 10.0, 18.0  # of the legend: a line's height, and what stands before a word
_RULE, _SOFT = HexColor("#cfd6df"), HexColor("#5b6675")
_DASHES: tuple[list[float], ...] = ([], [5, 2], [1.5, 1.5])
_HATCH = 4.0  # points between two strokes
_FILL = 0.72  # of a bar's place


class Drawing(Flowable):  # type: ignore[misc]
    """`face`: of its letters; `shown`: a text as that face can write it."""

    def __init__(
        self,
        section: Section,
        chart: Chart,
        report: Report,
        width: float,
        face: str,
        shown: Callable[[str], str],
    ) -> None:
        super().__init__()
        self.hAlign = "LEFT"
        self.width, self.height = width, _HEIGHT
        self._section, self._chart, self._report = section, chart, report
        self._face, self._shown = face, shown
        self._axes = axes(section, chart, report)
        self._left, self._bottom = _SIDE, _FOOT
        self._across = width - _SIDE * len(self._axes) - 2
        self._aims = aims(section, chart, report.language)
        self._named = self._placed([*chart.bars, *chart.lines])
        lines = 1 + max((line for *_, line in self._named), default=0)
        self._up = _HEIGHT - _FOOT - _LEGEND - 10 - (lines - 1) * _LINE
        self._rows = section.rows[: chart.most or None]

    def wrap(self, width: float, height: float) -> tuple[float, float]:
        return self.width, self.height

    def draw(self) -> None:
        for number, axis in enumerate(self._axes):
            self._axis(axis, right=number == 1)
        self._names()
        floors = [0.0] * len(self._rows)
        keys = [*self._chart.bars, *self._chart.lines]
        for number, key in enumerate(keys):
            axis = self._axis_of(key)
            values = self._section.values(key, self._chart.most)
            if key in self._chart.bars:
                self._bars(number, axis, values, floors)
            else:
                self._line(number, number - len(self._chart.bars), axis, values)
        for aim in self._aims:
            self._aim(aim)
        self._legend()

    def _axis_of(self, key: str) -> Axis:
        return next(axis for axis in self._axes if key in {one.key for one in axis.columns})

    def _x(self, row: int) -> float:
        return self._left + self._across * (row + 0.5) / len(self._rows)

    def _y(self, axis: Axis, value: float) -> float:
        return float(self._bottom + self._up * value / axis.top)

    def _axis(self, axis: Axis, *, right: bool) -> None:
        canvas, value = self.canv, 0.0
        edge = self._left + self._across
        canvas.setFont(self._face, _SIZE)
        while value <= axis.top:
            y = self._y(axis, value)
            canvas.setStrokeColor(_RULE)
            canvas.setLineWidth(0.4)
            if not right:
                canvas.line(self._left, y, edge, y)
            canvas.setFillColor(_SOFT)
            plain = Column(key="", word="", kind=axis.kind)
            number = value if axis.kind in ("percent", "score") else int(value)
            word = self._shown(written(plain, number, self._report))
            if right:
                canvas.drawString(edge + 3, y - 2, word)
            else:
                canvas.drawRightString(self._left - 3, y - 2, word)
            value += axis.step
        y = self._bottom + self._up + 5
        word = self._shown(axis.word)
        if right:
            canvas.drawRightString(self.width, y, word)
        else:
            canvas.drawString(0, y, word)

    def _names(self) -> None:
        """As many as there is room for, along the foot."""
        column = self._section.column(self._chart.x)
        names = [
            self._shown(written(column, one, self._report))
            for one in self._section.values(self._chart.x, self._chart.most)
        ]
        room = max(stringWidth(name, self._face, _SIZE) for name in names) + 4
        every = max(1, -int(-room * len(names) // self._across))
        self.canv.setFont(self._face, _SIZE)
        self.canv.setFillColor(_SOFT)
        for row in range(0, len(names), every):
            self.canv.drawCentredString(self._x(row), self._bottom - 9, names[row])
        word = self._shown(column.word)
        self.canv.drawCentredString(self._left + self._across / 2, 3, word)

    def _bars(self, number: int, axis: Axis, values: Sequence[Any], floors: list[float]) -> None:
        wide = self._across / len(self._rows) * _FILL
        for row, value in enumerate(values):
            if value:
                low, high = (self._y(axis, at) for at in (floors[row], floors[row] + value))
                self._bar(number, (self._x(row) - wide / 2, low, wide, high - low))
                floors[row] += value

    def _bar(self, number: int, box: tuple[float, float, float, float]) -> None:
        canvas, (left, low, wide, high) = self.canv, box
        canvas.setFillColor(HexColor(LIGHT[number % len(LIGHT)]))
        canvas.rect(left, low, wide, high, stroke=0, fill=1)
        if not number:
            return
        canvas.saveState()
        clip = canvas.beginPath()
        clip.rect(left, low, wide, high)
        canvas.clipPath(clip, stroke=0, fill=0)
        canvas.setStrokeColor(HexColor("#ffffff"))
        canvas.setLineWidth(0.7)
        lean = high if number % 2 else -high
        at = left - high
        while at < left + wide + high:
            canvas.line(at, low, at + lean, low + high)
            at += _HATCH * (1 + number // 3)
        canvas.restoreState()

    def _line(self, number: int, turn: int, axis: Axis, values: Sequence[Any]) -> None:
        """What is not known is a gap."""
        canvas, before = self.canv, None
        canvas.setStrokeColor(HexColor(LIGHT[number % len(LIGHT)]))
        canvas.setFillColor(HexColor(LIGHT[number % len(LIGHT)]))
        canvas.setLineWidth(1.3)
        for row, value in enumerate(values):
            if value is None:
                before = None
                continue
            here = self._x(row), self._y(axis, value)
            if before is not None:
                canvas.setDash(_DASHES[turn % len(_DASHES)])
                canvas.line(*before, *here)
            self._mark(turn, *here)
            before = here
        canvas.setDash([])

    def _mark(self, turn: int, x: float, y: float) -> None:
        self.canv.setDash([])
        if turn % 2:
            self.canv.rect(x - 1.7, y - 1.7, 3.4, 3.4, stroke=0, fill=1)
        else:
            self.canv.circle(x, y, 1.8, stroke=0, fill=1)

    def _aim(self, aim: Aim) -> None:
        y = self._y(self._axis_of(aim.column), aim.value)
        self._dashed(self._left, self._left + self._across, y)

    def _dashed(self, left: float, right: float, y: float) -> None:
        canvas = self.canv
        canvas.setStrokeColor(HexColor(INK))
        canvas.setLineWidth(0.8)
        canvas.setDash([3, 2])
        canvas.line(left, y, right, y)
        canvas.setDash([])

    def _placed(self, keys: Sequence[str]) -> list[tuple[str, str, float, int]]:
        """Of what the legend names its key ("" for what is aimed at, whose words would lie over
        the figures beside its line), its words, where it begins, and in which line.
        """
        named = [(key, self._shown(self._section.column(key).word)) for key in keys]
        named += dict.fromkeys(("", self._shown(aim.word)) for aim in self._aims)
        found, at, line = list[tuple[str, str, float, int]](), 0.0, 0
        for key, word in named:
            wide = _SAMPLE + stringWidth(word, self._face, _SIZE)
            if at and at + wide > self.width:
                at, line = 0.0, line + 1
            found.append((key, word, at, line))
            at += wide + 12
        return found

    def _legend(self) -> None:
        canvas = self.canv
        for number, (key, word, at, line) in enumerate(self._named):
            y = _HEIGHT - 8 - line * _LINE
            if not key:
                self._dashed(at, at + 14, y + 2)
            elif key in self._chart.bars:
                self._bar(number, (at + 3, y - 1, 8, 6))
            else:
                turn = number - len(self._chart.bars)
                canvas.setStrokeColor(HexColor(LIGHT[number % len(LIGHT)]))
                canvas.setFillColor(HexColor(LIGHT[number % len(LIGHT)]))
                canvas.setLineWidth(1.3)
                canvas.setDash(_DASHES[turn % len(_DASHES)])
                canvas.line(at, y + 2, at + 14, y + 2)
                self._mark(turn, at + 7, y + 2)
            canvas.setFillColor(HexColor(INK))
            canvas.setFont(self._face, _SIZE)
            canvas.drawString(at + _SAMPLE, y, word)
