"""Dates as people and spreadsheets write them."""

import re
from datetime import date, datetime, timedelta
from typing import Any

from diadema.site.directory.problems import Problem, Wrong

_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ]00:00(?::00(?:\.0+)?)?)?\Z")
_DAY_FIRST = re.compile(r"(\d{1,2})[/.\-](\d{1,2})[/.\-](\d{4})\Z")
_SHORT_YEAR = re.compile(r"\d{1,2}[/.\-]\d{1,2}[/.\-]\d{2}\Z")
_SERIAL = re.compile(r"\d{5}(?:\.0+)?\Z")
_EPOCH = date(1899, 12, 30)  # of day 0 of a spreadsheet, as it counts after February 1900
_FIRST, _LAST = date(1990, 1, 1), date(2099, 12, 31)
_SERIALS = range(29_221, 73_051)  # 1980 to 2099


def read_date(column: str, raw: Any) -> date:
    """From a date, a serial number of a spreadsheet, ISO, or day/month/year as in Peru. Raises
    Wrong.
    """
    found = raw.date() if isinstance(raw, datetime) else raw
    if not isinstance(found, date):
        found = _read(column, raw)
    if not _FIRST <= found <= _LAST:
        raise _wrong("date_far", column, raw)
    return found


def _read(column: str, raw: Any) -> date:
    text = str(raw).strip() if not isinstance(raw, bool) else ""
    if _SERIAL.match(text) and int(float(text)) in _SERIALS:
        return _EPOCH + timedelta(int(float(text)))
    try:
        if found := _ISO.match(text):
            return date(int(found[1]), int(found[2]), int(found[3]))
        if found := _DAY_FIRST.match(text):
            day, month, year = map(int, found.groups())
            if month > 12 and day <= 12:
                raise _wrong("date_month_first", column, raw)
            return date(year, month, day)
    except ValueError:
        raise _wrong("date_never", column, raw) from None
    raise _wrong("date_short_year" if _SHORT_YEAR.match(text) else "date", column, raw)


def is_ambiguous(raw: Any) -> bool:
    """Whether it could also be month/day/year."""
    if not isinstance(raw, str) or not (found := _DAY_FIRST.match(raw.strip())):
        return False
    return int(found[1]) <= 12 and int(found[2]) <= 12 and found[1] != found[2]


def _wrong(word: str, column: str, raw: Any) -> Wrong:
    return Wrong(Problem(word=word, column=column, value=str(raw)))
