"""What stands around a page.

A page under /ui has the bar with the links to the others, the words, and the refusal of what a
role may not see. A plain page is without NiceGUI, under the strict policy: forms, and lists for
technicians.
"""

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from nicegui import ui
from nicegui.language import Language

from diadema.access.authenticator import csrf_of
from diadema.access.roles import Person, Right
from diadema.web.permissions import person_of
from diadema.web.templating import render, template
from diadema.web.web_app import WebApp
from diadema.words import known, section

_QUASAR: dict[str, Language] = {"es": "es", "en": "en-US"}

NAV: tuple[tuple[str, str, *tuple[Right, ...]], ...] = (  # catalogue with `nav`, path, who sees it
    ("floor", "/ui/", "floor"),
    ("agent_day", "/ui/agents", "figures"),
    ("attendance", "/ui/attendance", "attendance"),
    ("handling", "/ui/handling", "figures"),
    ("dispositions", "/ui/dispositions", "figures"),
    ("reports", "/ui/reports", "figures", "attendance", "register"),
    ("register", "/ui/register", "register", "reprimands"),
    ("people", "/ui/people", "people"),
    ("fleet", "/ui/fleet", "fleet"),
    ("accounts", "/ui/accounts", "accounts"),
)
_HEAD, _BAR = template("shell_head.html"), template("shell_bar.html")


@dataclass(frozen=True)
class Page:
    """A page that is being drawn: for whom, and in what language. `words` are of its own area."""

    person: Person
    language: str
    words: Mapping[str, str]
    web_app: WebApp

    def still(self, *rights: Right) -> bool:
        """Whether the person may yet do this: a page outlives its session, and a role. Says so, or
        leads to the login, when not. To be called before each action of a page.
        """
        if not self.person.session:  # a program with the hub's own token
            return self.person.may(*rights)
        accounts = self.web_app.accounts
        now = accounts.sessions.again(self.person)
        if now is None:
            ui.run_javascript("location.assign('/login')")  # `navigate` would put /ui before it
            return False
        if not now.may(*rights):
            ui.notify(section("web", self.language)["not_yours"], type="negative")
            return False
        return True


def open_page(web_app: WebApp, request: Request, area: str, path: str, *rights: Right) -> Page:
    """Draw what is around the page at `path`; its title is `title` of the words of `area`.

    Raises Refused, of which the page shows nothing more, when the person has none of `rights`.
    """
    web_app.worker.wake()
    person, language = person_of(request), language_for(web_app, request)
    words, shell = section(area, language), section("shell", language)
    client = ui.context.client
    client.page = copy(client.page)  # NiceGUI knows one language a page; this one is as wanted
    client.page.language = _QUASAR[language]
    ui.colors(primary="#1f5fae")
    ui.page_title(f"{words['title']} · Diadema")
    ui.add_head_html(_HEAD.render(build=web_app.build, words=shell))
    bar = _BAR.render(bar_of(request, language, words["title"], path))
    ui.html(bar, tag="header", sanitize=False).classes("bar shell")
    if not person.may(*rights):
        with ui.element("main").classes("page"):
            ui.label(section("web", language)["not_yours"]).classes("refused")
        raise Refused
    return Page(person, language, words, web_app)


class Refused(Exception):
    """The page has said so; its function ends."""


def bar_of(
    request: Request, language: str, title: str, path: str, *, live: bool = False
) -> dict[str, Any]:
    """The values of `shell_bar.html`, the bar of every page: where one is, the ways to the others
    that the person may see, and their own account. A `live` one has the site's name and time, and
    the way to the wall.
    """
    person, shell = person_of(request), section("shell", language)
    links = [
        {"label": section(area, language)["nav"], "path": to}
        for area, to, *needed in NAV
        if person.may(*needed)
    ]
    if live:
        links.append({"label": shell["wall"], "path": "/wall"})
    return {
        "language": language,
        "other": shell["language.other_code"],
        "words": shell,
        "title": title,
        "path": path,
        "links": links,
        "live": live,
        "person": person,
        "csrf": csrf_of(request),
    }


def language_for(web_app: WebApp, request: Request) -> str:
    """The language in the address, else the user's, else the site's."""
    wanted = request.query_params.get("lang") or person_of(request).language
    return known(wanted or web_app.floor.site.language)


def plain_page(
    web_app: WebApp,
    request: Request,
    template: str,
    title: str,
    status: int = 200,
    **values: object,
) -> HTMLResponse:
    """A template that extends `plain.html`; `values` are those of its own block."""
    language = language_for(web_app, request)
    shell = section("shell", language)
    code = shell["language.other_code"]
    html = render(
        template,
        language=language,
        title=title,
        site=web_app.floor.site.site,
        other_query=request.url.include_query_params(lang=code).query,
        other_code=code,
        other_name=shell["language.other"],
        **values,
    )
    return HTMLResponse(html, status, {"cache-control": "no-store"})
