"""/setup: the first administrator, by the code that the hub has shown to whoever started it."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from diadema.access.authenticator import address_of
from diadema.access.book import LEAST, AccountError, WeakPassword
from diadema.access.roles import Person
from diadema.web.pages.login import begin
from diadema.web.pages.plain import language_for, page
from diadema.web.service import Service
from diadema.words import section, text

router = APIRouter(include_in_schema=False)
Typed = Annotated[str, Form(max_length=256)]


@router.get("/setup")
def setup_page(request: Request) -> Response:
    service: Service = request.app.state.service
    if not service.accounts.book.is_empty():
        return RedirectResponse("/login", 303)
    return _form(service, request)


@router.post("/setup")
async def setup(
    request: Request, code: Typed, account: Typed, name: Typed, new: Typed, again: Typed
) -> Response:
    service: Service = request.app.state.service
    language = language_for(service, request)
    address = address_of(request.scope)
    typed = {"code": code, "account": account, "name": name}

    def refused(word: str, status: int, **values: object) -> Response:
        sentence = text(f"accounts.{word}", language, **values)
        return _form(service, request, typed, sentence, status)

    wait_ms = service.accounts.throttle.attempt(address=address)
    if wait_ms:
        return refused("wait", 429, time=f"{-(-wait_ms // 1000)} s")
    if not service.accounts.codes.sets_up(code):
        return refused("wrong_code", 403)
    service.accounts.throttle.passed(address=address)
    if new != again:
        return refused("not_same", 422)
    first = Person(id="setup", name="", role="nobody", address=address)
    try:
        await asyncio.to_thread(
            service.accounts.book.add, first, account, name, "admin", password=new, only_first=True
        )
    except WeakPassword as error:
        return refused(f"weak.{error.word}", 422, least=LEAST)
    except AccountError as error:
        return refused(f"error.{error.word}", 422, **error.values)
    answer = RedirectResponse("/ui/", 303)
    begin(service, request, answer, service.accounts.book.get(account.strip().lower()))
    return answer


def _form(
    service: Service,
    request: Request,
    typed: dict[str, str] | None = None,
    wrong: str | None = None,
    status: int = 200,
) -> Response:
    words = section("accounts", language_for(service, request))
    return page(
        service,
        request,
        "setup.html",
        words["setup.title"],
        status,
        words=words,
        wrong=wrong,
        typed=typed or {"code": "", "account": "", "name": ""},
    )
