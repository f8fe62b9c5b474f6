"""What the web says when it refuses: a sentence of the catalogue, in the language of the request,
on a page or as JSON.

`detail` is that sentence. Where a request does not fit, `errors` names each place and what is
wrong there by a short word, for programs.
"""

import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import BrokenExecutor
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from diadema.access.audit import AuditFull
from diadema.base.errors import DiademaError, StoreMissing
from diadema.web.guard import (
    KINDS,
    is_api,
    is_no_room,
    language_of,
    no_room,
    refusal_response,
    title_of,
    wants_page,
)
from diadema.web.shell import plain_bar
from diadema.web.worker import TooLong
from diadema.wire.actions import MESSAGE_CHARACTERS
from diadema.words import Sentence, text

log = logging.getLogger(__name__)

_BARE = {400: "bad_json", 404: "not_found", 405: "not_allowed"}
_BARE_PAGE = {"bad_json": "bad_form", "not_found": "nowhere"}
_KNOWN = ("unknown_station", "unknown_command", "store_unavailable", "bad_request")
_OF_FIELD = {  # by what is wrong with it
    "missing": "web.field_missing",
    "string_too_short": "web.field_empty",
    "string_too_long": "web.field_long",
    "too_long": "web.field_many",
    "greater_than_equal": "web.field_least",
    "less_than_equal": "web.field_most",
    "literal_error": "web.field_choice",
    "union_tag_not_found": "web.field_missing",
    "union_tag_invalid": "web.field_choice",
    "extra_forbidden": "web.field_extra",
}
_OURS = ("not_yours", "key_used")  # said as the web itself says it


def speak(app: FastAPI) -> None:
    """Answer with the catalogue's words wherever the framework has its own."""
    app.add_exception_handler(RequestValidationError, _on_request)
    app.add_exception_handler(HTTPException, _on_refusal)
    app.add_exception_handler(404, _on_refusal)  # NiceGUI has one of its own
    app.add_exception_handler(Exception, _on_fault)
    app.add_exception_handler(AuditFull, _on_audit_full)
    app.add_exception_handler(BrokenExecutor, _on_broken)
    app.add_exception_handler(ClientDisconnect, _on_gone)
    for kind in KINDS:
        app.add_exception_handler(kind, _on_trouble)


def hub_refusal(answer: Mapping[str, Any], language: str) -> str:
    """The sentence for a request that the hub refused: its own, if it gave one; other words of it
    are for technicians.
    """
    error = str(answer["error"])
    if parts := answer.get("sentence"):
        return Sentence.of(parts).say(language)
    if error in _OURS:
        return text(f"web.{error}", language)
    word = error if error in _KNOWN else "internal"
    return text(f"web.hub_{word}", language, detail=answer.get("detail") or error)


def _refuse(request: Request, status: int, sentence: str, headers: Any = None) -> Response:
    bar = plain_bar(request, title_of(status, language_of(request)))
    return refusal_response(request, status, sentence, headers, bar=bar)


async def _on_request(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    places = [(".".join(map(str, one["loc"])), str(one["type"])) for one in error.errors()]
    detail = _sentence(error.errors()[0], language_of(request))
    if wants_page(request):
        return _refuse(request, 422, detail)
    errors = [{"where": where, "wrong": wrong} for where, wrong in places]
    return JSONResponse({"detail": detail, "errors": errors}, 422)


def _sentence(error: Mapping[str, Any], language: str) -> str:
    place, wrong, its = error["loc"], error["type"], error.get("ctx", {})
    choice = its.get("expected", its.get("expected_tags", ""))
    allowed = str(choice).replace("'", "").replace(" or ", ", ")
    match place:
        case ("path", "s"):
            return text("web.bad_station", language)
        case ("path", "i"):
            return text("web.bad_number", language)
        case ("body", "cmd"):
            word = "no_command" if wrong == "missing" else "bad_command"
            return text(f"web.{word}", language, allowed=allowed)
        case ("body", *_) if wrong == "json_invalid":
            return text("web.bad_json", language)
        case ("body",) if "discriminator" not in its:
            return text("web.no_object", language)
        case ("body", *of, "reason") if not _is_of_ticket(of):
            return text("acting.say_why", language)
        case ("body", *_, "text") if its.get("max_length") in (None, MESSAGE_CHARACTERS):
            return text("acting.text_size", language)
    kind = str(its.get("discriminator", "")).strip("'")  # that says which body it is
    where = ".".join([*map(str, place), *([kind] if kind else [])])
    limits = {"allowed": allowed, "least": its.get("ge"), "most": _most(its)}
    return text(_OF_FIELD.get(wrong, "web.bad_field"), language, where=where, **limits)


def _most(limits: Mapping[str, Any]) -> Any:
    return limits.get("le", limits.get("max_length"))


def _is_of_ticket(place: Sequence[Any]) -> bool:
    """No agent sees that reason."""
    return any(str(one).startswith("ticket_") for one in place)


async def _on_audit_full(request: Request, error: Exception) -> Response:
    detail = text("web.audit_full", language_of(request))
    return _refuse(request, 503, detail, {"retry-after": "10"})


async def _on_broken(request: Request, error: Exception) -> Response:
    """The process that worked for this request is gone, or was ended as it took too long."""
    word = "too_long" if isinstance(error, TooLong) else "broken"
    return _refuse(request, 503, text(f"web.{word}", language_of(request)))


async def _on_gone(request: Request, error: Exception) -> Response:
    """Nobody hears it."""
    return Response(status_code=499)


async def _on_trouble(request: Request, error: Exception) -> Response:
    """Of disk and databases: what passes by itself is said, and a file that cannot be used says
    what to do; the rest is a fault of ours.
    """
    if is_no_room(error):
        log.error("%s: %s", request.url.path, error)
        return no_room(request)
    if isinstance(error, DiademaError):
        return _refuse(request, 503, trouble(error, language_of(request)))
    raise error


def trouble(error: DiademaError, language: str) -> str:
    """What of it a page says."""
    if isinstance(error, StoreMissing):
        return text("web.no_store", language)
    return error.say(language)


async def _on_fault(request: Request, error: Exception) -> Response:
    """A fault of ours, which is logged by whoever raised it to us."""
    return _refuse(request, 500, text("web.fault", language_of(request)))


async def _on_refusal(request: Request, error: Exception) -> Response:
    """Ours say what to do; the framework's own are only the status in English."""
    assert isinstance(error, HTTPException)
    detail = error.detail
    bare = detail == HTTPStatus(error.status_code).phrase or error.status_code == 400
    if bare and error.status_code in _BARE:
        word = _BARE[error.status_code]
        if not is_api(request):
            word = _BARE_PAGE.get(word, word)
        detail = text(f"web.{word}", language_of(request))
    return _refuse(request, error.status_code, str(detail), error.headers)
