"""/login, /logout, /enter and /setup: how a browser gets its session.

/enter is a link by which this machine opens a page without typing. /setup makes the first
administrator, with the code that the hub has shown to whoever started it.
"""

import asyncio
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from diadema.access.authenticator import (
    address_of,
    csrf_of,
    is_local,
    know_device,
    known_device,
    let_in,
    let_out,
)
from diadema.access.book import LEAST, Account, AccountError, WeakPassword, known_as
from diadema.access.roles import Person
from diadema.web.guard import language_of
from diadema.web.permissions import person_of
from diadema.web.shell import plain_page
from diadema.web.templating import render
from diadema.web.web_app import WebApp, web_app_of
from diadema.words import section, text
from diadema.words.formatting import clock

router = APIRouter(include_in_schema=False)
_AT_ONCE = asyncio.Semaphore(2)  # passwords that are looked at; each takes 32 MB
Typed = Annotated[str, Form(max_length=256)]


@router.get("/login")
def login_page(request: Request, next: str = "", used: bool = False) -> Response:
    web_app = web_app_of(request)
    person = person_of(request)
    if person.id and person.session:
        return RedirectResponse(inside(next) or person.home, 303)
    if web_app.accounts.book.is_empty():
        return RedirectResponse("/setup", 303)
    said = text("accounts.used", language_of(request)) if used else None
    return login_form(web_app, request, next, wrong=said)


