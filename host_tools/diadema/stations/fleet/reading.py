"""The stations as store and site know them; no hub need run. Times are UTC milliseconds.

What a station has, in words: the codes are the station's own, the catalogue's area is
`trouble`. A code that it does not know is told as it is.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct, field
from sqlalchemy import Connection, func, select

from diadema.base import credentials
from diadema.base.certificates import Certificates
from diadema.base.errors import FleetError
from diadema.base.paths import DataDir
from diadema.site.description import load
from diadema.stations.boards.builds import DOWNLOADS, build_named, file_of
from diadema.stations.fleet.ca_due import gateways_due, stations_due
from diadema.stations.selftest.record import newest
from diadema.stations.update.facts import image_needed
from diadema.store import open_reader, tables
from diadema.store.station_state import Greeting, Journal, Station, StationState
from diadema.wire.letters import LETTERS
from diadema.words import section

DAY_MS = 86_400_000
_HEALTH = 200  # events of it, at most
_BOOTS = 20
_STEPS = 40
_BACK = 20_000  # events of a journal that are looked through for these


class Row(Struct, kw_only=True, rename=LETTERS):
    """One station. `heap`, `idf`: bytes that Python can get, and that the chip's own memory has
    free, which older programs do not tell. `reconnects`: links that came up in the last day;
    `generation` is the one it has, `wanted` the site's; `build`, `psram` (bytes): of its
    MicroPython, `start` the number of its start files; `safe`: why it is in safe mode;
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
    def memory(self) -> str:
        """Of Python, and the chip's own, in KiB."""
        if self.heap is None:
            return ""
        return f"{self.heap // 1024} ({'—' if self.idf is None else self.idf // 1024}) KiB"


class One(Struct, kw_only=True):
    """A station with its past, newest first; each entry has its `utc`, or null."""

    row: Row
    health: list[dict[str, Any]]
    boots: list[dict[str, Any]]
    updates: list[dict[str, Any]]


def fleet(data: DataDir, now: int) -> list[Row]:
    """All stations of the site, and all that were ever heard, by seat. Raises DiademaError."""
    seats = seats_of(data)
    reader = open_reader(data.store)
    try:
        with reader.engine.connect() as tx:
            stations = {one.station: one for one in _stations(tx)}
            for s in seats:
                stations.setdefault(s, Station(s))
            rows = _rows(tx, stations.values(), seats, now)
    finally:
        reader.close()
    _mark_due(data, stations, rows)
    return sorted(rows, key=lambda row: (row.seat is None, row.seat or "", row.station))


def one(data: DataDir, name: str, now: int) -> One:
    """By its id or its seat. Raises DiademaError."""
    seats = seats_of(data)
    s = station_of(seats, name)
    reader = open_reader(data.store)
    try:
        with reader.engine.connect() as tx:
            found = next((known for known in _stations(tx) if known.station == s), None)
            if found is None and s not in seats:
                raise FleetError(f"no station {name}: `diadema fleet list` names all")
            station = found or Station(s)
            (row,) = _rows(tx, [station], seats, now)
            kinds = ("station.health", "station.booted")
            past = [*_newest(tx, station, kinds, _BACK)]
            health = [_kept(event) for event in past if event["k"] == kinds[0]][:_HEALTH]
            boots = [_kept(event) for event in past if event["k"] == kinds[1]][:_BOOTS]
            step = tables.updates.c
            query = select(tables.updates).where(step.s == s)
            told = tx.execute(query.order_by(step.e.desc(), step.n.desc()).limit(_STEPS))
            updates = [dict(each._mapping) for each in told]
    finally:
        reader.close()
    return One(row=row, health=health, boots=boots, updates=updates)


def _mark_due(data: DataDir, stations: dict[str, Station], rows: list[Row]) -> None:
    """Whose being away keeps the broker's old CA in force."""
    tls = Certificates(data.tls)
    if not tls.changing:
        return
    mark, revoked = tls.mark(), {row.station for row in rows if row.revoked}
    site = load(data.site) if data.site.exists() else None
    due = stations_due(site, stations, revoked.__contains__, mark)
    gateways = gateways_due(stations, credentials.load(data), mark)
    for row in rows:
        gw = stations[row.station].hello.gw
        row.ca_due, row.gw_due = row.station in due, gw if gw in gateways else None


