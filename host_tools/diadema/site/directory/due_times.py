"""Until when a fault is taken and solved: so many minutes from the report on, of those that its
target counts. `clock`: every minute. `shift`: those in which the site has a shift; as far as the
roster goes it says so, after it every day has the shifts that there are, and all hours count where
there are none. `working_days`: those of days that are neither Sundays nor holidays.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from diadema.base.paths import DataDir
from diadema.site.context import site_of, tz_of, zone_of
from diadema.site.directory.book import Directory
from diadema.site.directory.people import Clock, FaultTarget
from diadema.site.directory.people_of import stamps_of, utc_s

type Hours = Sequence[tuple[str, str]]  # from, to (HH:MM); not after: on the next day

_ALL_DAY: Hours = [("00:00", "00:00")]
_SUNDAY = 6


class Calendar(Struct, kw_only=True, frozen=True):
    """When a site works. `shifts`: of any day that the roster, by days, does not reach."""

    zone: ZoneInfo
    holidays: frozenset[date] = frozenset()
    shifts: Hours = ()
    roster: Mapping[date, Hours] = {}

    def hours(self, day: date) -> Hours:
        """Those of the shifts that begin on that day."""
        if self.roster and min(self.roster) <= day <= max(self.roster):
            return self.roster.get(day, ())
        return self.shifts or _ALL_DAY

    def is_working(self, day: date) -> bool:
        return day.weekday() != _SUNDAY and day not in self.holidays


def due(
    target: FaultTarget, from_ms: int, which: Literal["accept", "solve"], calendar: Calendar
) -> int:
    """UTC ms of what is `from_ms` and the target's minutes, as it counts them."""
    left = 60_000 * (target.accept_min if which == "accept" else target.solve_min)
    if target.clock == "clock":
        return from_ms + left
    reached = from_ms
    day = datetime.fromtimestamp(from_ms / 1000, calendar.zone).date() - timedelta(1)
    while True:
        for begin, end in _stretches(target.clock, day, calendar):
            begin = max(begin, reached)  # each minute once, where two shifts share it
            if end - begin >= left:
                return begin + left
            left -= max(end - begin, 0)
            reached = max(end, reached)
        day += timedelta(1)


def _stretches(clock: Clock, day: date, calendar: Calendar) -> Iterator[tuple[int, int]]:
    """What counts of the shifts that begin on that day, or of the day itself, in UTC ms."""
    hours: Hours = _ALL_DAY if calendar.is_working(day) else ()
    if clock == "shift":
        hours = calendar.hours(day)
    for start, end in sorted(hours):
        until = day + timedelta(end <= start)
        zone = calendar.zone
        yield 1000 * utc_s(day, start, zone), 1000 * utc_s(until, end, zone)


def site_calendar(data: DataDir, day: date) -> Calendar:
    """As it is known on that day, for what is reported from then on; with the roster, which is
    long, only if some target counts its shifts. It is kept while nothing of it changes.
    """
    return _calendar(data.root, stamps_of(data), day)


@lru_cache(8)
def _calendar(root: Path, stamps: object, day: date) -> Calendar:
    data = DataDir(root)
    if not data.directory.exists():
        site = site_of(data)
        return Calendar(zone=tz_of(site), holidays=frozenset(site.holidays if site else ()))
    with Directory(data.directory) as book:
        shifts = {
            one.code: (str(one.body["start"]), str(one.body["end"]))
            for one in book.entries("shifts", day)
            if one.body is not None
        }
        targets = (one.body or {} for one in book.entries("fault_targets", day))
        by_shift = any(one.get("clock") == "shift" for one in targets)
        return Calendar(
            zone=zone_of(data),
            holidays=frozenset(date.fromisoformat(one.code) for one in book.entries("holidays")),
            shifts=[*dict.fromkeys(shifts.values())],
            roster=_roster(book, day, shifts) if by_shift else {},
        )


class _Row(Struct):
    shift: str = ""
    absence: str = ""


def _roster(
    book: Directory, day: date, shifts: Mapping[str, tuple[str, str]]
) -> dict[date, Hours]:
    """From the day before on, whose shifts may go on; whoever is away has none."""
    decode = msgspec.json.Decoder(_Row).decode
    found: dict[str, dict[tuple[str, str], None]] = {}
    for code, body in book.bodies("roster", (day - timedelta(1)).isoformat()):
        its = found.setdefault(code[:10], {})
        row = decode(body)
        if row.shift in shifts and not row.absence:
            its[shifts[row.shift]] = None
    return {date.fromisoformat(text): sorted(its) for text, its in found.items()}
