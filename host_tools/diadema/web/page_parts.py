"""What several pages have: the day and the team to choose, the line that says until when the data
reach, charts, tables, and `ModuleElement`, a place that one of our own ES modules fills.

A chart answers one question, in the page's colours, light and dark. The same figures stand in a
table below, so that nobody depends on the picture. Tables have names to the left, figures to the
right, sorted by their values.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import date, timedelta
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from nicegui import ui

from diadema.access.roles import Right
from diadema.base.errors import DiademaError
from diadema.figures.rows import Cutoff
from diadema.report.palette import DARK, LIGHT
from diadema.report.writing import owing_since
from diadema.site.directory.people import Worker
from diadema.web.assets import STATIC
from diadema.web.paging import FIRST, LAST
from diadema.web.refusals import trouble
from diadema.web.shell import Page, Refused, open_page
from diadema.web.templating import render
from diadema.web.web_app import WebApp
from diadema.words import section
from diadema.words.formatting import NOTHING, grouped, local_time

# for an axis in seconds, in the browser: as `clock` writes it
CLOCK = """s => {
  const two = (part) => String(part).padStart(2, "0");
  const minutes = Math.floor(s / 60);
  if (minutes < 60) return `${minutes}:${two(s % 60)}`;
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(s % 60)}`;
}"""
GRID = {"left": 8, "right": 24, "top": 44, "bottom": 8, "containLabel": True}
ROWS = 50  # of one screen
_SORT = "(a, b, x, y) => (x.{by} ?? -1) - (y.{by} ?? -1)"

_PATIENCE_S = 30.0  # of a browser that has the page and does not connect


def day_of(web_app: WebApp, given: str) -> date:
    """The day in the address, or today at the site; what is no day is today too."""
    try:
        found = date.fromisoformat(given)
    except ValueError:
        return web_app.today()
    return found if FIRST <= found <= LAST else web_app.today()


def day_page(
    web_app: WebApp,
    path: str,
    area: str,
    right: Right,
    show: Callable[[WebApp, Page, date, list[str]], Awaitable[None]],
    after: Callable[[WebApp, Page, date, str], Awaitable[None]] | None = None,
) -> None:
    """A page at `path` of one day and, where given, one team: its words are of `area`, with
    `show` draws the rest, of the agents whom the person sees, and `after`
    what comes below that, of the team or of all whom the person sees.
    """

    @ui.page(path.removeprefix("/ui"))
    async def draw(request: Request, day: str = "", team: str = "") -> None:
        with suppress(Refused, Unread):
            page = open_page(web_app, request, area, path, right)
            shown = day_of(web_app, day)
            with ui.element("main").props("id=main").classes("page"):
                with ui.element("header").classes("page-head"):
                    team_choice(page, web_app, team, shown, path)
                    day_links(page, web_app, shown, path, team)
                agents = [*seen(page, web_app, team)]
                web_app.audit(page.person, area, agents)
                await show(web_app, page, shown, agents)
                if after is not None:
                    await after(web_app, page, shown, team)


def day_links(page: Page, web_app: WebApp, day: date, path: str, team: str = "") -> None:
    """The day before, the day itself to choose, the day after, and today."""
    words, today = section("parts", page.language), web_app.today()

    def go(to: date) -> str:
        return _address(path, to, page.language, team)

    with ui.element("nav").classes("days").props(f'aria-label="{words["days"]}"'):
        before = ui.link("‹", go(day - timedelta(days=1))).classes("step")
        before.props(f'aria-label="{words["day.before"]}"')
        chosen = ui.input(value=day.isoformat()).classes("day")
        chosen.props(f'type=date dense outlined aria-label="{words["day"]}"')
        chosen.props(f"max={today.isoformat()}")
        chosen.on_value_change(
            lambda change: ui.navigate.to(go(day_of(web_app, change.value or "")))
        )
        if day < today:
            after = ui.link("›", go(day + timedelta(days=1))).classes("step")
            after.props(f'aria-label="{words["day.after"]}"')
            ui.link(words["day.today"], go(today)).classes("step")


def team_choice(page: Page, web_app: WebApp, team: str, day: date, path: str) -> None:
    """Narrow the page to one of the teams that the person sees; no choice where there is one."""
    teams = sorted({one.team for one in seen(page, web_app).values() if one.team})
    if len(teams) < 2:
        return
    words = section("parts", page.language)
    options = {"": words["team.all"], **{one: one for one in teams}}
    choice = ui.select(options, value=team if team in teams else "", label=words["team"])
    choice.props("dense outlined options-dense").classes("team")
    choice.on_value_change(
        lambda change: ui.navigate.to(_address(path, day, page.language, change.value or ""))
    )


def _address(path: str, day: date, language: str, team: str) -> str:
    """Of the page at another day or of another team; NiceGUI puts its /ui before it."""
    query = {"day": day.isoformat(), "lang": language} | ({"team": team} if team else {})
    return f"{path.removeprefix('/ui')}?{urlencode(query)}"


def seen(page: Page, web_app: WebApp, team: str = "") -> Mapping[str, Worker]:
    """The workers whom the person sees, of one team if given."""
    people = web_app.people()
    return {
        agent: worker
        for agent, worker in people.workers.items()
        if page.person.sees(agent, people) and (not team or worker.team == team)
    }


def heading(words: str, *, id: str = "") -> None:
    """A heading of the page; `id` as others refer to it."""
    named = f' id="{id}"' if id else ""
    ui.html(f"<h2{named}>{escape(words)}</h2>", sanitize=False)


def definitions(language: str, *keys: str) -> list[tuple[str, str]]:
    """Of figures: the name of each, and how it is worked out, with an example, as reports say."""
    words = section("reports", language)
    return [(words[f"col.{key}"], words[f"formula.{key}"]) for key in keys]


def how(language: str, *keys: str) -> None:
    """«¿Cómo se calcula?», folded."""
    html = render(
        "how.html",
        title=section("parts", language)["how"],
        definitions=definitions(language, *keys),
    )
    ui.html(html, tag="details", sanitize=False).classes("how")


class Unread(Exception):
    """It could not be read, and the page has said so."""


async def read[**P, T](
    page: Page, web_app: WebApp, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs
) -> T:
    """What the page shows: its shape stands there while that is read, and for ears the word.
    Raises Unread.
    """
    words = section("parts", page.language)
    with ui.element("div").classes("skeleton").props("role=status") as shape:
        ui.label(words["loading"]).classes("unseen")
    await ui.context.client.connected(timeout=_PATIENCE_S)
    try:
        made = await web_app.worker.ask(work, *args, **kwargs)
    except DiademaError as error:
        shape.classes(replace="status").clear()
        with shape:
            ui.label(words["unread"].format(detail=trouble(error, page.language)))
        raise Unread from error
    shape.delete()
    return made


def cut_line(cut: Cutoff, zone: str, language: str) -> str:
    """«Corte 14:12:05 · posición 12,345 · faltan 3 posiciones desde 14:02»."""
    words = section("parts", language)
    at = local_time(cut.at_ms, zone, "hour")
    said = [words["cut"].format(time=at, position=grouped(cut.position))]
    if cut.pending_stations:
        word = "owing" if len(cut.pending_stations) > 1 else "owing.one"
        since = owing_since(cut, zone, language) or NOTHING
        said.append(words[word].format(n=len(cut.pending_stations), time=since))
    return " · ".join(said)


def right_to(page_right: Right, person_agent: str | None, agent: str) -> Right:
    """Agents read their own day; everybody else needs the page's right."""
    return "own" if person_agent == agent else page_right


def chart(title: str, options: dict[str, Any], *, height: int, note: str = "") -> ui.echart:
    """`colors` names states, whose colours the page knows, of a chart of states; others have those
    of reports. `legend`: whether; `height` in em; `note`: of how many it is. The browser's part
    (static/charts.js) puts in the colours of the theme and follows its switch.
    """
    names = options.pop("colors", [])
    said = " · ".join(filter(None, (title, note)))
    if options.pop("legend", False):
        options["legend"] = {"top": 0, "left": 0, "itemWidth": 14, "itemHeight": 10}
    base: dict[str, Any] = {
        "animation": False,
        "grid": GRID,
        "tooltip": {"trigger": "axis", "axisPointer": {"type": "shadow"}, "confine": True},
        "aria": {"enabled": True, "label": {"description": said}},
    }
    with ui.element("figure").classes("chart"):
        with ui.element("figcaption"):
            ui.label(title)
            if note:
                ui.label(note).classes("small")
        made = ui.echart(base | options).style(f"height: {height}em")
        made.props(f'data-colors="{" ".join(names)}" data-chart role=img')
        made.props["aria-label"] = said
        made.props["data-light"], made.props["data-dark"] = " ".join(LIGHT), " ".join(DARK)
    return made


type Columns = Sequence[tuple[str, str]]  # field and title


def figures_table(
    texts: Columns, figures: Columns, rows: list[dict[str, Any]], empty: str, after: Columns = ()
) -> ui.table:
    """The first text column links to `link` of the row, where there is one. A figure `f` that is
    written as text is sorted by `f_by`; `f_missed`: it stays behind its target. `after`: text
    columns to the right of the figures.
    """
    columns = [_text_column(name, title) for name, title in texts]
    for name, title in figures:
        column: dict[str, Any] = {
            "name": name,
            "label": title,
            "field": name,
            "align": "right",
            "sortable": True,
        }
        if rows and f"{name}_by" in rows[0]:
            column[":sort"] = _SORT.format(by=f"{name}_by")
        columns.append(column)
    marked = [name for name, _ in figures if rows and f"{name}_missed" in rows[0]]
    columns += [_text_column(name, title) for name, title in after]
    table = ui.table(columns=columns, rows=rows, row_key="id", pagination=ROWS)
    table.classes("figures-table").props(f'flat dense no-data-label="{empty}"')
    if len(rows) <= ROWS:
        table.props("hide-pagination")
    first = texts[0][0]
    table.add_slot(
        f"body-cell-{first}",
        f'<q-td :props="props"><a v-if="props.row.link" :href="props.row.link">'
        f"{{{{ props.row.{first} }}}}</a>"
        f"<span v-else>{{{{ props.row.{first} }}}}</span></q-td>",
    )
    for name in marked:
        table.add_slot(
            f"body-cell-{name}",
            f'<q-td :props="props" :data-missed="props.row.{name}_missed ? \'\' : null">'
            f"{{{{ props.row.{name} }}}}</q-td>",
        )
    return table


def _text_column(name: str, title: str) -> dict[str, Any]:
    return {"name": name, "label": title, "field": name, "align": "left", "sortable": True}


class ModuleElement(ui.element, component=Path(STATIC / "module_element.js")):
    """The thin Vue wrapper of a module under /static."""

    def __init__(self, module: str, options: dict[str, Any]) -> None:
        super().__init__()
        self._props["module"] = f"/static/{module}"
        self._props["options"] = options
