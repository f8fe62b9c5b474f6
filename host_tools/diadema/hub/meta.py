"""The key `meta` beside the live rows: the site, and the cut-off of what the rows show."""

import time
from typing import Any

import msgspec

from diadema.figures.cutoff import owed
from diadema.hub.site_keeper import SiteKeeper
from diadema.ingest.core import Ingest

_EVERY_S = 1.0
_IDLE_S = 10.0  # that nothing came is known too


class Meta:
    def __init__(self, ingest: Ingest, keeper: SiteKeeper) -> None:
        self._ingest = ingest
        self._keeper = keeper
        self._news = True
        self._made = 0.0

    def note(self) -> None:
        """Something was taken in."""
        self._news = True

    @property
    def due(self) -> bool:
        return time.monotonic() - self._made > (_EVERY_S if self._news else _IDLE_S)

    def make(self) -> bytes:
        """As of now; rows that show less must go before it."""
        self._news, self._made = False, time.monotonic()
        ingest, site = self._ingest, self._ingest.site
        seats = {station.id: station.seat for station in site.stations} if site else {}
        owing = owed(ingest.stations.values(), seats)
        told: dict[str, Any] = {
            "site": site.site if site else "",
            "zone": site.zone if site else "UTC",
            "language": site.language if site else "es",
            "generation": self._keeper.generation,
            "day": ingest.floor.day.date,
            "cut": {"at": ingest.clock.now_ms(), "position": ingest.position},
            "owing": [(one.seat, one.since_utc) for one in owing],
        }
        return msgspec.json.encode(told)
