"""The stations as the store and the site know them; no hub need run. Times are UTC milliseconds.

Who does not hold the broker's next CA yet: stations of the site, and gateways on other
machines.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct, field
from sqlalchemy import Connection, func, select

from diadema.base import credentials
from diadema.base.certificates import Certificates
from diadema.base.credentials import Secrets, gateway_password
from diadema.base.errors import FleetError
from diadema.base.paths import DataDir
from diadema.site.description import Site, load_if_any
from diadema.stations.selftest.record import newest
from diadema.stations.update.plan import image_needed
from diadema.store import open_reader, tables
from diadema.store.station_state import (
    Greeting,
    Journal,
    Station,
    StationState,
    now_uncertainty,
)
from diadema.wire.commands import is_simulated
from diadema.wire.letters import LETTERS
from diadema.words import Sentence

DAY_MS = 86_400_000
_HEALTH = 200  # events of it, at most
_BOOTS = 20
_STEPS = 40
_BACK = 20_000  # events of a journal that are looked through for these


def stations_due(
    site: Site | None,
    stations: Mapping[str, Station],
    revoked: Callable[[str], bool],
    mark: str,
) -> list[str]:
    """The stations of the site that may hold the old CA alone: each that connects by MQTT, was
    configured once, and has not said since, by its credential or over a cable after its proof,
    that it holds what has this mark.
    """
    if site is None or site.wifi is None:
        return []
    known = [stations[one.id] for one in site.stations if one.id in stations]
    return [
        one.station
        for one in known
        if (one.state.generation or one.hello.generation) and one.state.ca != mark
        if not revoked(one.station)
    ]


def gateways_due(stations: Mapping[str, Station], secrets: Secrets, mark: str) -> list[str]:
    """The gateways on other machines whose file has not both CAs."""
    held = {(one.hello.gw, one.hello.gw_ca) for one in stations.values() if one.hello.gw_ca}
    return sorted({gw for gw, ca in held if ca != mark and gateway_password(secrets, gw)})


class StationRow(Struct, kw_only=True, rename=LETTERS):
    """One station. `heap`, `idf`: bytes that Python can get, and that the chip's own memory has
    free, which older programs do not tell. `reconnects`: links that came up in the last day;
    `clock_ms`: how far its hour may be off now; `generation` is the one it has, `wanted` the
    site's; `build`, `psram` (bytes): of its MicroPython, `start` the number of its start files;
    `safe`: why it is in safe mode;
    `needs_image`: why, if it needs another; `proves`: its
    program can show that it holds its key; `ca_due`: it may not hold the next CA of the broker;
    `gw_due`: the gateway elsewhere that carries its cable and does not; `cause`: of its last
    start; `phase`: in the last roll-out it was in; `test_…`: of its last bench test.
    """

    station: str
    seat: str | None
    board: str
    version: str
    micropython: str = ""
    build: str = ""
    psram: int | None = None
    start: int | None = None
    generation: int
    wanted: int
    link: str
    ways: list[str]
    seen_utc: int | None
    heap: int | None = None
    idf: int | None = None
    journal: int | None = None
    discards: int | None = None
    rssi: int | None = None
    health_utc: int | None = None
    clock_ms: int | None = None
    reconnects: int = 0
    faults: list[str] = field(default_factory=list)
    unfit: str | None = None
    safe: str | None = None
    needs_image: str | None = None
    proves: bool = False
    ca_due: bool = False
    gw_due: str | None = None
    cause: str = ""
    revoked: bool = False
    phase: str | None = None
    reason: str | None = None
    rollout: int | None = None
    busy: bool = False
    test_fit: bool | None = None
    test_utc: int | None = None
    test_by: str | None = None

    @property
    def simulated(self) -> bool:
        """No board: `diadema desk` opens it at that seat."""
        return is_simulated(self.station)

    @property
    def memory(self) -> str:
        """The free memory of Python, and the chip's own, in KiB."""
        if self.heap is None:
            return ""
        return f"{self.heap // 1024} ({'—' if self.idf is None else self.idf // 1024}) KiB"


