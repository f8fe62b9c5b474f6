"""/ui/switch: the telephone exchange, its queues, members and telephones, and what went wrong."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

import msgspec
from fastapi import FastAPI, Request
from nicegui import ui

from diadema.base.sanitize import visible
from diadema.site.directory.people import People, queue_of
from diadema.web.floor.feed import HubAbsent, HubSilent, NatsAbsent
from diadema.web.page_parts import figures_table, heading
from diadema.web.shell import Page, Refused, open_page
from diadema.web.web_app import WebApp
from diadema.wire.switching import MemberState, Report
from diadema.words import Sentence, said
from diadema.words.formatting import NOTHING, local_time

PATH = "/ui/switch"
_EVERY_S = 2.0
_THERE = {True: "there", False: "gone", None: "unknown"}
_SILENT = (HubAbsent, HubSilent, NatsAbsent)


def mount(app: FastAPI, web_app: WebApp) -> None:
    @ui.page(PATH.removeprefix("/ui"))
    async def switch(request: Request) -> None:
        with suppress(Refused):
            page = open_page(web_app, request, "switch", PATH, "fleet")
            web_app.audit(page.person, "switch")

            @ui.refreshable
            async def show() -> None:
                await _show(web_app, page)

            with ui.element("main").props("id=main").classes("page"):
                await show()
            ui.timer(_EVERY_S, show.refresh, immediate=False)


async def _show(web_app: WebApp, page: Page) -> None:
    words = page.words
    try:
        shown = (await web_app.feed.request("hub.switch.shown", {})).get("switch")
    except _SILENT:
        ui.label(words["hub_silent"]).classes("note")
        return
    if shown is None:
        heading(words["none"])
        ui.label(words["none.how"]).classes("note")
        return
    if shown["report"] is None:
        heading(words["state.away"])
        ui.label(words["state.away.what"]).classes("note")
        return
    report = msgspec.convert(shown["report"], Report)
    people = web_app.people()
    _state(report, up=bool(shown["up"]), age_s=shown["age_s"], page=page)
    _troubles(report, page, web_app)
    _queues(report, people, words)
    _members(report, people, words)
    _phones(report, people, words)


def _state(report: Report, *, up: bool, age_s: float, page: Page) -> None:
    words = page.words
    state = "up" if up else "down" if report.up else "away"
    if not up and age_s < 8:
        state = "unreachable"
    heading(words[f"state.{state}"])
    ui.label(words[f"state.{state}.what"]).classes("status")
    about = [words["name"].format(name=report.name)]
    if report.version:
        about.append(words["version"].format(version=visible(report.version)))
    about.append(words["calls"].format(count=report.calls))
    if report.unsent:
        about.append(words["unsent"].format(count=report.unsent))
    ui.label(" · ".join(about)).classes("soft")


def _troubles(report: Report, page: Page, web_app: WebApp) -> None:
    heading(page.words["troubles"])
    rows = [
        {
            "id": at,
            "time": local_time(one.utc_ms, web_app.zone, "moment"),
            "what": visible(str(said(Sentence.of(one.sentence), page.language))),
        }
        for at, one in enumerate(reversed(report.troubles))
    ]
    columns = [("time", page.words["time"]), ("what", page.words["what"])]
    figures_table(columns, [], rows, page.words["troubles.none"])


def _queues(report: Report, people: People, words: Mapping[str, str]) -> None:
    heading(words["queues"])
    rows = []
    for queue in report.queues:
        its = [one for one in report.members if one.queue == queue.name]
        code = queue_of(people.switch_queues, queue.name, None)
        rows.append(
            {
                "id": queue.name,
                "there": visible(queue.name),
                "here": people.queues.get(code, words["queue.unmapped"]),
                "waiting": queue.waiting,
                "members": len(its),
                "free": sum(not one.paused for one in its),
            }
        )
    texts = [("there", words["queue.there"]), ("here", words["queue.here"])]
    figures = [(name, words[f"queue.{name}"]) for name in ("waiting", "members", "free")]
    figures_table(texts, figures, rows, words["queues.none"])


def _members(report: Report, people: People, words: Mapping[str, str]) -> None:
    heading(words["members"])
    rows = [*_member_rows(report.members, people, words)]
    names = ("agent", "queue", "state", "wanted")
    figures_table(
        [(name, words[f"member.{name}"]) for name in names], [], rows, words["members.none"]
    )


def _member_rows(
    members: list[MemberState], people: People, words: Mapping[str, str]
) -> Iterator[dict[str, Any]]:
    """Those that are otherwise than they should be first."""
    for at, one in enumerate(sorted(members, key=lambda one: (one.wanted is None, one.name))):
        state = words["member.paused" if one.paused else "member.ready"]
        label = people.reasons.get(one.reason)
        if one.paused and one.reason and people.shown(one.reason) == one.reason:
            state += f" ({label.label if label else visible(one.reason)})"
        yield {
            "id": at,
            "agent": people.name(one.agent) if one.agent else visible(one.name),
            "queue": visible(one.queue),
            "state": state,
            "wanted": words[f"wanted.{one.wanted}"] if one.wanted else NOTHING,
        }


def _phones(report: Report, people: People, words: Mapping[str, str]) -> None:
    heading(words["phones"])
    rows = [
        {
            "id": one.station,
            "seat": people.seats.get(one.station, visible(one.station)),
            "extension": visible(one.extension),
            "state": words[f"phone.{_THERE[one.there]}"],
        }
        for one in sorted(report.phones, key=lambda one: (one.there is True, one.extension))
    ]
    columns = [(name, words[f"phone.{name}"]) for name in ("seat", "extension", "state")]
    figures_table(columns, [], rows, words["phones.none"])
