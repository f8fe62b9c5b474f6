"""Schedules and their runs, for a terminal and for a script."""

from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from diadema.base.paths import DataDir
from diadema.base.sanitize import visible
from diadema.figures.days import zone_of
from diadema.report.schedule import Run, Schedule, next_due, runs, schedules
from diadema.report.writing import hour
from diadema.words import text
from diadema.words.durations import clock

_SHOWN = 20  # runs of a terminal


def as_fields(data: DataDir, now_ms: int) -> dict[str, Any]:
    zone = zone_of(data)
    return {
        "schedules": [
            {
                **msgspec.to_builtins(one),
                "next_ms": next_due(one, now_ms, zone),
                "next": hour(next_due(one, now_ms, zone), zone.key),
            }
            for one in schedules(data)
        ],
        "runs": [
            {**msgspec.to_builtins(run), "state": run.state, "due": hour(run.due_ms, zone.key)}
            for run in runs(data)
        ],
    }


def show(console: Console, data: DataDir, now_ms: int, language: str) -> None:
    def say(name: str, **values: object) -> str:
        return text(f"reports.{name}", language, **values)

    zone, ordered = zone_of(data), schedules(data)
    if not ordered:
        console.print(say("no_schedules"))
    table = _table(say("schedules"), [say(f"schedule.{name}") for name in _HEADS])
    for one in ordered:
        when = hour(next_due(one, now_ms, zone), zone.key)
        table.add_row(*map(Text, (one.name, *told(one, language), when)))
    if ordered:
        console.print(table)
    made = runs(data)[:_SHOWN]
    if made:
        table = _table(say("runs"), [say(f"run.{name}") for name in _RUN_HEADS])
        for run in made:
            style = "red" if run.state == "failed" else ""
            cells = (run.name, run.span, hour(run.due_ms, zone.key), said(run, language))
            table.add_row(*map(Text, (*cells, visible(run.file or ""))), style=style)
        console.print(table)


_HEADS = ("name", "kind", "every", "scope", "format", "next")
_RUN_HEADS = ("name", "span", "due", "state", "file")


def told(one: Schedule, language: str) -> tuple[str, str, str, str]:
    """Kind, when, whose and format in words."""
    when = text(f"reports.every.{one.every}", language, at=one.at)
    if one.running:
        when += f" · {text('reports.schedule.running', language)}"
    scope = one.scope
    word = "scope.floor" if scope.of == "floor" else f"scope_of.{scope.of}"
    whose = text(f"reports.{word}", language, whose=visible(scope.code))
    return text(f"reports.kind.{one.kind}", language), when, whose, one.form.upper()


def said(run: Run, language: str) -> str:
    """How it went: made, made late, or failed and why."""
    values: dict[str, object] = {
        "late": clock(run.late_s), "reason": visible(run.reason or ""), "tries": run.tries
    }  # fmt: skip
    line = text(f"reports.state.{run.state}", language, **values)
    if run.skipped:
        line += f" · {text('reports.skipped', language, n=run.skipped)}"
    return line


def _table(title: str, heads: list[str]) -> Table:
    table = Table(title=Text(title), title_justify="left", header_style="bold")
    for head in heads:
        table.add_column(head)
    return table
