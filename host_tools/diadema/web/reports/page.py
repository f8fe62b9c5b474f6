"""/ui/reports: any report, of any span and scope, as tables and as files; and those that are made
by themselves. The form is a plain one: its choices stand in the address.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import date
from typing import Any
from urllib.parse import urlencode

import msgspec
from fastapi import FastAPI, HTTPException, Request
from nicegui import ui

from diadema.access.audit import ALL
from diadema.base.errors import DiademaError
from diadema.base.sanitize import visible
from diadema.report.context import capital
from diadema.report.delivery import addresses_for
from diadema.report.formats import MEDIA
from diadema.report.kinds import KINDS
from diadema.report.kinds.incident import choices
from diadema.report.model import Scope, scope_of
from diadema.report.period import GRAINS, Grain, Period, around
from diadema.report.schedule import (
    Run,
    Schedule,
    run_words,
    schedule_words,
    stopped_words,
)
from diadema.site.context import zone_of
from diadema.web.page_parts import (
    Unread,
    chart,
    day_of,
    heading,
    read,
    seen,
)
from diadema.web.reports.api import lists
from diadema.web.reports.drawn import HIGH
from diadema.web.reports.html import shown
from diadema.web.shell import Page, Refused, open_page, refuse
from diadema.web.templating import render
from diadema.web.web_app import WebApp
from diadema.words import section
from diadema.words.formatting import local_time

PATH = "/ui/reports"
_RUNS = 30  # of the list
_FORMATS = ("xlsx", "pdf", "csv", "json")
_SCHEDULE = ("name", "kind", "every", "scope", "format", "to", "next")  # columns
_RUN = ("name", "kind", "span", "due", "state", "file")
_HEAD = '<script type="module" src="/static/reports.js"></script>'


def mount(app: FastAPI, web_app: WebApp) -> None:
    @ui.page("/reports")
    async def reports(
        request: Request, kind: str = "", grain: str = "day", day: str = "", scope: str = "floor"
    ) -> None:
        with suppress(Refused, Unread):
            page = open_page(
                web_app, request, "reports", PATH, "figures", "attendance", "register", "tickets"
            )
            ui.add_head_html(_HEAD)
            may = [name for name, its in KINDS.items() if page.person.may(its.right)]
            _check(page, kind, may)
            span = around(_grain(grain), day_of(web_app, day))
            await _show(web_app, page, may, kind or may[0], span, _scope(scope))


def _check(page: Page, kind: str, may: list[str]) -> None:
    """Raises Refused, with what there is."""
    if kind and kind not in KINDS:
        names = ", ".join(page.words[f"kind.{one}"] for one in may)
        refuse(page.words["no_kind"].format(given=visible(kind), known=names), 404)
    if kind and kind not in may:
        refuse(section("web", page.language)["not_yours"], 403)


def _grain(given: str) -> Grain:
    return given if given in GRAINS else "day"


def _scope(given: str) -> Scope:
    try:
        return scope_of(given)
    except ValueError:
        return Scope()


async def _show(
    web_app: WebApp, page: Page, may: list[str], kind: str, span: Period, scope: Scope
) -> None:
    language = page.language
    tickets = None
    if KINDS[kind].of_ticket:
        tickets = await read(
            page, web_app, choices, web_app.data, page.person, span.first, span.last
        )
    with ui.element("main").props("id=main").classes("page reports"):
        _form(web_app, page, may, kind, span, scope, tickets)
        _files(page, kind, span, scope)
        place = ui.element("div").classes("report")
        if scope.of != "ticket":
            _scheduled(web_app, page, kind, scope)
    web_app.audit(page.person, f"report.{kind}", [scope.code] if scope.of == "agent" else ALL)
    with place:
        made = await read(
            page,
            web_app,
            shown,
            web_app.data,
            kind,
            span,
            scope,
            web_app.pace.now_ms(),
            page.person,
            language,
        )
        if made.refused:
            ui.label(made.refused).classes("refused").props("role=alert")
        else:
            ui.html(made.head, sanitize=False)
            if made.pictures:
                with ui.element("section").classes("charts"):
                    for one in made.pictures:
                        drawn = chart(one.title, one.options, height=HIGH, note=one.note)
                        drawn.props(f'aria-describedby="t-{one.table}"')
            ui.html(made.html, sanitize=False)


def _form(
    web_app: WebApp,
    page: Page,
    may: list[str],
    kind: str,
    span: Period,
    scope: Scope,
    tickets: list[tuple[str, str]] | None,
) -> None:
    """What is shown: which report, of which days, of whom; or of which of these tickets."""
    words, today = page.words, web_app.today()
    scopes, groups = _scopes(web_app, page, scope)
    if tickets is not None:
        groups = [(words["choose.tickets"], _visible(tickets))]
        known = {word for word, _ in tickets}
        scopes = [one for one in scopes if one[0] == "floor" or scope.word not in known]
    form = render(
        "report_form.html",
        action=PATH,
        language=page.language,
        words=words,
        kinds=[(one, words[f"kind.{one}"]) for one in may if not KINDS[one].document],
        documents=[(one, words[f"kind.{one}"]) for one in may if KINDS[one].document],
        kind=kind,
        grains=_grains(page),
        span=span,
        day=_day_in(span, min(today, span.last)).isoformat(),
        scopes=scopes,
        groups=groups,
        scope=scope.word,
        before=_address(page, kind, span.before, scope),
        after=_address(page, kind, span.after, scope) if span.last < today else "",
    )
    ui.html(form, tag="div", sanitize=False).classes("report-tools")


def _grains(page: Page) -> list[tuple[str, str]]:
    return [(one, page.words[f"grain.{one}"]) for one in GRAINS]


def _day_in(span: Period, today: date) -> date:
    return max(span.first, min(today, span.last))


def _scopes(
    web_app: WebApp, page: Page, scope: Scope
) -> tuple[list[tuple[str, str]], list[tuple[str, list[tuple[str, str]]]]]:
    """The whole, and the teams, queues and agents whom the person sees, by groups."""
    people, words, person = web_app.people(), page.words, page.person
    teams = person.scope(people)
    workers = seen(page, web_app)
    groups = [
        (
            words["choose.teams"],
            [
                (f"team:{code}", name)
                for code, name in sorted(people.teams.items(), key=lambda one: one[1].casefold())
                if teams is None or code in teams
            ],
        ),
        (
            words["choose.queues"],
            [(f"queue:{code}", name) for code, name in sorted(people.queues.items())],
        ),
        (
            words["choose.agents"],
            sorted(
                ((f"agent:{a}", f"{one.name} ({a})") for a, one in workers.items()),
                key=lambda one: one[1].casefold(),
            ),
        ),
    ]
    floor = words["scope.floor"] if teams is None else words["scope.mine"]
    whole = [("floor", floor)]
    if scope.word not in {"floor", *(key for _, members in groups for key, _ in members)}:
        whole.append((scope.word, scope.code))  # of one who has left, a queue
    return _visible(whole), [(title, _visible(members)) for title, members in groups]


def _visible(choices: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(key, visible(word)) for key, word in choices]


def _address(page: Page, kind: str, span: Period, scope: Scope) -> str:
    query = {"kind": kind, "grain": span.grain, "day": span.first.isoformat()}
    return f"{PATH}?{urlencode({**query, 'scope': scope.word, 'lang': page.language})}"


def _files(page: Page, kind: str, span: Period, scope: Scope) -> None:
    """The same report as a file."""
    files = []
    for form in _FORMATS:
        assert form in MEDIA
        query = urlencode(
            {"span": span.word, "scope": scope.word, "format": form, "lang": page.language}
        )
        files.append((form, f"/api/v1/reports/{kind}?{query}"))
    html = render("report_files.html", words=page.words, files=files)
    ui.html(html, tag="p", sanitize=False).classes("report-files")


def _scheduled(web_app: WebApp, page: Page, kind: str, scope: Scope) -> None:
    words, language = page.words, page.language
    with ui.element("section").classes("report-scheduled").props('aria-labelledby="t-runs"'):
        heading(words["schedules"], id="t-runs")
        if web_app.reports.trouble:
            ui.label(web_app.reports.trouble).classes("refused").props("role=alert")
        try:
            for line in web_app.held(language):
                ui.label(line).classes("refused").props("role=alert")
            known = lists(web_app, page.person)
            addresses = addresses_for(web_app.data, kind)
        except (HTTPException, DiademaError) as error:
            said = error.detail if isinstance(error, HTTPException) else error.say(language)
            ui.label(said).classes("refused").props("role=alert")
            return
        zone = zone_of(web_app.data).key
        html = render(
            "report_schedules.html",
            words=words,
            schedules=[_schedule(one, language, zone) for one in known["schedules"]],
            schedule_heads=[capital(words[f"schedule.{name}"]) for name in _SCHEDULE] + [""],
            runs=[_run(one, words, language, zone) for one in known["runs"][:_RUNS]],
            run_heads=[capital(words[f"run.{name}"]) for name in _RUN],
            kind=kind,
            scope=scope.word,
            grains=[(one, words[f"each.{one}"]) for one in GRAINS],
            formats=[(one, one.upper()) for one in _FORMATS],
            addresses=addresses,
        )
        ui.html(html, sanitize=False)


def _schedule(fields: dict[str, Any], language: str, zone: str) -> tuple[str, list[str]]:
    """Its name, and the cells of its row."""
    one = msgspec.convert(fields, Schedule)
    return one.name, [
        one.name,
        *schedule_words(one, language),
        stopped_words(one, language) if one.stopped else local_time(fields["next_ms"], zone),
    ]


def _run(
    fields: dict[str, Any], words: Mapping[str, str], language: str, zone: str
) -> tuple[Run, list[str], str]:
    """The run, the cells that begin its row, and what came of it."""
    run = msgspec.convert(fields, Run)
    cells = [run.name, words[f"kind.{run.kind}"], run.span, local_time(run.due_ms, zone)]
    return run, cells, run_words(run, language)