class StationHistory(Struct, kw_only=True):
    """A station with its past, newest first; each entry has its `utc`, or null."""

    row: StationRow
    health: list[dict[str, Any]]
    boots: list[dict[str, Any]]
    updates: list[dict[str, Any]]


def all_stations(data: DataDir, now: int) -> list[StationRow]:
    """All stations of the site, and all that were ever heard, by seat. Raises DiademaError."""
    seats = seats_of(data)
    with open_reader(data.store) as reader, reader.engine.connect() as tx:
        stations = {one.station: one for one in _stations(tx)}
        for s in seats:
            stations.setdefault(s, Station(s))
        rows = _rows(tx, stations.values(), seats, now)
    _mark_due(data, stations, rows)
    return sorted(rows, key=lambda row: (row.seat is None, row.seat or "", row.station))


def station_history(data: DataDir, name: str, now: int) -> StationHistory:
    """The station of that id or seat, with its past. Raises DiademaError."""
    seats = seats_of(data)
    s = station_of(seats, name)
    with open_reader(data.store) as reader, reader.engine.connect() as tx:
        found = next((known for known in _stations(tx) if known.station == s), None)
        if found is None and s not in seats:
            raise FleetError(Sentence("errors.cli.no_station_station_diadema_fleet", station=name))
        station = found or Station(s)
        (row,) = _rows(tx, [station], seats, now)
        kinds = ("station.health", "station.booted")
        past = [*_newest(tx, station, kinds, _BACK)]
        health = [_details(event) for event in past if event["k"] == kinds[0]][:_HEALTH]
        boots = [_details(event) for event in past if event["k"] == kinds[1]][:_BOOTS]
        step = tables.updates.c
        query = select(tables.updates).where(step.s == s)
        steps = tx.execute(query.order_by(step.e.desc(), step.n.desc()).limit(_STEPS))
        updates = [dict(each._mapping) for each in steps]
    return StationHistory(row=row, health=health, boots=boots, updates=updates)


def is_station(data: DataDir, name: str) -> bool:
    """Whether the site or the store has a station of that id or seat. Raises DiademaError."""
    seats = seats_of(data)
    s = station_of(seats, name)
    if s in seats or not data.store.exists():
        return s in seats
    with open_reader(data.store) as reader, reader.engine.connect() as tx:
        return any(known.station == s for known in _stations(tx))


def _mark_due(data: DataDir, stations: dict[str, Station], rows: list[StationRow]) -> None:
    """Marks the stations and gateways that keep the broker's old CA in force."""
    tls = Certificates(data.tls)
    if not tls.changing:
        return
    mark, revoked = tls.mark(), {row.station for row in rows if row.revoked}
    site = load_if_any(data.site)
    due = stations_due(site, stations, revoked.__contains__, mark)
    gateways = gateways_due(stations, credentials.load(data), mark)
    for row in rows:
        gw = stations[row.station].hello.gw
        row.ca_due, row.gw_due = row.station in due, gw if gw in gateways else None


def station_of(seats: dict[str, str], name: str) -> str:
    """The id of the station at that seat, or of that id."""
    return next((s for s, seat in seats.items() if seat == name), name)


def events_of_day(data: DataDir, s: str, now: int, most: int) -> list[dict[str, Any]]:
    """The station's events of the last day, oldest first; of more than `most`, the newest."""
    with open_reader(data.store) as reader, reader.engine.connect() as tx:
        station = next((known for known in _stations(tx) if known.station == s), Station(s))
        found = []
        for event in _newest(tx, station, (), most):
            if (event["utc"] or now) < now - DAY_MS:
                break
            found.append(event)
    return found[::-1]


def seats_of(data: DataDir) -> dict[str, str]:
    """The seat of each station of the site, by its id. Raises DiademaError."""
    site = load_if_any(data.site)
    return {one.id: one.seat for one in site.stations} if site else {}


