"""What the API says when it refuses: one sentence of the catalogue, in the language asked for.

`detail` is that sentence. Where a request does not fit, `errors` names each place and what is
wrong there by a short word, for programs.

What is answered while nothing can be written: the disk is full, or a database is held.
"""

import errno
import logging
import sqlite3
from collections.abc import Mapping
from concurrent.futures import BrokenExecutor
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse as JSONResponse_of_refusals
from sqlalchemy.exc import DBAPIError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, HTTPConnection
from starlette.responses import HTMLResponse, JSONResponse, Response

from diadema.access.audit import AuditFull
from diadema.base.errors import DiademaError
from diadema.store import StoreUnavailable
from diadema.web.guard import language_of
from diadema.web.worker import TooLong
from diadema.words import text

KINDS = (DBAPIError, sqlite3.Error, OSError, DiademaError)  # among which those are
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO}
_BUSY = {
    sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY,
}  # fmt: skip
_WORDS = ("disk is full", "disk I/O error", "database is locked", "No space left")
_AGAIN_S = "10"
_PAGE = """<!doctype html>
<html lang="{language}"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="refresh" content="{again}"><title>Diadema</title>
<link rel="stylesheet" href="/static/floor.css"><link rel="stylesheet" href="/static/plain.css">
<body class="plain"><main class="plain-main"><p class="plain-said" role="alert">{said}</p></main>
"""


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


def no_room(connection: HTTPConnection, language: str) -> Response:
    """503, as a page or for a program."""
    said = text("web.no_room", language)
    headers = {"retry-after": _AGAIN_S, "cache-control": "no-store"}
    if "text/html" in connection.headers.get("accept", ""):
        page = _PAGE.format(language=language, said=said, again=_AGAIN_S)
        return HTMLResponse(page, 503, headers)
    return JSONResponse({"detail": said}, 503, headers)


log = logging.getLogger(__name__)

_BARE = {400: "bad_json", 404: "not_found", 405: "not_allowed"}
_KNOWN = ("unknown_station", "unknown_command", "store_unavailable", "bad_request")
_OURS = ("not_yours", "key_used")  # said as the web itself says it


def speak(app: FastAPI) -> None:
    """Answer with the catalogue's words wherever the framework has its own."""
    app.add_exception_handler(RequestValidationError, _on_request)
    app.add_exception_handler(HTTPException, _on_refusal)
    app.add_exception_handler(AuditFull, _on_audit_full)
    app.add_exception_handler(BrokenExecutor, _on_broken)
    app.add_exception_handler(ClientDisconnect, _on_gone)
    for kind in KINDS:
        app.add_exception_handler(kind, _on_trouble)


def hub_refusal(answer: Mapping[str, Any], language: str) -> str:
    """The sentence for a request that the hub refused; its own words are for technicians."""
    error = str(answer["error"])
    if error in _OURS:
        return text(f"web.{error}", language)
    word = error if error in _KNOWN else "internal"
    return text(f"web.hub_{word}", language, detail=answer.get("detail") or error)


async def _on_request(request: Request, error: Exception) -> JSONResponse_of_refusals:
    assert isinstance(error, RequestValidationError)
    language = language_of(request)
    places = [(".".join(map(str, one["loc"])), str(one["type"])) for one in error.errors()]
    detail = _sentence(error.errors()[0], language)
    errors = [{"where": where, "wrong": wrong} for where, wrong in places]
    return JSONResponse_of_refusals({"detail": detail, "errors": errors}, 422)


def _sentence(error: Mapping[str, Any], language: str) -> str:
    place, wrong = error["loc"], error["type"]
    match place:
        case ("path", "s"):
            return text("web.bad_station", language)
        case ("path", "i"):
            return text("web.bad_number", language)
        case ("body", "cmd"):
            allowed = str(error.get("ctx", {}).get("expected", "")).replace("'", "")
            word = "no_command" if wrong == "missing" else "bad_command"
            return text(f"web.{word}", language, allowed=allowed.replace(" or ", ", "))
        case ("body", *_) if wrong == "json_invalid":
            return text("web.bad_json", language)
        case ("body",):
            return text("web.no_object", language)
        case ("body", *_, "reason"):
            return text("acting.say_why", language)
        case ("body", *_, "text"):
            return text("acting.text_size", language)
    return text("web.bad_field", language, where=".".join(map(str, place)))


async def _on_audit_full(request: Request, error: Exception) -> JSONResponse_of_refusals:
    detail = text("web.audit_full", language_of(request))
    return JSONResponse_of_refusals({"detail": detail}, 503, {"retry-after": "10"})


async def _on_broken(request: Request, error: Exception) -> JSONResponse_of_refusals:
    """The process that worked for this request is gone, or was ended as it took too long."""
    word = "too_long" if isinstance(error, TooLong) else "broken"
    return JSONResponse_of_refusals({"detail": text(f"web.{word}", language_of(request))}, 503)


async def _on_gone(request: Request, error: Exception) -> Response:
    """Nobody hears it."""
    return Response(status_code=499)


async def _on_trouble(request: Request, error: Exception) -> Response:
    """Of disk and databases: what passes by itself is said, and a file that cannot be used says
    what to do; the rest is a fault of ours.
    """
    if is_no_room(error):
        log.error("%s: %s", request.url.path, error)
        return no_room(request, language_of(request))
    if isinstance(error, DiademaError):
        return JSONResponse_of_refusals({"detail": str(error)}, 503)
    raise error


async def _on_refusal(request: Request, error: Exception) -> JSONResponse_of_refusals:
    """Ours say what to do; the framework's own are only the status in English."""
    assert isinstance(error, HTTPException)
    detail = error.detail
    bare = detail == HTTPStatus(error.status_code).phrase or error.status_code == 400
    if bare and error.status_code in _BARE:
        word = _BARE[error.status_code]
        if word == "bad_json" and not request.url.path.startswith("/api/"):
            word = "bad_form"
        detail = text(f"web.{word}", language_of(request))
    return JSONResponse_of_refusals({"detail": detail}, error.status_code, error.headers)
