"""One gate in front of everything, HTTP and WebSocket alike, and the headers of every answer.

A page of another site can neither read (Host, against DNS rebinding) nor write or open a socket
(Origin). Who somebody is, the authenticator says (`diadema.access.authenticator`); without one
only this machine gets in. A socket is closed when what let it in is over.

While nothing can be written, because the disk is full or a database is locked, the answer is a
503 that says so.

What is refused is told in the language of the request: as a page to a browser, as JSON to whoever
asks the API. Which language that is, `language_of` says for all that the web answers.
"""

import asyncio
import errno
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol
from urllib.parse import urlsplit

from markupsafe import Markup
from sqlalchemy.exc import DBAPIError
from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from diadema.access.authenticator import NOBODY, SAFE, Refusal, is_local, is_public, is_ui
from diadema.access.roles import Person
from diadema.base.errors import DiademaError
from diadema.store import StoreUnavailable
from diadema.web.templating import template
from diadema.words import DEFAULT, known, section, text

PERSON = "diadema.person"  # in the scope: who asks
_SITES = "diadema.language"  # and the site's language
LOOPBACK = ("127.0.0.1", "localhost", "::1")
BODY_BYTES = 65_536
IMPORT_BYTES = 32 << 20
_TRY_LATER = 1013
SESSION_OVER = 4401  # the code with which a socket is closed then
_LOCAL = Person(id="local", name="", role="service")
_STRICT = "default-src 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'; "
_POLICY = _STRICT + "form-action 'self'"
# NiceGUI compiles its templates in the browser: script and style cannot be strict there.
_UI_POLICY = (
    _STRICT + "form-action 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; "
    "script-src 'self' 'unsafe-inline' 'unsafe-eval'"
)
_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
)
_HSTS = (b"strict-transport-security", b"max-age=31536000")
_AGAIN = '<!doctype html><meta http-equiv="refresh" content="0"><title>Diadema</title>'

KINDS = (DBAPIError, sqlite3.Error, OSError, DiademaError)  # among which those are
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO}
_BUSY = {
    sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY,
}  # fmt: skip
_WORDS = ("disk is full", "disk I/O error", "database is locked", "No space left")
_AGAIN_S = "10"
_PAGE, _AROUND = template("error.html"), template("plain.html")
_TITLES = {403: "no_access", 404: "no_page", 500: "fault", 503: "not_now"}


def is_no_room(error: BaseException | None) -> bool:
    """Whether it says so, or what it came of; one of another process has only its words."""
    while error is not None:
        if isinstance(error, StoreUnavailable):
            return True
        if isinstance(error, OSError) and error.errno in _FULL:
            return True
        code = getattr(getattr(error, "orig", error), "sqlite_errorcode", None)
        if code is not None and code & 0xFF in _BUSY:
            return True
        if isinstance(error, KINDS) and any(words in str(error) for words in _WORDS):
            return True
        error = error.__cause__ or error.__context__
    return False


def no_room(connection: HTTPConnection) -> Response:
    """503, which a page tries again by itself."""
    sentence = text("web.no_room", language_of(connection))
    return refusal_response(connection, 503, sentence, {"retry-after": _AGAIN_S}, again_s=_AGAIN_S)


def refusal_response(
    connection: HTTPConnection,
    status: int,
    sentence: str,
    headers: Mapping[str, str] | None = None,
    *,
    bar: str = "",
    again_s: str = "",
) -> Response:
    """A refusal: a page for a browser, with the `bar` of who is inside; JSON for a program."""
    sent = {"cache-control": "no-store", **(headers or {})}
    if not wants_page(connection):
        return JSONResponse({"detail": sentence}, status, sent)
    language = language_of(connection)
    shell = section("shell", language)
    page = _PAGE.render(
        around=_AROUND,
        language=language,
        title=title_of(status, language),
        bar=Markup(bar),  # of our own template, whose values are escaped
        shell=shell,
        site="",
        other_query=other_query(connection, shell),
        sentence=sentence,
        home=text("web.home", language),
        again_s=again_s,
    )
    return HTMLResponse(page, status, sent)


