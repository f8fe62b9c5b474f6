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

from diadema.web.asking import person_of
from diadema.web.service import Service
from diadema.web.who import Person, Right
from diadema.words import known, section

_QUASAR: dict[str, Language] = {"es": "es", "en": "en-US"}

NAV: tuple[tuple[str, str, Right], ...] = (  # word of `shell`, path, who sees it
    ("nav.floor", "/ui/", "floor"),
    ("nav.agents", "/ui/agents", "figures"),
    ("nav.attendance", "/ui/attendance", "attendance"),
    ("nav.handling", "/ui/handling", "figures"),
    ("nav.dispositions", "/ui/dispositions", "figures"),
    ("nav.reports", "/ui/reports", "figures"),
    ("nav.register", "/ui/register", "register"),
    ("nav.people", "/ui/people", "people"),
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
<script type="application/json" id="shell-words">{words}</script>
"""


@dataclass(frozen=True)
class Page:
    """A page that is being drawn: for whom, and in what language. `words` are of its own area."""

    person: Person
    language: str
    words: Mapping[str, str]


def open_page(service: Service, request: Request, area: str, path: str, right: Right) -> Page:
    """Draw what is around the page at `path`; its title is `title` of the words of `area`.

    Raises Refused, of which the page shows nothing more, when the person lacks `right`.
    """
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
    ui.html(_bar(person, language, words["title"], path), tag="header", sanitize=False).classes(
        "bar"
    )
    if not person.may(right):
        with ui.element("main").classes("page"):
            ui.label(section("web", language)["not_yours"]).classes("refused")
        raise Refused
    return Page(person, language, words)


class Refused(Exception):
    """The page has said so; its function ends."""


def _bar(person: Person, language: str, title: str, path: str) -> str:
    words = section("shell", language)
    links = "".join(
        f'<a href="{to}?lang={language}"{" aria-current=page" if to == path else ""}>'
        f"{escape(words[word])}</a>"
        for word, to, right in NAV
        if person.may(right)
    )
    other = words["language.other_code"]
    return (
        f'<a class="skip" href="#main">{escape(words["skip"])}</a>'
        '<a class="brand" href="/ui/"><img src="/static/icon.svg" alt="" width="22" height="22">'
        f"Diadema</a><h1>{escape(title)}</h1>"
        f'<nav class="bar-links" aria-label="{escape(words["nav"])}">{links}</nav>'
        '<span class="bar-person">'
        f"{escape(person.name)}</span>"
        f'<a class="quiet" href="?lang={other}" lang="{other}" hreflang="{other}" data-keep>'
        f"{escape(words['language.other'])}</a>"
        '<button type="button" class="quiet" data-theme-button></button>'
    )
