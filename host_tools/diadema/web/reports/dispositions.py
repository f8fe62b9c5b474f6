"""/ui/dispositions: what the calls were about: Pareto of the codes, and the tree by size."""

from datetime import date
from functools import partial
from typing import Any

from fastapi import FastAPI
from nicegui import ui

from diadema.figures.overview import overview
from diadema.metrics.rounding import percent as share
from diadema.site.directory.people import People
from diadema.web.page_parts import (
    GRID,
    chart,
    cut_line,
    day_page,
    figures_table,
    how,
    read,
)
from diadema.web.reports.trends import draw_trends
from diadema.web.shell import Page
from diadema.web.web_app import WebApp
from diadema.words.formatting import percent

PATH = "/ui/dispositions"
_BARS = 20  # codes in the Pareto; the table has all


def mount(app: FastAPI, web_app: WebApp) -> None:
    after = partial(draw_trends, "tipificacion")
    day_page(web_app, PATH, "dispositions", "figures", _show, after)


async def _show(web_app: WebApp, page: Page, day: date, agents: list[str]) -> None:
    words, language = page.words, page.language
    people = web_app.people()
    made = await read(
        page, web_app, overview, web_app.data, day, day, web_app.pace.now_ms(), agents
    )
    calls = made.total.calls()
    codes = sorted(calls.codes.items(), key=lambda one: (-one[1], one[0]))
    ui.label(cut_line(made.cut, made.zone, language)).classes("status")
    said = words["said"].format(
        typified=calls.typified, untyped=calls.untyped, retyped=calls.retyped
    )
    ui.label(said).classes("note")
    how(language, "typified", "untyped", "retyped")
    if not codes:
        ui.label(words["none"]).classes("empty")
        return
    with ui.element("section").classes("charts"):
        _pareto(codes, people, words)
        _tree(codes, people, words)
    _table(codes, people, words)


def _name(people: People, code: str) -> str:
    return (people.codes.get(code) or [code])[-1]


def _pareto(codes: list[tuple[str, int]], people: People, words: Any) -> None:
    """Which few codes make most of the calls?"""
    total, running = sum(n for _, n in codes), 0
    sums = []
    for _, n in codes[:_BARS]:
        running += n
        sums.append(share(running, total))
    shown = codes[:_BARS]
    chart(
        words["chart.pareto"],
        {
            "legend": True,
            "grid": GRID | {"left": 28},  # room for the first name, which leans out
            "xAxis": {
                "type": "category",
                "data": [_name(people, code) for code, _ in shown],
                "axisLabel": {"rotate": 60, "interval": 0},
            },
            "yAxis": [
                {"type": "value", "minInterval": 1},
                {"type": "value", "max": 100, "splitLine": {"show": False}},
            ],
            "series": [
                {"name": words["calls"], "type": "bar", "data": [n for _, n in shown]},
                {"name": words["accumulated"], "type": "line", "yAxisIndex": 1, "data": sums},
            ],
        },
        height=26,
    )


def _tree(codes: list[tuple[str, int]], people: People, words: Any) -> None:
    """Which motives, and within them which results?"""
    roots: dict[str, Any] = {}
    for code, n in codes:
        level = roots
        for label in people.codes.get(code) or [code]:
            node = level.setdefault(label, {"value": 0, "children": {}})
            node["value"] += n
            level = node["children"]
    chart(
        words["chart.tree"],
        {
            "tooltip": {"trigger": "item", "confine": True},
            "series": [
                {
                    "type": "treemap",
                    "roam": False,
                    "nodeClick": False,
                    "breadcrumb": {"show": False},
                    "upperLabel": {"show": True, "height": 22},
                    "levels": [  # a motive has one colour, with all that is in it
                        {},
                        {"itemStyle": {"gapWidth": 2}, "color": "none"},
                        {"itemStyle": {"gapWidth": 1}, "color": "none"},
                    ],
                    "top": 6,
                    "bottom": 6,
                    "left": 0,
                    "right": 0,
                    "data": _nodes(roots),
                }
            ],
        },
        height=26,
    )


def _nodes(level: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"name": name, "value": node["value"]}
        | ({"children": _nodes(node["children"])} if node["children"] else {})
        for name, node in level.items()
    ]


def _table(codes: list[tuple[str, int]], people: People, words: Any) -> None:
    total = sum(n for _, n in codes)
    rows = []
    for code, n in codes:
        levels = [*people.codes.get(code, []), "", "", ""][:3]
        rows.append(
            {
                "id": code,
                "code": code,
                "motive": levels[0],
                "submotive": levels[1],
                "result": levels[2],
                "flag": words.get(f"flag.{people.flags.get(code, '')}", "—"),
                "calls": n,
                "share": percent(share(n, total)),
                "share_by": n,
            }
        )
    texts = ("code", "motive", "submotive", "result", "flag")
    figures_table(
        [(name, words[name]) for name in texts],
        [(name, words[name]) for name in ("calls", "share")],
        rows,
        words["none"],
    )