@router.post("/login")
async def login(
    request: Request, account: Typed, password: Typed, next: Annotated[str, Form()] = ""
) -> Response:
    web_app = web_app_of(request)
    language = language_of(request)
    address, name = address_of(request.scope), known_as(account)
    device = known_device(request, web_app.settings.token, name)
    whose = {"device": device} if device else {"account": name, "address": address}
    wait_ms = web_app.accounts.throttle.attempt(**whose)
    if wait_ms:
        seconds = -(-wait_ms // 1000)
        sentence = text("accounts.wait", language, time=clock(seconds))
        wait = {"retry-after": str(seconds)}
        return login_form(web_app, request, next, account, sentence, 429, wait)
    async with _AT_ONCE:
        found = await asyncio.to_thread(web_app.accounts.book.proves, name, password)
    if found is None:
        nobody = Person(id="", name="", role="nobody", address=address)
        web_app.accounts.audit.record(nobody, "login.failed", account=name[:64])
        sentence = text("accounts.wrong", language)
        return login_form(web_app, request, next, account, sentence, 401)
    web_app.accounts.throttle.passed(**whose)
    answer = RedirectResponse(inside(next) or home_of(found), 303)
    begin(web_app, request, answer, found)
    return answer


@router.post("/logout")
def logout(request: Request, csrf: Typed) -> Response:
    web_app = web_app_of(request)
    person = person_of(request)
    check_form(web_app, request, csrf)
    web_app.accounts.sessions.end(person.session)
    web_app.authenticator.look()
    web_app.audit(person, "logout")
    answer = RedirectResponse("/login", 303)
    let_out(answer, request.scope)
    return answer


@router.get("/enter")
def enter(request: Request, code: str = "", to: str = "") -> Response:
    """Only from this machine. Answers with a page that goes on by itself: a strict cookie is not
    sent along with somebody else's redirect.
    """
    web_app = web_app_of(request)
    account = web_app.accounts.codes.enters(code) if is_local(request.scope) else None
    if account is None:
        return RedirectResponse("/login?used=1", 303)
    found = web_app.accounts.book.get(account)
    answer = onward_page(inside(to) or home_of(found))
    begin(web_app, request, answer, found)
    return answer


def onward_page(onward: str) -> Response:
    html = render("enter.html", onward=onward)
    return HTMLResponse(html, headers={"cache-control": "no-store"})


def begin(web_app: WebApp, request: Request, answer: Response, account: Account) -> None:
    """A session for this browser, whose user has proved who it is to us."""
    person = open_session(web_app, request, answer, account)
    know_device(request, answer, web_app.settings.token, account.id)
    web_app.accounts.audit.record(person, "login", account=account.id)


def open_session(web_app: WebApp, request: Request, answer: Response, account: Account) -> Person:
    """The same without a word of it in the record."""
    address = address_of(request.scope)
    browser = request.headers.get("user-agent", "")
    secret = web_app.accounts.sessions.begin(account.id, address, browser)
    let_in(answer, request.scope, secret)
    return Person(id=account.id, name=account.name, role=account.role, address=address)


def home_of(account: Account) -> str:
    if account.must_change:
        return "/account"
    named = Person(id=account.id, name=account.name, role=account.role, agent=account.agent)
    return named.home


def inside(path: str) -> str:
    """Where to go on to, if that is one of our own pages."""
    ours = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if ours else ""


def check_form(web_app: WebApp, request: Request, given: str) -> None:
    """Raises 403 for a form that is not of a page of this session."""
    if given != csrf_of(request):
        raise HTTPException(403, text("web.no_csrf", language_of(request)))


def login_form(
    web_app: WebApp,
    request: Request,
    onward: str,
    account: str = "",
    wrong: str | None = None,
    status: int = 200,
    headers: dict[str, str] | None = None,
) -> Response:
    """The page with both ways in: a password of ours, and the provider where there is one."""
    words = section("accounts", language_of(request))
    lang = [pair for pair in request.query_params.items() if pair[0] == "lang"]
    query = urlencode(lang)
    action = f"/login?{query}" if query else "/login"
    provider = web_app.accounts.providers.get()
    to_provider = urlencode([*lang, ("next", inside(onward))])
    answer = plain_page(
        web_app,
        request,
        "login.html",
        words["login.title"],
        status,
        words=words,
        wrong=wrong,
        action=action,
        account=account,
        onward=inside(onward),
        provider=provider and words["provider.enter"].format(name=provider.name),
        provider_href=f"/login/provider?{to_provider}",
    )
    answer.headers.update(headers or {})
    return answer


@router.get("/setup")
def setup_page(request: Request) -> Response:
    web_app = web_app_of(request)
    if not web_app.accounts.book.is_empty():
        return RedirectResponse("/login", 303)
    return _setup_form(web_app, request)


@router.post("/setup")
async def setup(
    request: Request, code: Typed, account: Typed, name: Typed, new: Typed, again: Typed
) -> Response:
    web_app = web_app_of(request)
    language = language_of(request)
    address = address_of(request.scope)
    typed = {"code": code, "account": account, "name": name}

    def refused(word: str, status: int, **values: object) -> Response:
        sentence = text(f"accounts.{word}", language, **values)
        return _setup_form(web_app, request, typed, sentence, status)

    wait_ms = web_app.accounts.throttle.attempt(address=address)
    if wait_ms:
        return refused("wait", 429, time=f"{-(-wait_ms // 1000)} s")
    if not web_app.accounts.codes.sets_up(code):
        return refused("wrong_code", 403)
    web_app.accounts.throttle.passed(address=address)
    if new != again:
        return refused("not_same", 422)
    first = Person(id="setup", name="", role="nobody", address=address)
    try:
        await asyncio.to_thread(
            web_app.accounts.book.add, first, account, name, "admin", password=new, only_first=True
        )
    except WeakPassword as error:
        return refused(f"weak.{error.word}", 422, least=LEAST)
    except AccountError as error:
        return refused(f"error.{error.word}", 422, **error.values)
    answer = RedirectResponse("/ui/", 303)
    begin(web_app, request, answer, web_app.accounts.book.get(account.strip().lower()))
    return answer


def _setup_form(
    web_app: WebApp,
    request: Request,
    typed: dict[str, str] | None = None,
    wrong: str | None = None,
    status: int = 200,
) -> Response:
    words = section("accounts", language_of(request))
    return plain_page(
        web_app,
        request,
        "setup.html",
        words["setup.title"],
        status,
        words=words,
        wrong=wrong,
        typed=typed or {"code": "", "account": "", "name": ""},
    )
