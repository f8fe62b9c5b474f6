"""/ui/fleet: every station, what is wrong with it, and the updates; /ui/fleet/{s}: one of them."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from html import escape
from typing import Any

from fastapi import FastAPI, Request
from nicegui import ui

from diadema.fleet.diagnosis import diagnosis, tail
from diadema.fleet.reading import One, Row, fleet, one
from diadema.web.feed import HubAbsent, HubSilent, NatsAbsent
from diadema.web.pages.charts import chart
from diadema.web.pages.parts import Unread, read
from diadema.web.pages.shell import Page, Refused, open_page
from diadema.web.pages.table import figures_table
from diadema.web.service import Service

PATH = "/ui/fleet"
_SHOWN = ("all", "wrong", "away")
_KIB = 1024
_LOG_BYTES = 16_384
_ROLLOUTS = 3
_SILENT = (HubAbsent, HubSilent, NatsAbsent)


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
            await _one(service, page, s)


async def _list(service: Service, page: Page, show: str) -> None:
    words = page.words
    with ui.element("main").props("id=main").classes("page fleet"):
        with ui.element("header").classes("page-head"):
            ui.html(f"<h2>{escape(words['heading'])}</h2>", sanitize=False)
            options = {name: words[f"show.{name}"] for name in _SHOWN}
            choice = ui.select(options, value=show, label=words["show"])
            choice.props("dense outlined options-dense").classes("team")
            go = f"{PATH.removeprefix('/ui')}?lang={page.language}&show="
            choice.on_value_change(lambda change: ui.navigate.to(go + str(change.value)))
        rows = await read(page, service, fleet, service.data, service.pace.now_ms())
        shown = [row for row in rows if _is_shown(row, show, words)]
        said = [
            words["count"].format(n=len(rows)),
            words["count.up"].format(n=sum(row.link != "lost" for row in rows)),
            words["count.wrong"].format(n=sum(bool(_wrong(row, words)) for row in rows)),
        ]
        ui.label(" · ".join(said)).classes("status")
        await _rollouts(service, page)
        texts = ("seat", "wrong", "way", "seen", "update", "version", "station")
        figures = ("heap", "journal", "rssi", "reconnects")
        shown.sort(key=lambda row: (not _wrong(row, words), row.link != "lost"))
        table = figures_table(
            [(name, words[name]) for name in texts],
            [(name, words[name]) for name in figures],
            [_row(row, service, page) for row in shown],
            words["none"],
        )
        table.props("wrap-cells")


async def _rollouts(service: Service, page: Page) -> None:
    """The newest, with how far they are and what they wait for."""
    words = page.words
    ui.html(f"<h3>{escape(words['rollouts'])}</h3>", sanitize=False)
    try:
        told = (await service.feed.request("hub.update", {"do": "status"})).get("rollouts", [])
    except _SILENT:
        ui.label(words["hub_silent"]).classes("note")
        return
    if not told:
        ui.label(words["rollouts.none"]).classes("note")
    for rollout in told[: -_ROLLOUTS - 1 : -1]:
        seats, plan = rollout["seats"], rollout["plan"]
        stage = plan["stages"][max(rollout["stage"], 0)]
        with ui.element("section"):
            said = words["rollout"].format(
                board=plan["board"],
                version=plan["version"],
                good=sum(seat["phase"] == "good" for seat in seats),
                all=len(seats),
                stage=words["show.all"] if stage == "all" else stage,
            )
            ui.label(f"{said} · {words['rollout.' + rollout['status']]}")
            if rollout["why"]:
                values = {"seat": rollout["seat"] or "", "detail": rollout["detail"] or ""}
                ui.label(words[f"why.{rollout['why']}"].format(**values)).classes("note")
            if rollout["status"] == "running":
                _stop_button(service, page, rollout["number"])


def _stop_button(service: Service, page: Page, number: int) -> None:
    async def stop() -> None:
        if not page.still("fleet"):
            return
        service.audit(page.person, "update_stop")
        try:
            done = await service.feed.request("hub.update", {"do": "stop", "number": number})
        except _SILENT:
            ui.notify(page.words["hub_silent"], type="negative")
            return
        refused = done.get("detail") if "error" in done else None
        ui.notify(refused or page.words["stopped"], type="negative" if refused else "positive")
        button.set_visibility(bool(refused))

    button = ui.button(page.words["do.stop"], on_click=stop, color=None)
    button.classes("act").props("outline no-caps")


async def _one(service: Service, page: Page, name: str) -> None:
    words = page.words
    with ui.element("main").props("id=main").classes("page"):
        found = await read(page, service, one, service.data, name, service.pace.now_ms())
        row = found.row
        with ui.element("header").classes("page-head"):
            ui.html(f"<h2>{escape(row.seat or words['of_no_seat'])}</h2>", sanitize=False)
            ui.label(f"{row.s} · {row.board} · {row.version}").classes("soft")
            ui.link(words["back"], f"/fleet?lang={page.language}").classes("step")
        said = [_link(row, words), _hour(row.seen_utc, service)]
        said.append(f"{words['generation']} {row.generation}")
        said.append(f"{words['reconnects']}: {row.reconnects}")
        ui.label(" · ".join(filter(None, said))).classes("status")
        ui.label(_wrong(row, words) or words["nothing_wrong"])
        _health(found, service, words)
        _past(words["boots"], found.boots, ("cause", "version", "text"), "boots", service, words)
        steps = ("phase", "version", "reason")
        _past(words["updates"], found.updates, steps, "updates", service, words)
        ui.html(f"<h2>{escape(words['log'])}</h2>", sanitize=False)
        log = await service.worker.ask(tail, service.data, row.s, _LOG_BYTES)
        if log:
            text = escape("".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in log))
            ui.html(text, tag="pre", sanitize=False).classes("console").props("tabindex=0")
        else:
            ui.label(words["log.none"]).classes("note")
        _diagnosis_button(service, page, row)


def _health(found: One, service: Service, words: Mapping[str, str]) -> None:
    ui.html(f"<h2>{escape(words['health'])}</h2>", sanitize=False)
    entries = found.health[::-1]
    if not entries:
        ui.label(words["health.none"]).classes("note")
        return
    hours = [_hour(entry["utc"], service) for entry in entries]
    with ui.element("div").classes("charts"):
        for name, by in (("heap", _KIB), ("journal", 1), ("rssi", 1)):
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
    title: str, entries: list[dict[str, Any]], columns: tuple[str, ...], name: str,
    service: Service, words: Mapping[str, str],
) -> None:  # fmt: skip
    ui.html(f"<h2>{escape(title)}</h2>", sanitize=False)
    rows = []
    for number, entry in enumerate(entries):
        told = {column: entry.get(column) or "" for column in columns}
        if name == "boots":
            told["version"] = entry.get("firmware", "")
        if entry.get("detail"):
            told["reason"] = f"{told['reason']}: {entry['detail']}"
        rows.append({"id": number, "at": _hour(entry["utc"], service) or "—", **told})
    texts = [(column, words[column]) for column in ("at", *columns)]
    figures_table(texts, [], rows, words[f"{name}.none"])


def _diagnosis_button(service: Service, page: Page, row: Row) -> None:
    async def download() -> None:
        if not page.still("fleet"):
            return
        service.audit(page.person, "station_diagnosis")
        made = await service.worker.file(diagnosis, service.data, row.s, service.pace.now_ms())
        ui.download.content(made, f"{row.s}.zip")

    ui.label(page.words["diagnosis.note"]).classes("note")
    button = ui.button(page.words["do.diagnosis"], on_click=download, color=None)
    button.classes("act").props("outline no-caps")


def _row(row: Row, service: Service, page: Page) -> dict[str, object]:
    """What is shown beside what it is sorted by."""
    words = page.words
    return {
        "id": row.s,
        "seat": row.seat or "—",
        "station": row.s,
        "version": f"{row.version} {row.board}",
        "way": _link(row, words),
        "seen": _hour(row.seen_utc, service),
        "heap": "" if row.heap is None else f"{row.heap // _KIB} KiB",
        "heap_by": row.heap,
        "journal": "" if row.journal is None else f"{row.journal} %",
        "journal_by": row.journal,
        "rssi": "" if row.rssi is None else f"{row.rssi} dBm",
        "rssi_by": row.rssi,
        "reconnects": row.reconnects,
        "update": words[f"phase.{row.phase}"] if row.phase else "",
        "wrong": _wrong(row, words),
        "link": f"{PATH}/{row.s}?lang={page.language}",
    }


def _is_shown(row: Row, show: str, words: Mapping[str, str]) -> bool:
    if show == "wrong":
        return bool(_wrong(row, words))
    return show == "all" or row.link == "lost"


def _link(row: Row, words: Mapping[str, str]) -> str:
    ways = "" if row.link == "lost" else ", ".join(words[f"way.{way}"] for way in row.ways)
    return words[f"link.{row.link}"] + (f" ({ways})" if ways else "")


def _wrong(row: Row, words: Mapping[str, str]) -> str:
    """In a few words, what a technician should look at."""
    found = [words["wrong.fault"].format(code=fault) for fault in row.faults]
    if row.unfit:
        found.append(words["wrong.unfit"].format(reason=row.unfit))
    if row.seat is None:
        found.append(words["wrong.no_seat"])
    elif row.seen_utc is not None and row.generation != row.wanted:
        found.append(words["wrong.generation"].format(has=row.generation, wanted=row.wanted))
    if row.revoked:
        found.append(words["wrong.revoked"])
    if row.phase == "failed":
        found.append(words["wrong.update"].format(reason=row.reason or ""))
    return "; ".join(found)


def _hour(utc_ms: int | None, service: Service) -> str:
    if utc_ms is None:
        return ""
    return f"{datetime.fromtimestamp(utc_ms / 1000, service.zone):%d/%m %H:%M}"
