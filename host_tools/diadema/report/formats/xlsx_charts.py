"""The sheet of charts of a workbook: native ones over the cells of the tables' sheets, so that
they follow a filter there. Lines of what is aimed at stand in cells of their own, to the right.
"""

from typing import Any

from xlsxwriter.chart import Chart as Native
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from diadema.base import sanitize
from diadema.report.drawing import Axis, aims, axes, caption
from diadema.report.model import Chart, Kind, Report, Section
from diadema.report.palette import INK, LIGHT

_ROWS = 20  # of the sheet that one chart covers
_WIDE, _HIGH = 900, 380
_ASIDE = 20  # the column from which on the aims stand
_DAY_S = 86_400
_FORMS: dict[Kind, str] = {
    "count": "#,##0", "seconds": "[h]:mm:ss", "percent": "0%", "score": "0",
}  # fmt: skip
_PATTERNS = ("wide_upward_diagonal", "wide_downward_diagonal", "light_horizontal", "cross")
_MARKS = ("circle", "square", "diamond", "triangle")
_DASHES = ("solid", "dash", "round_dot")

type Placed = tuple[Section, str, int]  # a section, its sheet, and the row of its header there


def draw(
    book: Workbook, sheet: Worksheet, report: Report, sections: list[Placed], line: int
) -> None:
    """All charts of these, below each other from that row on."""
    aside = _ASIDE
    for placed in sections:
        for chart in placed[0].drawn():
            made, aside = _chart(book, sheet, report, placed, chart, aside)
            sheet.insert_chart(line, 0, made, {"description": chart.title})
            line += _ROWS
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.print_area(0, 0, line, _ASIDE - 5)
    sheet.fit_to_pages(1, 0)


def _chart(
    book: Workbook, sheet: Worksheet, report: Report, placed: Placed, chart: Chart, aside: int
) -> tuple[Native, int]:
    section, its = placed[0], axes(placed[0], chart, report)
    bars = book.add_chart({"type": "column", "subtype": "stacked"}) if chart.bars else None
    lines = book.add_chart({"type": "line"})
    for number, key in enumerate(chart.bars):
        assert bars is not None
        bars.add_series(_series(placed, chart, key) | {"gap": 40, **_fill(number)})
    right = len(its) > 1
    for turn, key in enumerate(chart.lines):
        colour = LIGHT[(len(chart.bars) + turn) % len(LIGHT)]
        mark = {
            "type": _MARKS[turn % len(_MARKS)], "size": 6,
            "fill": {"color": colour}, "border": {"color": colour},
        }  # fmt: skip
        look = {"color": colour, "width": 2, "dash_type": _DASHES[turn % len(_DASHES)]}
        lines.add_series(
            _series(placed, chart, key) | {"line": look, "marker": mark, "y2_axis": right}
        )
    for aim in aims(section, chart, report.language):
        on = next(one for one in its if aim.column in {c.key for c in one.columns})
        lines.add_series(
            _aim(sheet, placed, chart, (aside, aim.word, _in_kind(on.kind, aim.value)))
            | {"y2_axis": right and on is its[1]}
        )
        aside += 1
    made = bars or lines
    if bars is not None and lines.series:
        bars.combine(lines)
    _dress(made, lines, section, chart, report, its)
    return made, aside


def _dress(
    made: Native, lines: Native, section: Section, chart: Chart, report: Report, its: list[Axis]
) -> None:
    title = " · ".join(filter(None, (chart.title, caption(chart, report.language))))
    made.set_title({"name": sanitize.visible(title), "name_font": {"size": 12}})
    made.set_x_axis({"name": section.column(chart.x).word, "num_font": {"rotation": -45}})
    made.set_y_axis(_axis(its[0]))
    if len(its) > 1:
        lines.set_y2_axis(_axis(its[1]))
    made.set_legend({"position": "bottom"})
    made.set_size({"width": _WIDE, "height": _HIGH})


def _axis(axis: Axis) -> dict[str, Any]:
    return {
        "name": axis.word,
        "num_format": _FORMS[axis.kind],
        "min": 0,
        "max": _in_kind(axis.kind, axis.top),
        "major_unit": _in_kind(axis.kind, axis.step),
        "major_gridlines": {"visible": True, "line": {"color": "#CFD6DF"}},
    }


def _in_kind(kind: Kind, value: float) -> float:
    """As the cells have it."""
    if kind == "percent":
        return value / 100
    return value / _DAY_S if kind == "seconds" else value


def _fill(number: int) -> dict[str, Any]:
    colour = LIGHT[number % len(LIGHT)]
    if not number:
        return {"fill": {"color": colour}}
    pattern = _PATTERNS[(number - 1) % len(_PATTERNS)]
    return {"pattern": {"pattern": pattern, "fg_color": colour, "bg_color": "#FFFFFF"}}


def _series(placed: Placed, chart: Chart, key: str) -> dict[str, Any]:
    section, name, head = placed
    last = head + (min(chart.most, len(section.rows)) if chart.most else len(section.rows))
    at, x = section.at(key), section.at(chart.x)
    return {
        "name": sanitize.visible(section.column(key).word),
        "categories": [name, head + 1, x, last, x],
        "values": [name, head + 1, at, last, at],
    }


def _aim(
    sheet: Worksheet, placed: Placed, chart: Chart, what: tuple[int, str, float]
) -> dict[str, Any]:
    """Its cells, and the line over them."""
    at, word, value = what
    its = _series(placed, chart, chart.x)
    rows = its["values"][3] - its["values"][1]
    sheet.write_string(0, at, sanitize.visible(word))
    for row in range(1, rows + 2):
        sheet.write_number(row, at, value)
    return its | {
        "name": sanitize.visible(word),
        "values": [sheet.get_name(), 1, at, rows + 1, at],
        "line": {"color": INK, "width": 1.25, "dash_type": "long_dash"},
        "marker": {"type": "none"},
    }
