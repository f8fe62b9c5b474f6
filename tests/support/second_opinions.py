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
    listening,
    monitors,
    protocol,
    quality,
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
    "monitores": monitors,
    "calidad": quality,
    "escuchas": listening,
}
KEYS = {  # what tells a table's rows apart
    "intraday": ("day", "hour"),
    "level2": ("level1", "level2"),
    "steps": ("campaign", "step"),
    "register": ("at", "by", "action", "contact", "note"),
    "transfers": ("transfer_kind", "area", "transfer_where"),
    "gaps": ("playbook", "version"),
    "faults_parts": ("area", "part"),
    "replaced": ("monitor", "replaced_why"),
    "bias": ("monitor", "month"),
    "agreement": ("month", "scorecard", "item"),
    "codes_confused": ("code", "right_code"),
    "quality_draws": ("sample_plan", "from_day", "to_day", "annulled"),
    "quality_teams": ("scorecard", "team"),
    "quality_motives": ("scorecard", "motive"),
    "quality_queues": ("scorecard", "queue"),
    "quality_agents": ("scorecard", "code", "from_day"),
    "quality_sections": ("scorecard", "section"),
    "quality_items": ("scorecard", "item_code"),
    "quality_critical": ("scorecard", "critical"),
    "quality_undone": ("scorecard", "from_day", "code", "stratum"),
    "quality_funnel": (),
}
NUMBERS = ("count", "seconds", "percent", "score", "coefficient", "figure")
ALONE = (  # without what all others have
    "supervision", "ayudas", "fallas", "calidad", "monitores", "escuchas",
)  # fmt: skip


def differences(data, whole, kind, span, now_ms, of="floor", code=""):
    """(table, row, column, the report's, the second engine's), of each that differs."""
    report = make(data, kind, span, Scope(of=of, code=code), now_ms)
    asked = Asked(whole, span.first, span.last, now_ms, of, code)
    its = FAMILIES[kind].make(asked)
    if kind != "supervision":  # a register, of no figures
        its["summary"] = _summary(FAMILIES[kind].summary(asked), asked)
    if kind not in ALONE:
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
    """Where one has several of a figure, its name goes on after it."""
    say = words("reports", "es")
    found = {}
    for name, (value, n, *within) in told.items():
        key, mark, about = name.partition(" · ")
        found[f"{say[f'col.{key}']}{mark}{about}"] = {
            "value": value, "n": n, "target": goals.goal(asked, key),
            "value_within": within[0] if within else None,
        }  # fmt: skip
    return found


def _compared(told, asked):
    say = words("reports", "es")
    told.pop("halves_met", None)  # of half-hours, not of a span
    return {
        say[f"col.{key}"]: its | {"target": goals.goal(asked, key)} for key, its in told.items()
    }


def _table(section, rows):
    names = [column.key for column in section.columns]
    keys = (
        KEYS[section.key]
        if section.key in KEYS
        else (("code",) if "code" in names else tuple(names[:1]))
    )
    aims = {column.goal for column in section.columns}
    counted = [
        column for column in section.columns if column.kind in NUMBERS and column.key not in aims
    ]  # fmt: skip
    seen = set()
    for number, row in enumerate(section.rows):
        cells = dict(zip(names, map(plain, row), strict=True))
        key = tuple(cells[name] for name in keys) if keys else number
        key = key[0] if keys and len(key) == 1 else key
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
        of = () if within is None or within.of is None else (within.of,)
        within = within and (within.low, within.high, within.n, *of)
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
