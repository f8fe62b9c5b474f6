"""What stands around a page.

A page under /ui has the bar with the links to the others, the words, and the refusal of what a
role may not see; a live one is drawn by a module of ours alone. A plain page is without NiceGUI,
under the strict policy: forms, and lists for technicians.
"""

from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any, NoReturn

from fastapi import Request
from fastapi.responses import HTMLResponse
from markupsafe import Markup
from nicegui import ui
from nicegui.language import Language

from diadema.access.authenticator import NOBODY, csrf_of
from diadema.access.roles import Person, Right
from diadema.web.assets import modules_of
from diadema.web.guard import PERSON, language_of, other_query
from diadema.web.permissions import person_of
from diadema.web.templating import render, template
from diadema.web.web_app import WebApp
from diadema.words import section, text

_QUASAR: dict[str, Language] = {"es": "es", "en": "en-US"}

type Way = tuple[str, str, *tuple[Right, ...]]  # word of the link, path, who sees it

NAV: tuple[tuple[str, tuple[Way, ...]], ...] = (  # the groups of the bar: word, ways
    (
        "shell.group.floor",
        (
            ("floor.nav", "/ui/", "floor"),
            ("help.nav", "/ui/help", "help"),
            ("shell.wall", "/wall", "floor"),
            ("faults.nav", "/ui/faults", "tickets"),
            ("area_faults.nav", "/ui/area", "area"),
            ("register.handover", "/handover", "register"),
        ),
    ),
    (
        "shell.group.people",
        (
            ("agent_day.nav", "/ui/agents", "figures"),
            ("attendance.nav", "/ui/attendance", "attendance"),
            ("register.nav", "/ui/register", "register", "reprimands"),
        ),
    ),
    (
        "shell.group.figures",
        (
            ("handling.nav", "/ui/handling", "figures"),
            ("dispositions.nav", "/ui/dispositions", "figures"),
            ("reports.nav", "/ui/reports", "figures", "attendance", "register", "tickets"),
        ),
    ),
    (
        "shell.group.quality",
        (
            ("quality.nav", "/ui/quality", "evaluate", "quality"),
            ("cases.nav", "/ui/quality/cases", "cases", "quality"),
            ("notices.nav", "/ui/quality/notices", "notices"),
            ("samples.nav", "/ui/quality/samples", "quality"),
            ("scorecards.nav", "/ui/quality/scorecards", "quality", "people"),
            ("calls.nav", "/ui/calls", "listen", "evaluate", "quality"),
            ("listening.nav", "/ui/listening", "listen", "quality"),
        ),
    ),
    (
        "shell.group.stations",
        (
            ("fleet.nav", "/ui/fleet", "fleet"),
            ("flasher.title", "/flasher", "fleet"),
            ("switch.nav", "/ui/switch", "fleet"),
        ),
    ),
    (
        "shell.group.admin",
        (
            ("people.nav", "/ui/people", "people", "quality"),
            ("accounts.nav", "/ui/accounts", "accounts"),
        ),
    ),
)
_HEAD, _BAR = template("shell_head.html"), template("shell_bar.html")
_BAR_MODULES = modules_of("shell.js")


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
    """Draw what is around the page at `path`; its title is `title` of the words of `area`. Raises
    Refused when the person has none of `rights`.
    """
    web_app.worker.wake()
    person, language = person_of(request), language_of(request)
    words, shell = section(area, language), section("shell", language)
    client = ui.context.client
    client.page = copy(client.page)  # NiceGUI knows one language a page; this one is as wanted
    client.page.language = _QUASAR[language]
    around = client.content.parent_slot
    assert around is not None
    around.parent.tag = "div"  # Quasar's <main>: a page has one, its own
    ui.colors(primary="#1f5fae")
    ui.page_title(f"{words['title']} · Diadema")
    ui.add_head_html(_HEAD.render(build=web_app.build, words=shell))
    bar = _BAR.render(bar_of(request, language, words["title"], path))
    ui.html(bar, tag="header", sanitize=False).classes("bar shell")
    if not person.may(*rights):
        refuse(section("web", language)["not_yours"], 403)
    return Page(person, language, words, web_app)


def refuse(sentence: str, status: int) -> NoReturn:
    """Say it in the place of the page. Raises Refused."""
    ui.context.client.status_code = status
    with ui.element("main").props("id=main").classes("page"):
        ui.label(sentence).classes("refused").props("role=alert")
    raise Refused


class Refused(Exception):
    """The page has said so; its function ends."""


def bar_of(
    request: Request, language: str, title: str, path: str, *, live: bool = False
) -> dict[str, Any]:
    """The values of `shell_bar.html`, the bar of every page: where one is, the ways to the others
    that the person may see, by groups, and their own account. A `live` one has the time, and
    the floor the site's name for its title.
    """
    person, shell = person_of(request), section("shell", language)
    return {
        "language": language,
        "other": shell["language.other_code"],
        "words": shell,
        "title": title,
        "path": path,
        "groups": list(_groups(person, language, path)),
        "live": live,
        "names_site": path == "/ui/",
        "person": person,
        "csrf": csrf_of(request),
    }


def _groups(person: Person, language: str, path: str) -> Iterator[dict[str, Any]]:
    """Those in which the person has anything; nowhere else before a password of their own."""
    for word, ways in () if person.must_change else NAV:
        links = [
            {"label": text(name, language), "path": to, "here": to == path}
            for name, to, *needed in ways
            if person.may(*needed)
        ]
        if links:
            yield {
                "id": word.rpartition(".")[2],
                "label": text(word, language),
                "links": links,
                "here": any(link["here"] for link in links),
            }


def live_page(
    web_app: WebApp,
    request: Request,
    area: str,
    path: str,
    options: Mapping[str, Any] | None,
    *,
    mode: str,
    modules: Sequence[str],
    sheets: Sequence[str] = (),
    **values: object,
) -> HTMLResponse:
    """A page that the first of `modules`, ours, draws from a stream, without NiceGUI, in the
    sheets' `mode`. `options` are what it is given; None: the person may not see it, and of modules
    it has the bar's. The other modules are asked for at once, not one after another.
    """
    web_app.worker.wake()
    language = language_of(request)
    title = section(area, language)["title"]
    html = render(
        "live.html",
        **bar_of(request, language, title, path, live=True),
        build=web_app.build,
        refused="" if options is not None else section("web", language)["not_yours"],
        options=options or {},
        mode=mode,
        modules=_BAR_MODULES if options is None else modules,
        sheets=list(sheets),
        **values,
    )
    status = 403 if options is None else 200
    return HTMLResponse(html, status, {"cache-control": "no-store"})


def plain_page(
    web_app: WebApp,
    request: Request,
    template: str,
    title: str,
    status: int = 200,
    **values: object,
) -> HTMLResponse:
    """A template that extends `plain.html`; `values` are those of its own block. Who is inside has
    the bar around it.
    """
    language = language_of(request)
    shell = section("shell", language)
    html = render(
        template,
        language=language,
        title=title,
        bar=Markup(plain_bar(request, title)),  # whose values are escaped
        shell=shell,
        site=web_app.floor.site.site,
        other_query=other_query(request, shell),
        **values,
    )
    return HTMLResponse(html, status, {"cache-control": "no-store"})


def plain_bar(request: Request, title: str) -> str:
    """The bar of a page without NiceGUI; empty for who is not inside."""
    if not request.scope.get(PERSON, NOBODY).session:
        return ""
    return _BAR.render(bar_of(request, language_of(request), title, request.url.path))