def _stations(tx: Connection) -> Iterator[Station]:
    """The stations as the ingest knows them."""
    places: dict[str, dict[int, Journal]] = {}
    for s, e, position in tx.execute(select(tables.positions)):
        places.setdefault(s, {})[e] = Journal(e, position)
    for s, state, hello, next_i in tx.execute(select(tables.stations)):
        if s.startswith("DIA-"):
            yield Station(
                s,
                msgspec.msgpack.decode(state, type=StationState),
                msgspec.msgpack.decode(hello, type=Greeting),
                journals=places.get(s, {}),
                next_i=next_i,
            )


def _rows(
    tx: Connection, stations: Iterable[Station], seats: dict[str, str], now: int
) -> list[StationRow]:
    link = tables.links.c
    last = dict(_pairs(tx, select(link.s, func.max(link.utc)).group_by(link.s)))
    ups = select(link.s, func.count()).where(link.utc > now - DAY_MS, link.up).group_by(link.s)
    came = dict(_pairs(tx, ups))
    generation = tables.generations.c.generation
    wanted = tx.execute(select(func.coalesce(func.max(generation), 0))).scalar_one()
    credential = tables.credentials.c
    revoked = {s for s, out in _pairs(tx, select(credential.s, credential.revoked)) if out}
    seat = tables.rollout_seats.c
    part = {
        found.s: found
        for found in tx.execute(select(tables.rollout_seats).order_by(seat.number)).all()
    }
    tests = newest(tx)
    rows = []
    for station in stations:
        s, state, hello = station.station, station.state, station.hello
        seen = [utc for utc in (state.newest_utc, last.get(s)) if utc is not None]
        row = StationRow(
            station=s,
            seat=seats.get(s),
            board=hello.board or state.board,
            version=hello.firmware or state.firmware,
            micropython=hello.micropython or state.micropython,
            build=hello.build or state.build,
            psram=state.psram,
            start=state.start,
            generation=state.generation,
            wanted=wanted if s in seats else 0,
            link=station.link,
            ways=[*hello.links],
            seen_utc=max(seen, default=None),
            reconnects=came.get(s, 0),
            faults=[f"{name}: {code}" for name, code in state.faults.items()],
            unfit=state.unfit,
            safe=hello.cause if hello.safe else None,
            needs_image=image_needed(station),
            proves=hello.keeps,
            clock_ms=now_uncertainty(state.clock, now) if state.clock.source else None,
            cause=state.cause,
            revoked=s in revoked,
            busy=state.session is not None,
        )
        if (mine := part.get(s)) is not None:
            row.phase, row.reason, row.rollout = mine.phase, mine.reason, mine.number
        if (test := tests.get(s)) is not None:
            row.test_fit, row.test_utc, row.test_by = test.fit, test.utc, test.by
        for event in _newest(tx, station, ("station.health",), 1):
            row.heap, row.idf = event["heap"], event.get("idf")
            row.journal = event["journal"]
            row.discards, row.rssi = event.get("discards"), event.get("rssi")
            row.health_utc = event["utc"]
        rows.append(row)
    return rows


def _newest(
    tx: Connection, station: Station, kinds: Sequence[str], most: int
) -> Iterator[dict[str, Any]]:
    """Its events back from the newest, of these kinds or of all; each with its `utc`."""
    at = tables.events.c
    starts = {
        (row.e, row.b): row.utc - row.u
        for row in tx.execute(
            select(tables.anchors)
            .where(tables.anchors.c.s == station.station)
            .order_by(tables.anchors.c.utc)
        )
    }
    journals = sorted(station.journals, key=lambda e: e != station.state.epoch)
    for e in journals:  # the newest first; of older ones the order is not known
        query = select(at.body).where((at.s == station.station) & (at.e == e))
        if kinds:
            query = query.where(at.k.in_(kinds))
        for (body,) in tx.execute(query.order_by(at.n.desc()).limit(most)):
            event: dict[str, Any] = msgspec.json.decode(body)
            base = starts.get((e, event["b"]))
            yield event | {"utc": base + event["u"] if base is not None else event.get("t")}
            most -= 1
        if most <= 0:
            return


def _details(event: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in event.items() if name not in ("s", "k", "t")}


def _pairs(tx: Connection, query: Any) -> list[tuple[str, Any]]:
    return [(row[0], row[1]) for row in tx.execute(query)]
