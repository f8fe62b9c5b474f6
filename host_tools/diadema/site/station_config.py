"""One station's configuration, made from the site: the JSON that it stores, cut into blocks.

Badge ids never leave the host in clear: a station holds their keyed hashes only; of secure badges
also the cards' own keys, never the site's.
"""

import hashlib
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

import msgspec
from msgspec.structs import replace

from diadema.site.badges import badge_hash, is_secure, reader_key, simulated_badge
from diadema.site.description import (
    Agent,
    Site,
    SiteError,
    Station,
)
from diadema.site.pins import wire
from diadema.site.terms import Coded
from diadema.site.work import Campaign, Reason
from diadema.wire.commands import CONFIG_PART, is_simulated
from diadema.words import Sentence

type Own = Mapping[str, Mapping[str, Any]]  # what only one station is told, by station

CONFIG_LIMIT = 41 * CONFIG_PART  # bytes; a station holds it in RAM while it checks it


def utc_offset_min(site: Site, now_ms: int) -> int:
    """Minutes east of UTC in the site's zone at that moment."""
    offset = _local(site, now_ms).utcoffset()
    return round(offset.total_seconds() / 60) if offset else 0


def local_day(site: Site, now_ms: int) -> date:
    """The day in the site's zone at that moment."""
    return _local(site, now_ms).date()


def _local(site: Site, now_ms: int) -> datetime:
    return datetime.fromtimestamp(now_ms / 1000, UTC).astimezone(site.tz)


def site_on(site: Site, day: date | None) -> Site:
    """The site as its stations know it on that day: of badges lent for a day and of holidays, only
    those of the day. Without a day, none.
    """
    heeded = any(campaign.outbound for campaign in site.campaigns)
    agents = [
        replace(agent, day_badges=[lent for lent in agent.day_badges if lent.day == day])
        for agent in site.agents
    ]
    holidays = [holiday for holiday in site.holidays if heeded and holiday == day]
    return replace(site, agents=agents, holidays=holidays)


def at_simulated(site: Site, agent: Agent, badge_key: bytes) -> Agent:
    """As a simulated station knows the person: no card comes to its reader but the one that its
    desk holds, which takes a PIN where the site asks for one of a plain badge.
    """
    badges = [simulated_badge(badge_key, agent.id)] if site.pin == "none" or agent.pin else []
    return replace(agent, badges=badges, day_badges=[])


def agent_row(agent: Agent, badge_key: bytes, card_key: str, day: date | None = None) -> list[Any]:
    """What a station holds of an agent: secure badges first, and their keys in that order; what
    the agent does not have is left out at the end.
    """
    theirs = agent.badges_on(day)
    site_key = bytes.fromhex(card_key)
    secure = {badge: key for badge in theirs if (key := reader_key(badge, site_key)) is not None}
    badges = [*secure, *(badge for badge in theirs if badge not in secure)]
    keys = [key.hex() for key in secure.values()]
    pin = b64encode(wire(agent.pin)).decode()
    row = [agent.id, agent.short, [badge_hash(badge_key, badge) for badge in badges]]
    row += [keys, pin, agent.code]
    while len(row) > 3 and not row[-1]:
        row.pop()
    return row


def reason_row(reason: Reason) -> list[Any]:
    flags = reason.private | reason.paid << 1 | reason.productive << 2
    row: list[Any] = [reason.code, reason.label, flags]
    return [*row, reason.limit_s] if reason.limit_s else row


def campaign_row(campaign: Campaign, holiday: date | None = None) -> list[Any]:
    """`holiday`: the day, if it is one."""
    steps = [[step.step, int(step.automatic)] for step in campaign.steps]
    hours = campaign.outbound
    allowed = hours and [*hours.minutes(), hours.mask(holiday)]
    return [campaign.code, campaign.label, steps, allowed, int(campaign.consent)]


def _lines(rows: list[list[Any]]) -> msgspec.Raw:
    """A row a line: so a station need not take them all in at once."""
    if not rows:
        return msgspec.Raw(b"[]")
    return msgspec.Raw(b"[\n" + b",\n".join(map(msgspec.json.encode, rows)) + b"\n]")


def _coded(rows: Sequence[Coded]) -> list[list[Any]]:
    return [[row.code, row.label] for row in rows]


def _tools(site: Site) -> list[list[Any]]:
    """Those of all campaigns, as any agent may sit down at a station; each once."""
    labels: dict[str, str] = {}
    for tool in site.tools:
        labels.setdefault(tool.code, tool.label)
    return [[code, label] for code, label in labels.items()]


