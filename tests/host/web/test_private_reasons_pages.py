"""Every page is searched as a browser gets it for the three private reasons: what it shows and
holds, what is behind what can be pressed on it, what its requests and sockets bring, and the files
that it leads to. The pages are the application's own, so a new one is searched by itself.
"""

import io
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlencode, urlsplit

import openpyxl
import pytest
from diadema.access.roles import Role
from diadema.base.clock import open_clock
from diadema.web.app import create_app
from diadema.web.settings import Settings
from diadema.web.web_app import WebApp
from diadema.words import section
from playwright.async_api import Error, Page, Response, WebSocket, expect

from tests.host.test_private_reasons import printed
from tests.host.test_report_adherence import DAY
from tests.host.web.test_access import found_routes, may
from tests.support.access_table import ROUTES, SAMPLE
from tests.support.private_stage import TEAM, named
from tests.support.web_stage import Web
from tests.support.web_viewer import OpenPage

pytestmark = pytest.mark.asyncio(loop_scope="session")
LIMIT_MS = 120_000
MAY_STAND = {
    "GET /ui/people": "there the reasons are set up and rosters made, by whom that is for",
}
# what the forms of /ui/ offer to set anybody to: the catalogue, which is of nobody
CHOICES = re.compile(r'"reasons": \[\[.*?\]\]')
PLACES = SAMPLE | {"a": "a001", "s": "DIA-0123456789a1"}
NO_PAGES = ("/api/", "/static", "/ui/_nicegui", "/ui/favicon.ico")
SCOPES = {"supervisor": ("agent:a001", "week"), "admin": ("floor", "day")}
# where it must be told that it was a private one, or the search has seen nothing
TOLD = ("GET /ui/", "GET /ui/agents/{a}", "GET /ui/register", "GET /handover")
TOLD_IN = ("tmo", "adherencia", "supervision")
# the reports whose page is looked at; what it shows of the others test_private_reasons reads
LOOKED_AT = (*TOLD_IN, "intradia")
PRESSED = "summary, .tile, button.number, td button, rect[tabindex]"
QUIET = """() => new Promise(done => {
  setTimeout(done, 2000);
  let timer = setTimeout(done, 150);
  new MutationObserver(() => { clearTimeout(timer); timer = setTimeout(done, 150); }).observe(
    document.body, {subtree: true, childList: true});  // clocks tick in text alone
})"""
TYPED = "[...document.querySelectorAll('input, textarea')].map(one => one.value).join('\\n')"
LINKS = "[...document.links].map(one => one.href)"


