"""For scripts: seconds, percents and UTC milliseconds as numbers, each row by its column's key."""

import json
from typing import Any

from diadema.report.model import Cell, Column, Figure, Ratio, Report, Section
from diadema.report.writing import target
from diadema.words.formatting import local_time


def content(report: Report) -> bytes:
    return json.dumps(fields(report), ensure_ascii=False).encode()


def fields(report: Report) -> dict[str, Any]:
    return {
        "report": report.kind,
        "title": report.title,
        "site": report.site,
        "span": {
            "grain": report.grain,
            "name": report.span,
            "first": report.first,
            "last": report.last,
            "zone": report.zone,
        },
        "scope": {
            "of": report.scope.of, "code": report.scope.code, "name": report.scope_name
        },
        "cut_off": {
            "at": local_time(report.cut.at_ms, report.zone),
            "at_ms": report.cut.at_ms,
            "position": report.cut.position,
            "owing": [
                {"s": one.station, "seat": one.seat, "since_ms": one.since_utc}
                for one in report.cut.pending_stations
            ],
        },
        "threshold_s": report.threshold_s,
        "thresholds": report.thresholds,
        "short_s": report.short_s,
        "sections": [_section(one) for one in report.sections],
        "notes": report.notes,
    }  # fmt: skip


def _section(section: Section) -> dict[str, Any]:
    return {
        "section": section.key,
        "title": section.title,
        "columns": [_column(one) for one in section.columns],
        "rows": [_row(section.columns, row) for row in section.rows],
        "total": None if section.total is None else _row(section.columns, section.total),
        "notes": section.notes,
    }


def _column(column: Column) -> dict[str, Any]:
    made: dict[str, Any] = {"key": column.key, "word": column.word, "kind": column.kind}
    if isinstance(column.total, Ratio):
        made["total"] = {"over": column.total.over, "by": column.total.by}
    elif column.total:
        made["total"] = column.total
    if column.goal:
        made["target"] = {"column": column.goal, "at_most": column.at_most}
    elif column.target is not None:
        made["target"] = {
            "value": column.target.value,
            "at_most": column.target.at_most,
            "word": target(column.target, column.kind),
        }
        if column.target.ceiling is not None:
            made["target"]["ceiling"] = column.target.ceiling
    return made


def _row(columns: list[Column], row: list[Cell]) -> dict[str, Any]:
    return {column.key: _value(cell) for column, cell in zip(columns, row, strict=True)}


def _value(cell: Cell) -> Any:
    if not isinstance(cell, Figure):
        return cell
    found: dict[str, Any] = {"kind": cell.kind, "value": cell.value}
    within = cell.within
    if within is None:
        return found
    found |= {"low": within.low, "high": within.high, "n": within.n}
    return found if within.of is None else found | {"of": within.of}
