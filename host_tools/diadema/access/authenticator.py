"""Lets people and programs in: by the cookie of a session, or by a token; and out again.

Without any account every page leads to the set-up. A write by cookie proves that it comes from a
page of ours: to the API by the header `x-csrf-token`, under /ui by its Origin, a form by a field.

A browser that an account was let in with holds a sealed cookie by which it is known, so that
others' guesses at that account do not keep it out. That cookie lets nobody in.
"""

import asyncio
import hmac
import ipaddress
import logging
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import parse_qs, quote

from msgspec import Struct, field
from msgspec.structs import replace
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.types import Scope

from diadema.access import Accounts
from diadema.access.codes import hashed
from diadema.access.roles import THE_HUB, Person, Right
from diadema.access.sessions import WHOLE_MS

log = logging.getLogger(__name__)

NOBODY = Person(id="", name="", role="nobody")
SAFE = {"GET", "HEAD", "OPTIONS"}
_PUBLIC = ("/wall", "/static/")
CSRF_COOKIE = "diadema_csrf"
# who is nobody yet comes in there
OPEN = ("/login", "/login/provider", "/login/provider/back", "/setup", "/enter")
OWN = ("/account", "/logout")  # and there who must change the password first
STREAMS: Mapping[str, Right] = {"help": "help", "faults": "tickets", "area": "area"}  # of `/ws`
_LOOK_S = 1.0
_UNKNOWN = {"WWW-Authenticate": "Bearer"}
DEVICE_COOKIE = "diadema_device"
_AGE_S = 180 * 86_400


class Refusal(Struct, kw_only=True, frozen=True):
    """`word` of the catalogue `web`; `location`: where a page goes instead."""

    status: int
    word: str = ""
    location: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    again: bool = False  # the same page asked for by ourselves, so that its cookies come along


def is_ui(scope: Scope) -> bool:
    path: str = scope["path"]
    return path == "/ui" or path.startswith("/ui/")


def floor_scope(query: bytes) -> str:
    """Which view a socket asks for: `wall` or one of `STREAMS` only if it says just that, `screen`
    wherever it says so, else `full`.
    """
    scopes = parse_qs(query.decode("latin-1")).get("scope", [])
    if len(scopes) == 1 and (scopes == ["wall"] or scopes[0] in STREAMS):
        return scopes[0]
    return "screen" if "screen" in scopes else "full"


def is_public(scope: Scope) -> bool:
    """What anyone may see: the wall, its files and its stream."""
    path: str = scope["path"]
    if scope["type"] == "websocket":
        return path == "/ws" and floor_scope(scope["query_string"]) == "wall"
    return path == _PUBLIC[0] or path.startswith(_PUBLIC[1])


def is_local(scope: Scope) -> bool:
    """Whether it comes from this machine."""
    client = scope.get("client")
    try:
        return client is not None and ipaddress.ip_address(client[0]).is_loopback
    except ValueError:
        return False


