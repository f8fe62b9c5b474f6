"""A report's charts for the library that the pages have, from the same model as the files'."""

from math import ceil
from typing import Any

from msgspec import Struct

from diadema.report.drawing import Aim, Axis, aims, axes, caption
from diadema.report.model import Chart, Report, Section
from diadema.report.writing import written
from diadema.web.page_parts import CLOCK, GRID

_SYMBOLS = ("circle", "rect", "diamond", "triangle")
_DASHES = ("solid", "dashed", "dotted")
_HATCHES = (None, 0.8, -0.8, 1.57)  # how runs of bars are hatched: radians
HIGH = 22  # em, of a chart
_NARROW, _ENTRY, _LETTER = 340, 34, 6  # pixels: of a line of the legend, of what stands in it
_LONG = 12  # letters of a name, from which on it leans
_SHOWN = {  # what a value's tooltip says, in the browser
    "seconds": f"s => s == null ? '—' : ({CLOCK})(s)",
    "percent": "p => p == null ? '—' : p.toFixed(1) + ' %'",
    "score": "p => p == null ? '—' : p.toFixed(1)",
    "count": "n => n ?? '—'",
}


class Picture(Struct):
    """`note`: of how many it is; `table`: the key of the section that says the same in words."""

    title: str
    note: str
    table: str
    options: dict[str, Any]


def pictures(report: Report) -> list[Picture]:
    """In the order of the sections."""
    return [
        picture(section, one, report) for section in report.sections for one in section.drawn()
    ]


def picture(section: Section, chart: Chart, report: Report) -> Picture:
    its, column = axes(section, chart, report), section.column(chart.x)
    names = [written(column, one, report) for one in section.names(chart)]
    goals = aims(section, chart, report.language)
    leans = bool(chart.names) or any(len(name) > _LONG for name in names)
    options = {
        "legend": True,
        "grid": GRID | {"top": 40 + 18 * _legend_lines(section, chart, goals), "bottom": 22},
        "xAxis": {
            "type": "category", "data": names, "name": column.word, "nameLocation": "middle",
            "nameGap": 84 if leans else 26,
            "axisLabel": {"rotate": 45, "interval": 0, "width": 100, "overflow": "truncate"}
            if leans else {},
        },
        "yAxis": [_axis(axis) for axis in its],
        "series": [*_series(section, chart, its), *_aims(its, goals)],
    }  # fmt: skip
    return Picture(chart.title, caption(chart, report.language), section.key, options)


def _legend_lines(section: Section, chart: Chart, goals: list[Aim]) -> int:
    """At most, on a narrow screen."""
    words = [section.column(key).word for key in (*chart.bars, *chart.lines)]
    words += dict.fromkeys(one.word for one in goals)
    return ceil(sum(_ENTRY + _LETTER * len(word) for word in words) / _NARROW)


def _axis(axis: Axis) -> dict[str, Any]:
    made: dict[str, Any] = {
        "type": "value", "name": axis.word, "min": 0, "max": axis.top, "interval": axis.step,
    }  # fmt: skip
    if axis.kind == "seconds":
        made["axisLabel"] = {":formatter": CLOCK}
    return made


def _series(section: Section, chart: Chart, its: list[Axis]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for number, key in enumerate((*chart.bars, *chart.lines)):
        column = section.column(key)
        made: dict[str, Any] = {
            "name": column.word,
            "data": section.values(key, chart.most),
            "yAxisIndex": _axis_of(key, its),
            "tooltip": {":valueFormatter": _SHOWN[column.kind]},
        }
        if key in chart.bars:
            made |= {"type": "bar", "stack": "bars"}
            if (turn := _HATCHES[number % len(_HATCHES)]) is not None:
                made["itemStyle"] = {"decal": _hatch(turn)}
        else:
            place = number - len(chart.bars)
            made |= {
                "type": "line", "connectNulls": False, "symbolSize": 7,
                "symbol": _SYMBOLS[place % len(_SYMBOLS)],
                "lineStyle": {"type": _DASHES[place % len(_DASHES)]},
            }  # fmt: skip
        found.append(made)
    return found


def _hatch(turn: float) -> dict[str, Any]:
    return {
        "symbol": "rect", "dashArrayX": [1, 0], "dashArrayY": [2, 4], "rotation": turn,
        "color": "rgba(255, 255, 255, 0.55)",
    }  # fmt: skip


def _axis_of(key: str, its: list[Axis]) -> int:
    return next(n for n, axis in enumerate(its) if key in {one.key for one in axis.columns})


def _aims(its: list[Axis], goals: list[Aim]) -> list[dict[str, Any]]:
    """Straight lines, said in the legend: beside them their words would lie over the figures."""
    found: dict[str, dict[str, Any]] = {}
    for one in goals:
        made = found.setdefault(
            one.word,
            {
                "name": one.word, "type": "line", "data": [], "symbol": "none",
                "yAxisIndex": _axis_of(one.column, its),
                "lineStyle": {"type": "dashed", "width": 1}, "itemStyle": {"opacity": 0},
                "markLine": {"symbol": "none", "label": {"show": False}, "data": []},
            },
        )  # fmt: skip
        made["markLine"]["data"].append({"yAxis": one.value, "name": one.word})
    return [*found.values()]
