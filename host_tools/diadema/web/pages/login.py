"""/login and /logout, and /enter: a link by which this machine opens a page without typing."""

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
from diadema.access.book import Account, known_as
from diadema.access.roles import Person
from diadema.web.asking import person_of
from diadema.web.pages.plain import language_for, page
from diadema.web.service import Service
from diadema.web.templating import render
from diadema.words import section, text

router = APIRouter(include_in_schema=False)
_AT_ONCE = asyncio.Semaphore(2)  # passwords that are looked at; each takes 32 MB
Typed = Annotated[str, Form(max_length=256)]


@router.get("/login")
def login_page(request: Request, next: str = "") -> Response:
    service: Service = request.app.state.service
    person = person_of(request)
    if person.id and person.session:
        return RedirectResponse(inside(next) or person.home, 303)
    if service.accounts.book.is_empty():
        return RedirectResponse("/setup", 303)
    return _form(service, request, next)


@router.post("/login")
async def login(
    request: Request, account: Typed, password: Typed, next: Annotated[str, Form()] = ""
) -> Response:
    service: Service = request.app.state.service
    language = language_for(service, request)
    address, name = address_of(request.scope), known_as(account)
    device = known_device(request, service.settings.token, name)
    whose = {"device": device} if device else {"account": name, "address": address}
    wait_ms = service.accounts.throttle.attempt(**whose)
    if wait_ms:
        seconds = -(-wait_ms // 1000)
        sentence = text("accounts.wait", language, time=_clock(seconds))
        return _form(service, request, next, account, sentence, 429, {"retry-after": str(seconds)})
    async with _AT_ONCE:
        found = await asyncio.to_thread(service.accounts.book.proves, name, password)
    if found is None:
        nobody = Person(id="", name="", role="nobody", address=address)
        service.accounts.audit.record(nobody, "login.failed", account=name[:64])
        sentence = text("accounts.wrong", language)
        return _form(service, request, next, account, sentence, 401)
    service.accounts.throttle.passed(**whose)
    answer = RedirectResponse(inside(next) or home_of(found), 303)
    begin(service, request, answer, found)
    return answer


@router.post("/logout")
def logout(request: Request, csrf: Typed) -> Response:
    service: Service = request.app.state.service
    person = person_of(request)
    check_form(service, request, csrf)
    service.accounts.sessions.end(person.session)
    service.door.look()
    service.audit(person, "logout")
    answer = RedirectResponse("/login", 303)
    let_out(answer, request.scope)
    return answer


@router.get("/enter")
def enter(request: Request, code: str = "", to: str = "") -> Response:
    """Only from this machine. Answers with a page that goes on by itself: a strict cookie is not
    sent along with somebody else's redirect.
    """
    service: Service = request.app.state.service
    account = service.accounts.codes.enters(code) if is_local(request.scope) else None
    if account is None:
        return RedirectResponse("/login", 303)
    found = service.accounts.book.get(account)
    html = render("enter.html", onward=inside(to) or home_of(found))
    answer = HTMLResponse(html, headers={"cache-control": "no-store"})
    begin(service, request, answer, found)
    return answer


def begin(service: Service, request: Request, answer: Response, account: Account) -> None:
    """A session for this browser."""
    address = address_of(request.scope)
    browser = request.headers.get("user-agent", "")
    secret = service.accounts.sessions.begin(account.id, address, browser)
    let_in(answer, request.scope, secret)
    know_device(request, answer, service.settings.token, account.id)
    person = Person(id=account.id, name=account.name, role=account.role, address=address)
    service.accounts.audit.record(person, "login", account=account.id)


def home_of(account: Account) -> str:
    if account.must_change:
        return "/account"
    named = Person(id=account.id, name=account.name, role=account.role, agent=account.agent)
    return named.home


def inside(path: str) -> str:
    """Where to go on to, if that is one of our own pages."""
    ours = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if ours else ""


def check_form(service: Service, request: Request, given: str) -> None:
    """Raises 403 for a form that is not of a page of this session."""
    if given != csrf_of(request):
        raise HTTPException(403, text("web.no_csrf", language_for(service, request)))


def _form(
    service: Service,
    request: Request,
    onward: str,
    account: str = "",
    wrong: str | None = None,
    status: int = 200,
    headers: dict[str, str] | None = None,
) -> Response:
    words = section("accounts", language_for(service, request))
    query = urlencode([pair for pair in request.query_params.items() if pair[0] == "lang"])
    action = f"/login?{query}" if query else "/login"
    answer = page(
        service,
        request,
        "login.html",
        words["login.title"],
        status,
        words=words,
        wrong=wrong,
        action=action,
        account=account,
        onward=inside(onward),
    )
    answer.headers.update(headers or {})
    return answer


def _clock(seconds: int) -> str:
    return f"{seconds // 60}:{seconds % 60:02}"
