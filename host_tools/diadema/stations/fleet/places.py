"""A seat gets another name, or a station leaves: written where people and places are kept, and put
in force.
"""

import json
from typing import Any

from diadema.base.clock import Clock
from diadema.base.errors import FleetError
from diadema.base.paths import DataDir
from diadema.site.description import Site, load, parse
from diadema.site.directory.book import Change
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


async def rename(data: DataDir, name: str, seat: str, *, by: str, clock: Clock) -> int:
    """The seat of that name, or of that station, is called `seat` from now on; the station and
    what it had stay. Gives the site's generation. Raises DiademaError.
    """
    site, station, old = _known(data, name)
    if any(one.seat == seat for one in site.stations):
        raise FleetError(f"there is a seat {seat} already")
    return await _put(data, site, station, old, seat, by, clock)


async def retire(data: DataDir, name: str, *, by: str, clock: Clock) -> tuple[str, int]:
    """The station is of the site no longer, and may not connect; its past stays. Gives its id and
    the site's generation. Raises DiademaError.
    """
    site, station, old = _known(data, name)
    generation = await _put(data, site, station, old, None, by, clock)
    await ask_hub(data, "hub.enrol", {"s": station, "revoke": True})
    return station, generation


def _known(data: DataDir, name: str) -> tuple[Site, str, str]:
    site = load(data.site)
    for one in site.stations:
        if name in (one.id, one.seat):
            return site, one.id, one.seat
    raise FleetError(f"the site has no {name}: `diadema fleet list` names all")


async def _put(
    data: DataDir, site: Site, station: str, old: str, seat: str | None, by: str, clock: Clock
) -> int:
    if data.directory.exists():
        return await _in_directory(data, site, old, seat, by, clock)
    described: dict[str, Any] = json.loads(whole(data.site))
    if seat is None:
        described["stations"] = [one for one in described["stations"] if one["id"] != station]
    else:
        next(one for one in described["stations"] if one["id"] == station)["seat"] = seat
    told = json.dumps(described, ensure_ascii=False, indent=2).encode()
    check_sizes(parse(told))
    keep(data.site, told)
    return int((await ask_hub(data, "hub.site", {}))["generation"])


async def _in_directory(
    data: DataDir, site: Site, old: str, seat: str | None, by: str, clock: Clock
) -> int:
    now = clock.now_ms()
    day = local_day(site, now)
    with open_directory(data, now) as book:
        if changed_by_hand(book, data) or differences(draft(book, data, day), data):
            raise FleetError(
                "people and places hold changes that are not in force yet: first `diadema people "
                "publish`, or `diadema people take-in` if site.json is the one that is right"
            )
        entry = book.entry("seats", old)
        if entry is None or entry.body is None:
            raise FleetError(f"people and places know no seat {old}: `diadema people take-in`")
        changes = [Change(kind="seats", code=old, body=None, valid_from=day)]
        if seat is not None:
            was = book.entry("seats", seat)
            body = {**entry.body, "code": seat}
            gone = was is not None and was.body is None
            changes.append(
                Change(kind="seats", code=seat, body=body, valid_from=day, restores=gone)
            )
        reason = f"seat {old} retired" if seat is None else f"seat {old} is {seat}"
        book.apply(changes, by=by, reason=reason, at_ms=now)

        async def ask(subject: str, body: dict[str, Any]) -> dict[str, Any]:
            return await ask_hub(data, subject, body)

        done = await publish(book, data, day, by=by, at_ms=now, ask=ask)
    assert done.generation is not None
    return done.generation
