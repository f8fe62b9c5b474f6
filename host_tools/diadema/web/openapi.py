"""What the API's document says of every route: how one comes in, and how a refusal looks."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from diadema.base.idempotency import MOST_CHARACTERS

_SCHEMES = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "A token made by an administrator, or the key `api` of secrets.json.",
    },
    "session": {"type": "apiKey", "in": "cookie", "name": "diadema_session"},
    "csrf": {
        "type": "apiKey",
        "in": "header",
        "name": "x-csrf-token",
        "description": "With a session, on whatever writes: the value of the cookie diadema_csrf.",
    },
}
_ONCE = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "pattern": f"^[!-~]{{1,{MOST_CHARACTERS}}}$"},
    "description": "A name that you give this request, a random one: sent again by the same name, "
    "it is not done again and gets the same answer, for a day.",
}
_READS: list[dict[str, list[str]]] = [{"bearer": []}, {"session": []}]
_WRITES: list[dict[str, list[str]]] = [{"bearer": []}, {"session": [], "csrf": []}]


class Wrong(BaseModel):
    where: str
    wrong: str


class Problem(BaseModel):
    """`detail` is a sentence in the language asked for; `errors`: the places, for a program."""

    detail: str
    errors: list[Wrong] | None = None


RESPONSES: dict[int | str, dict[str, Any]] = {
    400: {"model": Problem, "description": "Not understood at all"},
    401: {"model": Problem, "description": "Nobody, or not any more"},
    403: {"model": Problem, "description": "Not yours to see or do"},
    404: {"model": Problem, "description": "Not there"},
    409: {"model": Problem, "description": "Not as things stand now"},
    413: {"model": Problem, "description": "Too large"},
    422: {"model": Problem, "description": "Does not fit"},
    503: {"model": Problem, "description": "A part of the hub does not answer now"},
}


def describe(app: FastAPI) -> None:
    """Give the document its security schemes; it is made once."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            made = get_openapi(
                title=app.title, version=app.version, description=app.description,
                routes=app.routes, tags=app.openapi_tags,
            )  # fmt: skip
            made.setdefault("components", {})["securitySchemes"] = _SCHEMES
            for path in made["paths"].values():
                for method, operation in path.items():
                    operation["security"] = _READS if method == "get" else _WRITES
                    if method != "get":
                        operation.setdefault("parameters", []).append(_ONCE)
            app.openapi_schema = made
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]
