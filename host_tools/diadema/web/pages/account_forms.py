"""The dialogs of /ui/accounts: for an account, for a token, and for what is shown only once."""

from collections.abc import Mapping
from typing import Any

from nicegui import ui

from diadema.access.book import Account
from diadema.access.roles import PEOPLE_ROLES, TOKEN_ROLES
from diadema.site.directory.people import People

Words = Mapping[str, str]
_WITH_TEAMS = ("supervisor", "monitor", "hr")


async def account_form(
    words: Words, people: People, known: Account | None
) -> dict[str, Any] | None:
    """What `Book.add` or, of a known one, `Book.change` takes; None when it was let be."""
    with ui.dialog() as dialog, ui.card().classes("form"):
        ui.label(words["form.change" if known else "form.add"]).classes("form-title")
        account = ui.input(words["account"]) if known is None else None
        name = ui.input(words["name"], value=known.name if known else "")
        role = ui.select(
            {one: words[f"role.{one}"] for one in PEOPLE_ROLES},
            label=words["people.role"],
            value=known.role if known else "supervisor",
        )
        agent = ui.input(words["form.agent"], value=(known and known.agent) or "")
        agent.bind_visibility_from(role, "value", lambda value: value == "agent")
        teams = _teams(words, people, known.teams if known else [])
        teams.bind_visibility_from(role, "value", lambda value: value in _WITH_TEAMS)
        wrong = ui.label().classes("wrong").props("role=alert")

        def send() -> None:
            if role.value == "agent" and agent.value.strip() not in people.workers:
                wrong.text = words["form.no_agent"]
                return
            given: dict[str, Any] = {
                "name": name.value, "role": role.value,
                "agent": agent.value.strip() if role.value == "agent" else None,
                "teams": teams.value if role.value in _WITH_TEAMS else [],
            }  # fmt: skip
            if account is not None:
                given["account"] = account.value
            dialog.submit(given)

        _buttons(words, dialog, send)
    return await _asked(dialog)


async def token_form(words: Words, people: People, most_days: int) -> dict[str, Any] | None:
    """What `Tokens.add` takes."""
    with ui.dialog() as dialog, ui.card().classes("form"):
        ui.label(words["form.token"]).classes("form-title")
        name = ui.input(words["tokens.name"])
        role = ui.select(
            {one: words[f"role.{one}"] for one in TOKEN_ROLES},
            label=words["tokens.role"],
            value="switch",
        )
        teams = _teams(words, people, [])
        teams.bind_visibility_from(role, "value", lambda value: value in _WITH_TEAMS)
        days = ui.number(words["form.days"], value=365, min=1, max=most_days, precision=0)

        def send() -> None:
            chosen = teams.value if role.value in _WITH_TEAMS else []
            dialog.submit(
                {
                    "name": name.value.strip(), "role": role.value, "teams": chosen,
                    "days": int(days.value or 0),
                }
            )  # fmt: skip

        _buttons(words, dialog, send)
    return await _asked(dialog)


async def shown_once(words: Words, word: str, secret: str) -> None:
    """A password or a token, which nobody can be shown again."""
    with ui.dialog().props("persistent") as dialog, ui.card().classes("form"):
        ui.label(words[word])
        ui.html(f"<code>{secret}</code>", sanitize=False).classes("once")
        ui.button(words["do.written_down"], on_click=lambda: dialog.submit(None)).props("no-caps")
    await dialog
    dialog.delete()


def _teams(words: Words, people: People, chosen: list[str]) -> ui.select:
    options = {code: name for code, name in people.teams.items()}
    options |= {code: code for code in chosen if code not in options}
    return ui.select(
        options, label=words["form.teams"], value=chosen, multiple=True, with_input=True
    ).props("use-chips")


def _buttons(words: Words, dialog: ui.dialog, send: Any) -> None:
    with ui.row():
        ui.button(words["save"], on_click=send).props("no-caps")
        ui.button(words["do.cancel"], on_click=lambda: dialog.submit(None)).props("flat no-caps")


async def _asked(dialog: ui.dialog) -> dict[str, Any] | None:
    given: dict[str, Any] | None = await dialog
    dialog.delete()
    return given
