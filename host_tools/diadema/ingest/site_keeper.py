"""Keeps the site that is in force: reads `site.json`, and counts its generations in the store."""

from pathlib import Path

from diadema.clock import Clock
from diadema.ingest.core import Ingest
from diadema.site import Site, load
from diadema.station_config import (
    ConfigMaker,
    check_sizes,
    content_hash,
    utc_offset_min,
)
from diadema.station_keys import StationKeys
from diadema.store import tables


class SiteKeeper:
    """`maker` builds the stations' configurations; None while there is no site."""

    def __init__(
        self, path: Path, badge_key: str, keys: StationKeys, ingest: Ingest, clock: Clock
    ) -> None:
        self._path = path
        self._badge_key = badge_key
        self._keys = keys
        self._ingest = ingest
        self._clock = clock
        self._site: Site | None = ingest.site
        self._offset = 0
        self.maker: ConfigMaker | None = None

    @property
    def generation(self) -> int:
        return self.maker.generation if self.maker else 0

    def knows(self, s: str) -> bool:
        return self.maker is not None and self.maker.knows(s)

    def load(self) -> None:
        """Read the file again. Raises SiteError; then the old one stays in force."""
        site = load(self._path)
        check_sizes(site)
        self._site = site

    def offset_changed(self) -> bool:
        """Whether the site's clocks were changed (summer time) since `settle`."""
        if self._site is None:
            return False
        return utc_offset_min(self._site, self._clock.now_ms()) != self._offset

    def settle(self) -> None:
        """Put the site in force; another content than the last one has the next generation."""
        site = self._site
        if site is None:
            return
        now = self._clock.now_ms()
        offset = utc_offset_min(site, now)
        own = self._own(site)
        digest = content_hash(site, self._badge_key, offset, own)
        generation, known = self._ingest.generation
        if digest != known:
            generation += 1
            with self._ingest.changing([]) as tx:
                row = (generation, digest, now)
                self._ingest.writer.put(tx, tables.generations, [row])
            self._ingest.generation = (generation, digest)
        self._offset = offset
        self.maker = ConfigMaker(site, self._badge_key, offset, generation, own)
        self._ingest.use_site(site)

    def _own(self, site: Site) -> dict[str, dict[str, str]]:
        """What each station alone is told."""
        stations = [station.id for station in site.stations]
        self._keys.make(stations)
        return {s: {"key": key.hex()} for s in stations if (key := self._keys.of(s))}
