"""Keeps the site that is in force: reads `site.json`, and counts its generations in the store.

The site's badges as the ledger and the checks of sessions know them: by their keyed hashes.
"""

from datetime import date, datetime, time, timedelta
from typing import Any

from diadema.base.certificates import Certificates
from diadema.base.clock import Clock
from diadema.base.credentials import Secrets
from diadema.base.paths import DataDir
from diadema.hub.broker import read_ports
from diadema.hub.enrolment import Enrolment
from diadema.hub.mosquitto import read_listener
from diadema.ingest.core import Ingest
from diadema.site.badges import badge_hash
from diadema.site.description import Site, load
from diadema.site.file import take_apart
from diadema.site.station_config import (
    ConfigMaker,
    at_simulated,
    check_sizes,
    content_hash,
    local_day,
    site_on,
    utc_offset_min,
)
from diadema.stations.update.keys import load_public
from diadema.store import tables
from diadema.store.attendance import Badge, Badges
from diadema.wire.commands import is_simulated


def badges_of(site: Site, badge_key: str, now_ms: int) -> list[Badge]:
    """Every badge that the site names, and those of the desks of simulated stations; one that is
    the agent's for good is so from now on.
    """
    key = bytes.fromhex(badge_key)
    rows = []
    simulated = any(is_simulated(station.id) for station in site.stations)
    for agent in site.agents:
        ours = at_simulated(site, agent, key).badges if simulated else []
        for badge in (*agent.badges, *ours):
            rows.append(Badge(badge_hash(key, badge), agent.id, now_ms, None))
        for lent in agent.day_badges:
            start, end = _day(lent.day, site)
            rows.append(Badge(badge_hash(key, lent.badge), agent.id, start, end))
    return rows


def _day(day: date, site: Site) -> tuple[int, int]:
    """Its bounds in UTC milliseconds; not each has 24 hours."""
    first, last = (
        datetime.combine(one, time(), site.tz).timestamp() for one in (day, day + timedelta(1))
    )
    return int(first * 1000), int(last * 1000)


class SiteKeeper:
    """`maker` builds the stations' configurations; None while there is no site."""

    def __init__(
        self,
        data: DataDir,
        secrets: Secrets,
        enrolment: Enrolment,
        ingest: Ingest,
        clock: Clock,
    ) -> None:
        self._data = data
        self._secrets = secrets
        self._enrolment = enrolment
        self._ingest = ingest
        self._clock = clock
        self._site: Site | None = ingest.site
        self._offset = 0
        self._day: date | None = None
        self.maker: ConfigMaker | None = None

    @property
    def generation(self) -> int:
        return self.maker.generation if self.maker else 0

    def knows(self, s: str) -> bool:
        return self.maker is not None and self.maker.knows(s)

    def load(self) -> None:
        """Read the file again. Raises SiteError; then the old one stays in force."""
        take_apart(self._data.site)
        site = load(self._data.site)
        check_sizes(site)
        self._site = site

    def moment_changed(self) -> bool:
        """Whether stations must be told something that has become another since `settle`: the
        site's clocks were changed (summer time), or the day has other lent badges or is a holiday.
        """
        site = self._site
        if site is None:
            return False
        now = self._clock.now_ms()
        if utc_offset_min(site, now) != self._offset:
            return True
        day = local_day(site, now)
        if day == self._day:
            return False
        if site_on(site, day) != site_on(site, self._day):
            return True
        self._day = day
        return False

    def settle(self) -> None:
        """Put the site in force; another content than the last one has the next generation."""
        site = self._site
        if site is None:
            return
        now = self._clock.now_ms()
        offset = utc_offset_min(site, now)
        self._enrolment.enrol(station.id for station in site.stations)
        own = {station.id: self._own(site, station.id) for station in site.stations}
        secrets = self._secrets
        day = local_day(site, now)
        self._note_badges(site, now)
        digest = content_hash(site, secrets.badge_key, offset, own, secrets.card_key, day)
        generation, known = self._ingest.generation
        if digest != known:
            generation += 1
            with self._ingest.changing([]) as tx:
                row = (generation, digest, now, site.pin)
                self._ingest.writer.put(tx, tables.generations, [row])
            self._ingest.generation = (generation, digest)
        self._offset, self._day = offset, day
        self.maker = ConfigMaker(
            site, secrets.badge_key, offset, generation, own, card_key=secrets.card_key, day=day
        )
        self._ingest.use_site(site)

    def _note_badges(self, site: Site, now: int) -> None:
        """For the ledger, before any station has them."""
        named = badges_of(site, self._secrets.badge_key, now)
        with self._ingest.changing([]) as tx:
            self._ingest.writer.put(tx, tables.badges, Badges(tx).missing(named))

    def access(self, s: str) -> dict[str, Any]:
        """What a station needs to connect by MQTT; empty when it may not, or nobody listens."""
        password, where = self._enrolment.password(s), self.mqtt_address()
        if not where or password is None:
            return {}
        listener = read_listener(self._data)
        return (
            where
            | ({"port": listener.port} if listener else {})
            | {"user": s, "password": password}
        )

    def mqtt_address(self) -> dict[str, Any]:
        """Where NATS itself listens for MQTT; empty when it never did."""
        ports = read_ports(self._data)
        if ports is None:
            return {}
        ca = Certificates(self._data.tls).broker_ca()
        return {"host": ports.name, "port": ports.mqtt, "ca": ca}

    def _own(self, site: Site, s: str) -> dict[str, Any]:
        """What the station alone is told but for its key: its way in where the site has Wi-Fi."""
        own: dict[str, Any] = {}
        if self._data.update_key.exists():
            own["update_key"] = load_public(self._data.update_key).text
        if site.wifi is not None and (access := self.access(s)):
            own["wifi"] = {"ssid": site.wifi.ssid, "password": site.wifi.password}
            own["broker"] = access
        return own
