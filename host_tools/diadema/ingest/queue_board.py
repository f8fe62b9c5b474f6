"""How the queues stand now, by the switches whose logs are followed: for the floor.

Flow is that of the running half-hour at the site, booked as in the reports; who waits is counted
whenever she came. Nobody waits here who has for hours: her end was lost.
"""

import time
from collections.abc import Iterable, Mapping

import msgspec
from msgspec import Struct

from diadema.base.clock import Clock
from diadema.base.paths import DataDir
from diadema.metrics.intervals import HALF_HOUR_S, Intervals
from diadema.metrics.queue import SHORT_S, Flow, service_level
from diadema.site.description import Site
from diadema.site.directory.people import People
from diadema.site.directory.reading import Kept, day_at
from diadema.store import QueueCall, Reader
from diadema.store.station_memory import Station

EVERY_S = 1.0
_LOST_MS = 2 * 3_600_000

type _Key = tuple[str, int, int]

_encode = msgspec.json.Encoder().encode


class Standing(Struct, kw_only=True):
    """One queue, or all. `longest_since`: when she entered who waits longest, UTC ms.
    `threshold_s`, `variant`: of its service level, by its target; all are within that of each.
    """

    waiting: int = 0
    longest_since: int | None = None
    received: int = 0
    answered: int = 0
    abandoned: int = 0
    service_level: dict[str, float | None] = msgspec.field(default_factory=dict)
    threshold_s: int
    variant: str


class Board(Struct, kw_only=True):
    """`half_hour`: its first second of UTC. `heard`: when the follower spoke last, UTC ms."""

    half_hour: int
    short_s: int
    source: str
    heard: int
    queues: dict[str, Standing]
    total: Standing


class QueueBoard:
    """Of sources that were heard since we began; without any there is nothing to show. Queues and
    their targets are the directory's.
    """

    def __init__(self, reader: Reader, clock: Clock, data: DataDir) -> None:
        self._reader, self._clock, self._data = reader, clock, data
        self._kept, self._people = Kept(data), People()
        self._heard: dict[str, int] = {}
        self._calls: dict[_Key, QueueCall] = {}  # of the half-hour, and who waits
        self._half_hour = 0
        self._changed = False
        self._told = 0.0

    def hear(self, s: str, site: Site | None, stations: Mapping[str, Station]) -> None:
        """Its follower is there."""
        if s not in self._heard:
            self._turn(site)
            start = self._half_hour * 1000
            now = self._reader.queue_calls(start_utc=start, end_utc=None)
            self.take(call for call in now if call.s == s)
            self.take(stations[s].state.calls.values() if s in stations else ())
        self._heard[s] = self._clock.now_ms()
        self._changed = True

    def take(self, calls: Iterable[QueueCall]) -> None:
        """They changed, or are new."""
        for call in calls:
            self._calls[call.s, call.e, call.n] = call
            self._changed = True

    def news(self, site: Site | None) -> bytes | None:
        """What to show, once a second at most, and when a half-hour begins."""
        if not self._heard or time.monotonic() - self._told < EVERY_S:
            return None
        people = self._kept.on(day_at(self._data, self._clock.now_ms()))
        self._changed |= people is not self._people
        self._people = people
        turned = self._turn(site)
        if not (turned or self._changed):
            return None
        self._told, self._changed = time.monotonic(), False
        return _encode(self._board())

    def _turn(self, site: Site | None) -> bool:
        zone = Intervals(site.tz) if site else None
        now_s = self._clock.now_ms() // 1000
        half_hour = zone.start_of(now_s) if zone else now_s - now_s % HALF_HOUR_S
        if half_hour == self._half_hour:
            return False
        self._half_hour = half_hour
        self._calls = {
            key: call
            for key, call in self._calls.items()
            if call.outcome == "waiting" or call.start_utc >= half_hour * 1000
        }
        return True

    def _board(self) -> Board:
        now = self._clock.now_ms()
        queues: dict[str, Standing] = {}
        flows: dict[str, Flow] = {}
        total, whole = self._standing(""), Flow()
        for call in self._calls.values():
            if not call.entered or call.s not in self._heard:
                continue
            queue = self._people.queue(call.queue, call.start_utc)
            if queue not in queues:
                queues[queue] = self._standing(queue)
            mine = queues[queue]
            if call.outcome == "waiting" and call.start_utc > now - _LOST_MS:
                for one in (mine, total):
                    one.waiting += 1
                    one.longest_since = min(one.longest_since or now, call.start_utc)
            if call.start_utc >= self._half_hour * 1000:
                for flow in (flows.setdefault(queue, Flow()), whole):
                    flow.add(call, mine.threshold_s, SHORT_S)
        for queue, one in queues.items():
            _fill(one, flows.get(queue, Flow()))
        _fill(total, whole)
        return Board(
            half_hour=self._half_hour,
            short_s=SHORT_S,
            source=", ".join(sorted(self._heard)),
            heard=min(self._heard.values()),
            queues=dict(sorted(queues.items())),
            total=total,
        )

    def _standing(self, queue: str) -> Standing:
        people = self._people
        return Standing(threshold_s=people.threshold_s(queue), variant=people.variant(queue))


def _fill(one: Standing, flow: Flow) -> None:
    one.received, one.answered, one.abandoned = flow.received, flow.answered, flow.abandoned
    one.service_level = service_level(flow)
