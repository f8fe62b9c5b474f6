"""Days of a zone as seconds of UTC."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct

from diadema.directory import reading
from diadema.paths import DataDir


class DaySpan(Struct, frozen=True):
    """One local day, [start_s, end_s); its length is what the clocks there make of it."""

    day: date
    start_s: int
    end_s: int


def zone_of(data: DataDir) -> ZoneInfo:
    """The site's; UTC while there is no site."""
    return reading.zone_of(data) or ZoneInfo("UTC")


def start_of(day: date, zone: ZoneInfo) -> int:
    """Its first second; where midnight does not exist, the one that takes its place."""
    return round(datetime.combine(day, time(), zone).timestamp())


def day_at(utc_s: int, zone: ZoneInfo) -> date:
    """The local day in which that second lies."""
    return datetime.fromtimestamp(utc_s, UTC).astimezone(zone).date()


def span_of(day: date, zone: ZoneInfo) -> DaySpan:
    return DaySpan(day, start_of(day, zone), start_of(day + timedelta(days=1), zone))


def spans(first: date, last: date, zone: ZoneInfo) -> Iterator[DaySpan]:
    """Of first…last, both of them in it."""
    day = first
    while day <= last:
        yield span_of(day, zone)
        day += timedelta(days=1)
