"""/account: one's own password, language and open sessions."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from diadema.access.authenticator import csrf_of
from diadema.access.book import LEAST, WeakPassword
from diadema.access.roles import Person
from diadema.web.accounts.login import begin, check_form
from diadema.web.guard import language_of
from diadema.web.permissions import not_yours, person_of
from diadema.web.shell import plain_page
from diadema.web.web_app import WebApp, web_app_of
from diadema.words import LANGUAGES, section, text
from diadema.words.formatting import local_time

router = APIRouter(include_in_schema=False)
Typed = Annotated[str, Form(max_length=256)]


@router.get("/account")
def account_page(request: Request) -> Response:
    web_app, person = _known(request)
    return _page(web_app, request, person)


@router.post("/account/password")
async def password(
    request: Request, csrf: Typed, password: Typed, new: Typed, again: Typed
) -> Response:
    """Needs the old one; all other sessions of the user end."""
    web_app, person = _known(request)
    check_form(web_app, request, csrf)
    language = language_of(request)
    book = web_app.accounts.book

    def refused(word: str, status: int, **values: object) -> Response:
        sentence = text(f"accounts.{word}", language, **values)
        return _page(web_app, request, person, sentence, status)

    wait_ms = web_app.accounts.throttle.attempt(device=person.session)
    if wait_ms:
        return refused("wait", 429, time=f"{-(-wait_ms // 1000)} s")
    if await asyncio.to_thread(book.proves, person.id, password) is None:
        return refused("wrong", 401)
    web_app.accounts.throttle.passed(device=person.session)
    if new != again:
        return refused("not_same", 422)
    if new == password:
        return refused("weak.old", 422)
    try:
        await asyncio.to_thread(book.set_password, person, person.id, new)
    except WeakPassword as error:
        return refused(f"weak.{error.word}", 422, least=LEAST)
    web_app.authenticator.look()
    answer = RedirectResponse("/account?done=password", 303)
    begin(web_app, request, answer, book.get(person.id))
    return answer


@router.post("/account/language")
def speak(request: Request, csrf: Typed, language: Typed) -> Response:
    web_app, person = _known(request)
    check_form(web_app, request, csrf)
    web_app.accounts.book.speak(person.id, language if language in LANGUAGES else None)
    return RedirectResponse("/account", 303)


@router.post("/account/sessions")
def end_session(request: Request, csrf: Typed, key: Typed) -> Response:
    web_app, person = _known(request)
    check_form(web_app, request, csrf)
    if key in {one.key for one in web_app.accounts.sessions.all(person.id)}:
        web_app.accounts.sessions.end(key)
        web_app.authenticator.look()
    return RedirectResponse("/account", 303)


def _known(request: Request) -> tuple[WebApp, Person]:
    """The user of a session; a token has no password."""
    web_app = web_app_of(request)
    person = person_of(request)
    if web_app.accounts.sessions.again(person) is None:
        raise not_yours(request)
    return web_app, person


def _page(
    web_app: WebApp, request: Request, person: Person, wrong: str | None = None, status: int = 200
) -> Response:
    words = section("accounts", language_of(request))
    done = None
    if person.must_change:
        done = words["must_change"]
    elif request.query_params.get("done") == "password":
        done = words["password.done"]
    return plain_page(
        web_app,
        request,
        "account.html",
        words["account.title"],
        status,
        words=words,
        wrong=wrong,
        done=done,
        person=person,
        hidden={"csrf": csrf_of(request)},
        languages=("", *LANGUAGES),
        sessions=_sessions(web_app, person),
    )


def _sessions(web_app: WebApp, person: Person) -> list[dict[str, object]]:
    zone = web_app.floor.site.zone
    return [
        {
            "key": one.key,
            "since": local_time(one.made_ms, zone, "date_minute"),
            "address": one.address,
            "browser": one.browser,
            "ours": one.key == person.session,
        }
        for one in web_app.accounts.sessions.all(person.id)
    ]
