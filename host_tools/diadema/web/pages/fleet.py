"""/ui/fleet: every station, what is wrong with it, and the updates; /ui/fleet/{s}: one of them."""

from contextlib import suppress
from html import escape

from fastapi import FastAPI, Request
from nicegui import ui

from diadema.stations.fleet.reading import Row, fleet
from diadema.web.pages.fleet_rollouts import show_rollouts
from diadema.web.pages.fleet_station import show_station
from diadema.web.pages.fleet_tests import last_test
from diadema.web.pages.fleet_told import hour, link, wrong
from diadema.web.pages.parts import Unread, read
from diadema.web.pages.shell import Page, Refused, open_page
from diadema.web.pages.table import ROWS, figures_table
from diadema.web.service import Service

PATH = "/ui/fleet"
_SHOWN = ("all", "wrong", "away")


def mount(app: FastAPI, service: Service) -> None:
    @ui.page("/fleet")
    async def all_of_them(request: Request, show: str = "all") -> None:
        try:
            page = open_page(service, request, "fleet", PATH, "fleet")
        except Refused:
            return
        with suppress(Unread):
            await _list(service, page, show if show in _SHOWN else "all")

    @ui.page("/fleet/{s}")
    async def of_one(request: Request, s: str) -> None:
        try:
            page = open_page(service, request, "fleet", PATH, "fleet")
        except Refused:
            return
        with suppress(Unread):
            await show_station(service, page, s)


async def _list(service: Service, page: Page, show: str) -> None:
    words = page.words
    with ui.element("main").props("id=main").classes("page fleet"):
        with ui.element("header").classes("page-head") as head:
            ui.html(f"<h2>{escape(words['heading'])}</h2>", sanitize=False)
            options = {name: words[f"show.{name}"] for name in _SHOWN}
            choice = ui.select(options, value=show, label=words["show"])
            choice.props("dense outlined options-dense").classes("team")
            go = f"{PATH.removeprefix('/ui')}?lang={page.language}&show="
            choice.on_value_change(lambda change: ui.navigate.to(go + str(change.value)))
            flasher = f'<a class="step" href="/flasher?lang={page.language}">{words["flash"]}</a>'
            ui.html(flasher, sanitize=False)
        rows = await read(page, service, fleet, service.data, service.pace.now_ms())
        shown = [row for row in rows if _is_shown(row, show, page)]
        said = [
            words["count"].format(n=len(rows)),
            words["count.up"].format(n=sum(row.link != "lost" for row in rows)),
            words["count.wrong"].format(n=sum(bool(wrong(row, page)) for row in rows)),
        ]
        ui.label(" · ".join(said)).classes("status")
        await show_rollouts(service, page)
        texts = ("seat", "wrong", "way", "seen", "test", "version", "station")
        figures = [(name, words[name]) for name in ("heap", "journal", "rssi")]
        figures.append(("reconnects", words["reconnects.short"]))
        shown.sort(key=lambda row: (not wrong(row, page), row.link != "lost"))
        table = figures_table(
            [(name, words[name]) for name in texts],
            figures,
            [_row(row, service, page) for row in shown],
            words["none"],
        )
        table.props("wrap-cells")
        if len(rows) > ROWS:
            search = ui.input(words["search"]).props("dense outlined clearable type=search")
            search.classes("team").bind_value_to(table, "filter", lambda text: text or "")
            search.move(head)


def _row(row: Row, service: Service, page: Page) -> dict[str, object]:
    """What is shown beside what it is sorted by."""
    words = page.words
    update = words.get(f"phase.{row.phase}")  # that it failed stands in front
    return {
        "id": row.s,
        "seat": row.seat or "—",
        "station": row.s,
        "version": " · ".join(filter(None, (f"{row.version} {row.board}", update))),
        "way": link(row, page),
        "seen": hour(row.seen_utc, service),
        "heap": row.memory,
        "heap_by": row.heap,
        "journal": "" if row.journal is None else f"{row.journal} %",
        "journal_by": row.journal,
        "rssi": "" if row.rssi is None else f"{row.rssi} dBm".replace("-", "−"),
        "rssi_by": row.rssi,
        "reconnects": row.reconnects,
        "test": last_test(row, service, page),
        "wrong": wrong(row, page),
        "link": f"{PATH}/{row.s}?lang={page.language}",
    }


def _is_shown(row: Row, show: str, page: Page) -> bool:
    if show == "wrong":
        return bool(wrong(row, page))
    return show == "all" or row.link == "lost"
