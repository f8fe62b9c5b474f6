"""What every part of the API uses: the web app, requests to the hub, and the OpenAPI document.

`/api/v1/status`: counters of the web and of the hub. `/metrics`: the same for Prometheus.
"""

from collections.abc import Callable, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Path, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel

from diadema.access.authenticator import is_local
from diadema.base.idempotency import MOST_CHARACTERS
from diadema.web.floor.feed import (
    ANSWER_S,
    HubAbsent,
    HubSilent,
    NatsAbsent,
)
from diadema.web.guard import language_of
from diadema.web.once_only import once_of
from diadema.web.permissions import need, not_yours, person_of
from diadema.web.prometheus import Exporter
from diadema.web.refusals import hub_refusal
from diadema.web.web_app import WebApp, web_app_of
from diadema.words import text

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
_FASTAPIS = ("HTTPValidationError", "ValidationError")  # models of refusals that we word ourselves
_REF = "#/components/schemas/{model}"
_PROBLEM = {"application/json": {"schema": {"$ref": _REF.format(model="Problem")}}}
_READS: list[dict[str, list[str]]] = [{"bearer": []}, {"session": []}]
_WRITES: list[dict[str, list[str]]] = [{"bearer": []}, {"session": [], "csrf": []}]

StationId = Annotated[str, Path(pattern=r"^DIA-[0-9a-f]{12}$", examples=["DIA-0a1b2c3d4e5f"])]


WebAppDep = Annotated[WebApp, Depends(web_app_of)]
router = APIRouter()


@router.get(
    "/api/v1/status",
    summary="Counters of the web and of the hub",
    dependencies=[Depends(need("floor", "fleet"))],
)
async def status(web_app: WebAppDep) -> dict[str, Any]:
    return await web_app.status()


@router.get("/metrics", include_in_schema=False)
async def metrics(web_app: WebAppDep, request: Request) -> PlainTextResponse:
    """For this machine, and for whoever may see the stations."""
    if not (is_local(request.scope) or person_of(request).may("fleet")):
        raise not_yours(request)
    exporter: Exporter = request.app.state.exporter
    return PlainTextResponse(await exporter.text(), media_type="text/plain; version=0.0.4")


async def ask_hub(
    web_app: WebApp,
    request: Request,
    subject: str,
    body: dict[str, Any],
    said: Callable[[Mapping[str, Any], str], str] = hub_refusal,
    who: str = "hub",
    *,
    named: bool = True,
) -> dict[str, Any]:
    """The hub's answer; its refusal becomes a 4xx, its silence a 503 that says what to do. `said`
    words a refusal in a language; `who` is asked, `hub` or `bridge`. Not `named` after the
    request: one of several that it makes, each of which does nothing when it comes again.
    """
    web_app.commands += 1
    language = language_of(request)
    try:
        once = once_of(request) if named else None
        answer = await web_app.feed.request(subject, body, once)
    except UnicodeEncodeError as error:  # half of a surrogate pair, which JSON can write
        raise HTTPException(422, text("web.bad_text", language)) from error
    except HubSilent:
        detail = text(f"web.{who}_silent", language, seconds=int(ANSWER_S))
    except HubAbsent:
        detail = text(f"web.{who}_absent", language)
    except NatsAbsent:
        detail = text("web.nats_absent", language)
    else:
        if "error" not in answer:
            return answer
        code = answer.get("status", 409)
        known = isinstance(code, int) and 400 <= code < 500
        raise HTTPException(code if known else 409, said(answer, language))
    raise HTTPException(503, detail, {"Retry-After": "2"})


class Wrong(BaseModel):
    where: str
    wrong: str


class Problem(BaseModel):
    """`detail`: a sentence in the language of the request; `errors`: the places, for a program."""

    detail: str
    errors: list[Wrong] | None = None


_REFUSALS = {
    "400": "Not understood at all",
    "401": "Nobody, or not any more",
    "403": "Not yours to see or do",
    "404": "Not there",
    "409": "Not as things stand now",
    "413": "Too large",
    "422": "Does not fit",
    "503": "A part of the hub does not answer now",
}


def describe(app: FastAPI) -> None:
    """Give the document its security schemes, and each operation what may be refused; it is made
    once.
    """

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            made = get_openapi(
                title=app.title,
                version=app.version,
                description=app.description,
                routes=app.routes,
                tags=app.openapi_tags,
            )
            components = made.setdefault("components", {})
            components["securitySchemes"] = _SCHEMES
            problem = Problem.model_json_schema(ref_template=_REF)
            components["schemas"] |= problem.pop("$defs") | {"Problem": problem}
            for name in _FASTAPIS:
                components["schemas"].pop(name, None)
            for path in made["paths"].values():
                for method, operation in path.items():
                    operation["security"] = _READS if method == "get" else _WRITES
                    if method != "get":
                        operation.setdefault("parameters", []).append(_ONCE)
                    _add_refusals(operation["responses"])
            app.openapi_schema = made
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]


def _add_refusals(responses: dict[str, Any]) -> None:
    """Those that its route does not describe itself, and the body of all."""
    if responses.get("422", {}).get("description") == "Validation Error":  # FastAPI's own
        del responses["422"]
    for status, meaning in _REFUSALS.items():
        responses.setdefault(status, {"description": meaning})
    for status, response in responses.items():
        if int(status) >= 400:
            response.setdefault("content", _PROBLEM)
