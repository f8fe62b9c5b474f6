"""One gate in front of everything, HTTP and WebSocket alike, and the headers every answer carries.

Until accounts exist: only this machine gets in, the public wall apart. A page of another site can
neither read (Host, against DNS rebinding) nor write or open a socket (Origin).
"""

import ipaddress
from collections.abc import Iterable
from urllib.parse import parse_qs, urlsplit

from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from diadema.web.who import Person
from diadema.words import known, text

PERSON = "diadema.person"  # in the scope: who asks
_LOCAL = Person(id="local", name="", role="admin")
BODY_BYTES = 65_536
_SAFE = {"GET", "HEAD", "OPTIONS"}
_PUBLIC = ("/wall", "/static/")
_STRICT = "default-src 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'; "
_POLICY = _STRICT + "form-action 'none'"
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


def _is_ui(scope: Scope) -> bool:
    path: str = scope["path"]
    return path == "/ui" or path.startswith("/ui/")


def floor_scope(query: bytes) -> str:
    """Which view a socket asks for: `wall` only if it says just that, else `full`."""
    return "wall" if parse_qs(query.decode("latin-1")).get("scope") == ["wall"] else "full"


def is_public(scope: Scope) -> bool:
    """What anyone may see: the wall, its files and its stream."""
    path: str = scope["path"]
    if scope["type"] == "websocket":
        return path == "/ws" and floor_scope(scope["query_string"]) == "wall"
    return path == _PUBLIC[0] or path.startswith(_PUBLIC[1])


class Guard:
    """Pure ASGI: refuses before the application sees anything."""

    def __init__(self, app: ASGIApp, hosts: Iterable[str] = ("127.0.0.1", "localhost", "::1")):
        self._app = app
        self._hosts = frozenset(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        send = self._with_headers(scope, send)
        if (refusal := self._refusal(scope)) is not None:
            status, word = refusal
            language = language_of(HTTPConnection(scope))
            detail = text(f"web.{word}", language, bytes=BODY_BYTES)
            await _refuse(scope, receive, send, status, detail)
            return
        scope[PERSON] = _LOCAL
        if scope.get("method") == "HEAD":  # the framework would refuse it
            scope, send = {**scope, "method": "GET"}, _without_body(send)
        await self._app(scope, _bounded(receive, scope), send)

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        headers = HTTPConnection(scope).headers
        host, name = _authority(f"//{headers.get('host', '')}")
        if name not in self._hosts:
            return 421, "foreign_host"
        origin = headers.get("origin")
        writes = scope["type"] == "websocket" or scope["method"] not in _SAFE
        if writes and origin is not None and _authority(origin)[0] != host:
            return 403, "foreign_origin"
        if not is_public(scope) and not _is_local(scope):
            return 403, "not_local"
        length = headers.get("content-length", "0")
        if not _is_ui(scope) and not (length.isdecimal() and int(length) <= BODY_BYTES):
            return 413, "too_large"
        return None

    def _with_headers(self, scope: Scope, send: Send) -> Send:
        policy = _UI_POLICY if _is_ui(scope) else _POLICY
        extra = [*_HEADERS, (b"content-security-policy", policy.encode())]

        async def send_with_headers(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                names = {name for name, _ in extra}
                kept = [pair for pair in message["headers"] if pair[0].lower() not in names]
                message["headers"] = kept + extra
            await send(message)

        return send_with_headers


def language_of(connection: HTTPConnection) -> str:
    """The language a request asks for: `?lang=`, else its Accept-Language, else Spanish."""
    asked = connection.query_params.get("lang") or connection.headers.get("accept-language")
    return known(asked)


def _authority(url: str) -> tuple[str, str | None]:
    """A URL's `host:port` and its bare host name; nothing of a malformed one."""
    try:
        parts = urlsplit(url)
        return parts.netloc, parts.hostname
    except ValueError:
        return "", None


def _is_local(scope: Scope) -> bool:
    client = scope.get("client")
    try:
        return client is not None and ipaddress.ip_address(client[0]).is_loopback
    except ValueError:
        return False


def _without_body(send: Send) -> Send:
    """What a GET would answer, its headers alone."""

    async def send_headers(message: Message) -> None:
        bare = message["type"] == "http.response.body"
        await send({**message, "body": b""} if bare else message)

    return send_headers


def _bounded(receive: Receive, scope: Scope) -> Receive:
    """Ends a request whose body, sent without a length, grows past the bound."""
    taken = 0

    async def receive_bounded() -> Message:
        nonlocal taken
        message = await receive()
        if message["type"] == "http.request":
            taken += len(message.get("body", b""))
            if taken > BODY_BYTES:
                return {"type": "http.disconnect"}
        return message

    return receive if scope["type"] == "websocket" or _is_ui(scope) else receive_bounded


async def _refuse(scope: Scope, receive: Receive, send: Send, status: int, detail: str) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008, "reason": "refused"})
        return
    await JSONResponse({"detail": detail}, status)(scope, receive, send)
