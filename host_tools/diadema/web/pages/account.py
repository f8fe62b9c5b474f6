"""/account: one's own password, language and open sessions."""

import asyncio
from datetime import datetime
from html import escape
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from diadema.access.authenticator import csrf_of
from diadema.access.book import LEAST, WeakPassword
from diadema.access.roles import Person
from diadema.web.asking import not_yours, person_of
from diadema.web.pages.login import begin, check_form
from diadema.web.pages.plain import Words, form, language_for, line, page, said
from diadema.web.service import Service
from diadema.words import LANGUAGES, section, text

router = APIRouter(include_in_schema=False)
Typed = Annotated[str, Form(max_length=256)]


@router.get("/account")
def account_page(request: Request) -> Response:
    service, person = _known(request)
    return _page(service, request, person)


@router.post("/account/password")
async def password(
    request: Request, csrf: Typed, password: Typed, new: Typed, again: Typed
) -> Response:
    """The old one is asked for, and all his other sessions end."""
    service, person = _known(request)
    check_form(service, request, csrf)
    language = language_for(service, request)
    book = service.accounts.book

    def refused(word: str, status: int, **values: object) -> Response:
        told = text(f"accounts.{word}", language, **values)
        return _page(service, request, person, told, status)

    wait_ms = service.accounts.throttle.attempt(device=person.session)
    if wait_ms:
        return refused("wait", 429, time=f"{-(-wait_ms // 1000)} s")
    if await asyncio.to_thread(book.proves, person.id, password) is None:
        return refused("wrong", 401)
    service.accounts.throttle.passed(device=person.session)
    if new != again:
        return refused("not_same", 422)
    if new == password:
        return refused("weak.old", 422)
    try:
        await asyncio.to_thread(book.set_password, person, person.id, new)
    except WeakPassword as error:
        return refused(f"weak.{error.word}", 422, least=LEAST)
    service.door.look()
    answer = RedirectResponse("/account?done=password", 303)
    begin(service, request, answer, book.get(person.id))
    return answer


@router.post("/account/language")
def speak(request: Request, csrf: Typed, language: Typed) -> Response:
    service, person = _known(request)
    check_form(service, request, csrf)
    service.accounts.book.speak(person.id, language if language in LANGUAGES else None)
    return RedirectResponse("/account", 303)


@router.post("/account/sessions")
def end_session(request: Request, csrf: Typed, key: Typed) -> Response:
    service, person = _known(request)
    check_form(service, request, csrf)
    if key in {one.key for one in service.accounts.sessions.all(person.id)}:
        service.accounts.sessions.end(key)
        service.door.look()
    return RedirectResponse("/account", 303)


def _known(request: Request) -> tuple[Service, Person]:
    """Somebody with a session of his own; a token has no password."""
    service: Service = request.app.state.service
    person = person_of(request)
    if service.accounts.sessions.again(person) is None:
        raise not_yours(request)
    return service, person


def _page(
    service: Service, request: Request, person: Person, wrong: str | None = None, status: int = 200
) -> Response:
    words = section("accounts", language_for(service, request))
    hidden = {"csrf": csrf_of(request)}
    told = said(wrong)
    if not told and person.must_change:
        told = said(words["must_change"], "status")
    elif not told and request.query_params.get("done") == "password":
        told = said(words["password.done"], "status")
    inputs = (
        line(words, "password", kind="password", auto="current-password")
        + line(words, "new", kind="password", auto="new-password", hint=True)
        + line(words, "again", kind="password", auto="new-password")
    )
    body = (
        f"<p>{escape(person.name)} · {escape(words['role.' + person.role])}</p>{told}"
        f"<h2>{escape(words['password.title'])}</h2>"
        + form("/account/password", inputs, words["password.change"], hidden=hidden)
    )
    if not person.must_change:
        body += _language(words, person, hidden) + _sessions(service, words, person, hidden)
        body += f'<p><a href="{escape(person.home)}">{escape(words["back"])}</a></p>'
    body += form("/logout", "", words["logout"], hidden=hidden)
    return page(service, request, words["account.title"], body, status)


def _language(words: Words, person: Person, hidden: dict[str, str]) -> str:
    options = "".join(
        f'<option value="{code}"{" selected" if code == person.language else ""}>'
        f"{escape(words['language.' + (code or 'site')])}</option>"
        for code in ("", *LANGUAGES)
    )
    label = f'<label for="language">{escape(words["language"])}</label>'
    inputs = f'{label}<select id="language" name="language">{options}</select>'
    title = f"<h2>{escape(words['language'])}</h2>"
    return title + form("/account/language", inputs, words["save"], hidden=hidden)


def _sessions(service: Service, words: Words, person: Person, hidden: dict[str, str]) -> str:
    zone = ZoneInfo(service.floor.site.zone)
    rows = ""
    for one in service.accounts.sessions.all(person.id):
        since = datetime.fromtimestamp(one.made_ms / 1000, zone).strftime("%d/%m/%Y %H:%M")
        ours = one.key == person.session
        last = (
            escape(words["sessions.this"])
            if ours
            else form("/account/sessions", "", words["end"], hidden=hidden | {"key": one.key})
        )
        where = f"{escape(one.address)}<small>{escape(one.browser)}</small>"
        rows += f"<tr><td>{since}</td><td>{where}</td><td>{last}</td></tr>"
    heads = "".join(f"<th>{escape(words[f'sessions.{w}'])}</th>" for w in ("since", "where"))
    return (
        f"<h2>{escape(words['sessions.title'])}</h2>"
        f"<table><thead><tr>{heads}<th></th></tr></thead><tbody>{rows}</tbody></table>"
    )
