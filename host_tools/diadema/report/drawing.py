"""What every drawing of a chart has to say and to measure, on screen, on paper and in a workbook:
its axes, its n, and what is aimed at.
"""

from collections.abc import Iterable
from math import ceil

from msgspec import Struct

from diadema.report.model import Cell, Chart, Column, Kind, Report, Section, plain
from diadema.report.writing import target
from diadema.words import text
from diadema.words.formatting import grouped

_STEPS: dict[Kind, tuple[int, ...]] = {
    "percent": (5, 10, 20),
    "score": (5, 10, 20),
    "seconds": (1, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 36_000),
}
_MOST_STEPS = 5
_WHOLE = 100  # percent


class Axis(Struct):
    """Of bars or of lines, from 0 to `top`. `columns`: what is drawn against it."""

    kind: Kind
    word: str
    columns: list[Column]
    top: int
    step: int


class Aim(Struct):
    """A straight line at what is aimed at, against the axis of that column."""

    column: str
    value: float
    word: str


def axes(section: Section, chart: Chart, report: Report) -> list[Axis]:
    """The left one, and the right one where lines have another unit than bars."""
    found: dict[Kind, list[str]] = {}
    for key in (*chart.bars, *chart.lines):
        found.setdefault(section.column(key).kind, []).append(key)
    return [_axis(section, chart, kind, keys, report.language) for kind, keys in found.items()]


def _axis(section: Section, chart: Chart, kind: Kind, keys: list[str], language: str) -> Axis:
    stacks = [section.values(key, chart.most) for key in keys if key in chart.bars]
    heights = [sum(map(_number, stack)) for stack in zip(*stacks, strict=True)]
    for key in keys:
        heights += map(_number, section.values(key, chart.most))
    heights += [one.value for one in aims(section, chart, language) if one.column in keys]
    word = chart.unit if kind == "count" else text(f"reports.axis.{kind}", language)
    top, step = scale(kind, max(heights, default=0))
    return Axis(kind, word, [section.column(key) for key in keys], top, step)


def scale(kind: Kind, most: float) -> tuple[int, int]:
    """The top of an axis, and how far apart its figures are. A percent and a score go to 100."""
    if kind in ("percent", "score"):
        most = max(most, _WHOLE)
    for step in _STEPS.get(kind, ()):
        if most <= step * _MOST_STEPS:
            break
    else:
        step = next(one for one in _decimal_steps() if most <= one * _MOST_STEPS)
    parts = max(1, ceil(most / step))
    return parts * step, step


def _decimal_steps() -> Iterable[int]:
    ten = 1
    while True:
        yield from (ten, 2 * ten, 5 * ten)
        ten *= 10


def aims(section: Section, chart: Chart, language: str) -> list[Aim]:
    """One or, of a band, two of each column that all rows hold to the same."""
    found: list[Aim] = []
    for key in (*chart.bars, *chart.lines):
        column = section.column(key)
        if column.target is None:
            continue
        goal = text("reports.target", language, target=target(column.target, column.kind))
        word = goal if len({*chart.bars, *chart.lines}) == 1 else f"{column.word}: {goal}"
        found.append(Aim(key, column.target.value, word))
        if column.target.ceiling is not None:
            found.append(Aim(key, column.target.ceiling, word))
    return found


def shade_of(cell: Cell, most: float) -> float | None:
    """How dark a cell of a map is, of 0 to 1; None where it is no figure, or there is no map."""
    value = plain(cell)
    return value / most if most and isinstance(value, int | float) else None


def caption(chart: Chart, language: str) -> str:
    """Of how many it is."""
    if chart.n is None:
        return ""
    return text("reports.chart.n", language, n=grouped(chart.n), unit=chart.unit).strip()


def _number(value: str | int | float | None) -> float:
    return value if isinstance(value, int | float) else 0
