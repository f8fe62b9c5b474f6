"""The seats of a site: a station takes one, a seat gets another name, a station leaves.

Each change is written where people and places are kept, in the directory or else in `site.json`,
and put in force.
"""

import asyncio
import json
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

from diadema.base.clock import Clock
from diadema.base.errors import FleetError, ProvisionError
from diadema.base.paths import DataDir
from diadema.site.description import Site, load, parse
from diadema.site.directory.book import Change, Directory
from diadema.site.directory.kinds import Body
from diadema.site.directory.publishing import (
    changed_by_hand,
    differences,
    draft,
    open_directory,
    publish,
)
from diadema.site.file import keep, whole
from diadema.site.station_config import check_sizes, local_day
from diadema.wire.ask_hub import ask_hub
from diadema.words import Sentence

type Stations = list[dict[str, Any]]  # as `site.json` lists them


async def take_seat(
    data: DataDir, station: str, seat: str, *, replace: bool, by: str, clock: Clock
) -> int:
    """The station stands at that seat, and the hub knows it; gives the site's generation. Raises
    DiademaError, so when another station has the seat, or the station another seat, without
    `replace`.
    """
    site = await asyncio.to_thread(load, data.site)
    known = {one.id: one.seat for one in site.stations}
    if known.get(station) == seat:
        return await _generation(data)
    if not replace:
        _check_free(site, station, seat)
    if not data.directory.exists():
        return await _rewrite(data, lambda stations: _with_station(stations, station, seat))

    def changes(book: Directory, day: date) -> Iterator[Change]:
        for entry in book.entries("seats", day):
            if entry.body and entry.body["station"] == station and entry.code != seat:
                yield _left(entry.code, day)
        old = book.entry("seats", seat)
        body = old.body if old and old.body else {"code": seat}
        yield _taken(book, seat, {**body, "station": station}, day)

    return await _publish(data, site, changes, f"provision {station}", by, clock)


async def rename_seat(data: DataDir, name: str, seat: str, *, by: str, clock: Clock) -> int:
    """The seat of that name, or of that station, is called `seat` from now on; the station and
    its past stay. Gives the site's generation. Raises DiademaError.
    """
    site, station, old = _known(data, name)
    if any(one.seat == seat for one in site.stations):
        raise FleetError(Sentence("errors.stations.there_seat_seat_already", seat=seat))
    if not data.directory.exists():
        return await _rewrite(data, lambda stations: _renamed(stations, station, seat))

    def changes(book: Directory, day: date) -> Iterator[Change]:
        body = _body(book, old)
        yield _left(old, day)
        yield _taken(book, seat, {**body, "code": seat}, day)

    return await _publish(data, site, changes, f"seat {old} is {seat}", by, clock)


async def retire_station(data: DataDir, name: str, *, by: str, clock: Clock) -> tuple[str, int]:
    """The station is no longer of the site, and may not connect; its past stays. Gives its id and
    the site's generation. Raises DiademaError.
    """
    site, station, old = _known(data, name)
    if data.directory.exists():

        def changes(book: Directory, day: date) -> Iterator[Change]:
            _body(book, old)
            yield _left(old, day)

        reason = f"seat {old} retired"
        generation = await _publish(data, site, changes, reason, by, clock)
    else:
        generation = await _rewrite(data, lambda stations: _without(stations, station))
    await ask_hub(data, "hub.enrol", {"s": station, "revoke": True})
    return station, generation


def _known(data: DataDir, name: str) -> tuple[Site, str, str]:
    """The site, and the id and the seat of the station of that id or seat."""
    site = load(data.site)
    for one in site.stations:
        if name in (one.id, one.seat):
            return site, one.id, one.seat
    raise FleetError(Sentence("errors.stations.site_has_no_name_diadema", name=name))


def _check_free(site: Site, station: str, seat: str) -> None:
    for one in site.stations:
        if one.seat == seat:
            raise ProvisionError(
                Sentence("errors.stations.id_stands_seat_choose_another", id=one.id, seat=seat)
            )
        if one.id == station:
            raise ProvisionError(
                Sentence(
                    "errors.stations.station_stands_seat_already_say",
                    station=station,
                    seat=one.seat,
                    seat2=seat,
                )
            )


# -- in site.json, where there is no directory


async def _rewrite(data: DataDir, edit: Callable[[Stations], Stations]) -> int:
    """Everything but the stations stays as people wrote it."""
    described: dict[str, Any] = json.loads(whole(data.site))
    described["stations"] = edit(described["stations"])
    content = json.dumps(described, ensure_ascii=False, indent=2).encode()
    check_sizes(parse(content))
    keep(data.site, content)
    return await _generation(data)


async def _generation(data: DataDir) -> int:
    """The hub reads the site, and answers with its generation."""
    return int((await ask_hub(data, "hub.site", {}))["generation"])


def _with_station(stations: Stations, station: str, seat: str) -> Stations:
    others = _without(stations, station)
    there = next((one for one in others if one["seat"] == seat), None)
    if there is None:
        return [*others, {"id": station, "seat": seat}]
    there["id"] = station
    return others


def _renamed(stations: Stations, station: str, seat: str) -> Stations:
    return [one | {"seat": seat} if one["id"] == station else one for one in stations]


def _without(stations: Stations, station: str) -> Stations:
    return [one for one in stations if one["id"] != station]


# -- in the directory


async def _publish(
    data: DataDir,
    site: Site,
    changes: Callable[[Directory, date], Iterator[Change]],
    reason: str,
    by: str,
    clock: Clock,
) -> int:
    now = clock.now_ms()
    day = local_day(site, now)
    with open_directory(data, now) as book:
        if changed_by_hand(book, data) or differences(draft(book, data, day), data):
            raise FleetError(Sentence("errors.stations.people_places_hold_changes_are"))
        book.apply([*changes(book, day)], by=by, reason=reason, at_ms=now)

        async def ask(subject: str, body: dict[str, Any]) -> dict[str, Any]:
            return await ask_hub(data, subject, body)

        done = await publish(book, data, day, by=by, at_ms=now, ask=ask)
    assert done.generation is not None
    return done.generation


def _body(book: Directory, seat: str) -> Body:
    entry = book.entry("seats", seat)
    if entry is None or entry.body is None:
        raise FleetError(Sentence("errors.stations.people_places_know_no_seat", seat=seat))
    return entry.body


def _left(seat: str, day: date) -> Change:
    return Change(kind="seats", code=seat, body=None, valid_from=day)


def _taken(book: Directory, seat: str, body: Body, day: date) -> Change:
    """Also of a seat that there was once, and was taken out."""
    old = book.entry("seats", seat)
    restores = old is not None and old.body is None
    return Change(kind="seats", code=seat, body=body, valid_from=day, restores=restores)
