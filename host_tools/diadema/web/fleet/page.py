"""/ui/fleet: every station, what is wrong with it, and the newest roll-outs, to stop or resume.

/ui/fleet/{s}: one station, with its past, its console, and its bench tests: begun from here, and
their records to print.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from html import escape
from typing import Any

from fastapi import FastAPI, Request
from nicegui import ui

from diadema.base.paths import DataDir
from diadema.base.sanitize import file_name, visible
from diadema.site.description import load
from diadema.stations import trouble
from diadema.stations.diagnosis import diagnosis, tail
from diadema.stations.fleet import (
    StationHistory,
    StationRow,
    all_stations,
    is_station,
    station_history,
)
from diadema.stations.selftest import record
from diadema.stations.selftest.record import inspections
from diadema.web.fleet.api import refusal
from diadema.web.floor.feed import HubAbsent, HubSilent, NatsAbsent
from diadema.web.page_parts import (
    ROWS,
    Unread,
    chart,
    figures_table,
    heading,
    read,
)
from diadema.web.shell import Page, Refused, open_page, refuse
from diadema.web.web_app import WebApp
from diadema.words import section
from diadema.words.formatting import local_time

KIB = 1024
_TESTS_SHOWN = 10
_LOG_BYTES = 16_384
# what of its health is drawn, and by what it is divided
_CHARTS = (("heap", KIB), ("idf", KIB), ("idf_largest", KIB), ("journal", 1), ("rssi", 1))
PATH = "/ui/fleet"
_FILTERS = ("all", "wrong", "away")

_ROLLOUTS_SHOWN = 3
_NAMED = 8  # of those that failed, or are out of it
_SILENT = (HubAbsent, HubSilent, NatsAbsent)

_OUT = ("gone", "passed")  # phases of seats that it is not for

type Rollout = dict[str, Any]


async def show_rollouts(web_app: WebApp, page: Page) -> None:
    """The newest, with how far they are and what they wait for."""
    words = page.words
    heading(words["rollouts"])
    try:
        rollouts = (await web_app.feed.request("hub.update", {"do": "status"})).get("rollouts", [])
    except _SILENT:
        ui.label(words["hub_silent"]).classes("note")
        return
    if not rollouts:
        ui.label(words["rollouts.none"]).classes("note")
    newest = {rollout["plan"]["board"]: rollout["number"] for rollout in rollouts}
    for rollout in rollouts[: -_ROLLOUTS_SHOWN - 1 : -1]:
        with ui.element("section").classes("rollout close"):
            ui.label(_said(rollout, page))
            for line in _why(rollout, page):
                ui.label(line).classes("note")
            with ui.row():
                if rollout["status"] == "running":
                    _button(web_app, page, "stop", rollout)
                elif newest[rollout["plan"]["board"]] == rollout["number"]:
                    _ways_on(web_app, page, rollout)


def _said(rollout: Rollout, page: Page) -> str:
    words, plan, seats = page.words, rollout["plan"], rollout["seats"]
    stage = plan["stages"][max(rollout["stage"], 0)]
    version = plan["version"]
    said = words["rollout"].format(
        board=plan["board"],
        version=f"MicroPython {version}" if plan.get("what") else version,
        good=sum(seat["phase"] == "good" for seat in seats),
        all=sum(seat["phase"] not in _OUT for seat in seats),
        stage=words["show.all"] if stage == "all" else stage,
    )
    return f"{said} · {words['rollout.' + rollout['status']]}"


def _why(rollout: Rollout, page: Page) -> Iterator[str]:
    """Why it stopped or waits, and the failed stations that this does not name."""
    detail = trouble.reason(rollout["detail"] or "", page.language)
    if rollout["why"]:
        of, why, words = rollout["status"], rollout["why"], page.words
        sentence = words.get(f"{of}.{why}") or words[f"why.{why}"]
        yield sentence.format(seat=rollout["seat"] or "", detail=detail)
    for seat in [seat for seat in rollout["seats"] if seat["phase"] == "gone"][:_NAMED]:
        yield f"{seat['seat']}: {page.words['phase.gone']}"
    for seat in [seat for seat in rollout["seats"] if seat["phase"] == "passed"][:_NAMED]:
        reason = trouble.reason(seat["reason"] or "", page.language)
        yield page.words["rollout.passed"].format(seat=seat["seat"], reason=reason)
    others = [seat for seat in _failed(rollout) if seat["s"] != rollout["at"]]
    for seat in others[:_NAMED]:
        yield f"{seat['seat']}: {trouble.reason(seat['reason'] or '', page.language)}"


def _failed(rollout: Rollout) -> list[Rollout]:
    return [seat for seat in rollout["seats"] if seat["phase"] == "failed"]


def _ways_on(web_app: WebApp, page: Page, rollout: Rollout) -> None:
    """Of one that stopped; where as many failed as end it, the person says what of those."""
    failed = len(_failed(rollout))
    if rollout["status"] != "stopped":
        return
    if failed < rollout["plan"]["stop_after"]:
        _button(web_app, page, "resume", rollout)
    else:
        _button(web_app, page, "resume", rollout, "retry", retry=True)
        _button(web_app, page, "resume", rollout, "without", stop_after=failed + 1)


def _button(
    web_app: WebApp, page: Page, do: str, rollout: Rollout, word: str | None = None, **more: Any
) -> None:
    async def act() -> None:
        if not page.still("fleet"):
            return
        web_app.audit(page.person, f"update_{do}")
        body = {"do": do, "number": rollout["number"], **more}
        try:
            done = await web_app.feed.request("hub.update", body)
        except _SILENT:
            ui.notify(page.words["hub_silent"], type="negative")
            return
        if "error" in done:
            ui.notify(done.get("detail") or done["error"], type="negative")
        else:
            ui.navigate.reload()

    button = ui.button(page.words[f"do.{word or do}"], on_click=act, color=None)
    button.classes("act").props("outline no-caps")


def link(row: StationRow, page: Page) -> str:
    words = page.words
    ways = "" if row.link == "lost" else ", ".join(words[f"way.{way}"] for way in row.ways)
    return words[f"link.{row.link}"] + (f" ({ways})" if ways else "")


def wrong(row: StationRow, page: Page) -> str:
    """In a few words, what a technician should look at."""
    found = "; ".join(troubles(row, page))
    return found[:1].upper() + found[1:]


def troubles(row: StationRow, page: Page) -> list[str]:
    words, language = page.words, page.language
    found = trouble.start(row.needs_image, row.safe, row.cause, row.board, language)
    found += [
        words["wrong.fault"].format(fault=trouble.fault(fault, language)) for fault in row.faults
    ]
    if row.unfit:
        found.append(words["wrong.unfit"].format(reason=trouble.check(row.unfit, language)))
    if row.seat is None:
        found.append(words["wrong.no_seat"])
    elif row.seen_utc is not None and row.generation != row.wanted:
        found.append(words["wrong.generation"].format(has=row.generation, wanted=row.wanted))
    if row.revoked:
        found.append(words["wrong.revoked"])
    if row.phase == "failed":
        reason = trouble.reason(row.reason or "", language)
        found.append(words["wrong.update"].format(reason=reason).removesuffix(": "))
    return found


def time_of(utc_ms: int | None, web_app: WebApp) -> str:
    if utc_ms is None:
        return ""
    return local_time(utc_ms, web_app.zone, "day_minute")


def last_test(row: StationRow, web_app: WebApp, page: Page) -> str:
    """For the list of all."""
    words = section("selftest", page.language)
    if row.test_fit is None:
        return words["last.none"]
    day, _, _ = time_of(row.test_utc, web_app).partition(" ")
    return f"{words['fit.word' if row.test_fit else 'unfit.word']} · {day}"


async def show_tests(web_app: WebApp, page: Page, row: StationRow) -> None:
    words, language = section("selftest", page.language), page.language
    heading(words["heading"])
    found = await read(page, web_app, inspections, web_app.data, row.station, _TESTS_SHOWN)
    rows = []
    for inspection in found:
        s, e, n = inspection.record.of
        rows.append(
            {
                "id": f"{e}-{n}",
                "at": time_of(inspection.tested_utc, web_app),
                "verdict": words["fit.word" if inspection.record.fit else "unfit.word"],
                "by": inspection.record.by,
                "why": record.why(inspection, language),
                "link": f"/api/v1/stations/{s}/inspections/{e}/{n}.pdf?lang={language}",
            }
        )
    columns = [("at", words["pdf"])] + [(name, words[name]) for name in ("verdict", "by", "why")]
    figures_table(columns, [], rows, words["past.none"])
    ui.label(words["do.note"]).classes("note")
    _selftest_button(web_app, page, row)


def _selftest_button(web_app: WebApp, page: Page, row: StationRow) -> None:
    words = section("selftest", page.language)

    async def begin() -> None:
        if not page.still("fleet"):
            return
        web_app.audit(page.person, "station_selftest")
        body = {"s": row.station, "by": page.person.id}
        try:
            answer = await web_app.feed.request("hub.selftest", body)
        except _SILENT:
            ui.notify(words["hub_silent"], type="negative")
            return
        if "error" in answer:
            ui.notify(refusal(answer, page.language), type="negative", multi_line=True)
        else:
            ui.notify(words["begun"].format(seat=answer["seat"]), type="positive", multi_line=True)

    button = ui.button(words["do"], on_click=begin, color=None)
    button.classes("act").props("outline no-caps")


async def show_station(web_app: WebApp, page: Page, name: str) -> None:
    words = page.words
    with ui.element("main").props("id=main").classes("page"):
        found = await read(
            page, web_app, station_history, web_app.data, name, web_app.pace.now_ms()
        )
        row = found.row
        with ui.element("header").classes("page-head"):
            heading(row.seat or words["of_no_seat"])
            about = [row.station, _board(row, page), row.version]
            if row.micropython:
                about.append(f"MicroPython {row.micropython} {row.build}".rstrip())
            ui.label(" · ".join(about)).classes("soft")
            ui.link(words["back"], f"/fleet?lang={page.language}").classes("step")
        said = [link(row, page), time_of(row.seen_utc, web_app)]
        said.append(f"{words['generation']} {row.generation}")
        said.append(f"{words['reconnects']}: {row.reconnects}")
        ui.label(" · ".join(filter(None, said))).classes("status")
        with ui.element("section").classes("close"):
            ui.label(wrong(row, page) or words["away" if row.link == "lost" else "nothing_wrong"])
            if row.needs_image:
                advice = trouble.image_advice(row.needs_image, row.board, page.language)
                ui.label(advice).classes("note")
            for hint in dict.fromkeys(trouble.advice(each, page.language) for each in row.faults):
                if hint is not None:
                    ui.label(hint).classes("note")
        await show_tests(web_app, page, row)
        _health(found, web_app, words)
        _past("boots", ("cause", "version", "text"), found.boots, web_app, page)
        _past("updates", ("phase", "version", "reason"), found.updates, web_app, page)
        heading(words["log"])
        log = await web_app.worker.ask(tail, web_app.data, row.station, _LOG_BYTES)
        if log:
            text = escape("".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in log))
            ui.html(text, tag="pre", sanitize=False).classes("console").props("tabindex=0")
        else:
            ui.label(words["log.none"]).classes("note")
        _files(web_app, page, row)


def _health(found: StationHistory, web_app: WebApp, words: Mapping[str, str]) -> None:
    heading(words["health"])
    entries = found.health[::-1]
    if not entries:
        ui.label(words["health.none"]).classes("note")
        return
    hours = [time_of(entry["utc"], web_app) for entry in entries]
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
                    "xAxis": {"type": "category", "data": hours},
                    "yAxis": {"type": "value", "scale": name != "journal"},
                    "series": [series | {"name": words[f"health.{name}"]}],
                },
                height=14,
            )


def _past(
    name: str,
    columns: tuple[str, ...],
    entries: list[dict[str, Any]],
    web_app: WebApp,
    page: Page,
) -> None:
    words = page.words
    heading(words[name])
    rows = []
    for number, entry in enumerate(entries):
        cells = {column: entry.get(column) or "" for column in columns}
        if name == "boots":
            cells["version"] = entry.get("firmware", "")
        for kind in ("cause", "phase"):
            if kind in cells:
                cells[kind] = trouble.word(kind, cells[kind], page.language)
        if cells.get("reason"):
            why = filter(None, (cells["reason"], entry.get("detail")))
            cells["reason"] = trouble.reason(": ".join(why), page.language)
        rows.append({"id": number, "at": time_of(entry["utc"], web_app) or "—", **cells})
    texts = [(column, words[column]) for column in ("at", *columns)]
    figures_table(texts, [], rows, words[f"{name}.none"])


def _files(web_app: WebApp, page: Page, row: StationRow) -> None:
    """What of it can be taken along."""

    async def download_diagnosis() -> None:
        if not page.still("fleet"):
            return
        web_app.audit(page.person, "station_diagnosis")
        made = await web_app.worker.file(
            diagnosis, web_app.data, row.station, web_app.pace.now_ms()
        )
        ui.download.content(made, f"{row.station}.zip")

    async def download_label() -> None:
        if page.still("fleet"):
            made = await web_app.worker.file(_label, web_app.data, row.station)
            ui.download.content(made, f"{file_name(row.seat or row.station)}.pdf")

    ui.label(page.words["diagnosis.note"]).classes("note")
    with ui.row():
        button = ui.button(page.words["do.diagnosis"], on_click=download_diagnosis, color=None)
        button.classes("act").props("outline no-caps")
        if row.seat is not None:
            button = ui.button(page.words["do.label"], on_click=download_label, color=None)
            button.classes("act").props("outline no-caps")


def _label(data: DataDir, s: str) -> bytes:
    """In a process of its own, where what draws may be loaded."""
    from diadema.stations.label import as_pdf, label_of

    found = label_of(load(data.site), s)
    return as_pdf([found] if found else [])


def mount(app: FastAPI, web_app: WebApp) -> None:
    @ui.page("/fleet")
    async def all_of_them(request: Request, show: str = "all") -> None:
        try:
            page = open_page(web_app, request, "fleet", PATH, "fleet")
        except Refused:
            return
        with suppress(Unread):
            await _list(web_app, page, show if show in _FILTERS else "all")

    @ui.page("/fleet/{s}")
    async def of_one(request: Request, s: str) -> None:
        with suppress(Refused, Unread):
            page = open_page(web_app, request, "fleet", PATH, "fleet")
            if not is_station(web_app.data, s):
                refuse(page.words["unknown"].format(station=visible(s)), 404)
            await show_station(web_app, page, s)


async def _list(web_app: WebApp, page: Page, show: str) -> None:
    words = page.words
    with ui.element("main").props("id=main").classes("page fleet"):
        with ui.element("header").classes("page-head") as head:
            options = {name: words[f"show.{name}"] for name in _FILTERS}
            choice = ui.select(options, value=show, label=words["show"])
            choice.props("dense outlined options-dense").classes("team")
            go = f"{PATH.removeprefix('/ui')}?lang={page.language}&show="
            choice.on_value_change(lambda change: ui.navigate.to(go + str(change.value)))
            address, word = f"/flasher?lang={page.language}", escape(words["flash"])
            ui.html(f'<a class="step" href="{address}">{word}</a>', sanitize=False)
        rows = await read(page, web_app, all_stations, web_app.data, web_app.pace.now_ms())
        shown = [row for row in rows if _is_shown(row, show, page)]
        said = [
            words["count"].format(n=len(rows)),
            words["count.up"].format(n=sum(row.link != "lost" for row in rows)),
            words["count.wrong"].format(n=sum(bool(wrong(row, page)) for row in rows)),
        ]
        ui.label(" · ".join(said)).classes("status")
        await show_rollouts(web_app, page)
        texts = ("seat", "wrong", "way", "seen", "test", "version", "station")
        figures = [(name, words[name]) for name in ("heap", "journal", "rssi")]
        figures.append(("reconnects", words["reconnects.short"]))
        shown.sort(key=lambda row: (row.seat is None, not wrong(row, page), row.link != "lost"))
        table = figures_table(
            [(name, words[name]) for name in texts],
            figures,
            [_row(row, web_app, page) for row in shown],
            words["none"],
        )
        table.props("wrap-cells")
        if len(rows) > ROWS:
            search = ui.input(words["search"]).props("dense outlined clearable type=search")
            search.classes("team").bind_value_to(table, "filter", lambda text: text or "")
            search.move(head)


def _board(row: StationRow, page: Page) -> str:
    return page.words["simulated"] if row.simulated else row.board


def _row(row: StationRow, web_app: WebApp, page: Page) -> dict[str, object]:
    """What is shown beside what it is sorted by."""
    words = page.words
    update = words.get(f"phase.{row.phase}")  # that it failed stands in front
    return {
        "id": row.station,
        "seat": row.seat or "—",
        "station": row.station,
        "version": " · ".join(filter(None, (f"{row.version} {_board(row, page)}", update))),
        "way": link(row, page),
        "seen": time_of(row.seen_utc, web_app),
        "heap": row.memory,
        "heap_by": row.heap,
        "journal": "" if row.journal is None else f"{row.journal} %",
        "journal_by": row.journal,
        "rssi": "" if row.rssi is None else f"{row.rssi} dBm".replace("-", "−"),
        "rssi_by": row.rssi,
        "reconnects": row.reconnects,
        "test": last_test(row, web_app, page),
        "wrong": wrong(row, page),
        "link": f"{PATH}/{row.station}?lang={page.language}",
    }


def _is_shown(row: StationRow, show: str, page: Page) -> bool:
    if show == "wrong":
        return bool(wrong(row, page))
    return show == "all" or row.link == "lost"