class Heard:
    """What the server sends to a page: bodies of answers, and frames of sockets."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.texts: list[tuple[str, str]] = []
        self._answers: list[Response] = []
        page.on("response", self._note)
        page.on("websocket", self._follow)

    def _note(self, answer: Response) -> None:
        self._answers.append(answer)

    def _follow(self, socket: WebSocket) -> None:
        path = urlsplit(socket.url).path

        def take(frame: str | bytes) -> None:
            text = frame if isinstance(frame, str) else frame.decode(errors="replace")
            self.texts.append((path, text))

        socket.on("framereceived", take)

    async def settled(self, loading: list[str]) -> None:
        """Once nothing is read any more and nothing moves; then all that it holds is here too."""
        page = self.page
        waits = page.get_by_text(re.compile("|".join(map(re.escape, loading))))
        await expect(waits).to_have_count(0, timeout=LIMIT_MS)
        await page.evaluate(QUIET)
        await self._read()
        self.texts.append(("page", f"{page.url}\n{await page.title()}\n{await page.content()}"))
        self.texts.append(("typed", await page.evaluate(TYPED)))

    async def _read(self) -> None:
        answers, self._answers[:] = [*self._answers], []
        for answer in answers:
            path = urlsplit(answer.url).path
            if not path.startswith(NO_PAGES[1:]) and not 300 <= answer.status < 400:
                self.texts.append((path, await self._body(answer)))

    async def _body(self, answer: Response) -> str:
        try:
            return await answer.text()
        except Error:  # of a page that at once led to another one
            again = await self.page.context.request.get(answer.url, timeout=LIMIT_MS)
            return await again.text()


def pages(folder: Path) -> Iterator[str]:
    app: Any = create_app(WebApp(Settings(folder, "nats://127.0.0.1:1", "u", "p", "t"),
                                  open_clock(None), "b"))  # fmt: skip
    for name in sorted({*found_routes(app._app._app)}):
        method, path = name.split(" ")
        if method == "GET" and not path.startswith(NO_PAGES) and not PurePosixPath(path).suffix:
            yield name


def asked(name: str, role: Role) -> Iterator[dict[str, str]]:
    scope, grain = SCOPES[role]
    kinds = LOOKED_AT if name == "GET /ui/reports" else [""]
    for kind in kinds:
        yield {"kind": kind, "scope": scope, "grain": grain} if kind else {}


@pytest.mark.parametrize(("role", "language"), [("supervisor", "es"), ("admin", "en")])
async def test_no_page_names_one(
    private_web: Web, open_page: OpenPage, tmp_path: Path, role: Role, language: str
) -> None:
    said = section("reports", language)["reason.private"]
    loading = [section(area, language)["loading"] for area in ("parts", "agent_day")]
    page = await open_page(f"{private_web.url}/static/icon.svg", role=role, teams=[TEAM])
    page.set_default_timeout(LIMIT_MS)
    heard, files, searched, wrong = Heard(page), set[str](), set[str](), list[str]()
    for name in pages(tmp_path):
        if name in MAY_STAND or not may(role, ROUTES[name]):
            continue
        for query in asked(name, role):
            where = f"{role} {name} {query.get('kind', '')}"
            path = name.split(" ")[1].format_map(PLACES)
            query |= {"day": DAY.isoformat(), "lang": language}
            await page.goto(f"{private_web.url}{path}?{urlencode(query)}")
            if path.startswith("/ui/"):  # drawn, and so what it reads is begun
                await expect(page.locator("main, .tile").first).to_be_visible()
            if name in TOLD or query.get("kind") in TOLD_IN:
                await expect(page.locator("body")).to_contain_text(said, timeout=LIMIT_MS)
            await heard.settled(loading)
            if query.get("kind", "") in ("", *TOLD_IN):  # each kind's: test_private_reasons
                files |= set(await page.evaluate(LINKS))
            await press_all(page, heard, loading)
            found = {
                f"{where} {place}: {leak}"
                for place, text in heard.texts
                if (leak := named(CHOICES.sub("", unescape(text))))
            }
            wrong += sorted(found)
            searched |= {name, *(place for place, _ in heard.texts)}
            heard.texts.clear()
    for url in sorted(files):
        if urlsplit(url).path.startswith("/api/") and (leak := await file_named(page, url)):
            wrong.append(f"{role} {url}: {leak}")
    assert not wrong, "\n\n".join(wrong)
    behind = {f"/api/v1/agents/a001/{one}" for one in ("page", "events")}
    assert {*TOLD, "GET /wall", "GET /ui/reports", "/ws", *behind} <= searched


async def press_all(page: Page, heard: Heard, loading: list[str]) -> None:
    """One after the other, each dialog closed again."""
    pressed = page.locator(PRESSED)
    for at in range(await pressed.count()):
        if not await pressed.nth(at).is_visible():
            continue
        await pressed.nth(at).dispatch_event("click")
        await heard.settled(loading)
        await page.keyboard.press("Escape")
        await expect(page.locator("dialog[open]")).to_have_count(0)


async def file_named(page: Page, url: str) -> str | None:
    answer = await page.context.request.get(url, timeout=LIMIT_MS)
    assert answer.ok, (url, answer.status)
    body, kind = await answer.body(), answer.headers["content-type"].partition(";")[0]
    if kind == "application/pdf":
        return named(printed(body))
    if "spreadsheetml" in kind:
        book = openpyxl.load_workbook(io.BytesIO(body))
        rows = (row for sheet in book for row in sheet.iter_rows(values_only=True))
        return named("\n".join(str(cell) for row in rows for cell in row))
    assert kind in ("text/csv", "application/json"), f"{url}: how is {kind} searched?"
    return named(body.decode())
