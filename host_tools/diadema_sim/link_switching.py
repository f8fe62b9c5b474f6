"""A day in which stations go over from their cable to Wi-Fi and back: when, by chance of a seed,
and the pulling and plugging itself. In some of these absences the access point is gone as well.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from itertools import batched, pairwise
from typing import Any

from diadema_sim.centre import ACCESS_POINT, Centre
from diadema_sim.station import NoPower, Station
from diadema_sim.timeline import HOLD_LIMIT_S

type Talk = tuple[int, int]  # UTC ms, from and to

_TRIES = 50
_SHORTEST_MS = 20_000
_APART_MS = 90_000  # between two absences: the longest that a station waits to look for its air
_SILENT_TALK_MS = 30_000
_SILENT_PAUSE_MS = 60_000  # half of it at least is left until a call must come through again
_SILENT_MOST_MS = 60_000  # after the talk
_LOOK_MS = 1_000


@dataclass(frozen=True)
class Absence:
    """The cable is out from `out_ms` to `back_ms` (UTC). `silent`: no access point either."""

    out_ms: int
    back_ms: int
    silent: bool = False


def plan(talks: Sequence[Talk], rounds: int, chance: random.Random) -> list[Absence]:
    """At most so many absences in the order of the day, apart from each other.

    One is silent, where a talk and the pause after it leave room for that: it begins in the talk.
    Of the other moments about half fall into talks.
    """
    silent = _silent(talks, chance)[:rounds]
    best = silent
    for _ in range(_TRIES):
        moments = sorted(_moment(talks, chance) for _ in range(2 * (rounds - len(silent))))
        found = [*silent]
        for out, back in batched(moments, 2):
            absence = Absence(out, max(back, out + _SHORTEST_MS))
            if all(_apart(absence, other) for other in found):
                found.append(absence)
        best = max(best, found, key=len)
        if len(best) == rounds:
            break
    return sorted(best, key=lambda absence: absence.out_ms)


def _silent(talks: Sequence[Talk], chance: random.Random) -> list[Absence]:
    """One absence in which no command is due, if there is such a place."""
    found = []
    for (start, end), (following, _) in pairwise([*talks, (talks[-1][1] + 3_600_000, 0)]):
        if end - start >= _SILENT_TALK_MS and following - end >= _SILENT_PAUSE_MS:
            after = min((following - end) // 2, _SILENT_MOST_MS)
            found.append(Absence((start + end) // 2, end + after, silent=True))
    return [chance.choice(found)] if found else []


def _moment(talks: Sequence[Talk], chance: random.Random) -> int:
    first, last = talks[0][0], talks[-1][1]
    return chance.randint(*chance.choice([chance.choice(talks), (first, last)]))


def _apart(one: Absence, other: Absence) -> bool:
    return one.back_ms + _APART_MS < other.out_ms or other.back_ms + _APART_MS < one.out_ms


class LinkSwitcher:
    """Carries the absences of each station out, while the day goes on."""

    def __init__(self, centre: Centre, plans: Mapping[str, Iterable[Absence]]) -> None:
        self._centre = centre
        self._plans = plans
        self._done: Counter[str] = Counter()

    def acts(self) -> Iterable[Coroutine[Any, Any, None]]:
        """One a station; each ends with its last absence."""
        stations = self._centre.world.stations
        return [self._act(stations[s], absences) for s, absences in self._plans.items()]

    def summary(self) -> dict[str, Any]:
        """What was done, and which way the stored events came."""
        stations = self._centre.world.stations
        links: Counter[str] = Counter()
        with closing(self._centre.reader()) as reader:
            keys = reader.keys()
        for station in stations.values():
            links += station.traffic.stored({(e, n) for s, e, n in keys if s == station.id})
        return {
            "switches": sum(station.traffic.switches for station in stations.values()),
            "cables_pulled": self._done["pulled"],
            "without_any_link": self._done["silent"],
            "links": {way: links[way] for way in ("usb", "wifi", "both")},
        }

    async def _act(self, station: Station, absences: Iterable[Absence]) -> None:
        world = self._centre.world
        with world.actor():
            for absence in absences:
                await world.sleep_until(absence.out_ms)
                with suppress(NoPower):
                    await self._leave(station, absence)
                await world.sleep_until(absence.back_ms)
                with suppress(NoPower):
                    await self._return(station)

    async def _leave(self, station: Station, absence: Absence) -> None:
        world = self._centre.world
        if absence.silent:
            await station.set_access_points({})
            self._done["silent"] += 1
        # a station out of reach would miss its calls; the log does not know of that
        while not absence.silent and not station.traffic.online.is_set():
            if world.now_ms() >= absence.back_ms:
                return
            await world.sleep(_LOOK_MS)
        station.cable.pull()
        self._done["pulled"] += 1

    async def _return(self, station: Station) -> None:
        """The clock stands until the gateway, which looks now and then, has found the cable."""
        station.traffic.greeted.clear()
        pulled = not station.cable.plugged
        station.cable.plug()
        if pulled and station.powered:
            with self._centre.world.hold(f"the cable of {station.id}"), suppress(TimeoutError):
                async with asyncio.timeout(HOLD_LIMIT_S):
                    await station.traffic.greeted.wait()
        await station.set_access_points(ACCESS_POINT)
