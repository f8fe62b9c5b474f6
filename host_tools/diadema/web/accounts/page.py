"""/ui/accounts: who may open the pages, tokens of programs, open sessions, and who did what.

The dialogs of /ui/accounts: for an account, for a token, and for what is shown only once.
"""

from collections.abc import Callable, Mapping
from typing import Any

from fastapi import FastAPI, Request
from nicegui import run, ui

from diadema.access.book import Account, AccountError
from diadema.access.roles import PEOPLE_ROLES, TOKEN_ROLES
from diadema.access.tokens import MOST_DAYS, Token
from diadema.base.errors import DiademaError
from diadema.base.sanitize import visible
from diadema.base.webhooks import hooks
from diadema.maintenance.records_keeping import check_audit
from diadema.maintenance.standbys import Heard
from diadema.site.directory.people import People
from diadema.site.directory.people_of import teams_of
from diadema.web.accounts import spoken
from diadema.web.shell import Page, Refused, open_page
from diadema.web.web_app import WebApp
from diadema.words.formatting import NOTHING, local_time

PATH = "/ui/accounts"
_ROWS = 200  # of the record, at once

Words = Mapping[str, str]
_WITH_TEAMS = ("supervisor", "monitor", "quality_lead", "hr")


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
        area = ui.label(words["form.area"])
        area.bind_visibility_from(role, "value", lambda value: value == "area")
        wrong = ui.label().classes("wrong").props("role=alert")

        def send() -> None:
            if role.value == "agent" and agent.value.strip() not in people.workers:
                wrong.text = words["form.no_agent"]
                return
            given: dict[str, Any] = {
                "name": name.value,
                "role": role.value,
                "agent": agent.value.strip() if role.value == "agent" else None,
                "teams": teams.value if role.value in _WITH_TEAMS else [],
            }
            if account is not None:
                given["account"] = account.value
            dialog.submit(given)

        _buttons(words, dialog, send)
    return await _answer_of(dialog)


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
                    "name": name.value.strip(),
                    "role": role.value,
                    "teams": chosen,
                    "days": int(days.value or 0),
                }
            )

        _buttons(words, dialog, send)
    return await _answer_of(dialog)


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


async def _answer_of(dialog: ui.dialog) -> dict[str, Any] | None:
    given: dict[str, Any] | None = await dialog
    dialog.delete()
    return given


def mount(app: FastAPI, web_app: WebApp) -> None:
    @ui.page("/accounts")
    def accounts(request: Request) -> None:
        try:
            page = open_page(web_app, request, "accounts", PATH, "accounts")
        except Refused:
            return
        _AccountsPage(web_app, page)