def title_of(status: int, language: str) -> str:
    """The title of a page that refuses."""
    return section("web", language)[f"title.{_TITLES.get(status, 'refused')}"]


def wants_page(connection: HTTPConnection) -> bool:
    """Whether a browser shows the answer to a person."""
    return "text/html" in connection.headers.get("accept", "") and not is_api(connection)


def is_api(connection: HTTPConnection) -> bool:
    path: str = connection.scope["path"]
    return path.startswith("/api/")


def other_query(connection: HTTPConnection, shell: Mapping[str, str]) -> str:
    """The query of the same page in the other language."""
    return connection.url.include_query_params(lang=shell["language.other_code"]).query


class Authenticator(Protocol):
    def admit(self, scope: Scope) -> Person | Refusal:
        """The person of this connection; a Refusal where it is not let in."""
        ...

    def watch(self, person: Person) -> AbstractContextManager[asyncio.Event]:
        """While it is open: an event that is set when the person may stay no longer."""
        ...


class OnlyLocal:
    """The authenticator of what has no accounts: this machine, and anybody for what is public."""

    def admit(self, scope: Scope) -> Person | Refusal:
        if is_local(scope):
            return _LOCAL
        return NOBODY if is_public(scope) else Refusal(status=403, word="not_local")

    def watch(self, person: Person) -> AbstractContextManager[asyncio.Event]:
        return nullcontext(asyncio.Event())


