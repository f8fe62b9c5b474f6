"""/ui/switch: whether the telephone exchange works and since when, what is to be done, and its
queues, members and telephones, as they are now.
"""

from collections.abc import Sequence
from contextlib import suppress
from html import escape
from typing import Any, Literal

import msgspec
from fastapi import FastAPI, Request
from nicegui import ui

from diadema.web.floor.feed import HubAbsent, HubSilent, NatsAbsent
from diadema.web.page_parts import ROWS, Columns, figures_table, heading
from diadema.web.shell import Page, Refused, open_page
from diadema.web.switch.view import Line, View, sentence, time_of, way_to
from diadema.web.templating import render
from diadema.web.web_app import WebApp
from diadema.wire.switching import LOST_S, Report
from diadema.words.formatting import NOTHING, local_time

PATH = "/ui/switch"
_EVERY_S = 2.0
_NEWEST = 6  # troubles; the others are folded
_SILENT = (HubAbsent, HubSilent, NatsAbsent)
_COMMANDS = {
    "none.files": "diadema switch config asterisk --out central",
    "none.connect": "diadema switch setup asterisk --host 127.0.0.1",
    "none.try": "diadema switch check --seat A-01",
}
_STATE = (  # and below it, how that is other than at the station
    '<q-td :props="props" :data-missed="props.row.missed ? \'\' : null">{{ props.row.state }}'
    '<div v-if="props.row.differs" class="differs">{{ props.row.differs }}</div></q-td>'
)

type State = Literal["none", "up", "unreachable", "down", "away"]


def mount(app: FastAPI, web_app: WebApp) -> None:
    @ui.page(PATH.removeprefix("/ui"))
    async def switch(request: Request) -> None:
        with suppress(Refused):
            page = open_page(web_app, request, "switch", PATH, "fleet")
            web_app.audit(page.person, "switch")
            with ui.element("main").props("id=main").classes("page switch-page"):
                board = Board(web_app, page)
            await board.show()

            async def again() -> None:
                if not page.still("fleet"):
                    timer.cancel()
                    return
                await board.show()

            timer = ui.timer(_EVERY_S, again, immediate=False)