class Authenticator:
    """`token` is the hub's own, of secrets.json. `run` is its task."""

    def __init__(self, accounts: Accounts, token: str) -> None:
        self._accounts = accounts
        self._token = token
        self._inside: dict[str, set[asyncio.Event]] = {}

    def admit(self, scope: Scope) -> Person | Refusal:
        if is_public(scope):
            return NOBODY
        connection = HTTPConnection(scope)
        given = connection.headers.get("authorization")
        if given is not None:
            person = self._of_token(given, address_of(scope))
            return person or Refusal(status=401, word="bad_token", headers=_UNKNOWN)
        secret = connection.cookies.get(session_cookie(scope), "")
        known = self._accounts.sessions.person(secret, address_of(scope)) if secret else None
        if known is None:
            return self._stranger(scope, connection)
        return self._refusal(scope, connection, known, secret) or known

    @contextmanager
    def watch(self, person: Person) -> Iterator[asyncio.Event]:
        over = asyncio.Event()
        if not person.session:
            yield over
            return
        inside = self._inside.setdefault(person.session, set())
        inside.add(over)
        try:
            yield over
        finally:
            inside.discard(over)
            if not inside:
                self._inside.pop(person.session, None)

    def look(self) -> None:
        """Let out whoever may be here no longer."""
        keys = set(self._inside)
        if not keys:
            return
        stay = self._accounts.sessions.open(keys) | self._accounts.tokens.open(keys)
        for key in keys - stay:
            for over in self._inside.pop(key):
                over.set()

    async def run(self) -> None:
        """Look for ever: others end sessions too, and so does time."""
        while True:
            await asyncio.sleep(_LOOK_S)
            try:
                self.look()
            except SQLAlchemyError as error:
                log.warning("cannot read who may still be here: %s", error)

    def _of_token(self, given: str, address: str) -> Person | None:
        kind, _, secret = given.partition(" ")
        secret = secret.strip()
        if kind.lower() != "bearer" or not secret:
            return None
        if hmac.compare_digest(secret.encode("utf-8", "replace"), self._token.encode()):
            return replace(THE_HUB, address=address)
        return self._accounts.tokens.person(secret, address)

    def _stranger(self, scope: Scope, connection: HTTPConnection) -> Person | Refusal:
        path: str = scope["path"]
        if path in OPEN or (path == "/metrics" and is_local(scope)):
            return NOBODY
        inner = path.startswith(("/api/", "/ui/_nicegui")) or path == "/metrics"
        if scope["type"] == "websocket" or scope["method"] not in SAFE or inner:
            return Refusal(status=401, word="no_session", headers=_UNKNOWN)
        if self._accounts.book.is_empty():
            return Refusal(status=303, location="/setup")
        if connection.headers.get("sec-fetch-site") == "cross-site":
            return Refusal(status=200, again=True)  # a strict cookie does not come from outside
        query = scope["query_string"].decode("latin-1")
        wanted = quote(path + (f"?{query}" if query else ""), safe="/")
        return Refusal(status=303, location=f"/login?next={wanted}" if path != "/" else "/login")

    def _refusal(
        self, scope: Scope, connection: HTTPConnection, person: Person, secret: str
    ) -> Refusal | None:
        path: str = scope["path"]
        if person.must_change and not path.startswith((*OPEN, *OWN)):
            if scope["type"] == "http" and not path.startswith("/api/"):
                return Refusal(status=303, location="/account")
            return Refusal(status=403, word="must_change")
        if scope["type"] == "websocket":
            right = STREAMS.get(floor_scope(scope["query_string"]), "floor")
            lacks = path == "/ws" and not person.may(right)
            return Refusal(status=403, word="not_yours") if lacks else None
        if scope["method"] in SAFE:
            return None
        if path.startswith("/api/"):
            sent = connection.headers.get("x-csrf-token", "")
            proved = hmac.compare_digest(sent.encode("utf-8", "replace"), csrf(secret).encode())
        else:
            proved = not is_ui(scope) or "origin" in connection.headers
        return None if proved else Refusal(status=403, word="no_csrf")


def session_cookie(scope: Scope) -> str:
    """Its name; under HTTPS one that no other site, and no plain page, can set."""
    return "__Host-diadema_session" if is_secure(scope) else "diadema_session"


def is_secure(scope: Scope) -> bool:
    return scope["scheme"] in ("https", "wss")


def address_of(scope: Scope) -> str:
    client = scope.get("client")
    return client[0] if client else ""


def csrf(secret: str) -> str:
    """What a page of this session says when it writes."""
    return hashed(f"csrf:{secret}")[:32]


def csrf_of(connection: HTTPConnection) -> str:
    """The same, of the session of a request."""
    return csrf(connection.cookies.get(session_cookie(connection.scope), ""))


def let_in(response: Response, scope: Scope, secret: str) -> None:
    """Put a new session's cookies on an answer."""
    secure, age = is_secure(scope), WHOLE_MS // 1000
    name = session_cookie(scope)
    response.set_cookie(name, secret, age, secure=secure, httponly=True, samesite="strict")
    token = csrf(secret)
    response.set_cookie(CSRF_COOKIE, token, age, secure=secure, samesite="strict")


def let_out(response: Response, scope: Scope) -> None:
    """Take them off."""
    secure = is_secure(scope)
    for name in (session_cookie(scope), CSRF_COOKIE):
        response.delete_cookie(name, secure=secure, samesite="strict")


def known_device(request: Request, key: str, account: str) -> str:
    """The device's name, if its cookie is one of this account; else empty."""
    name, _, seal = request.cookies.get(DEVICE_COOKIE, "").partition(".")
    if not name.isalnum() or len(name) > 64:
        return ""
    right = hmac.compare_digest(seal.encode("utf-8", "replace"), _seal(key, account, name))
    return name if right else ""


def know_device(request: Request, answer: Response, key: str, account: str) -> None:
    """Put a cookie on the answer to a right login, the same where there is one."""
    name = known_device(request, key, account) or secrets.token_hex(16)
    value = f"{name}.{_seal(key, account, name).decode()}"
    secure = is_secure(request.scope)
    answer.set_cookie(
        DEVICE_COOKIE, value, _AGE_S, path="/login", secure=secure, httponly=True,
        samesite="strict",
    )  # fmt: skip


def _seal(key: str, account: str, name: str) -> bytes:
    content = f"device:{account}:{name}".encode()
    return hmac.digest(key.encode(), content, "sha256").hex().encode()