def _work(site: Site) -> dict[str, Any]:
    """What a site need not have; what it has not is not told. `site` is that of a day."""
    holiday = site.holidays[0] if site.holidays else None
    fields: dict[str, Any] = {
        "pin": site.pin if site.pin != "none" else None,
        "sntp": site.sntp,
        "firmware": site.firmware,
        "areas": [[area.code, area.label, int(area.consulted)] for area in site.areas],
        "help": _coded(site.help_topics),
        "faults": [[area.code, area.label, _coded(area.parts)] for area in site.fault_areas],
        "campaigns": [campaign_row(campaign, holiday) for campaign in site.campaigns],
        "methods": _coded(site.identity_methods),
        "playbooks": [[book.motive, book.id, book.version] for book in site.playbooks],
        "materials": _coded(site.materials),
        "tools": _tools(site),
        "selftest": int(site.selftest),
    }
    return {name: value for name, value in fields.items() if value}


def _has_secure(site: Site) -> bool:
    badges = (badge for agent in site.agents for badge in agent.badges)
    lent = (one.badge for agent in site.agents for one in agent.day_badges)
    return any(map(is_secure, (*badges, *lent)))


def content_hash(
    site: Site,
    badge_key: str,
    offset_min: int,
    own: Own,
    card_key: str = "",
    day: date | None = None,
) -> str:
    """Changes when anything changes that a station would be told, as at a midnight that brings or
    ends a lent badge or a holiday.
    """
    site = site_on(site, day)
    theirs = [[station.id, own.get(station.id)] for station in site.stations]
    content: list[Any] = [site, badge_key, offset_min, theirs]
    if _has_secure(site):
        content.append(card_key)
    fields = msgspec.json.encode(content)
    return hashlib.sha256(fields).hexdigest()


class ConfigMaker:
    """Builds the configurations of one generation; what all stations share is made once.

    `card_key` (hex) is needed for a site with secure badges. Raises ValueError without it. Without
    `day` no badge that is lent for a day is told, and no day is a holiday.
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
        day: date | None = None,
    ) -> None:
        site = site_on(site, day)
        key = bytes.fromhex(badge_key)
        self.generation = generation
        self._own = own or {}
        self._stations = {station.id: station for station in site.stations}
        self._rows: dict[str, list[Any]] = {
            agent.id: agent_row(agent, key, card_key, day) for agent in site.agents
        }
        self._simulated: dict[str, list[Any]] = {}
        if any(is_simulated(station.id) for station in site.stations):
            self._simulated = {
                agent.id: agent_row(at_simulated(site, agent, key), key, card_key)
                for agent in site.agents
            }
        self._site = site
        # by the teams of a station, and whether it is a simulated one
        self._agents: dict[tuple[frozenset[str], bool], msgspec.Raw] = {}
        self._common: dict[str, Any] = {
            "generation": generation,
            "site": site.site,
            "language": site.language,
            "utc_offset_min": offset_min,
            "badge_key": badge_key,
            "ring_limit_s": site.ring_limit_s,
            "wrapup_limit_s": site.wrapup_limit_s,
            "agents": None,  # in this place; each station has its own
            "reasons": [reason_row(reason) for reason in site.reasons],
            "tree": site.tree,
            **_work(site),
        }

    def knows(self, station: str) -> bool:
        return station in self._stations

    def build(self, station: str, key: str | None = None) -> bytes:
        """The configuration's JSON, with the key (hex) that the station is given. Raises KeyError
        for a station the site does not name.
        """
        seat = self._stations[station]
        own: dict[str, Any] = {
            "station": station,
            "seat": seat.seat,
            "agents": self._agents_at(seat),
        }
        own |= {"key": key} if key is not None else {}
        data = msgspec.json.encode(self._common | own | dict(self._own.get(station, {})))
        if len(data) > CONFIG_LIMIT:
            raise SiteError(
                "agents, tree",
                Sentence(
                    "errors.site.file.configuration_seat_would_have_count",
                    seat=seat.seat,
                    count=len(data),
                    config_limit=CONFIG_LIMIT,
                ),
            )
        return data

    def _agents_at(self, station: Station) -> msgspec.Raw:
        simulated = is_simulated(station.id)
        kind = frozenset(station.teams), simulated
        if kind not in self._agents:
            rows = self._simulated if simulated else self._rows
            theirs = self._site.agents_at(station)
            self._agents[kind] = _lines([rows[agent.id] for agent in theirs])
        return self._agents[kind]


def check_sizes(site: Site) -> None:
    """Raises SiteError when a station could not hold its configuration."""
    longest: dict[str, Any] = {"key": "0" * 64, "update_key": "0" * 512}
    if site.wifi is not None:
        longest |= {"wifi": "0" * 128, "broker": "0" * 1440}
    secrets = dict.fromkeys((station.id for station in site.stations), longest)
    lent = Counter(one.day for agent in site.agents for one in agent.day_badges)
    fullest = max(lent, key=lent.__getitem__, default=None)
    trial = ConfigMaker(site, "00" * 32, 0, 0, secrets, card_key="00" * 16, day=fullest)
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
