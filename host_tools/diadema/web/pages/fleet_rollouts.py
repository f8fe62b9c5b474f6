"""The newest roll-outs on /ui/fleet: how far they are, what they wait for; to stop or go on."""

from collections.abc import Iterator
from html import escape
from typing import Any

from nicegui import ui

from diadema.stations.fleet import trouble
from diadema.web.feed import HubAbsent, HubSilent, NatsAbsent
from diadema.web.pages.shell import Page
from diadema.web.service import Service

_SHOWN = 3
_NAMED = 8  # of those that failed, or are out of it
_SILENT = (HubAbsent, HubSilent, NatsAbsent)

_OUT = ("gone", "passed")  # phases of seats that it is not for

type Told = dict[str, Any]


async def show_rollouts(service: Service, page: Page) -> None:
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
    newest = {rollout["plan"]["board"]: rollout["number"] for rollout in told}
    for rollout in told[: -_SHOWN - 1 : -1]:
        with ui.element("section").classes("rollout close"):
            ui.label(_said(rollout, page))
            for line in _why(rollout, page):
                ui.label(line).classes("note")
            with ui.row():
                if rollout["status"] == "running":
                    _button(service, page, "stop", rollout)
                elif newest[rollout["plan"]["board"]] == rollout["number"]:
                    _ways_on(service, page, rollout)


def _said(rollout: Told, page: Page) -> str:
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


def _why(rollout: Told, page: Page) -> Iterator[str]:
    """Why it stopped or waits, and the failed stations that this does not name."""
    detail = trouble.reason(rollout["detail"] or "", page.language)
    if rollout["why"]:
        of, why, words = rollout["status"], rollout["why"], page.words
        told = words.get(f"{of}.{why}") or words[f"why.{why}"]
        yield told.format(seat=rollout["seat"] or "", detail=detail)
    for seat in [seat for seat in rollout["seats"] if seat["phase"] == "gone"][:_NAMED]:
        yield f"{seat['seat']}: {page.words['phase.gone']}"
    for seat in [seat for seat in rollout["seats"] if seat["phase"] == "passed"][:_NAMED]:
        reason = trouble.reason(seat["reason"] or "", page.language)
        yield page.words["rollout.passed"].format(seat=seat["seat"], reason=reason)
    others = [seat for seat in _failed(rollout) if seat["s"] != rollout["at"]]
    for seat in others[:_NAMED]:
        yield f"{seat['seat']}: {trouble.reason(seat['reason'] or '', page.language)}"


def _failed(rollout: Told) -> list[Told]:
    return [seat for seat in rollout["seats"] if seat["phase"] == "failed"]


def _ways_on(service: Service, page: Page, rollout: Told) -> None:
    """Of one that stopped; where as many failed as end it, the person says what of those."""
    failed = len(_failed(rollout))
    if rollout["status"] != "stopped":
        return
    if failed < rollout["plan"]["stop_after"]:
        _button(service, page, "resume", rollout)
    else:
        _button(service, page, "resume", rollout, "retry", retry=True)
        _button(service, page, "resume", rollout, "without", stop_after=failed + 1)


def _button(
    service: Service, page: Page, do: str, rollout: Told, word: str | None = None, **more: Any
) -> None:
    async def act() -> None:
        if not page.still("fleet"):
            return
        service.audit(page.person, f"update_{do}")
        body = {"do": do, "number": rollout["number"], **more}
        try:
            done = await service.feed.request("hub.update", body)
        except _SILENT:
            ui.notify(page.words["hub_silent"], type="negative")
            return
        if "error" in done:
            ui.notify(done.get("detail") or done["error"], type="negative")
        else:
            ui.navigate.reload()

    button = ui.button(page.words[f"do.{word or do}"], on_click=act, color=None)
    button.classes("act").props("outline no-caps")
