"""Cuts time into half-hours of the local clock, so that counts and seconds can be booked to them.

All in whole seconds of UTC. Each second lies in one interval, in any zone and over any change of
its clock: then the intervals' sums are the total.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

HALF_HOUR_S = 1800
_QUARTER_S = 900  # zones change at a whole quarter of an hour


def clock_words(intervals: Iterable[int], zone: ZoneInfo) -> dict[int, str]:
    """How the half-hours of one day are called: `09:30`; those that a change of the clock shows
    twice have their offset too, as `23:00 −03`.
    """
    found = {}
    for start in sorted(intervals):
        local = datetime.fromtimestamp(start, zone)
        word = f"{local:%H:%M}"
        if local.utcoffset() != local.replace(fold=1 - local.fold).utcoffset():
            word += f" {offset_word(local)}"
        found[start] = word
    return found


def offset_word(local: datetime) -> str:
    """As `−05`, or `+10:30`."""
    sign, rest = f"{local:%z}"[0], f"{local:%z}"[1:]
    minutes = f":{rest[2:4]}" if rest[2:4] != "00" else ""
    return f"{'−' if sign == '-' else sign}{rest[:2]}{minutes}"


class Intervals:
    """Half-hours of one zone, known by their first second in UTC."""

    def __init__(self, zone: ZoneInfo) -> None:
        self.zone = zone
        self._offsets: dict[int, int] = {}

    def start_of(self, utc_s: int) -> int:
        """The first second of the interval in which that second lies."""
        quarter = utc_s // _QUARTER_S
        offset = self._offsets.get(quarter)
        if offset is None:
            moment = datetime.fromtimestamp(quarter * _QUARTER_S, UTC).astimezone(self.zone)
            there = moment.utcoffset()
            assert there is not None
            offset = self._offsets[quarter] = round(there.total_seconds())
        return utc_s - (utc_s + offset) % HALF_HOUR_S

    def parts(self, start_s: int, end_s: int) -> Iterator[tuple[int, int]]:
        """[start_s, end_s) as (interval, seconds); the seconds sum to its length."""
        while start_s < end_s:
            interval = self.start_of(start_s)
            until = min(end_s, interval + HALF_HOUR_S)
            yield interval, until - start_s
            start_s = until

    def local(self, interval: int) -> datetime:
        return datetime.fromtimestamp(interval, self.zone)


def by_clock(word: str) -> tuple[str, int]:
    """The order of `clock_words`: of an hour that comes twice the one before the change, which
    is further ahead of UTC, is the first.
    """
    time, _, offset = word.partition(" ")
    minutes = int(offset[1:3]) * 60 + int(offset[4:6] or 0) if offset else 0
    return time, minutes if offset.startswith("−") else -minutes