class Board:
    """What is on the page. It is drawn anew only when other parts are needed: whoever sorts,
    searches or reads a table keeps it so.
    """

    def __init__(self, web_app: WebApp, page: Page) -> None:
        self._web_app, self._page, self._words = web_app, page, page.words
        self._drawn: tuple[object, ...] = ()
        self._silent = ui.label(self._words["hub_silent"]).classes("status").props("role=status")
        with ui.element("div").classes("switch-all") as self._all:
            self._head = _Html("section", "switch-head", "role=status")
            self._rest = ui.element("div").classes("switch-rest")

    async def show(self) -> None:
        try:
            shown = (await self._web_app.feed.request("hub.switch.shown", {})).get("switch")
        except _SILENT:
            self._silent.set_visibility(True)
            self._all.classes(add="stale")
            return
        self._silent.set_visibility(False)
        self._all.classes(remove="stale")
        if shown is None:
            self._none()
            return
        report = msgspec.convert(shown["report"], Report | None)
        view = None
        if report is not None:
            page, people = self._page, self._web_app.people()
            view = View(report, people, page.person, page.language, self._web_app.zone)
        state = _state(report, up=bool(shown["up"]), age_s=shown["age_s"])
        self._say(state, view, shown["age_s"])
        self._show(state, view)

    def _none(self) -> None:
        page = self._page
        directory = Line("", *way_to("seats", page.person, page.language))
        self._head.say(
            "none", words=self._words, commands=[*_COMMANDS.items()], directory=directory
        )
        self._head.mark("none")
        self._draw("none", None)

    def _say(self, state: State, view: View | None, age_s: float | None) -> None:
        words, now_ms, since = self._words, self._web_app.pace.now_ms(), NOTHING
        lines = [] if state == "up" else [words[f"state.{state}.do"]]
        if view is not None:
            since_ms = view.report.since_utc_ms
            if state == "down" and age_s is not None:
                since_ms = now_ms - int(1000 * age_s)
            since = time_of(since_ms, view.zone, local_time(now_ms, view.zone, "day"))
            if state == "up":
                lines = [view.about()]
            elif state == "unreachable" and view.report.why:
                lines.insert(0, sentence(view.report.why, view.language))
        said = words[f"state.{state}"].format(time=since)
        self._head.say("head", works=state == "up", said=said, lines=lines)
        self._head.mark("up" if state == "up" else "trouble")

    # -- below the head

    def _show(self, state: State, view: View | None) -> None:
        """Of what is no longer so nothing stands but what went wrong before."""
        if view is None:
            self._draw(state, None)
            return
        tables = [view.queues, view.agents, view.phones]
        troubles = view.troubles()
        shape = (bool(rows) + (len(rows) > ROWS) for rows in tables)
        self._draw(state if state == "up" else "down", view, *shape, len(troubles) > _NEWEST)
        if state == "up":
            self._figures.say("figures", figures=view.figures())
            self._todo.say("todo", words=self._words, lines=[*view.to_do()])
            for table, rows in zip(self._tables, tables, strict=True):
                if table.rows != rows:
                    table.rows = rows
        self._newest.say("troubles", lines=troubles[:_NEWEST])
        self._older.say("troubles", lines=troubles[_NEWEST:])
        self._no_troubles.set_visibility(not troubles)

    def _draw(self, state: str, view: View | None, *shape: object) -> None:
        wanted = (state, view is not None, *shape)
        if wanted == self._drawn:
            return
        self._drawn = wanted
        self._rest.clear()
        if view is None:
            return
        with self._rest:
            if state == "up":
                self._figures = _Html("dl", "figures")
            with ui.element("div").classes("switch-pair"):
                if state == "up":
                    with ui.element("section"):
                        heading(self._words["todo"])
                        self._todo = _Html("ul", "switch-todo")
                with ui.element("section"):
                    self._draw_troubles(len(view.troubles()) - _NEWEST)
            if state == "up":
                self._draw_tables(view)

    def _draw_troubles(self, folded: int) -> None:
        heading(self._words["troubles"])
        self._no_troubles = ui.label(self._words["troubles.none"]).classes("note")
        self._newest = _Html("ol", "switch-log")
        with ui.element("details") as more:
            ui.html(escape(self._words["troubles.older"]), tag="summary", sanitize=False)
            self._older = _Html("ol", "switch-log")
        more.set_visibility(folded > 0)

    def _draw_tables(self, view: View) -> None:
        words = self._words

        def named(prefix: str, *names: str) -> Columns:
            return [(name, words[f"{prefix}.{name}"]) for name in names]

        def table(
            what: str,
            texts: Columns,
            rows: list[dict[str, Any]],
            figures: Columns = (),
            after: Columns = (),
        ) -> ui.table:
            with ui.element("section").props(f"id={what}"):
                with ui.element("header").classes("page-head") as head:
                    heading(words[what])
                made = figures_table(texts, figures, rows, words[f"{what}.none"], after)
                made.props("wrap-cells")
                if len(rows) > ROWS:
                    search = ui.input(words["search"]).props(
                        "dense outlined clearable type=search"
                    )
                    search.classes("team").bind_value_to(made, "filter", lambda text: text or "")
                    search.move(head)
            return made

        figures = named("queue", "waiting", "free", "busy", "paused", "members")
        here, there = named("queue", "here"), named("queue", "there")
        queues = table("queues", here, view.queues, figures, there)
        with ui.element("div").classes("switch-pair wide"):
            texts = named("member", "agent", "state", "queues")
            members = table("members", texts, view.agents)
            phones = table("phones", named("phone", "seat", "extension", "state"), view.phones)
            for made in (members, phones):
                made.add_slot("body-cell-state", _STATE)
        self._tables: Sequence[ui.table] = (queues, members, phones)


class _Html:
    """One part of the page that `switch.html` writes; it changes where that does."""

    def __init__(self, tag: str, classes: str, props: str = "") -> None:
        self._made = ui.html("", tag=tag, sanitize=False).classes(classes).props(props)

    def say(self, part: str, **values: object) -> None:
        written = render("switch.html", part=part, **values)
        if written != self._made.content:
            self._made.content = written

    def mark(self, state: str) -> None:
        if self._made.props.get("data-switch") != state:
            self._made.props(f"data-switch={state}")


def _state(report: Report | None, *, up: bool, age_s: float | None) -> State:
    if up:
        return "up"
    if report is None or age_s is None:
        return "away"
    return "unreachable" if age_s < LOST_S else "down"
