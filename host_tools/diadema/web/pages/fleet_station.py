"""/ui/fleet/{s}: one station, with its past and its console."""

from collections.abc import Mapping
from html import escape
from typing import Any

from nicegui import ui

from diadema.base.paths import DataDir
from diadema.base.sanitize import file_name
from diadema.site.description import load
from diadema.stations.fleet import trouble
from diadema.stations.fleet.diagnosis import diagnosis, tail
from diadema.stations.fleet.reading import One, Row, one
from diadema.web.pages.charts import chart
from diadema.web.pages.fleet_tests import show_tests
from diadema.web.pages.fleet_told import KIB, hour, link, wrong
from diadema.web.pages.parts import read
from diadema.web.pages.shell import Page
from diadema.web.pages.table import figures_table
from diadema.web.service import Service

_LOG_BYTES = 16_384
# what of its health is drawn, and by what it is divided
_CHARTS = (("heap", KIB), ("idf", KIB), ("idf_largest", KIB), ("journal", 1), ("rssi", 1))


async def show_station(service: Service, page: Page, name: str) -> None:
    words = page.words
    with ui.element("main").props("id=main").classes("page"):
        found = await read(page, service, one, service.data, name, service.pace.now_ms())
        row = found.row
        with ui.element("header").classes("page-head"):
            ui.html(f"<h2>{escape(row.seat or words['of_no_seat'])}</h2>", sanitize=False)
            about = [row.s, row.board, row.version]
            if row.micropython:
                about.append(f"MicroPython {row.micropython} {row.build}".rstrip())
            ui.label(" · ".join(about)).classes("soft")
            ui.link(words["back"], f"/fleet?lang={page.language}").classes("step")
        said = [link(row, page), hour(row.seen_utc, service)]
        said.append(f"{words['generation']} {row.generation}")
        said.append(f"{words['reconnects']}: {row.reconnects}")
        ui.label(" · ".join(filter(None, said))).classes("status")
        with ui.element("section").classes("close"):
            ui.label(wrong(row, page) or words["nothing_wrong"])
            if row.needs_image:
                advice = trouble.image_advice(row.needs_image, row.board, page.language)
                ui.label(advice).classes("note")
            for told in dict.fromkeys(trouble.advice(each, page.language) for each in row.faults):
                if told is not None:
                    ui.label(told).classes("note")
        await show_tests(service, page, row)
        _health(found, service, words)
        _past("boots", ("cause", "version", "text"), found.boots, service, page)
        _past("updates", ("phase", "version", "reason"), found.updates, service, page)
        ui.html(f"<h2>{escape(words['log'])}</h2>", sanitize=False)
        log = await service.worker.ask(tail, service.data, row.s, _LOG_BYTES)
        if log:
            text = escape("".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in log))
            ui.html(text, tag="pre", sanitize=False).classes("console").props("tabindex=0")
        else:
            ui.label(words["log.none"]).classes("note")
        _files(service, page, row)


def _health(found: One, service: Service, words: Mapping[str, str]) -> None:
    ui.html(f"<h2>{escape(words['health'])}</h2>", sanitize=False)
    entries = found.health[::-1]
    if not entries:
        ui.label(words["health.none"]).classes("note")
        return
    hours = [hour(entry["utc"], service) for entry in entries]
    with ui.element("div").classes("charts"):
        for name, by in _CHARTS:
            values = [entry.get(name) for entry in entries]
            if all(value is None for value in values):
                continue
            data = [None if value is None else round(value / by) for value in values]
            series = {"type": "line", "data": data, "showSymbol": len(data) < 3}
            chart(
                words[f"health.{name}"],
                {
                    "colors": ["ready"],
                    "xAxis": {"type": "category", "data": hours},
                    "yAxis": {"type": "value", "scale": name != "journal"},
                    "series": [series | {"name": words[f"health.{name}"]}],
                },
                height=14,
            )


def _past(
    name: str, columns: tuple[str, ...], entries: list[dict[str, Any]], service: Service,
    page: Page,
) -> None:  # fmt: skip
    words = page.words
    ui.html(f"<h2>{escape(words[name])}</h2>", sanitize=False)
    rows = []
    for number, entry in enumerate(entries):
        told = {column: entry.get(column) or "" for column in columns}
        if name == "boots":
            told["version"] = entry.get("firmware", "")
        for kind in ("cause", "phase"):
            if kind in told:
                told[kind] = trouble.word(kind, told[kind], page.language)
        if told.get("reason"):
            why = filter(None, (told["reason"], entry.get("detail")))
            told["reason"] = trouble.reason(": ".join(why), page.language)
        rows.append({"id": number, "at": hour(entry["utc"], service) or "—", **told})
    texts = [(column, words[column]) for column in ("at", *columns)]
    figures_table(texts, [], rows, words[f"{name}.none"])


def _files(service: Service, page: Page, row: Row) -> None:
    """What of it can be taken along."""

    async def download_diagnosis() -> None:
        if not page.still("fleet"):
            return
        service.audit(page.person, "station_diagnosis")
        made = await service.worker.file(diagnosis, service.data, row.s, service.pace.now_ms())
        ui.download.content(made, f"{row.s}.zip")

    async def download_label() -> None:
        if page.still("fleet"):
            made = await service.worker.file(_label, service.data, row.s)
            ui.download.content(made, f"{file_name(row.seat or row.s)}.pdf")

    ui.label(page.words["diagnosis.note"]).classes("note")
    with ui.row():
        button = ui.button(page.words["do.diagnosis"], on_click=download_diagnosis, color=None)
        button.classes("act").props("outline no-caps")
        if row.seat is not None:
            button = ui.button(page.words["do.label"], on_click=download_label, color=None)
            button.classes("act").props("outline no-caps")


def _label(data: DataDir, s: str) -> bytes:
    """In a process of its own, where what draws may be loaded."""
    from diadema.stations.label.drawing import as_pdf
    from diadema.stations.label.layout import label_of

    found = label_of(load(data.site), s)
    return as_pdf([found] if found else [])
