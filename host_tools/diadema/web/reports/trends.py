"""How a page's figures went over the last weeks and months: those of the reports, with their
charts and, folded, the tables of the same.
"""

from datetime import date
from functools import partial

from nicegui import ui

from diadema.access.roles import Person
from diadema.base.paths import DataDir
from diadema.report.make import follow
from diadema.report.model import Scope
from diadema.report.period import Grain, around
from diadema.web.page_parts import chart, heading, read
from diadema.web.reports.drawn import HIGH
from diadema.web.reports.html import Shown, page_of
from diadema.web.shell import Page
from diadema.web.web_app import WebApp
from diadema.words import text

_GRAINS: tuple[Grain, ...] = ("week", "month")


def trends(
    data: DataDir, kind: str, day: date, scope: Scope, now_ms: int, person: Person, language: str
) -> list[Shown]:
    """Of the weeks and of the months until that day, where there is more than one."""
    made = [
        follow(data, kind, around(grain, day), scope, now_ms, person, language)
        for grain in _GRAINS
    ]
    return [page_of(one) for one in made if one is not None and one.sections[0].charts]


async def draw_trends(kind: str, web_app: WebApp, page: Page, day: date, team: str) -> None:
    scope = Scope(of="team", code=team) if team else Scope()
    now_ms, person = web_app.pace.now_ms(), page.person
    work = partial(trends, web_app.data, kind, day, scope, now_ms, person, page.language)
    made = await read(page, web_app, work)
    if not made:
        return
    with ui.element("section").classes("trends").props('aria-labelledby="t-trends"'):
        heading(text("reports.trends", page.language), id="t-trends")
        with ui.element("div").classes("charts"):
            for one in made:
                for its in one.pictures:
                    chart(its.title, its.options, height=HIGH, note=its.note)
        for one in made:
            title = text("reports.trend.table", page.language)
            with ui.element("details").classes("reports"):
                ui.html(title, tag="summary", sanitize=False)
                ui.html(one.html, sanitize=False)
