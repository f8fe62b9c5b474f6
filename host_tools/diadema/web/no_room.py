"""What is answered while nothing can be written: the disk is full, or a database is held."""

import errno
import sqlite3

from sqlalchemy.exc import DBAPIError
from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse, JSONResponse, Response

from diadema.base.errors import DiademaError
from diadema.store import StoreUnavailable
from diadema.web.templating import template
from diadema.words import text

KINDS = (DBAPIError, sqlite3.Error, OSError, DiademaError)  # among which those are
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO}
_BUSY = {
    sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY,
}  # fmt: skip
_WORDS = ("disk is full", "disk I/O error", "database is locked", "No space left")
_AGAIN_S = "10"
_PAGE = template("no_room.html")


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
    sentence = text("web.no_room", language)
    headers = {"retry-after": _AGAIN_S, "cache-control": "no-store"}
    if "text/html" in connection.headers.get("accept", ""):
        page = _PAGE.render(language=language, sentence=sentence, again_s=_AGAIN_S)
        return HTMLResponse(page, 503, headers)
    return JSONResponse({"detail": sentence}, 503, headers)
