"""Before the API: a write that says which one it is, by `Idempotency-Key`, is done once and
answered the same for a day. What was refused, or failed, did nothing and may be tried again.

What the hub does it knows again itself, by `once_of`: it may have done it and not been heard.
"""

import asyncio
import hashlib
import logging
from weakref import WeakValueDictionary

import msgspec
from sqlalchemy.exc import SQLAlchemyError
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from diadema.access.audit import Answers
from diadema.access.authenticator import SAFE
from diadema.base.idempotency import (
    MOST_CHARACTERS,
    Once,
    OtherRequest,
    is_name,
)
from diadema.web.guard import PERSON, language_of
from diadema.words import text

HEADER = "idempotency-key"
_ONCE = "diadema.once"  # in the scope
log = logging.getLogger(__name__)


class _Answer(msgspec.Struct):
    status: int = 500
    headers: list[tuple[bytes, bytes]] = []
    body: bytes = b""


class OnceOnly:
    """Stands behind the guard, which knows who asks."""

    def __init__(self, app: ASGIApp, answers: Answers) -> None:
        self._app = app
        self._answers = answers
        self._under_way: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        key = _key(scope)
        if key is None:
            await self._app(scope, receive, send)
            return
        if not is_name(key):
            await _refuse("bad_key", scope, receive, send)
            return
        said = await _whole(receive)
        if said is None:  # whoever asked has gone
            return
        request = hashlib.sha256()
        for part in (scope["method"], scope["path"], scope["query_string"].decode("latin-1")):
            request.update(part.encode() + b"\0")
        for message in said:
            request.update(message.get("body", b""))
        once = Once.named(scope[PERSON].id, key, request.hexdigest())
        lock = self._under_way.setdefault(once.id, asyncio.Lock())
        async with lock:
            try:
                answer = await self._answer(once, {**scope, _ONCE: once}, said, receive)
            except OtherRequest:
                await _refuse("key_used", scope, receive, send)
                return
        await send(
            {"type": "http.response.start", "status": answer.status, "headers": answer.headers}
        )
        await send({"type": "http.response.body", "body": answer.body})

    async def _answer(
        self, once: Once, scope: Scope, said: list[Message], receive: Receive
    ) -> _Answer:
        """The one that was given, or else what is done now. Raises OtherRequest."""
        if (stored := self._answers.of(once)) is not None:
            return msgspec.msgpack.decode(stored, type=_Answer)
        answer = _Answer()

        async def receive_again() -> Message:
            return said.pop(0) if said else await receive()

        async def take(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer.status, answer.headers = message["status"], [*message["headers"]]
            elif message["type"] == "http.response.body":
                answer.body += message.get("body", b"")

        await self._app(scope, receive_again, take)
        if 200 <= answer.status < 300:
            try:
                self._answers.keep(once, msgspec.msgpack.encode(answer))
            except SQLAlchemyError as error:  # it is done, and is said so this once
                log.warning("what was answered to %s cannot be kept: %s", scope["path"], error)
        return answer


def once_of(connection: HTTPConnection) -> Once | None:
    """Which write this is, if it says so."""
    once: Once | None = connection.scope.get(_ONCE)
    return once


def _key(scope: Scope) -> str | None:
    if scope["type"] != "http" or scope["method"] in SAFE or not scope["path"].startswith("/api/"):
        return None
    return Headers(scope=scope).get(HEADER)


async def _whole(receive: Receive) -> list[Message] | None:
    said: list[Message] = []
    while not said or said[-1].get("more_body", False):
        message = await receive()
        if message["type"] != "http.request":
            return None
        said.append(message)
    return said


async def _refuse(word: str, scope: Scope, receive: Receive, send: Send) -> None:
    detail = text(f"web.{word}", language_of(HTTPConnection(scope)), most=MOST_CHARACTERS)
    await JSONResponse({"detail": detail}, 422)(scope, receive, send)
