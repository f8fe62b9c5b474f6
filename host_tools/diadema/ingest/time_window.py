"""Which times of a station can be: from 2020 to 2100, and, while it speaks, within a year of the
hub's clock. An event with another one counts without an hour; one whose `u` leads to another one
counts at the latest `u` of its boot. What was refused is kept, so that a rebuild years later
refuses the same.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from typing import Self

from msgspec import Struct, structs

from diadema.store.station_state import StationState
from diadema.wire.events import Event, StationClock

FIRST_MS = 1_577_836_800_000  # 2020-01-01
LAST_MS = 4_102_444_800_000  # 2100-01-01
OLDEST_FILE_MS = 631_152_000_000  # 1990-01-01: imported files begin there, and end at LAST_MS
YEAR_MS = 366 * 86_400_000

type Ranges = list[tuple[int, int]]  # first and last n, in their order
type Refused = Mapping[tuple[str, int], Ranges]  # by s, e


class Window(Struct):
    """For one batch. `refused`: the events of it; `before`: of a store that is rebuilt."""

    first: int
    last: int
    refused: list[tuple[str, int, int]] = []
    before: Refused = {}

    @classmethod
    def at(cls, now_ms: int) -> Self:
        """Of what is said now; a hub whose own clock is wrong is no measure."""
        if not FIRST_MS <= now_ms <= LAST_MS:
            return cls.whole()
        return cls(max(FIRST_MS, now_ms - YEAR_MS), min(LAST_MS, now_ms + YEAR_MS))

    @classmethod
    def whole(cls, before: Refused | None = None) -> Self:
        """Of what was said at any time."""
        return cls(FIRST_MS, LAST_MS, before=before or {})

    def holds(self, state: StationState, event: Event) -> bool:
        """Whether this event of the state's boot has an hour that can be, or says none."""
        first, last = self.first, self.last
        if (t := event.utc_ms) is not None and not first <= t <= last:
            return False
        if self.before and self._was_refused(event):
            return False
        if type(event) is StationClock and not first <= event.utc <= last:
            return False
        if state.offset is None:
            return event.uptime_ms <= YEAR_MS
        return first <= state.offset + event.uptime_ms <= last

    def without_utc(self, state: StationState, event: Event) -> Event:
        """The same event as one of a boot that knows no time."""
        self.refused.append((event.station, event.epoch, event.sequence))
        u = event.uptime_ms
        if state.offset is None:
            u = u if u <= YEAR_MS else state.uptime_ms
        elif not self.first <= state.offset + u <= self.last:
            u = state.uptime_ms
        return structs.replace(event, utc_ms=None, uptime_ms=u)

    def ranges(self) -> list[tuple[str, int, int, int]]:
        """What was refused, as rows: s, e, first, last."""
        rows: list[tuple[str, int, int, int]] = []
        for s, e, n in self.refused:
            if rows and rows[-1][:2] == (s, e) and rows[-1][3] == n - 1:
                rows[-1] = (*rows[-1][:3], n)
            else:
                rows.append((s, e, n, n))
        return rows

    def _was_refused(self, event: Event) -> bool:
        ranges = self.before.get((event.station, event.epoch), [])
        at = bisect_right(ranges, (event.sequence, LAST_MS)) - 1
        return at >= 0 and event.sequence <= ranges[at][1]


def by_journal(rows: Iterable[tuple[str, int, int, int]]) -> Refused:
    """What `ranges` gave, as a store has it."""
    found: dict[tuple[str, int], Ranges] = {}
    for s, e, first, last in sorted(rows):
        found.setdefault((s, e), []).append((first, last))
    return found
