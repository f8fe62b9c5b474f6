"""/ui/agents: who there is on a day; /ui/agents/{a}: one agent's day, whole."""

from contextlib import suppress
from datetime import date

from fastapi import FastAPI, Request
from nicegui import ui

from diadema.base.sanitize import visible
from diadema.figures.overview import AgentRow, overview
from diadema.web.agents.queries import has_worked
from diadema.web.page_parts import (
    ModuleElement,
    cut_line,
    day_links,
    day_of,
    day_page,
    figures_table,
    heading,
    how,
    read,
    right_to,
)
from diadema.web.permissions import person_of
from diadema.web.quality.own import may_read
from diadema.web.shell import Page, Refused, open_page, refuse
from diadema.web.web_app import WebApp
from diadema.words import section
from diadema.words.formatting import clock, percent

PATH = "/ui/agents"
_DEFINED = ("handled", "missed", "aht_s", "occupancy", "logged_s", "not_ready")
_DAY_DEFINED = (
    "handled", "missed", "aht_s", "talk_mean_s", "hold_mean_s", "wrap_mean_s", "occupancy",
    "logged_s",
)  # fmt: skip

_DONE = ("absence.", "did.", "excuse.")  # of the report, what the plan's track says too


def mount(app: FastAPI, web_app: WebApp) -> None:
    day_page(web_app, PATH, "agent_day", "figures", _list)

    @ui.page("/agents/{a}")
    def agent(request: Request, a: str, day: str = "") -> None:
        right = right_to("figures", person_of(request).agent, a)
        with suppress(Refused):
            page = open_page(web_app, request, "agent_day", PATH, right)
            _day(web_app, page, a, day_of(web_app, day))


def _day(web_app: WebApp, page: Page, agent: str, day: date) -> None:
    people = web_app.people()
    if not page.person.sees(agent, people):
        refuse(page.words["not_seen"], 403)
    if agent not in people.workers and not has_worked(web_app.data, agent):
        refuse(page.words["unknown"].format(agent=visible(agent)), 404)
    with ui.element("main").props("id=main").classes("page"):
        with ui.element("header").classes("page-head"):
            heading(people.name(agent))
            ui.label(people.team(agent)).classes("soft")
            day_links(page, web_app, day, f"{PATH}/{agent}")
            if may_read(page.person, agent, people):
                word = section("own_quality", page.language)["link"]
                ui.link(word, f"/agents/{agent}/quality?lang={page.language}")
        how(page.language, *_DAY_DEFINED)
        floor = section("floor", page.language)
        states = {name: word for name, word in floor.items() if name.startswith("state.")}
        report = section("reports", page.language)
        done = {name: word for name, word in report.items() if name.startswith(_DONE)}
        options = {
            "words": {**states, **done, **page.words},
            "agent": agent,
            "day": day.isoformat(),
            "zone": web_app.floor.site.zone,
            "language": page.language,
        }
        ModuleElement("agent.js", options)


async def _list(web_app: WebApp, page: Page, day: date, agents: list[str]) -> None:
    words, language = page.words, page.language
    made = await read(
        page, web_app, overview, web_app.data, day, day, web_app.pace.now_ms(), agents
    )
    ui.label(cut_line(made.cut, made.zone, language)).classes("status")
    names = ("aht", "handled", "occupancy", "missed", "logged", "not_ready")
    columns = [("name", words["list.name"])]
    figures = [(name, words[f"list.{name}"]) for name in names]
    rows = [_row(one, day, language) for one in made.rows]
    how(language, *_DEFINED)
    team = [("team", words["list.team"])]
    figures_table(columns, figures, rows, words["list.none"], team)


def _row(one: AgentRow, day: date, language: str) -> dict[str, object]:
    """What is shown beside what it is sorted by."""
    return {
        "id": one.agent,
        "name": one.name,
        "team": one.team,
        "handled": one.handled,
        "missed": one.missed,
        "aht": clock(one.aht_s),
        "aht_by": one.aht_s,
        "occupancy": percent(one.occupancy),
        "occupancy_by": one.occupancy,
        "logged": clock(one.logged_s),
        "logged_by": one.logged_s,
        "not_ready": clock(one.not_ready_s),
        "not_ready_by": one.not_ready_s,
        "link": f"{PATH}/{one.agent}?day={day.isoformat()}&lang={language}",
    }
