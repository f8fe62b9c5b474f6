"""The periods of plans: days, weeks from Monday and months of the site's zone, by their words."""

import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from diadema.base.errors import DiademaError
from diadema.quality.sampling import SamplePeriod
from diadema.site.directory.quality import SampleGrain
from diadema.words import Sentence

DRAW_AT = time(3)  # of the day after a period's last one
_WEEK = re.compile(r"(\d{4})-W(\d{2})")
_MONTH = re.compile(r"(\d{4})-(\d{2})")


def period_of(
    grain: SampleGrain, day: date, zone: ZoneInfo, committed_ms: int = 0
) -> SamplePeriod:
    """That in which the day lies."""
    first, after = _bounds(grain, day)
    start, end = (_ms(datetime.combine(one, time(), zone)) for one in (first, after))
    return SamplePeriod(_word(grain, first), start, end, (after - first).days, committed_ms)


def period_named(word: str, zone: ZoneInfo, committed_ms: int = 0) -> SamplePeriod:
    """As 2026-W48, 2026-11 or 2026-11-30. Raises DiademaError for what is none."""
    try:
        if week := _WEEK.fullmatch(word):
            day = date.fromisocalendar(int(week[1]), int(week[2]), 1)
            return period_of("week", day, zone, committed_ms)
        if month := _MONTH.fullmatch(word):
            day = date(int(month[1]), int(month[2]), 1)
            return period_of("month", day, zone, committed_ms)
        return period_of("day", date.fromisoformat(word), zone, committed_ms)
    except (ValueError, OverflowError):
        raise DiademaError(Sentence("errors.quality.no_period", period=word)) from None


def period_at(start_ms: int, end_ms: int, zone: ZoneInfo, committed_ms: int) -> SamplePeriod:
    """One that was planned, by what its event says of it."""
    first = datetime.fromtimestamp(start_ms / 1000, zone).date()
    days = (datetime.fromtimestamp(end_ms / 1000, zone).date() - first).days
    grain: SampleGrain = "day" if days == 1 else "week" if days == 7 else "month"
    return SamplePeriod(_word(grain, first), start_ms, end_ms, days, committed_ms)


def days_of(period: SamplePeriod, zone: ZoneInfo) -> tuple[date, date]:
    """Its first and its last one."""
    first = datetime.fromtimestamp(period.start_ms / 1000, zone).date()
    return first, first + timedelta(period.days - 1)


def midnights(period: SamplePeriod, zone: ZoneInfo) -> Iterator[int]:
    """Of its days, of the one before and of the one after, in UTC milliseconds."""
    first, last = days_of(period, zone)
    for n in range(-1, (last - first).days + 3):
        yield _ms(datetime.combine(first + timedelta(n), time(), zone))


def draw_ms(period: SamplePeriod, zone: ZoneInfo) -> int:
    """When the hub draws it."""
    _, last = days_of(period, zone)
    return _ms(datetime.combine(last + timedelta(1), DRAW_AT, zone))


def due_ms(now_ms: int, days: int, zone: ZoneInfo) -> int:
    """The end of the last of so many days, the first of which is today."""
    today = datetime.fromtimestamp(now_ms / 1000, zone).date()
    return _ms(datetime.combine(today + timedelta(days), time(), zone))


def _bounds(grain: SampleGrain, day: date) -> tuple[date, date]:
    """Its first day, and the first of the next one."""
    if grain == "day":
        return day, day + timedelta(1)
    if grain == "week":
        first = day - timedelta(day.weekday())
        return first, first + timedelta(7)
    first = day.replace(day=1)
    return first, (first + timedelta(31)).replace(day=1)


def _word(grain: SampleGrain, first: date) -> str:
    if grain == "day":
        return first.isoformat()
    if grain == "week":
        year, week, _ = first.isocalendar()
        return f"{year}-W{week:02}"
    return f"{first:%Y-%m}"


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
