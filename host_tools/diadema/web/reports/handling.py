"""/ui/handling: TMO in its three parts, and how many calls came and were taken."""

from datetime import date
from functools import partial
from typing import Any

from fastapi import FastAPI
from nicegui import ui

from diadema.figures.overview import AgentRow, Overview, overview
from diadema.metrics import calls as call_metrics
from diadema.report.model import Kind, Target
from diadema.report.writing import SIGN, target
from diadema.web.page_parts import (
    CLOCK,
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
from diadema.words import text
from diadema.words.formatting import clock, grouped, local_time, percent

PATH = "/ui/handling"
_DEFINED = (
    "aht_s", "talk_mean_s", "hold_mean_s", "wrap_mean_s", "offered", "handled", "missed",
    "excused", "pickup_rate", "occupancy",
)  # fmt: skip
_AIMED: dict[str, Kind] = {"aht": "seconds", "occupancy": "percent"}
_BARS = 40  # agents in the chart: the longest ones; the table has all


def mount(app: FastAPI, web_app: WebApp) -> None:
    day_page(web_app, PATH, "handling", "figures", _show, partial(draw_trends, "tmo"))


async def _show(web_app: WebApp, page: Page, day: date, agents: list[str]) -> None:
    words, language = page.words, page.language
    made = await read(
        page,
        web_app,
        overview,
        web_app.data,
        day,
        day,
        web_app.pace.now_ms(),
        agents,
        intervals=True,
    )
    ui.label(cut_line(made.cut, made.zone, language)).classes("status")
    if not made.rows:
        ui.label(words["none"]).classes("empty")
        return
    _figures(made, words, language)
    how(language, *_DEFINED)
    with ui.element("section").classes("charts"):
        _by_agent(made, words)
        _calls_by_time(made, words)
    names = ("handled", "missed", "aht", "talk", "hold", "wrapup", "aside", "occupancy")
    figures_table(
        [("name", words["agent"]), ("team", words["team"])],
        [(name, words[name]) for name in names],
        [_row(one, _aims(made), day, language) for one in made.rows],
        words["none"],
    )
    ui.label(words["note"].format(n=made.whole.n, aside=made.whole.aside)).classes("note")


def _figures(made: Overview, words: Any, language: str) -> None:
    calls, whole, aims = made.total.calls(), made.whole, _aims(made)
    shown = [
        ("aht", clock(whole.aht_s)),
        ("talk", clock(whole.talk_s)),
        ("hold", clock(whole.hold_s)),
        ("wrapup", clock(whole.wrap_s)),
        ("received", grouped(calls.offered)),
        ("answered", grouped(calls.answered)),
        ("missed", grouped(calls.missed)),
        ("open", grouped(calls.open)),
        ("excused", grouped(calls.excused)),
        ("pickup_rate", percent(call_metrics.pickup_rate(calls))),
        ("occupancy", percent(whole.occupancy)),
    ]
    missed = _missed(whole, aims)
    with ui.element("dl").classes("figures"):
        for name, value in shown:
            with ui.element("div").classes("figure"):
                with ui.element("dt"):
                    ui.label(words[name])
                with ui.element("dd").props("data-missed" if name in missed else ""):
                    ui.label(value).classes("number")
                    if name in missed:
                        ui.label(SIGN).classes("sign").props(
                            f'title="{text("reports.missed", language)}"'
                        )
                    if name in aims:
                        aim = target(aims[name], _AIMED[name])
                        with ui.element("small"):
                            ui.label(f"{words['target']} {aim}")


def _aims(made: Overview) -> dict[str, Target]:
    """What the figures here are held to, by their names on this page."""
    its, aims = made.targets, {}
    if "aht_s" in its:
        aims["aht"] = Target(its["aht_s"], at_most=True)
    if "occupancy" in its:
        aims["occupancy"] = Target(its["occupancy"], ceiling=its.get("occupancy_most"))
    return aims


def _missed(one: AgentRow, aims: dict[str, Target]) -> set[str]:
    """The names of what stays behind its target."""
    shown = {"aht": one.aht_s, "occupancy": one.occupancy}
    return {
        name
        for name, aim in aims.items()
        if (value := shown[name]) is not None and aim.missed(value)
    }


def _by_agent(made: Overview, words: Any) -> None:
    """Whose calls take long, and which part of them does?"""
    rows = sorted((one for one in made.rows if one.aht_s is not None), key=_longest)[:_BARS]
    parts = ("talk", "hold", "wrapup")
    values = {
        "talk": [one.talk_s for one in rows],
        "hold": [one.hold_s for one in rows],
        "wrapup": [one.wrap_s for one in rows],
    }
    series: list[dict[str, Any]] = [
        {"name": words[part], "type": "bar", "stack": "tmo", "data": values[part]}
        for part in parts
    ]
    aim = made.targets.get("aht_s")
    if aim is not None:
        label = {"formatter": f"{words['target']} {clock(round(aim))}"}
        series[0]["markLine"] = {"data": [{"xAxis": aim}], "symbol": "none", "label": label}
    chart(
        words["chart.agents"],
        {
            "colors": ["talking", "held", "wrapup"],
            "legend": True,
            "xAxis": {"type": "value", "interval": 60, "axisLabel": {":formatter": CLOCK}},
            "yAxis": {"type": "category", "inverse": True, "data": [one.name for one in rows]},
            "series": series,
        },
        height=max(12, 2 * len(rows) + 6),
    )


def _longest(one: AgentRow) -> int:
    return -(one.aht_s or 0)


def _calls_by_time(made: Overview, words: Any) -> None:
    """When did calls come, and when were they not taken?"""
    hours = [local_time(one.start_s * 1000, made.zone, "minute") for one in made.half_hours]
    counts = {
        "answered": [one.calls.answered for one in made.half_hours],
        "missed": [one.calls.missed for one in made.half_hours],
        "open": [one.calls.open for one in made.half_hours],
    }
    chart(
        words["chart.hours"],
        {
            "legend": True,
            "xAxis": {"type": "category", "data": hours},
            "yAxis": {"type": "value", "minInterval": 1},
            "series": [
                {"name": words[name], "type": "bar", "stack": "calls", "data": data}
                for name, data in counts.items()
            ],
        },
        height=20,
    )


def _row(one: AgentRow, aims: dict[str, Target], day: date, language: str) -> dict[str, object]:
    row: dict[str, object] = {
        "id": one.agent,
        "name": one.name,
        "team": one.team,
        "handled": one.handled,
        "missed": one.missed,
        "aside": one.aside,
        "occupancy": percent(one.occupancy),
        "occupancy_by": one.occupancy,
        "link": f"/ui/agents/{one.agent}?day={day.isoformat()}&lang={language}",
    }
    for name, seconds in (
        ("aht", one.aht_s),
        ("talk", one.talk_s),
        ("hold", one.hold_s),
        ("wrapup", one.wrap_s),
    ):
        row[name], row[f"{name}_by"] = clock(seconds), seconds
    missed = _missed(one, aims)
    for name in aims:
        row[f"{name}_missed"] = name in missed
        row[name] = f"{row[name]} {SIGN}" if name in missed else row[name]
    return row
