"""Which days a report is of: a day, a week from Monday to Sunday (ISO 8601), or a month."""

import re
from datetime import date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from msgspec import Struct

from diadema.base.errors import DiademaError
from diadema.words import text

type Grain = Literal["day", "week", "month"]
GRAINS: tuple[Grain, ...] = ("day", "week", "month")
_FORMS: dict[Grain, str] = {
    "day": r"\d{4}-\d\d-\d\d", "week": r"\d{4}-W\d\d", "month": r"\d{4}-\d\d"
}  # fmt: skip


class Period(Struct, frozen=True):
    """`word` names it: 2026-11-25, 2026-W48 or 2026-11. [first, last], both of them in it."""

    grain: Grain
    word: str
    first: date
    last: date

    @property
    def before(self) -> "Period":
        return around(self.grain, self.first - timedelta(days=1))

    @property
    def after(self) -> "Period":
        return around(self.grain, self.last + timedelta(days=1))


def around(grain: Grain, day: date) -> Period:
    """The one in which that day lies."""
    match grain:
        case "day":
            return Period(grain, day.isoformat(), day, day)
        case "week":
            year, week, weekday = day.isocalendar()
            first = day - timedelta(days=weekday - 1)
            return Period(grain, f"{year:04}-W{week:02}", first, first + timedelta(days=6))
        case _:
            first = day.replace(day=1)
            following = (first + timedelta(days=31)).replace(day=1)
            return Period(grain, f"{day:%Y-%m}", first, following - timedelta(days=1))


def period(grain: Grain, word: str, language: str = "es") -> Period:
    """Raises DiademaError for what is none, saying how one is written."""
    try:
        if not re.fullmatch(_FORMS[grain], word, re.ASCII):
            raise ValueError
        match grain:
            case "day":
                found = around(grain, date.fromisoformat(word))
            case "week":
                found = around(grain, date.fromisocalendar(int(word[:4]), int(word[6:]), 1))
            case _:
                found = around(grain, date.fromisoformat(f"{word}-01"))
    except (ValueError, OverflowError):
        raise DiademaError(text(f"reports.no_{grain}", language, given=word)) from None
    if not 1970 < found.first.year < 9999:  # what lies beyond has no seconds
        raise DiademaError(text(f"reports.no_{grain}", language, given=word))
    return found


def any_period(word: str, language: str = "es") -> Period:
    """The same by its form alone."""
    for grain in GRAINS:
        if re.fullmatch(_FORMS[grain], word, re.ASCII):
            return period(grain, word, language)
    raise DiademaError(text("reports.no_span", language, given=word))


def running(grain: Grain, now_ms: int, zone: ZoneInfo) -> Period:
    """The one that is not over."""
    return around(grain, datetime.fromtimestamp(now_ms / 1000, zone).date())
