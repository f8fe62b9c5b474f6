"""Bench tests on the page of a station: begun from here, and their records to print."""

from html import escape

from nicegui import ui

from diadema.stations.fleet.reading import Row
from diadema.stations.selftest import telling
from diadema.stations.selftest.reading import inspections
from diadema.web.feed import HubAbsent, HubSilent, NatsAbsent
from diadema.web.inspection_api import refusal
from diadema.web.pages.fleet_told import hour
from diadema.web.pages.parts import read
from diadema.web.pages.shell import Page
from diadema.web.pages.table import figures_table
from diadema.web.service import Service
from diadema.words import section

_SHOWN = 10
_SILENT = (HubAbsent, HubSilent, NatsAbsent)


def last_test(row: Row, service: Service, page: Page) -> str:
    """For the list of all."""
    words = section("selftest", page.language)
    if row.test_fit is None:
        return words["last.none"]
    day, _, _ = hour(row.test_utc, service).partition(" ")
    return f"{words['fit.word' if row.test_fit else 'unfit.word']} · {day}"


async def show_tests(service: Service, page: Page, row: Row) -> None:
    words, language = section("selftest", page.language), page.language
    ui.html(f"<h2>{escape(words['heading'])}</h2>", sanitize=False)
    found = await read(page, service, inspections, service.data, row.s, _SHOWN)
    rows = []
    for one in found:
        s, e, n = one.record.of
        rows.append({
            "id": f"{e}-{n}",
            "at": hour(one.tested_utc, service),
            "verdict": words["fit.word" if one.record.fit else "unfit.word"],
            "by": one.record.by,
            "why": telling.why(one, language),
            "link": f"/api/v1/stations/{s}/inspections/{e}/{n}.pdf?lang={language}",
        })  # fmt: skip
    columns = [("at", words["pdf"])] + [(name, words[name]) for name in ("verdict", "by", "why")]
    figures_table(columns, [], rows, words["past.none"])
    ui.label(words["do.note"]).classes("note")
    _button(service, page, row)


def _button(service: Service, page: Page, row: Row) -> None:
    words = section("selftest", page.language)

    async def begin() -> None:
        if not page.still("fleet"):
            return
        service.audit(page.person, "station_selftest")
        asked = {"s": row.s, "by": page.person.id}
        try:
            told = await service.feed.request("hub.selftest", asked)
        except _SILENT:
            ui.notify(words["hub_silent"], type="negative")
            return
        if "error" in told:
            ui.notify(refusal(told, page.language), type="negative", multi_line=True)
        else:
            ui.notify(words["begun"].format(seat=told["seat"]), type="positive", multi_line=True)

    button = ui.button(words["do"], on_click=begin, color=None)
    button.classes("act").props("outline no-caps")
