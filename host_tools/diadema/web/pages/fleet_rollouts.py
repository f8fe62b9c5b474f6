"""The newest roll-outs on /ui/fleet: how far they are, what they wait for, and to end one."""

from html import escape

from nicegui import ui

from diadema.web.feed import HubAbsent, HubSilent, NatsAbsent
from diadema.web.pages.shell import Page
from diadema.web.service import Service

_SHOWN = 3
_SILENT = (HubAbsent, HubSilent, NatsAbsent)


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
    for rollout in told[: -_SHOWN - 1 : -1]:
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
