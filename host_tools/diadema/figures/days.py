"""Days of a zone as seconds of UTC.

Until when something is known: the clock, the number of events taken in, and the seats whose
events may still come. The same rule over the ingest's memory and over the store.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct, msgpack
from sqlalchemy import Connection, select

from diadema.figures.rows import Cutoff, PendingStation
from diadema.site.directory.people import People
from diadema.store import tables
from diadema.store.rows import Session
from diadema.store.station_state import Greeting, Journal, Station, StationState
from diadema.store.writer import position_of

_LAST_S = 4_133_980_800  # 2101-01-01: nothing we were told happened later
_LONGEST_MS = 3653 * 86_400_000


class DaySpan(Struct, frozen=True):
    """One local day, [start_s, end_s); its length is what the clocks there make of it."""

    day: date
    start_s: int
    end_s: int


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
    """The local days of a zone by milliseconds of UTC. The last one asked is mostly the next, and
    what was asked once is asked again.
    """

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._start = self._end = 0
        self.day = date.min
        self._starts: list[int] = []  # of the known ones, in order
        self._known: list[tuple[int, int, date]] = []

    def at(self, utc_ms: int) -> date:
        if not self._start <= utc_ms < self._end:
            place = bisect_right(self._starts, utc_ms)
            if not place or utc_ms >= self._known[place - 1][1]:
                place = self._learn(utc_ms)
            self._start, self._end, self.day = self._known[place - 1]
        return self.day

    def _learn(self, utc_ms: int) -> int:
        """How many known days end with its own."""
        day = day_at(utc_ms // 1000, self._zone)
        span = span_of(day, self._zone)
        start_ms = span.start_s * 1000
        place = bisect_right(self._starts, start_ms)
        if not place or self._starts[place - 1] != start_ms:
            self._starts.insert(place, start_ms)
            self._known.insert(place, (start_ms, span.end_s * 1000, day))
            place += 1
        return place

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


_hello = msgpack.Decoder(Greeting).decode


class _Newest(Struct):
    """Of a station's state, what is asked here; the rest is passed over."""

    newest_utc: int | None = None
    session: Session | None = None


_newest = msgpack.Decoder(_Newest).decode
_BEYOND = """SELECT p.s, p.e, v.n FROM positions p CROSS JOIN events v
WHERE v.s = p.s AND v.e = p.e AND v.n > p.position"""  # in this order: there are far more events


def pending_stations(
    stations: Iterable[Station], seats: Mapping[str, str], end_ms: int | None = None
) -> list[PendingStation]:
    """Of the site's stations that were ever heard, those that may have more to tell, the longest
    silent first. `seats`: by station id. `end_ms`: of what was before then.
    """
    found = [
        PendingStation(
            station=one.station, seat=seats[one.station], since_utc=one.state.newest_utc
        )
        for one in stations
        if one.station in seats and _is_pending(one) and _is_before(one, end_ms)
    ]
    return sorted(found, key=lambda one: (one.since_utc or 0, one.seat))


def _is_pending(station: Station) -> bool:
    """A station without a link may go on by itself, but for one at which nobody was logged in when
    all that it told of was here.
    """
    hello = station.hello
    if not hello.station and not station.journals:
        return False  # never heard
    journal = station.journals.get(hello.epoch)
    position = journal.position if journal else 0
    if position < hello.last or any(one.pending for one in station.journals.values()):
        return True
    if hello.up and not station.unconfirmed:
        return False
    return not hello.station or station.state.session is not None


def _is_before(station: Station, end_ms: int | None) -> bool:
    """Whether it may have more of a time before `end_ms`: what is to come of the newest journal
    is later than all of it that came.
    """
    since = station.state.newest_utc
    if end_ms is None or since is None or since < end_ms:
        return True
    return any(one.pending and e != station.hello.epoch for e, one in station.journals.items())


def cutoff_of(tx: Connection, people: People, now_ms: int, end_ms: int | None = None) -> Cutoff:
    """Of what this transaction sees. `end_ms`: of a span that ends then."""
    owing = pending_stations(_stored(tx).values(), people.seats, end_ms)
    return Cutoff(at_ms=now_ms, position=position_of(tx), pending_stations=owing)


def _stored(tx: Connection) -> dict[str, Station]:
    row = tables.stations.c
    stations: dict[str, Station] = {}
    for s, state, hello in tx.execute(select(row.s, row.state, row.hello)):
        greeting, newest = _hello(hello), _newest(state)
        stations[s] = Station(
            s,
            StationState(newest_utc=newest.newest_utc, session=newest.session),
            greeting,
            unconfirmed=greeting.up and not greeting.links,
        )
    for s, e, position in tx.execute(select(tables.positions)):
        stations[s].journals[e] = Journal(e, position)
    for s, e, n in tx.exec_driver_sql(_BEYOND):
        stations[s].journals[e].pending[n] = None
    return stations
