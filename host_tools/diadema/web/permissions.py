"""Who stands behind a request, as the guard has found out, what that role is refused, and whether
the client is still connected.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import HTTPException, Request
from starlette.requests import ClientDisconnect, HTTPConnection

from diadema.access.roles import Person, Right
from diadema.web.guard import PERSON, language_of
from diadema.words import text


def person_of(connection: HTTPConnection) -> Person:
    person: Person = connection.scope[PERSON]
    return person


def need(*rights: Right) -> Callable[[Request], Person]:
    """A dependency of an API route: the person, who has one of these rights. Else 403."""

    def person(request: Request) -> Person:
        found = person_of(request)
        if not found.may(*rights):
            raise not_yours(request)
        return found

    return person


def not_yours(request: Request) -> HTTPException:
    """Raise it where a role may not see or do what was requested."""
    return HTTPException(403, text("web.not_yours", language_of(request)))


async def while_there[T](request: Request, work: Coroutine[Any, Any, T]) -> T:
    """What comes of `work`, which changes nothing and is cancelled when the client goes away.
    Raises ClientDisconnect then. The body has been read before.
    """
    doing, gone = asyncio.ensure_future(work), asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait({doing, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not doing.done():
            raise ClientDisconnect
        return doing.result()
    finally:
        doing.cancel()
        gone.cancel()


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
