"""What every page under /ui has around it: the bar with the ways to the others, the words, and
the refusal of what a role may not see.
"""

import json
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from html import escape

from fastapi import Request
from nicegui import ui
from nicegui.language import Language

from diadema.access.authenticator import csrf_of
from diadema.access.roles import Person, Right
from diadema.web.asking import person_of
from diadema.web.service import Service
from diadema.words import known, section

_QUASAR: dict[str, Language] = {"es": "es", "en": "en-US"}

NAV: tuple[tuple[str, str, *tuple[Right, ...]], ...] = (  # word of `shell`, path, who sees it
    ("nav.floor", "/ui/", "floor"),
    ("nav.agents", "/ui/agents", "figures"),
    ("nav.attendance", "/ui/attendance", "attendance"),
    ("nav.handling", "/ui/handling", "figures"),
    ("nav.dispositions", "/ui/dispositions", "figures"),
    ("nav.reports", "/ui/reports", "figures", "attendance", "register"),
    ("nav.register", "/ui/register", "register"),
    ("nav.people", "/ui/people", "people"),
    ("nav.fleet", "/ui/fleet", "fleet"),
    ("nav.accounts", "/ui/accounts", "accounts"),
)
_HEAD = """
<link rel="stylesheet" href="/static/fonts.css">
<link rel="stylesheet" href="/static/floor.css">
<link rel="stylesheet" href="/static/ui.css">
<link rel="stylesheet" href="/static/pages.css">
<script src="/static/theme.js"></script>
<script>document.documentElement.dataset.build="{build}";</script>
<script type="module" src="/static/shell.js"></script>
<script type="module" src="/static/charts.js"></script>
<script type="application/json" id="shell-words">{words}</script>
"""


@dataclass(frozen=True)
class Page:
    """A page that is being drawn: for whom, and in what language. `words` are of its own area."""

    person: Person
    language: str
    words: Mapping[str, str]
    service: Service

    def still(self, *rights: Right) -> bool:
        """Whether the person may yet do this: a page outlives its session, and a role. Says so, or
        leads to the login, when not. To be asked before each action of a page.
        """
        if not self.person.session:  # a program with the hub's own token
            return self.person.may(*rights)
        accounts = self.service.accounts
        now = accounts.sessions.again(self.person)
        if now is None:
            ui.run_javascript("location.assign('/login')")  # `navigate` would put /ui before it
            return False
        if not now.may(*rights):
            ui.notify(section("web", self.language)["not_yours"], type="negative")
            return False
        return True


def open_page(
    service: Service, request: Request, area: str, path: str, *rights: Right, live: bool = False
) -> Page:
    """Draw what is around the page at `path`; its title is `title` of the words of `area`. A
    `live` one has the site's name and hour in its bar, and the way to the wall.

    Raises Refused, of which the page shows nothing more, when the person has none of `rights`.
    """
    service.worker.wake()
    person = person_of(request)
    asked = request.query_params.get("lang") or person.language or service.floor.site.language
    language = known(asked)
    words = section(area, language)
    client = ui.context.client
    client.page = copy(client.page)  # NiceGUI knows one language a page; this one is as asked
    client.page.language = _QUASAR[language]
    ui.colors(primary="#1f5fae")
    ui.page_title(f"{words['title']} · Diadema")
    shell = json.dumps(dict(section("shell", language)), ensure_ascii=False)
    ui.add_head_html(_HEAD.format(build=service.build, words=shell.replace("<", "\\u003c")))
    bar = _bar(person, language, words["title"], path, csrf_of(request), live)
    ui.html(bar, tag="header", sanitize=False).classes("bar")
    if not person.may(*rights):
        with ui.element("main").classes("page"):
            ui.label(section("web", language)["not_yours"]).classes("refused")
        raise Refused
    return Page(person, language, words, service)


class Refused(Exception):
    """The page has said so; its function ends."""


def _bar(person: Person, language: str, title: str, path: str, csrf: str, live: bool) -> str:
    words = section("shell", language)
    links = "".join(
        f'<a href="{to}?lang={language}"{" aria-current=page" if to == path else ""}>'
        f"{escape(words[word])}</a>"
        for word, to, *rights in NAV
        if person.may(*rights)
    )
    if live:
        links += f'<a href="/wall?lang={language}">{escape(words["wall"])}</a>'
    other = words["language.other_code"]
    return (
        f'<a class="skip" href="#{"floor" if live else "main"}">{escape(words["skip"])}</a>'
        '<a class="brand" href="/"><img src="/static/icon.svg" alt="" width="22" height="22">'
        f"Diadema</a><h1{' data-site' if live else ''}>{escape(title)}</h1>"
        + ('<p class="bar-clock" data-clock></p>' if live else "")
        + '<button type="button" class="quiet bar-menu" aria-expanded="false"'
        f' aria-controls="bar-links">{escape(words["nav"])}</button>'
        f'<nav class="bar-links" id="bar-links" aria-label="{escape(words["nav"])}">{links}</nav>'
        f"{person_links(person, language, csrf)}"
        f'<a class="quiet" href="?lang={other}" lang="{other}" hreflang="{other}" data-keep>'
        f"{escape(words['language.other'])}</a>"
        '<button type="button" class="quiet" data-theme-button></button>'
    )


def person_links(person: Person, language: str, csrf: str) -> str:
    """Who is logged in, with the ways to his account and out; HTML for a bar."""
    words = section("shell", language)
    return (
        f'<a class="bar-person" href="/account?lang={language}"'
        f' title="{escape(words["account"])}">{escape(person.name)}</a>'
        '<form class="bar-logout" method="post" action="/logout">'
        f'<input type="hidden" name="csrf" value="{escape(csrf)}">'
        f'<button type="submit" class="quiet">{escape(words["logout"])}</button></form>'
    )
