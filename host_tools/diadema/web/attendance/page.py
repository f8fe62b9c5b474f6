"""/ui/attendance: the worker's own marks beside the shift, and the system's sessions beside both.
The two ledgers are never merged.
"""

from collections.abc import Mapping
from datetime import date
from zoneinfo import ZoneInfo

from fastapi import FastAPI
from nicegui import ui

from diadema.base.paths import DataDir
from diadema.figures.attendance import AgentDay, attendance
from diadema.figures.days import cutoff_of, span_of
from diadema.figures.rows import Cutoff
from diadema.site.context import zone_of
from diadema.site.directory.people import People
from diadema.site.directory.people_of import people as read_people
from diadema.store import open_reader
from diadema.web.page_parts import (
    cut_line,
    day_page,
    figures_table,
    how,
    read,
)
from diadema.web.shell import Page
from diadema.web.web_app import WebApp
from diadema.words.formatting import NOTHING, local_time, long_clock

PATH = "/ui/attendance"
_DEFINED = (
    "absent", "late_days", "late_s", "stay_s", "outside_s", "no_exit", "no_entry", "orphans",
    "impossible",
)  # fmt: skip


def mount(app: FastAPI, web_app: WebApp) -> None:
    day_page(web_app, PATH, "attendance", "attendance", _show)


async def _show(web_app: WebApp, page: Page, day: date, agents: list[str]) -> None:
    words, language = page.words, page.language
    people = web_app.people()
    now_ms = web_app.pace.now_ms()
    cut, days = await read(page, web_app, _read, web_app.data, day, now_ms, agents)
    zone = zone_of(web_app.data)
    ui.label(cut_line(cut, zone.key, language)).classes("status")
    shown = [one for one in days if one.day == day.isoformat()]
    late = sum(_late_s(one) > 0 for one in shown)
    absent = sum(one.absent(now_ms) or False for one in shown)
    ui.label(
        words["said"].format(
            present=sum(one.entry is not None for one in shown),
            planned=sum(one.planned is not None for one in shown),
            late=late,
            absent=absent,
        )
    ).classes("note")
    how(language, *_DEFINED)
    rows = [_row(one, people, zone, now_ms, words, page) for one in shown]
    rows.sort(key=lambda row: (str(row["name"]).casefold(), str(row["id"])))
    figures_table(
        [(name, words[name]) for name in ("name", "team", "shift")],
        [
            (name, words[name])
            for name in ("in", "login", "late", "logout", "out", "stay", "outside", "notes")
        ],
        rows,
        words["none"],
    )
    ui.label(words["law"]).classes("note")


def _read(
    data: DataDir, day: date, now_ms: int, agents: list[str]
) -> tuple[Cutoff, list[AgentDay]]:
    end_ms = span_of(day, zone_of(data)).end_s * 1000
    with open_reader(data.store) as reader, reader.engine.connect() as tx:
        cut = cutoff_of(tx, read_people(data, day, day), now_ms, end_ms)
    return cut, attendance(data, day, day, now_ms, agents)


def _late_s(one: AgentDay) -> int:
    return (one.late.raw_s or 0) if one.late else 0


def _row(
    one: AgentDay,
    people: People,
    zone: ZoneInfo,
    now_ms: int,
    words: Mapping[str, str],
    page: Page,
) -> dict[str, object]:
    def time_of(utc_ms: int | None, corrected: bool = False) -> str:
        if utc_ms is None:
            return NOTHING
        return local_time(utc_ms, zone, "minute") + (" *" if corrected else "")

    late = _late_s(one)
    row: dict[str, object] = {
        "id": one.agent,
        "name": people.name(one.agent),
        "team": people.team(one.agent),
        "shift": _shift(one, zone, words),
        "in": time_of(one.entry, one.corrected_in is not None),
        "in_by": one.entry,
        "login": time_of(one.first_login),
        "login_by": one.first_login,
        "late": long_clock(late) if late else NOTHING,
        "late_by": late,
        "logout": words["now"] if one.open else time_of(one.last_logout),
        "logout_by": one.last_logout,
        "out": time_of(one.exit, one.corrected_out is not None),
        "out_by": one.exit,
        "stay": long_clock(one.stay_s),
        "stay_by": one.stay_s,
        "outside": long_clock(one.outside_s),
        "outside_by": one.outside_s,
        "notes": ", ".join(_notes(one, now_ms, words)) or NOTHING,
    }
    if page.person.may("figures"):
        row["link"] = f"/ui/agents/{one.agent}?day={one.day}&lang={page.language}"
    return row


def _shift(one: AgentDay, zone: ZoneInfo, words: Mapping[str, str]) -> str:
    plan = one.planned
    if plan is None:
        return NOTHING
    if plan.absence:
        return words.get(f"absence.{plan.absence}", plan.absence)
    if plan.start_s is None or plan.end_s is None:
        return plan.shift or NOTHING
    start, end = (local_time(s * 1000, zone, "minute") for s in (plan.start_s, plan.end_s))
    return f"{plan.shift or ''} {start}–{end}".strip()


def _notes(one: AgentDay, now_ms: int, words: Mapping[str, str]) -> list[str]:
    notes = []
    if one.absent(now_ms):
        notes.append(words["note.absent"])
    if one.late is not None and one.late.explained:
        notes.append(words["note.explained"])
    if one.corrections:
        notes.append(words["note.corrected"])
    if any(mark.repeated for mark in one.marks):
        notes.append(words["note.repeated"])
    if lacking := sum(stay.state in ("no_entry", "no_exit") for stay in one.stays):
        notes.append(words["note.to_settle"].format(n=lacking))
    if one.orphans:
        notes.append(words["note.orphans"].format(n=one.orphans))
    if one.impossible:
        notes.append(words["note.impossible"].format(n=one.impossible))
    if one.sessions and one.entry is None:
        notes.append(words["note.no_mark"])
    return notes