class Guard:
    """Pure ASGI: refuses before the application sees anything. `hosts`: the names by which this
    machine may be asked for, beside the address that was reached; `language`: the site's.
    """

    def __init__(
        self,
        app: ASGIApp,
        hosts: Iterable[str] = LOOPBACK,
        authenticator: Authenticator | None = None,
        language: Callable[[], str] = lambda: DEFAULT,
    ) -> None:
        self._app = app
        self._hosts = frozenset(hosts)
        self._authenticator = authenticator or OnlyLocal()
        self._language = language

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        scope[_SITES] = self._language()
        send, said = _noted(self._with_headers(scope, send))
        try:
            await self._enter(scope, receive, send)
        except Exception as error:
            if said() or not is_no_room(error):
                raise
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": _TRY_LATER, "reason": "no room"})
                return
            await no_room(HTTPConnection(scope))(scope, receive, send)

    async def _enter(self, scope: Scope, receive: Receive, send: Send) -> None:
        person = self._refusal(scope) or self._authenticator.admit(scope)
        if isinstance(person, Refusal):
            await self._refuse(person, scope, receive, send)
            return
        scope[PERSON] = person
        if scope.get("method") == "HEAD":  # the framework would refuse it
            scope, send = {**scope, "method": "GET"}, _without_body(send)
        if scope["type"] == "websocket":
            with self._authenticator.watch(person) as over:
                await self._app(scope, *_until(over, receive, send))
            return
        await self._app(scope, _bounded(receive, scope), send)

    def _refusal(self, scope: Scope) -> Refusal | None:
        headers = HTTPConnection(scope).headers
        host, name = _authority(f"//{headers.get('host', '')}")
        if name not in self._hosts and name != (scope.get("server") or ("",))[0]:
            return Refusal(status=421, word="foreign_host")
        origin = headers.get("origin")
        writes = scope["type"] == "websocket" or scope["method"] not in SAFE
        if writes and origin is not None and _authority(origin)[0] != host:
            return Refusal(status=403, word="foreign_origin")
        length = headers.get("content-length", "0")
        if not (length.isdecimal() and int(length) <= _most_bytes(scope)):
            return Refusal(status=413, word="too_large")
        return None

    def _with_headers(self, scope: Scope, send: Send) -> Send:
        policy = _UI_POLICY if is_ui(scope) else _POLICY
        extra = [*_HEADERS, (b"content-security-policy", policy.encode())]
        path: str = scope["path"]
        if path.startswith("/api/"):  # of people, mostly; a page of ours says itself what it is
            extra.append((b"cache-control", b"no-store"))
        host = HTTPConnection(scope).headers.get("host", "")
        if scope["scheme"] in ("https", "wss") and _authority(f"//{host}")[1] not in LOOPBACK:
            extra.append(_HSTS)

        async def send_with_headers(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                names = {name for name, _ in extra}
                headers = [pair for pair in message["headers"] if pair[0].lower() not in names]
                message["headers"] = headers + extra
            await send(message)

        return send_with_headers

    async def _refuse(self, why: Refusal, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": "refused"})
            return
        answer: Response
        if why.again:
            answer = HTMLResponse(_AGAIN, headers={"cache-control": "no-store"})
        elif why.location is not None:
            answer = RedirectResponse(why.location, why.status)
        else:
            values = {"bytes": _most_bytes(scope), "names": ", ".join(sorted(self._hosts))}
            connection = HTTPConnection(scope)
            detail = text(f"web.{why.word}", language_of(connection), **values)
            answer = refusal_response(connection, why.status, detail, why.headers)
        if scope.get("method") == "HEAD":
            send = _without_body(send)
        await answer(scope, receive, send)


def language_of(connection: HTTPConnection) -> str:
    """In which language a request is answered: that of its address (`?lang=`), else the person's,
    else the site's. A program says its own first, by Accept-Language, and so do our pages when
    they ask the API.
    """
    person: Person = connection.scope.get(PERSON, NOBODY)
    wanted = connection.query_params.get("lang")
    if not wanted and is_api(connection):
        wanted = connection.headers.get("accept-language")
    return known(wanted or person.language or connection.scope.get(_SITES))


def _most_bytes(scope: Scope) -> int:
    path: str = scope["path"]
    large = is_ui(scope) or "/import/" in f"{path}/"
    return IMPORT_BYTES if large else BODY_BYTES


def _authority(url: str) -> tuple[str, str | None]:
    """A URL's `host:port` and its bare host name; nothing of a malformed one."""
    try:
        parts = urlsplit(url)
        return parts.netloc, parts.hostname
    except ValueError:
        return "", None


def _until(over: asyncio.Event, receive: Receive, send: Send) -> tuple[Receive, Send]:
    """A socket that ends when the event is set."""
    closed = False

    async def receive_while_open() -> Message:
        nonlocal closed
        if not closed:
            message = asyncio.ensure_future(receive())
            end = asyncio.ensure_future(over.wait())
            try:
                await asyncio.wait({message, end}, return_when=asyncio.FIRST_COMPLETED)
                if not over.is_set():
                    return message.result()
            finally:
                message.cancel()
                end.cancel()
            closed = True
            await send({"type": "websocket.close", "code": SESSION_OVER, "reason": "over"})
        return {"type": "websocket.disconnect", "code": SESSION_OVER}

    async def send_while_open(message: Message) -> None:
        if not closed:
            await send(message)

    return receive_while_open, send_while_open


def _noted(send: Send) -> tuple[Send, Callable[[], bool]]:
    """With what tells whether anything was sent."""
    started = False

    async def send_noted(message: Message) -> None:
        nonlocal started
        started = True
        await send(message)

    return send_noted, lambda: started


def _without_body(send: Send) -> Send:
    """What a GET would answer, its headers alone."""

    async def send_headers(message: Message) -> None:
        bare = message["type"] == "http.response.body"
        await send({**message, "body": b""} if bare else message)

    return send_headers


def _bounded(receive: Receive, scope: Scope) -> Receive:
    """Ends a request whose body, sent without a length, grows past the bound."""
    taken, most = 0, _most_bytes(scope)

    async def receive_bounded() -> Message:
        nonlocal taken
        message = await receive()
        if message["type"] == "http.request":
            taken += len(message.get("body", b""))
            if taken > most:
                return {"type": "http.disconnect"}
        return message

    return receive_bounded