def station_of(seats: dict[str, str], name: str) -> str:
    """The id, of a seat too."""
    return next((s for s, seat in seats.items() if seat == name), name)


def events_of_day(data: DataDir, s: str, now: int, most: int) -> list[dict[str, Any]]:
    """What the station told in the last day, oldest first; of more than `most`, the newest."""
    reader = open_reader(data.store)
    try:
        with reader.engine.connect() as tx:
            station = next((known for known in _stations(tx) if known.station == s), Station(s))
            found = []
            for event in _newest(tx, station, (), most):
                if (event["utc"] or now) < now - DAY_MS:
                    break
                found.append(event)
    finally:
        reader.close()
    return found[::-1]


def seats_of(data: DataDir) -> dict[str, str]:
    """Of each station of the site. Raises DiademaError."""
    site = load(data.site) if data.site.exists() else None
    return {one.id: one.seat for one in site.stations} if site else {}


def _stations(tx: Connection) -> Iterator[Station]:
    """As the ingest knows them."""
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
) -> list[Row]:
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
        row = Row(
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
    hours = {
        (row.e, row.b): row.utc - row.u
        for row in tx.execute(
            select(tables.anchors).where(tables.anchors.c.s == station.station)
            .order_by(tables.anchors.c.utc)
        )
    }  # fmt: skip
    journals = sorted(station.journals, key=lambda e: e != station.state.epoch)
    for e in journals:  # the newest first; of older ones the order is not known
        query = select(at.body).where((at.s == station.station) & (at.e == e))
        if kinds:
            query = query.where(at.k.in_(kinds))
        for (body,) in tx.execute(query.order_by(at.n.desc()).limit(most)):
            event: dict[str, Any] = msgspec.json.decode(body)
            base = hours.get((e, event["b"]))
            yield event | {"utc": base + event["u"] if base is not None else event.get("t")}
            most -= 1
        if most <= 0:
            return


def _kept(event: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in event.items() if name not in ("s", "k", "t")}


def _pairs(tx: Connection, query: Any) -> list[tuple[str, Any]]:
    return [(row[0], row[1]) for row in tx.execute(query)]


_REASONS = ("reason", "part", "code")


def fault(told: str, language: str) -> str:
    """Of «codec: no_answer»."""
    words = section("trouble", language)
    part, _, code = told.partition(": ")
    return f"{words.get(f'part.{part}', part)}: {words.get(f'code.{code}', code)}"


def advice(told: str, language: str) -> str | None:
    """What to do about «codec: no_answer», where that is known."""
    words = section("trouble", language)
    part, _, code = told.partition(": ")
    return words.get(f"do.{part}.{code}") or words.get(f"do.{code}")


def check(name: str, language: str) -> str:
    """What a self-test looked at, or why it ended as it did."""
    words = section("trouble", language)
    return words.get(f"check.{name}") or words.get(f"part.{name}", name)


def reason(told: str, language: str) -> str:
    """Why an update ended: «rolled_back: codec», «wrong_board: this one is sim»."""
    words = section("trouble", language)
    return ": ".join(_known(one, words) for one in told.split(": "))


def word(kind: str, name: str, language: str) -> str:
    """Of a `cause` of a start, or a `phase` of an update."""
    return section("trouble", language).get(f"{kind}.{name}", name)


def start(
    needs_image: str | None, safe: str | None, cause: str, board: str, language: str
) -> list[str]:
    """What is wrong with how it starts: needs another image, does not start at all
    (`diadema.gateway.console`), is in safe mode, started without its radio.
    """
    words = section("trouble", language)
    if needs_image:
        told = words[f"start.{needs_image}"].format(build=build_named(board))
        return [words["start.safe_too"].format(why=told) if safe else told]
    if safe is not None:
        if (key := f"console.{safe}") in words:
            return [words[key]]
        return [words["start.safe"].format(why=word("safe", safe, language))]
    return [words[key]] if (key := f"start.{cause}") in words else []


def image_advice(needs_image: str, board: str, language: str) -> str:
    """What to do with one that needs another image."""
    told = section("trouble", language)[f"do.{needs_image}"]
    return told.format(file=file_of(build_named(board)), place=DOWNLOADS)


def _known(name: str, words: Mapping[str, str]) -> str:
    return next((words[key] for at in _REASONS if (key := f"{at}.{name}") in words), name)
