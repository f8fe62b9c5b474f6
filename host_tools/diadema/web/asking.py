"""Who stands behind a request, as the guard has found out, and what that role is refused."""

from collections.abc import Callable

from fastapi import HTTPException, Request
from starlette.requests import HTTPConnection

from diadema.web.guard import PERSON, language_of
from diadema.web.who import Person, Right
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
    """Raise it where a role may not see or do what was asked for."""
    return HTTPException(403, text("web.not_yours", language_of(request)))
