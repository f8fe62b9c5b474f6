"""Lists of the API: `from` and `to` are days of the site's zone, both of them in it; an answer has
at most `limit` items and `next`, which asked for as `after` gives those that follow.
"""

import base64
from datetime import date
from typing import Annotated

import msgspec
from fastapi import HTTPException, Query, Request
from msgspec import Struct
from pydantic import BaseModel

from diadema.figures.days import span_of
from diadema.web.guard import language_of
from diadema.web.web_app import web_app_of
from diadema.words import text

MOST_DAYS = 366
FIRST, LAST = date(1990, 1, 1), date(2100, 12, 31)  # what lies beyond is a slip of the hand
Key = tuple[int, str, int, int]  # of an item in the order of the list: its time, then its event
Day = Annotated[date | None, Query(ge=FIRST, le=LAST, description="today if left out")]
Limit = Annotated[int, Query(ge=1, le=1000, description="items of one answer, at most")]
After = Annotated[str | None, Query(max_length=200, description="`next` of the answer before")]


class Page[T](BaseModel):
    """`next`: ask with it as `after` for what follows; null at the end."""

    items: list[T]
    next: str | None


class Span(Struct, frozen=True):
    """[start_ms, end_ms) in UTC."""

    start_ms: int
    end_ms: int


def span(
    request: Request,
    from_: Annotated[
        date | None, Query(alias="from", description="day; today if left out")
    ] = None,
    to: Annotated[date | None, Query(description="day, also in it; `from` if left out")] = None,
) -> Span:
    """A dependency. Refuses with 422 what is no span."""
    web_app = web_app_of(request)
    first = from_ or to or web_app.today()
    last = to or first
    if not 0 <= (last - first).days < MOST_DAYS or first < FIRST or last > LAST:
        raise HTTPException(422, text("web.bad_span", language_of(request), days=MOST_DAYS))
    zone = web_app.zone
    return Span(span_of(first, zone).start_s * 1000, span_of(last, zone).end_s * 1000)


def cursor(key: Key) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(key)).decode().rstrip("=")


def after_of(request: Request, after: str | None) -> Key | None:
    """Where that cursor stands. Refuses with 422 what is none."""
    if after is None:
        return None
    try:
        padded = after.encode() + b"=" * (-len(after) % 4)
        key: Key = msgspec.json.decode(base64.urlsafe_b64decode(padded), type=Key)
    except (ValueError, msgspec.DecodeError):
        raise HTTPException(422, text("web.bad_cursor", language_of(request))) from None
    if any(not -(2**63) <= part < 2**63 for part in key if isinstance(part, int)):
        raise HTTPException(422, text("web.bad_cursor", language_of(request)))
    return key
