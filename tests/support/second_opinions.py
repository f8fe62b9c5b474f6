"""Holds each counted and timed cell of a report beside the second engine's."""

from diadema.report.make import make
from diadema.report.model import Scope, plain
from diadema.words import section as words

from tests.support.second_opinion import (
    apart,
    calls,
    codes,
    consolidated,
    faults,
    former,
    goals,
    handling,
    help_requests,
    intraday,
    protocol,
    service,
    sums,
    supervision,
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
    "supervision": supervision,
    "ayudas": help_requests,
    "fallas": faults,
}
KEYS = {  # what tells a table's rows apart
    "intraday": ("day", "hour"),
    "level2": ("level1", "level2"),
    "steps": ("campaign", "step"),
    "register": ("at", "by", "action", "contact", "note"),
    "transfers": ("transfer_kind", "area", "transfer_where"),
    "gaps": ("playbook", "version"),
    "faults_parts": ("area", "part"),
}
NUMBERS = ("count", "seconds", "percent", "figure")


def differences(data, whole, kind, span, now_ms, of="floor", code=""):
    """(table, row, column, the report's, the second engine's), of each that differs."""
    report = make(data, kind, span, Scope(of=of, code=code), now_ms)
    asked = Asked(whole, span.first, span.last, now_ms, of, code)
    its = FAMILIES[kind].make(asked)
    if kind != "supervision":  # a register, of no figures
        its["summary"] = _summary(FAMILIES[kind].summary(asked), asked)
    if kind not in ("supervision", "ayudas", "fallas"):
        its |= {"apart": apart.make(asked), "sums": sums.make(asked, kind)}
        its |= former.maps(asked, kind, span.grain)
    if kind in former.TREND:
        its |= former.make(asked, kind, span, FAMILIES[kind].summary)
    if "compared" in its:
        its["compared"] = _compared(its["compared"], asked)
    found = []
    for section in report.sections:
        if section.key not in its:
            found.append((section.key, "no table", None, len(section.rows), None))
            continue
        found += [*_table(section, its.pop(section.key)), *_goals(section, asked)]
    return found + [(key, "no table", None, None, rows) for key, rows in its.items()]


def _summary(told, asked):
    say = words("reports", "es")
    return {
        say[f"col.{key}"]: {"value": value, "n": n, "target": goals.goal(asked, key)}
        | {"value_within": within[0] if within else None}
        for key, (value, n, *within) in told.items()
    }


def _compared(told, asked):
    say = words("reports", "es")
    told.pop("halves_met", None)  # of half-hours, not of a span
    return {
        say[f"col.{key}"]: its | {"target": goals.goal(asked, key)} for key, its in told.items()
    }


def _table(section, rows):
    names = [column.key for column in section.columns]
    keys = KEYS.get(section.key) or (("code",) if "code" in names else tuple(names[:1]))
    aims = {column.goal for column in section.columns}
    counted = [
        column for column in section.columns if column.kind in NUMBERS and column.key not in aims
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
        yield from _bounds(section, key, row, rows[key])
    if section.total is not None and section.rows:
        yield from _bounds(section, "total", section.total, rows[None])
    for key in rows:
        if key is not None and key not in seen and any(rows[key].values()):
            yield section.key, key, "no row", None, rows[key]
    if section.total is not None and section.rows:
        for column in counted:
            cell = plain(section.total[section.at(column.key)])
            if column.total is not None and cell != rows[None].get(column.key, "no cell"):
                mine = rows[None].get(column.key, "no cell")
                yield section.key, "total", column.key, cell, mine


def _bounds(section, key, row, its):
    """Within what each share lies, that is told so."""
    for column, cell in zip(section.columns, row, strict=True):
        within = getattr(cell, "within", None)
        within = within and (within.low, within.high, within.n)
        mine = its.get(f"{column.key}_within")
        if within != mine and (within or column.interval):
            yield section.key, key, f"{column.key}_within", within, mine


def _goals(section, asked):
    """What each row is held to: a column of its own where a queue or a stage has its own."""
    names = [column.key for column in section.columns]
    of = next((name for name in ("queue", "stage") if name in names), None)
    if of is None:
        return
    codes = {name: code for code, name in asked.centre.queues.items()} | {"(sin cola)": ""}
    for column in section.columns:
        rows = {row[section.at(of)]: row for row in section.rows}
        its = {
            name: goals.goal(asked, column.key, queue=codes.get(name, name))
            if of == "queue" else goals.goal(asked, column.key, stage=name)
            for name in rows
        }  # fmt: skip
        if not column.goal:
            if len(set(its.values())) > 1:
                yield section.key, None, f"goal_{column.key}", "no column", its
            continue
        for name, row in rows.items():
            cell = plain(row[section.at(column.goal)])
            if cell != its[name]:
                yield section.key, name, column.goal, cell, its[name]
