"""Until when something is known: the clock, the number of events taken in, and the seats whose
events may still come. The same rule over the ingest's memory and over the store.
"""

from collections.abc import Iterable, Mapping

from msgspec import Struct, msgpack
from sqlalchemy import Connection, select

from diadema.figures.rows import Cut, Owing
from diadema.site.directory.people import People
from diadema.store import tables
from diadema.store.station_memory import Greeting, Journal, Station
from diadema.store.station_state import StationState
from diadema.store.writer import POSITION

_hello = msgpack.Decoder(Greeting).decode


class _Newest(Struct):
    """Of a station's state, what is asked here; the rest is passed over."""

    newest_utc: int | None = None


_newest = msgpack.Decoder(_Newest).decode
_BEYOND = """SELECT p.s, p.e, v.n FROM positions p CROSS JOIN events v
WHERE v.s = p.s AND v.e = p.e AND v.n > p.position"""  # in this order: there are far more events


def owed(stations: Iterable[Station], seats: Mapping[str, str]) -> list[Owing]:
    """Of the site's stations that were ever heard, those that may have more to tell, the longest
    silent first. `seats`: by station id.
    """
    found = [
        Owing(s=one.s, seat=seats[one.s], since_utc=one.state.newest_utc)
        for one in stations
        if one.s in seats and _owes(one)
    ]
    return sorted(found, key=lambda one: (one.since_utc or 0, one.seat))


def _owes(station: Station) -> bool:
    hello = station.hello
    if not hello.s and not station.journals:
        return False  # never heard
    if not hello.up or station.unconfirmed:
        return True
    journal = station.journals.get(hello.e)
    position = journal.position if journal else 0
    return position < hello.last or any(one.pending for one in station.journals.values())


def owing(tx: Connection, people: People) -> list[Owing]:
    """The same, as the store has it."""
    return owed(_stored(tx).values(), people.seats)


def position_of(tx: Connection) -> int:
    """How many events were taken in, in the order of their coming."""
    return int(tx.exec_driver_sql(POSITION).scalar_one())


def cut_of(tx: Connection, people: People, now_ms: int) -> Cut:
    """Of what this transaction sees."""
    return Cut(at_ms=now_ms, position=position_of(tx), owing=owing(tx, people))


def _stored(tx: Connection) -> dict[str, Station]:
    row = tables.stations.c
    stations: dict[str, Station] = {}
    for s, state, hello in tx.execute(select(row.s, row.state, row.hello)):
        greeting = _hello(hello)
        stations[s] = Station(
            s,
            StationState(newest_utc=_newest(state).newest_utc),
            greeting,
            unconfirmed=greeting.up and not greeting.links,
        )
    for s, e, position in tx.execute(select(tables.positions)):
        stations[s].journals[e] = Journal(e, position)
    for s, e, n in tx.exec_driver_sql(_BEYOND):
        stations[s].journals[e].pending[n] = None
    return stations
