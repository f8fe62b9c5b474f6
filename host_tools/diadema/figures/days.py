"""Days of a zone as seconds of UTC."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct

from diadema.base.paths import DataDir
from diadema.site.directory import reading

_LAST_S = 4_133_980_800  # 2101-01-01: nothing we were told happened later
_LONGEST_MS = 3653 * 86_400_000


class DaySpan(Struct, frozen=True):
    """One local day, [start_s, end_s); its length is what the clocks there make of it."""

    day: date
    start_s: int
    end_s: int


def zone_of(data: DataDir) -> ZoneInfo:
    """The site's; without one that of the last import that was told one, or UTC."""
    return reading.zone_of(data) or ZoneInfo("UTC")


def start_of(day: date, zone: ZoneInfo) -> int:
    """Its first second; where midnight does not exist, the one that takes its place."""
    return round(datetime.combine(day, time(), zone).timestamp())


def day_at(utc_s: int, zone: ZoneInfo) -> date:
    """The local day in which that second lies; what lies beyond any, in the last one or first."""
    utc_s = min(max(utc_s, 0), _LAST_S)
    return datetime.fromtimestamp(utc_s, UTC).astimezone(zone).date()


def span_of(day: date, zone: ZoneInfo) -> DaySpan:
    return DaySpan(day, start_of(day, zone), start_of(day + timedelta(days=1), zone))


def spans(first: date, last: date, zone: ZoneInfo) -> Iterator[DaySpan]:
    """Of first…last, both of them in it."""
    day = first
    while day <= last:
        yield span_of(day, zone)
        day += timedelta(days=1)


class LocalDays:
    """The local days of a zone by milliseconds of UTC; the last one asked is mostly the next."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._start = self._end = 0
        self.day = date.min

    def at(self, utc_ms: int) -> date:
        if not self._start <= utc_ms < self._end:
            self.day = day_at(utc_ms // 1000, self._zone)
            span = span_of(self.day, self._zone)
            self._start, self._end = span.start_s * 1000, span.end_s * 1000
        return self.day

    def of(self, utc_ms: int) -> str:
        return self.at(utc_ms).isoformat()

    def over(self, start_ms: int, end_ms: int) -> Iterator[str]:
        """All days that have something of [start, end], none twice; of ten years, at most."""
        start_ms = min(max(start_ms, 0), _LAST_S * 1000)
        end_ms = min(end_ms, start_ms + _LONGEST_MS, _LAST_S * 1000)
        while True:
            yield self.of(start_ms)
            if end_ms < self._end:
                return
            start_ms = self._end