class _AccountsPage:
    """The page as one user sees it; each action checks first that the user still may."""

    def __init__(self, web_app: WebApp, page: Page) -> None:
        self._web_app = web_app
        self._accounts = web_app.accounts
        self._page = page
        self._words = page.words
        self._filter: dict[str, str | None] = {"who": "", "what": None, "agent": ""}
        with ui.element("main").props("id=main").classes("page"):
            self._draw_trouble()
            self._draw_people()
            self._draw_sessions()
            self._draw_tokens()
            self._draw_audit()
        self._fill()

    # -- what is shown

    def _draw_trouble(self) -> None:
        try:
            lines = self._web_app.held(self._page.language)
            lines += [
                self._words["webhook.off"].format(
                    name=one.name, since=self._time_of(one.off_ms), reason=visible(one.reason)
                )
                for one in hooks(self._web_app.data)
                if one.off_ms
            ]
        except DiademaError as error:
            lines = [error.say(self._page.language)]
        for line in lines:
            ui.label(line).classes("refused").props("role=alert")

    def _draw_people(self) -> None:
        with self._section("people"):
            self._people = self._table("people", ("id", "name", "role", "of", "state"), pick=True)
            with ui.row():
                self._button("add", self._add)
                self._button("change", self._change)
                self._button("reset", self._reset)
                self._button("disable", self._disable)

    def _draw_sessions(self) -> None:
        with self._section("sessions"):
            columns = ("account", "since", "seen", "where", "browser")
            self._sessions = self._table("sessions", columns, pick=True)
            self._button("end", self._end)

    def _draw_tokens(self) -> None:
        with self._section("tokens"):
            self._note("tokens.note")
            columns = ("name", "role", "of", "by", "until", "state")
            self._tokens = self._table("tokens", columns, pick=True)
            self._tokens.columns[-1]["style"] = "min-width: 15rem"  # a standby's is a sentence
            with ui.row():
                self._button("token.add", self._add_token)
                self._button("token.revoke", self._revoke)

    def _draw_audit(self) -> None:
        with self._section("audit"):
            self._note("audit.note")
            with ui.row():
                for name in self._filter:
                    word = self._words[f"audit.{name}"]
                    options = spoken.actions(self._page.language)
                    field: ui.input | ui.select = (
                        ui.select(options, label=word, with_input=True)
                        if name == "what"
                        else ui.input(word)
                    )
                    field.props("outlined dense clearable")
                    field.bind_value(self._filter, name)
                    field.on("keydown.enter", self._fill_audit)
                self._button("audit.show", self._fill_audit)
                self._button("audit.check", self._check)
            self._audit = self._table(
                "audit", ("at", "who", "role", "what", "agents", "detail", "address")
            )

    def _fill(self) -> None:
        words, accounts = self._words, self._accounts
        self._people.rows = [
            {
                "id": one.id,
                "name": one.name,
                "role": words[f"role.{one.role}"],
                "of": one.agent or ", ".join(one.teams),
                "state": words[_state(one)],
            }
            for one in accounts.book.all()
        ]
        self._sessions.rows = [
            {
                "id": one.key,
                "account": one.account,
                "since": self._time_of(one.made_ms),
                "seen": self._time_of(one.seen_ms),
                "where": one.address,
                "browser": one.browser,
            }
            for one in accounts.sessions.all()
        ]
        now, standbys = self._web_app.accounts.audit.now(), self._web_app.standbys.heard()
        self._tokens.rows = [
            {
                "id": one.number,
                "name": one.name,
                "role": words[f"role.{one.role}"],
                "of": ", ".join(one.teams),
                "by": one.by,
                "until": self._time_of(one.until_ms),
                "state": self._state_of(one, now, standbys.get(one.name)),
            }
            for one in accounts.tokens.all()
        ]
        for table in (self._people, self._sessions, self._tokens):
            table.selected.clear()
            table.update()
        self._fill_audit()

    def _state_of(self, token: Token, now_ms: int, heard: Heard | None) -> str:
        """Whether it is in force; of a standby's also how far that is."""
        if token.revoked_ms or token.until_ms <= now_ms:
            return self._words["state.over"]
        if token.role != "standby" or heard is None:
            return self._words["state.in_use"]
        behind = heard.behind()
        return self._words["state.standby"].format(
            seen=self._time_of(heard.seen_ms),
            behind=NOTHING if behind is None else behind,
            made=self._time_of(heard.backup_ms) if heard.backup_ms else NOTHING,
        )

    def _fill_audit(self) -> None:
        if not self._page.still("audit"):
            return
        terms = {name: (value or "").strip() for name, value in self._filter.items()}
        language, people = self._page.language, self._web_app.people()
        agent = terms["agent"]
        teams = teams_of(self._web_app.data, agent) if agent else ()
        self._audit.rows = [
            {
                "id": row.number,
                "at": self._time_of(row.at_ms),
                "who": row.who,
                "role": self._words.get(f"role.{row.role}", ""),
                "what": spoken.action(row.what, language),
                "agents": spoken.whom(row.agents, people, language),
                "address": row.address,
                "detail": spoken.detail(row, language, self._web_app.zone),
            }
            for row in self._accounts.audit.rows(
                limit=_ROWS, who=terms["who"], what=terms["what"], agent=agent, teams=teams
            )
        ]
        self._audit.update()

    # -- what is done

    async def _add(self) -> None:
        await self._with_form(None)

    async def _change(self) -> None:
        if (account := self._picked(self._people)) is not None:
            await self._with_form(account)

    async def _with_form(self, account: str | None) -> None:
        known = self._accounts.book.get(account) if account else None
        given = await account_form(self._words, self._web_app.people(), known)
        if given is None or not self._page.still("accounts"):
            return
        person, book = self._page.person, self._accounts.book
        if known is not None:
            await self._do(lambda: book.change(person, known.id, **given))
            return
        name = given.pop("account")
        password = await self._do(lambda: book.add(person, name, **given))
        if password is not None:
            await shown_once(self._words, "password.once", password)

    async def _reset(self) -> None:
        account = self._picked(self._people)
        if account is None or not self._page.still("accounts"):
            return
        password = await self._do(lambda: self._accounts.book.reset(self._page.person, account))
        if password is not None:
            await shown_once(self._words, "password.once", password)

    async def _disable(self) -> None:
        account = self._picked(self._people)
        if account is None or not self._page.still("accounts"):
            return
        book = self._accounts.book
        out = not book.get(account).disabled
        await self._do(lambda: book.disable(self._page.person, account, disabled=out))

    async def _end(self) -> None:
        key = self._picked(self._sessions)
        if key is not None and self._page.still("accounts"):
            await self._do(lambda: self._accounts.sessions.end(key))

    async def _add_token(self) -> None:
        given = await token_form(self._words, self._web_app.people(), MOST_DAYS)
        if given is None or not self._page.still("accounts"):
            return
        token = await self._do(lambda: self._accounts.tokens.add(self._page.person, **given))
        if token is not None:
            await shown_once(self._words, "token.once", token)

    async def _revoke(self) -> None:
        number = self._picked(self._tokens)
        if number is not None and self._page.still("accounts"):
            await self._do(lambda: self._accounts.tokens.revoke(self._page.person, number))

    async def _check(self) -> None:
        if not self._page.still("audit"):
            return
        faults = await run.io_bound(check_audit, self._web_app.data)
        word = "audit.broken" if faults else "audit.whole"
        kind: Any = "negative" if faults else "positive"
        number = faults[0].number if faults else 0
        ui.notify(self._words[word].format(number=number), type=kind)

    async def _do[T](self, work: Callable[[], T]) -> T | None:
        """In a thread, for a password takes its time; what is refused is said."""
        try:
            done = await run.io_bound(work)
        except AccountError as error:
            ui.notify(self._words[f"error.{error.word}"].format(**error.values), type="negative")
            return None
        self._web_app.authenticator.look()
        self._fill()
        return done

    # -- parts

    def _section(self, name: str) -> ui.element:
        section = ui.element("section").props(f'aria-labelledby="h-{name}"')
        with section:
            ui.html(self._words[f"{name}.heading"], tag="h2", sanitize=False).props(f"id=h-{name}")
        return section

    def _table(self, name: str, columns: tuple[str, ...], *, pick: bool = False) -> ui.table:
        shown: list[dict[str, Any]] = [
            {
                "name": one,
                "label": self._words[f"{name}.{one}"],
                "field": one,
                "align": "left",
                "sortable": True,
            }
            for one in columns
        ]
        table = ui.table(
            columns=shown,
            rows=[],
            row_key="id",
            pagination=25,
            selection="single" if pick else None,
        )
        if pick:
            label = f':aria-label="String(props.row.{columns[0]})"'
            box = f'<q-checkbox v-model="props.selected" dense {label} />'
            table.add_slot("body-selection", box)
            heads = (
                '<q-th v-for="one in props.cols" :key="one.name" :props="props">{{ one.label }}'
            )
            chosen = f'<q-th auto-width><span class="unseen">{self._words["chosen"]}</span></q-th>'
            table.add_slot("header", f'<q-tr :props="props">{chosen}{heads}</q-th></q-tr>')
        table.classes("figures-table")
        table.props(f'flat dense wrap-cells no-data-label="{self._words["nothing"]}"')
        return table

    def _button(self, word: str, act: Callable[[], Any]) -> None:
        button = ui.button(self._words[f"do.{word}"], on_click=act, color=None)
        button.classes("act").props("outline no-caps")

    def _note(self, word: str) -> None:
        ui.label(self._words[word]).classes("note")

    def _picked(self, table: ui.table) -> Any:
        if not table.selected:
            ui.notify(self._words["pick_first"], type="warning")
            return None
        return table.selected[0]["id"]

    def _time_of(self, utc_ms: int) -> str:
        return local_time(utc_ms, self._web_app.zone, "date_second")


def _state(account: Account) -> str:
    if account.disabled:
        return "state.disabled"
    if account.issuer is not None:
        return "state.provided"
    return "state.must_change" if account.must_change else "state.in_use"
