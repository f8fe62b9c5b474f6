"""A station's place in the site: written where people and places are kept, and put in force."""

import asyncio
import json
from collections.abc import Iterator
from datetime import date
from typing import Any

from diadema.base.clock import Clock
from diadema.base.errors import ProvisionError
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


async def take_seat(
    data: DataDir, station: str, seat: str, *, replace: bool, by: str, clock: Clock
) -> int:
    """The station stands at that seat, and the hub knows it; gives the site's generation. Raises
    DiademaError, so when somebody else has it, or it has another one, and `replace` is not said.
    """
    site = await asyncio.to_thread(load, data.site)
    known = {one.id: one.seat for one in site.stations}
    if known.get(station) != seat:
        _check(site, station, seat, replace)
        if data.directory.exists():
            return await _in_directory(data, site, station, seat, by, clock)
        keep(data.site, _described(data, station, seat))
    return int((await ask_hub(data, "hub.site", {}))["generation"])


def _check(site: Site, station: str, seat: str, replace: bool) -> None:
    for one in site.stations:
        if replace:
            return
        if one.seat == seat:
            raise ProvisionError(
                f"{one.id} stands at {seat}: choose another seat, or say --replace if this one "
                "comes in its place"
            )
        if one.id == station:
            raise ProvisionError(
                f"{station} stands at {one.seat} already: say --replace to take it to {seat}"
            )


def _described(data: DataDir, station: str, seat: str) -> bytes:
    """The site's description with the station there; all else as people wrote it."""
    described: dict[str, Any] = json.loads(whole(data.site))
    stations = [one for one in described["stations"] if one["id"] != station]
    there = next((one for one in stations if one["seat"] == seat), None)
    if there is None:
        stations.append({"id": station, "seat": seat})
    else:
        there["id"] = station
    described["stations"] = stations
    told = json.dumps(described, ensure_ascii=False, indent=2).encode()
    check_sizes(parse(told))
    return told


async def _in_directory(
    data: DataDir, site: Site, station: str, seat: str, by: str, clock: Clock
) -> int:
    day, now = local_day(site, clock.now_ms()), clock.now_ms()
    with open_directory(data, now) as book:
        if changed_by_hand(book, data) or differences(draft(book, data, day), data):
            raise ProvisionError(
                "people and places hold changes that are not in force yet: first `diadema people "
                "publish`, or `diadema people take-in` if site.json is the one that is right"
            )
        wanted = [*_changes(book, station, seat, day)]
        book.apply(wanted, by=by, reason=f"provision {station}", at_ms=now)

        async def ask(subject: str, body: dict[str, Any]) -> dict[str, Any]:
            return await ask_hub(data, subject, body)

        done = await publish(book, data, day, by=by, at_ms=now, ask=ask)
    assert done.generation is not None
    return done.generation


def _changes(book: Directory, station: str, seat: str, day: date) -> Iterator[Change]:
    for entry in book.entries("seats", day):
        if entry.body and entry.body["station"] == station and entry.code != seat:
            yield Change(kind="seats", code=entry.code, body=None, valid_from=day)
    old = book.entry("seats", seat)
    body: Body = {**(old.body if old and old.body else {"code": seat}), "station": station}
    restores = old is not None and old.body is None
    yield Change(kind="seats", code=seat, body=body, valid_from=day, restores=restores)
