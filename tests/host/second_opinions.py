"""Holds each counted and timed cell of a report beside the second engine's."""

from diadema.report.make import make
from diadema.report.model import Scope, plain
from diadema.words import section as words

from tests.support.second_opinion import (
    apart,
    calls,
    codes,
    consolidated,
    handling,
    intraday,
    protocol,
    service,
)
from tests.support.second_opinion.asked import Asked

FAMILIES = {
    "servicio": service,
    "intradia": intraday,
    "llamadas": calls,
    "tmo": handling,
    "tipificacion": codes,
    "consolidado": consolidated,
    "protocolo": protocol,
}
KEYS = {  # what tells a table's rows apart
    "intraday": ("day", "hour"),
    "level2": ("level1", "level2"),
    "steps": ("campaign", "step"),
    "transfers": ("transfer_kind", "area", "transfer_where"),
}
APART = {"sums"}
NUMBERS = ("count", "seconds", "percent", "figure")


def differences(data, whole, kind, span, now_ms, of="floor", code=""):
    """(table, row, column, the report's, the second engine's), of each that differs."""
    report = make(data, kind, span, Scope(of=of, code=code), now_ms)
    asked = Asked(whole, span.first, span.last, now_ms, of, code)
    made = FAMILIES[kind].make(asked) | {"apart": apart.make(asked)}
    its = {"summary": _summary(FAMILIES[kind].summary(asked))} | made
    found = []
    for section in report.sections:
        if section.key in APART:
            continue
        if section.key not in its:
            found.append((section.key, "no table", None, len(section.rows), None))
            continue
        found += _table(section, its.pop(section.key))
    return found + [(key, "no table", None, None, rows) for key, rows in its.items()]


def _summary(told):
    say = words("reports", "es")
    return {say[f"col.{key}"]: {"value": value, "n": n} for key, (value, n) in told.items()}


def _table(section, rows):
    names = [column.key for column in section.columns]
    keys = KEYS.get(section.key) or (("code",) if "code" in names else tuple(names[:1]))
    counted = [
        column for column in section.columns
        if column.kind in NUMBERS and not _is_goal(column, section)
    ]  # fmt: skip
    seen = set()
    for row in section.rows:
        cells = dict(zip(names, map(plain, row), strict=True))
        key = tuple(cells[name] for name in keys)
        key = key[0] if len(key) == 1 else key
        if key in seen:
            yield section.key, key, "twice", None, None
        seen.add(key)
        if key not in rows:
            if any(plain(cells[column.key]) for column in counted):
                yield section.key, key, "no row", cells, None
            continue
        for column in counted:
            if cells[column.key] != rows[key].get(column.key, "no cell"):
                mine = rows[key].get(column.key, "no cell")
                yield section.key, key, column.key, cells[column.key], mine
    for key in rows:
        if key is not None and key not in seen and any(rows[key].values()):
            yield section.key, key, "no row", None, rows[key]
    if section.total is not None and section.rows:
        for column in counted:
            cell = plain(section.total[section.at(column.key)])
            if column.total is not None and cell != rows[None].get(column.key, "no cell"):
                mine = rows[None].get(column.key, "no cell")
                yield section.key, "total", column.key, cell, mine


def _is_goal(column, section):
    goals = {one.goal for one in section.columns if one.goal}
    return column.key in goals or column.key == "target"

