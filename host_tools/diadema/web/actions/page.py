"""/ui/register: what supervisors did on a day, with whom, why, and what came of it."""

from contextlib import suppress
from datetime import date
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import FastAPI, Request
from nicegui import ui

from diadema.access.audit import ALL
from diadema.base.sanitize import visible
from diadema.store.register import Acted, counted
from diadema.web.actions.queries import SHOWN, register
from diadema.web.actions.words import (
    action_of,
    by_of,
    outcome_of,
    reason_of,
    summary_of,
)
from diadema.web.page_parts import (
    ModuleElement,
    Unread,
    cut_line,
    day_links,
    day_of,
    figures_table,
    read,
    seen,
)
from diadema.web.shell import Page, Refused, open_page
from diadema.web.web_app import WebApp
from diadema.words import section
from diadema.words.formatting import NOTHING, local_time

PATH = "/ui/register"
_FORMATS = ("xlsx", "csv", "pdf")
_FILTERS = ("agent", "by", "kind")
_ANNUL = """<q-td :props="props">
<button v-if="props.row.place" type="button" class="act" :data-annul="props.row.place"
>{word}</button></q-td>"""


def mount(app: FastAPI, web_app: WebApp) -> None:
    @ui.page("/register")
    async def register_page(
        request: Request, day: str = "", agent: str = "", by: str = "", kind: str = ""
    ) -> None:
        try:
            page = open_page(web_app, request, "register", PATH, "register", "reprimands")
        except Refused:
            return
        with suppress(Unread):
            filters = {"agent": agent, "by": by, "kind": kind}
            await _show(web_app, page, day_of(web_app, day), filters)


async def _show(web_app: WebApp, page: Page, day: date, filters: dict[str, str]) -> None:
    words, zone = page.words, ZoneInfo(web_app.floor.site.zone)
    scope = page.person.scope(web_app.people())
    with ui.element("main").props("id=main").classes("page"):
        with ui.element("header").classes("page-head"):
            day_links(page, web_app, day, PATH)
        web_app.audit(page.person, "register", ALL)
        made = await read(
            page,
            web_app,
            register,
            web_app.data,
            day,
            zone.key,
            "",
            None if scope is None else [*seen(page, web_app)],
            page.person,
            web_app.pace.now_ms(),
            page.person.reprimands,
        )
        ui.label(cut_line(made.cut, zone.key, page.language)).classes("status")
        acts = made.acts[:SHOWN]
        _filters(web_app, page, day, acts, filters)
        shown = [one for one in acts if _matches(one, filters)]
        n = len(counted(shown))
        ui.label(words["said"].format(n=n, day=day.isoformat())).classes("note")
        if page.person.may("reprimands"):
            ui.label(words["internal"]).classes("note")
        if len(made.acts) > SHOWN:
            ui.label(words["said.cut"].format(n=SHOWN)).classes("note")
        texts = ("at", "agent", "kind", "by", "reason", "contact", "note", "outcome")
        rows = [_row(web_app, page, one, zone) for one in shown]
        columns = [(name, words[name]) for name in texts]
        if page.person.may("act", "annul"):
            columns.append(("do", words["do"]))
        table = figures_table(columns, [], rows, words["none"])
        table.props(''':table-row-class-fn="row => row.annulled ? 'annulled' : ''"''')
        table.add_slot("body-cell-do", _ANNUL.format(word=words["annul"]))
        ModuleElement("annul.js", {"words": dict(words)})
        if page.person.may("register"):
            _ways(page, day)


def _matches(one: Acted, filters: dict[str, str]) -> bool:
    its = {"agent": one.act.agent or "", "by": one.act.by, "kind": action_of(one)}
    return all(not filters[name] or filters[name] == its[name] for name in _FILTERS)


def _filters(
    web_app: WebApp, page: Page, day: date, acts: list[Acted], filters: dict[str, str]
) -> None:
    """Narrow to one agent, supervisor or action of those that there are."""
    people, said = web_app.people(), section("reports", page.language)
    offered = {
        "agent": {
            one.act.agent: visible(people.name(one.act.agent)) for one in acts if one.act.agent
        },
        "by": {one.act.by: by_of(one) for one in acts},
        "kind": {name: said.get(f"action.{name}", name) for name in sorted(map(action_of, acts))},
    }
    with ui.element("div").classes("page-head"):
        for name in _FILTERS:
            options = {"": page.words[f"{name}.all"], **offered[name]}
            value = filters[name] if filters[name] in options else ""
            choice = ui.select(options, value=value, label=page.words[name])
            choice.props("dense outlined options-dense").classes("team")
            choice.on_value_change(
                lambda change, name=name: ui.navigate.to(
                    _address(page, day, filters | {name: change.value or ""})
                )
            )


def _address(page: Page, day: date, filters: dict[str, str]) -> str:
    chosen = {name: value for name, value in filters.items() if value}
    there = PATH.removeprefix("/ui")  # NiceGUI puts it before
    return f"{there}?{urlencode({'day': day.isoformat(), 'lang': page.language} | chosen)}"


def _row(web_app: WebApp, page: Page, one: Acted, zone: ZoneInfo) -> dict[str, Any]:
    act, people = one.act, web_app.people()
    said = section("reports", page.language)
    return {
        "id": one.position,
        "at": local_time(act.utc, zone, "hour"),
        "agent": visible(people.name(act.agent)) if act.agent else NOTHING,
        "kind": summary_of(one, said),
        "by": by_of(one),
        "reason": reason_of(one, people, said),
        "contact": visible(act.contact or "") or NOTHING,
        "note": _note(page, one, zone),
        "outcome": outcome_of(one, said, zone),
        "annulled": one.annulled is not None,
        "place": _place(page, one),
    }


def _note(page: Page, one: Acted, zone: ZoneInfo) -> str:
    """With what the agent answered."""
    parts = [visible(one.act.note or "")]
    if (act := one.reply) is not None:
        at, said = local_time(act.utc, zone, "date_second"), visible(act.note or "")
        parts.append(page.words["reply"].format(at=at, text=said))
    return " · ".join(filter(None, parts)) or NOTHING


def _place(page: Page, one: Acted) -> str:
    """Where the API has it, if the person may annul it."""
    act, person = one.act, page.person
    its = act.action == "note" and (person.may("annul") or act.by == person.id)
    if not its or one.annulled is not None:
        return ""
    return f"{act.station}/{act.epoch}/{act.sequence}"


def _ways(page: Page, day: date) -> None:
    """To the files of the same day, and to what is printed at the end of a shift."""
    words = page.words
    with ui.element("nav").classes("page-head").props(f'aria-label="{words["export"]}"'):
        ui.label(words["export"]).classes("soft")
        for form in _FORMATS:
            path = f"../api/v1/reports/supervision?span={day.isoformat()}&format={form}"
            link = ui.link(form.upper(), f"{path}&lang={page.language}")
            link.props(f'aria-label="{words["export.of"].format(format=form.upper())}"')
        ui.link(words["handover"], f"../handover?day={day.isoformat()}&lang={page.language}")
