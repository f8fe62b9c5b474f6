"""One station's configuration, made from the site: the JSON that it stores, cut into blocks.

Badge ids never leave the host in clear: a station holds their keyed hashes only; of secure badges
also the cards' own keys, never the site's.
"""

import hashlib
import hmac
from base64 import b64encode
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from diadema.badge_cards import card_key as key_of_card
from diadema.badge_cards import secure_uid
from diadema.commands import CONFIG_PART
from diadema.site import Agent, Site, SiteError

type Own = Mapping[str, Mapping[str, Any]]  # what only one station is told, by station

CONFIG_LIMIT = 40 * CONFIG_PART  # bytes; a station holds it in RAM while it checks it


def badge_hash(badge_key: bytes, badge: str) -> str:
    """First 16 bytes of HMAC-SHA256(key, kind ":" UPPER-HEX id), in hex."""
    return hmac.digest(badge_key, badge.encode(), hashlib.sha256)[:16].hex()


def utc_offset_min(site: Site, now_ms: int) -> int:
    """Minutes east of UTC in the site's zone at that moment."""
    offset = datetime.fromtimestamp(now_ms / 1000, UTC).astimezone(site.tz).utcoffset()
    return round(offset.total_seconds() / 60) if offset else 0


def agent_row(agent: Agent, badge_key: bytes, card_key: str) -> list[Any]:
    """What a station holds of an agent: secure badges first, and their keys in that order."""
    secure = {badge: uid for badge in agent.badges if (uid := secure_uid(badge)) is not None}
    badges = [*secure, *(badge for badge in agent.badges if badge not in secure)]
    row = [agent.id, agent.short, [badge_hash(badge_key, badge) for badge in badges]]
    if secure:
        site_key = bytes.fromhex(card_key)
        row.append([key_of_card(site_key, uid).hex() for uid in secure.values()])
    return row


def _has_secure(site: Site) -> bool:
    return any(secure_uid(badge) for agent in site.agents for badge in agent.badges)


def content_hash(site: Site, badge_key: str, offset_min: int, own: Own, card_key: str = "") -> str:
    """Changes when anything changes that a station would be told."""
    theirs = [[station.id, own.get(station.id)] for station in site.stations]
    content: list[Any] = [site, badge_key, offset_min, theirs]
    if _has_secure(site):
        content.append(card_key)
    told = msgspec.json.encode(content)
    return hashlib.sha256(told).hexdigest()


class ConfigMaker:
    """Builds the configurations of one generation; what all stations share is made once.

    `card_key` (hex) is needed for a site with secure badges. Raises ValueError without it.
    """

    def __init__(
        self,
        site: Site,
        badge_key: str,
        offset_min: int,
        generation: int,
        own: Own | None = None,
        *,
        card_key: str = "",
    ) -> None:
        key = bytes.fromhex(badge_key)
        self.generation = generation
        self._own = own or {}
        self._seats = {station.id: station.seat for station in site.stations}
        self._common: dict[str, Any] = {
            "generation": generation,
            "site": site.site,
            "language": site.language,
            "utc_offset_min": offset_min,
            "badge_key": badge_key,
            "ring_limit_s": site.ring_limit_s,
            "wrapup_limit_s": site.wrapup_limit_s,
            "agents": [agent_row(agent, key, card_key) for agent in site.agents],
            "reasons": [[r.code, r.label, int(r.private)] for r in site.reasons],
            "tree": site.tree,
        }
        if site.sntp is not None:
            self._common["sntp"] = site.sntp

    def knows(self, station: str) -> bool:
        return station in self._seats

    def build(self, station: str) -> bytes:
        """The configuration's JSON. Raises KeyError for a station the site does not name."""
        own = {"station": station, "seat": self._seats[station]}
        data = msgspec.json.encode(self._common | own | dict(self._own.get(station, {})))
        if len(data) > CONFIG_LIMIT:
            raise SiteError(
                "agents, tree",
                f"a station's configuration would have {len(data)} bytes of {CONFIG_LIMIT}: "
                "name fewer agents, or shorten the tree",
            )
        return data


def check_sizes(site: Site) -> None:
    """Raises SiteError when a station could not hold its configuration."""
    longest = {"key": "0" * 64}
    if site.wifi is not None:
        longest |= {"wifi": "0" * 120, "broker": "0" * 1400}
    secrets = dict.fromkeys((station.id for station in site.stations), longest)
    trial = ConfigMaker(site, "00" * 32, 0, 0, secrets, card_key="00" * 16)
    for station in site.stations:
        trial.build(station.id)


def blocks(config: bytes) -> Iterator[dict[str, Any]]:
    """The fields of each `config` command, in order, without `i`."""
    generation = msgspec.json.decode(config)["generation"]
    digest = hashlib.sha256(config).hexdigest()
    parts = range(0, len(config), CONFIG_PART)
    for part, at in enumerate(parts, 1):
        yield {
            "cmd": "config",
            "generation": generation,
            "part": part,
            "parts": len(parts),
            "data": b64encode(config[at : at + CONFIG_PART]).decode(),
            "sha256": digest,
        }
