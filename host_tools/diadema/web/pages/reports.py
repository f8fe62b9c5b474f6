"""/ui/reports: any report, of any span and scope, as tables and as files; and those that are made
by themselves. The form is a plain one: what is asked for stands in the address.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import date
from html import escape
from typing import Any
from urllib.parse import urlencode

import msgspec
from fastapi import FastAPI, HTTPException, Request
from nicegui import ui

from diadema.access.audit import ALL
from diadema.base.sanitize import visible
from diadema.figures.days import zone_of
from diadema.report.formats import MEDIA
from diadema.report.kinds import KINDS, RIGHTS
from diadema.report.model import Scope, scope_of
from diadema.report.period import GRAINS, Grain, Period, around
from diadema.report.schedule import Run, Schedule, said, told
from diadema.report.writing import hour
from diadema.web.pages.parts import Unread, day_of, read, seen
from diadema.web.pages.shell import Page, Refused, open_page
from diadema.web.report_html import shown
from diadema.web.reports_api import lists
from diadema.web.service import Service

PATH = "/ui/reports"
_RUNS = 30  # of the list
_HEAD = '<script type="module" src="/static/reports.js"></script>'


def mount(app: FastAPI, service: Service) -> None:
    @ui.page("/reports")
    async def reports(
        request: Request, kind: str = "", grain: str = "day", day: str = "", scope: str = "floor"
    ) -> None:
        try:
            page = open_page(
                service, request, "reports", PATH, "figures", "attendance", "register"
            )
        except Refused:
            return
        ui.add_head_html(_HEAD)
        may = [one for one in KINDS if page.person.may(RIGHTS[one])]
        asked = kind if kind in may else may[0]
        span = around(_grain(grain), day_of(service, day))
        with suppress(Unread):
            await _show(service, page, may, asked, span, _scope(scope))


def _grain(given: str) -> Grain:
    return given if given in GRAINS else "day"


def _scope(given: str) -> Scope:
    try:
        return scope_of(given)
    except ValueError:
        return Scope()


async def _show(
    service: Service, page: Page, may: list[str], kind: str, span: Period, scope: Scope
) -> None:
    language = page.language
    with ui.element("main").props("id=main").classes("page reports"):
        ui.html(_form(service, page, may, kind, span, scope), tag="div", sanitize=False).classes(
            "report-tools"
        )
        place = ui.element("div").classes("report")
        _files(page, kind, span, scope)
        _scheduled(service, page, kind, scope)
    service.audit(page.person, f"report.{kind}", [scope.code] if scope.of == "agent" else ALL)
    with place:
        made = await read(
            page, service, shown, service.data, kind, span, scope, service.pace.now_ms(),
            page.person, language,
        )  # fmt: skip
        if made.refused:
            ui.label(made.refused).classes("refused").props("role=alert")
        else:
            ui.html(made.html, sanitize=False)


def _form(
    service: Service, page: Page, may: list[str], kind: str, span: Period, scope: Scope
) -> str:
    words = page.words
    kinds = _options([(one, words[f"kind.{one}"]) for one in may], kind)
    grains = _options([(one, words[f"grain.{one}"]) for one in GRAINS], span.grain)
    today = min(service.today(), span.last)

    def step(to: Period, word: str, sign: str) -> str:
        return (
            f'<a class="step" href="{escape(_address(page, kind, to, scope))}"'
            f' aria-label="{escape(words[word])}" title="{escape(to.word)}">{sign}</a>'
        )

    after = step(span.after, "span.after", "›") if span.last < service.today() else ""
    return (
        f'<form method="get" action="{PATH}" class="report-form">'
        f'<input type="hidden" name="lang" value="{page.language}">'
        f"<label><span>{escape(words['choose.kind'])}</span>"
        f'<select name="kind">{kinds}</select></label>'
        f"<label><span>{escape(words['choose.grain'])}</span>"
        f'<select name="grain">{grains}</select></label>'
        f"<label><span>{escape(words['choose.day'])}</span>"
        f'<input type="date" name="day" value="{_day_in(span, today).isoformat()}"></label>'
        f"<label><span>{escape(words['choose.scope'])}</span>"
        f'<select name="scope">{_scopes(service, page, scope)}</select></label>'
        f'<button type="submit">{escape(words["choose.show"])}</button>'
        f'<span class="days">{step(span.before, "span.before", "‹")}'
        f"<b>{escape(span.word)}</b>{after}</span></form>"
    )


def _day_in(span: Period, today: date) -> date:
    return max(span.first, min(today, span.last))


def _scopes(service: Service, page: Page, scope: Scope) -> str:
    people, words, person = service.people(), page.words, page.person
    teams = person.scope(people)
    workers = seen(page, service)
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
    made = _options([("floor", floor)], scope.word)
    if scope.word not in {"floor", *(key for _, its in groups for key, _ in its)}:
        made += _options([(scope.word, scope.code)], scope.word)  # of one who has left, a queue
    return made + "".join(
        f'<optgroup label="{escape(word)}">{_options(its, scope.word)}</optgroup>'
        for word, its in groups
        if its
    )


def _options(options: Iterable[tuple[str, str]], chosen: str) -> str:
    return "".join(
        f'<option value="{escape(key)}"{" selected" if key == chosen else ""}>'
        f"{escape(visible(word))}</option>"
        for key, word in options
    )


def _address(page: Page, kind: str, span: Period, scope: Scope) -> str:
    asked = {"kind": kind, "grain": span.grain, "day": span.first.isoformat()}
    return f"{PATH}?{urlencode({**asked, 'scope': scope.word, 'lang': page.language})}"


def _files(page: Page, kind: str, span: Period, scope: Scope) -> None:
    """The same report as a file."""
    links = []
    for form in ("xlsx", "pdf", "csv", "json"):
        assert form in MEDIA
        query = urlencode(
            {"span": span.word, "scope": scope.word, "format": form, "lang": page.language}
        )
        links.append(
            f'<a class="file" href="/api/v1/reports/{kind}?{escape(query)}"'
            f"{' target=_blank' if form == 'json' else ' download'}>{form.upper()}</a>"
        )
    label = escape(page.words["files"])
    ui.html(f"<span>{label}</span>{''.join(links)}", tag="p", sanitize=False).classes(
        "report-files"
    )


def _scheduled(service: Service, page: Page, kind: str, scope: Scope) -> None:
    words, language = page.words, page.language
    with ui.element("section").classes("report-scheduled").props('aria-labelledby="t-runs"'):
        ui.html(f'<h3 id="t-runs">{escape(words["schedules"])}</h3>', sanitize=False)
        if service.reports.trouble:
            ui.label(service.reports.trouble).classes("refused").props("role=alert")
        try:
            known = lists(service, page.person)
        except HTTPException as error:
            ui.label(str(error.detail)).classes("refused").props("role=alert")
            return
        zone = zone_of(service.data).key
        ui.html(
            _orders(known["schedules"], words, language, zone)
            + _runs(known["runs"][:_RUNS], words, language, zone)
            + _order_form(page, kind, scope),
            sanitize=False,
        )


def _orders(
    ordered: list[dict[str, Any]], words: Mapping[str, str], language: str, zone: str
) -> str:
    if not ordered:
        return f'<p class="empty">{escape(words["no_schedules.page"])}</p>'
    rows = []
    for fields in ordered:
        one = msgspec.convert(fields, Schedule)
        cells = (one.name, *told(one, language), hour(fields["next_ms"], zone))
        taken = (
            f'<td><button type="button" class="quiet" data-remove="{escape(one.name)}">'
            f"{escape(words['schedule.remove'])}</button></td>"
        )
        rows.append("".join(f"<td>{escape(str(cell))}</td>" for cell in cells) + taken)
    names = ("name", "kind", "every", "scope", "format", "next")
    heads = [words[f"schedule.{name}"] for name in names] + [""]
    return _table("schedules", heads, rows)


def _runs(made: list[dict[str, Any]], words: Mapping[str, str], language: str, zone: str) -> str:
    if not made:
        return ""
    rows = []
    for fields in made:
        run = msgspec.convert(fields, Run)
        name = escape(words["run.open"])
        link = (
            f'<a href="/api/v1/reports/runs/{run.name}/{run.due_ms}" download>{name}</a>'
            if run.file
            else "—"
        )
        state = f'<td class="long" data-state="{run.state}">{escape(said(run, language))}</td>'
        cells = "".join(
            f"<td>{escape(cell)}</td>"
            for cell in (run.name, words[f"kind.{run.kind}"], run.span, hour(run.due_ms, zone))
        )
        rows.append(f"{cells}{state}<td>{link}</td>")
    heads = [words[f"run.{name}"] for name in ("name", "kind", "span", "due", "state", "file")]
    title = f"<h4>{escape(words['runs'])}</h4>"
    return title + _table("runs", heads, rows)


def _table(name: str, heads: list[str], rows: list[str]) -> str:
    head = "".join(f'<th scope="col">{escape(one)}</th>' for one in heads)
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return (
        f'<div class="report-scroll" tabindex="0" role="group" aria-label="{name}">'
        f'<table data-list="{name}">'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _order_form(page: Page, kind: str, scope: Scope) -> str:
    """Has the report that is shown made by itself."""
    words = page.words
    every = _options([(one, words[f"each.{one}"]) for one in GRAINS], "day")
    form = _options([(one, one.upper()) for one in ("xlsx", "pdf", "csv", "json")], "xlsx")
    return (
        f'<details class="report-order"><summary>{escape(words["schedule.add"])}</summary>'
        f'<form data-order data-kind="{kind}" data-scope="{escape(scope.word)}">'
        f"<label><span>{escape(words['schedule.name'])}</span>"
        '<input name="name" required pattern="[A-Za-z0-9_\\-]{1,32}" maxlength="32"'
        ' autocomplete="off"></label>'
        f"<label><span>{escape(words['schedule.every'])}</span>"
        f'<select name="every">{every}</select></label>'
        f"<label><span>{escape(words['schedule.at'])}</span>"
        '<input name="at" type="time" required value="06:00"></label>'
        f"<label><span>{escape(words['schedule.format'])}</span>"
        f'<select name="format">{form}</select></label>'
        '<label class="check"><input name="running" type="checkbox">'
        f"<span>{escape(words['schedule.running'])}</span></label>"
        f'<button type="submit">{escape(words["schedule.save"])}</button>'
        '<p class="refused" data-error role="alert" hidden></p></form></details>'
    )
