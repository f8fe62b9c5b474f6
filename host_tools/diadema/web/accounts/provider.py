"""/login/provider: out to the provider of sign-on, and back from it with a session of ours.

What is asked of the provider is asked in threads of its own, so that one that hangs takes none
from whoever logs in with a password.
"""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from diadema.access.authenticator import address_of, is_secure
from diadema.access.book import Account, AccountError
from diadema.access.provider import Provider
from diadema.access.roles import Person
from diadema.access.sign_on import FLOW_S, LIMIT_S, NoSignOn, Proved
from diadema.web.accounts.login import home_of, inside, login_form, onward_page, open_session
from diadema.web.guard import language_of
from diadema.web.web_app import WebApp, web_app_of
from diadema.words import text
from diadema.words.formatting import NOTHING, clock

log = logging.getLogger(__name__)
router = APIRouter(include_in_schema=False)
_threads = ThreadPoolExecutor(4, "sign-on")
_SLACK_S = 2.0  # after the limit, for a name that nobody resolves
_ONWARD = 1000  # characters
_NAME = 80
_STATUS = {"away": 503, "begin_again": 400, "no_provider": 404}


@router.get("/login/provider")
async def out(request: Request, next: str = "") -> Response:
    web_app = web_app_of(request)
    if web_app.accounts.book.is_empty():  # the first account is the administrator's
        return RedirectResponse("/setup", 303)
    provider = web_app.accounts.providers.get()
    if provider is None:
        return _refused(web_app, request, "no_provider")
    ours, onward = f"{request.base_url}login/provider/back", inside(next)[:_ONWARD]
    try:
        url, cookie = await _in_time(lambda: web_app.sign_on.begin(provider, ours, onward))
    except NoSignOn as error:
        _log(web_app, provider, error)
        return _refused(web_app, request, error.word)
    answer = RedirectResponse(url, 303)
    secure = is_secure(request.scope)
    # the way back begins at another site: a strict one would stay behind
    answer.set_cookie(
        _cookie(request), cookie, FLOW_S, secure=secure, httponly=True, samesite="lax"
    )
    return answer


@router.get("/login/provider/back")
async def back(request: Request) -> Response:
    """Only to the browser that went out, and once. Nobody else's visit counts or is recorded."""
    web_app, query = web_app_of(request), request.query_params
    provider, address = web_app.accounts.providers.get(), address_of(request.scope)
    if provider is None:
        return _refused(web_app, request, "no_provider")
    try:
        cookie = request.cookies.get(_cookie(request), "")
        begun = web_app.sign_on.begun(provider, cookie, query.get("state", ""))
    except NoSignOn as error:
        return _refused(web_app, request, error.word)
    if not web_app.accounts.providers.use(query["state"], begun.until_ms):
        return _refused(web_app, request, "begin_again")
    counted = f"provider {address}"  # apart from passwords, which have to work without it
    if wait_ms := web_app.accounts.throttle.attempt(address=counted):
        seconds = -(-wait_ms // 1000)
        sentence = text("accounts.wait", language_of(request), time=clock(seconds))
        wait = {"retry-after": str(seconds)}
        return login_form(web_app, request, begun.onward, "", sentence, 429, wait)
    subject = ""
    try:
        proved = await _in_time(lambda: web_app.sign_on.end(provider, begun, dict(query)))
        subject = proved.subject
        account = _account(web_app, provider, proved, address)
    except NoSignOn as error:
        _log(web_app, provider, error)
        if error.word == "away":
            web_app.accounts.throttle.passed(address=counted)
        nobody = Person(id="", name="", role="nobody", address=address)
        web_app.accounts.audit.record(
            nobody, "login.refused", issuer=provider.issuer, subject=subject, refusal=error.word
        )
        return _refused(web_app, request, error.word, begun.onward)
    web_app.accounts.throttle.passed(address=counted)
    answer = onward_page(inside(begun.onward) or home_of(account))
    person = open_session(web_app, request, answer, account)
    web_app.accounts.audit.record(
        person, "login.provider", account=account.id, name=account.name, issuer=provider.issuer
    )
    _forget(request, answer)
    return answer


def _account(web_app: WebApp, provider: Provider, proved: Proved, address: str) -> Account:
    """Of whom the provider has proved. Its e-mail is nobody's name here. Raises NoSignOn where no
    role is given, and where the account may not be used.
    """
    claims, grant = proved.claims, provider.grant(proved.claims)
    if grant is None:
        raise NoSignOn("no_role")
    agent = str(claims.get(provider.agent_claim)) if grant.role == "agent" else None
    if agent is not None and agent not in web_app.people().workers:
        raise NoSignOn("no_role")
    name = "".join(one for one in str(claims.get("name", "")) if one.isprintable())
    try:
        return web_app.accounts.book.provided(
            Person(id="provider", name="", role="nobody", address=address),
            provider.issuer,
            proved.subject,
            name=name.strip()[:_NAME].strip() or NOTHING,
            role=grant.role,
            agent=agent,
            teams=grant.teams,
        )
    except AccountError as error:
        raise NoSignOn("disabled") from error


async def _in_time[T](work: Callable[[], T]) -> T:
    """What comes of it, within bounded time. Raises NoSignOn."""
    loop = asyncio.get_running_loop()
    try:
        return await asyncio.wait_for(loop.run_in_executor(_threads, work), LIMIT_S + _SLACK_S)
    except TimeoutError as error:
        raise NoSignOn("away") from error


def _log(web_app: WebApp, provider: Provider, error: NoSignOn) -> None:
    """Once until it is another reason; who logs in is not told of it."""
    if error.reason is None:
        return
    line = f"{provider.issuer} was not reached: {error.reason.say(web_app.floor.site.language)}"
    if web_app.sign_on.logged != line:
        web_app.sign_on.logged = line
        log.error("the identity provider %s", line)


def _refused(web_app: WebApp, request: Request, word: str, onward: str = "") -> Response:
    """The login page, which says why, and lets in by a password."""
    sentence = text(f"accounts.provider.{word}", language_of(request))
    answer = login_form(web_app, request, onward, "", sentence, _STATUS.get(word, 403))
    _forget(request, answer)
    return answer


def _cookie(request: Request) -> str:
    return "__Host-diadema_sign_on" if is_secure(request.scope) else "diadema_sign_on"


def _forget(request: Request, answer: Response) -> None:
    secure = is_secure(request.scope)
    answer.delete_cookie(_cookie(request), secure=secure, httponly=True, samesite="lax")
