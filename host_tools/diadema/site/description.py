"""A site as its people describe it in `site.json`: stations and seats, agents with their badges,
PINs and codes, reasons, the tipificación tree. It is read, checked whole, and refused with the
key and the reason.
"""

from datetime import date
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, available_timezones

import msgspec
from msgspec import Meta, field

from diadema.base.errors import DiademaError, why
from diadema.base.sanitize import hidden
from diadema.site.badges import ID, STORED, card_of, is_id, is_secure
from diadema.site.file import whole
from diadema.site.terms import Label, Name, SiteError, Strict, check_unique
from diadema.site.work import Work, check_work
from diadema.wire.commands import is_station
from diadema.wire.events import UNREADABLE
from diadema.words import Sentence

__all__ = ["Agent", "Site", "SiteError", "Station", "Wifi", "load", "parse"]

AGENTS_OF_A_STATION = 120  # a station holds them all in RAM while it checks them
RING_LIMIT_S = 20

type TeamName = Annotated[str, Meta(max_length=64)]
type PinPolicy = Literal["none", "always", "clonable"]
type BrokerName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9.:-]{1,253}\Z")]  # DNS or address
type Server = Annotated[str, Meta(pattern=r"^[A-Za-z0-9.-]{1,253}:[0-9]{1,5}\Z")]  # host:port


class DayBadge(Strict, kw_only=True):
    """A badge lent for one day of the site's zone to somebody who forgot their own."""

    badge: str
    day: date


class Agent(Strict, kw_only=True):
    """`name` on the floor, `short` on the station's screen, `alias` on the public wall.

    `pin` is the verifier that `diadema pin` makes, never the PIN; with `code` and PIN the agent
    can log in without a badge.
    """

    id: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,24}\Z")]
    name: Name
    short: Label
    alias: Label
    team: TeamName = ""
    badges: list[str] = field(default_factory=list)
    day_badges: Annotated[list[DayBadge], Meta(max_length=60)] = field(default_factory=list)
    pin: Annotated[str, Meta(pattern=r"^([0-9a-f]{16}:[0-9a-f]{32}(:[0-9]{10})?)?\Z")] = ""
    code: Annotated[str, Meta(pattern=r"^([1-6]{4})?\Z")] = ""

    def badges_on(self, day: date | None) -> list[str]:
        """The agent's own, and those lent on that day."""
        return [*self.badges, *(lent.badge for lent in self.day_badges if lent.day == day)]


def check_agents(agents: list[Agent], policy: PinPolicy) -> None:
    """Raises SiteError."""
    check_unique("agents[{}].id", (agent.id for agent in agents))
    _check_badges(agents)
    codes: dict[str, str] = {}
    for at, agent in enumerate(agents):
        if agent.code and agent.code in codes:
            raise SiteError(
                f"agents[{at}].code",
                Sentence("errors.site.file.belongs_codes_already", codes=codes[agent.code]),
            )
        codes[agent.code] = agent.id
        if agent.pin:
            continue
        help_text = Sentence("errors.site.file.pin_help", agent=agent.id)
        if agent.code:
            raise SiteError(
                f"agents[{at}].pin",
                Sentence("errors.site.file.her_code_needs_pin_help_text", help_text=help_text),
            )
        clonable = [badge for badge, _ in _all_badges(at, agent)]
        if policy == "clonable":
            clonable = [badge for badge in clonable if not is_secure(badge)]
        if policy != "none" and clonable:
            raise SiteError(
                f"agents[{at}].pin",
                Sentence("errors.site.file.site_asks_her_pin_help_text", help_text=help_text),
            )


def _all_badges(at: int, agent: Agent) -> list[tuple[str, str]]:
    """Every badge of the agent, with its key."""
    own = [(badge, f"agents[{at}].badges[{k}]") for k, badge in enumerate(agent.badges)]
    lent = enumerate(agent.day_badges)
    return own + [(one.badge, f"agents[{at}].day_badges[{k}].badge") for k, one in lent]


def _check_badges(agents: list[Agent]) -> None:
    owners: dict[str, str] = {}
    borrowers: dict[tuple[str, date], str] = {}
    everywhere = [every for at, agent in enumerate(agents) for every in _all_badges(at, agent)]
    secure = {card_of(badge) for badge, _ in everywhere if is_secure(badge)}
    for badge, key in everywhere:
        if not ID.match(badge) and not STORED.match(badge):
            raise SiteError(key, Sentence("errors.site.file.must_kind_id_upper_case"))
        if not is_id(badge) and not STORED.match(badge):
            raise SiteError(key, Sentence("errors.site.file.desfire_card_has_id_14"))
        if not is_secure(badge) and card_of(badge) in secure:
            raise SiteError(key, Sentence("errors.site.file.desfire_card_plain_one_anybody"))
    for at, agent in enumerate(agents):
        for k, badge in enumerate(agent.badges):
            if badge in owners:
                key = f"agents[{at}].badges[{k}]"
                raise SiteError(
                    key, Sentence("errors.site.file.belongs_codes_already", codes=owners[badge])
                )
            owners[badge] = agent.id
    for at, agent in enumerate(agents):
        for k, lent in enumerate(agent.day_badges):
            key = f"agents[{at}].day_badges[{k}]"
            if lent.badge in owners:
                raise SiteError(
                    f"{key}.badge",
                    Sentence("errors.site.file.belongs_owners_good", owners=owners[lent.badge]),
                )
            if (other := borrowers.get((lent.badge, lent.day))) is not None:
                raise SiteError(
                    f"{key}.badge", Sentence("errors.site.file.lent_other_on_day", other=other)
                )
            borrowers[lent.badge, lent.day] = agent.id


class Station(Strict, kw_only=True):
    """`teams`: whose agents can log in there; none named, everybody can."""

    id: str
    seat: Annotated[str, Meta(min_length=1, max_length=12)]
    teams: Annotated[list[TeamName], Meta(max_length=64)] = field(default_factory=list)


class Wifi(Strict, kw_only=True):
    """The network that stations may use where no cable is: WPA2 or WPA3 with a password or its
    key of 64 hex digits, or an open one, whose password is empty.
    """

    ssid: Annotated[str, Meta(min_length=1, max_length=32)]
    password: Annotated[str, Meta(max_length=64)]


class Site(Work, kw_only=True):
    """`broker_names`: of the stations' listener; they are told the first one. `pin`: whose login
    asks for a PIN: nobody's, all, or those whose badge could be copied. `multi_login`: what
    becomes of somebody who logs in at a second seat. `selftest`: the first login of a shift tries
    the station. `holidays` shut the campaigns that heed them.
    """

    site: Annotated[str, Meta(min_length=1, max_length=32)]
    zone: str
    language: Literal["es", "en"] = "es"
    ring_limit_s: Annotated[int, Meta(ge=5, le=600)] = RING_LIMIT_S
    wrapup_limit_s: Annotated[int, Meta(ge=5, le=3600)] = 60
    wifi: Wifi | None = None
    broker_names: Annotated[list[BrokerName], Meta(max_length=16)] = field(default_factory=list)
    sntp: Server | None = None  # a time server for stations on Wi-Fi
    firmware: Annotated[str, Meta(min_length=1, max_length=16)] | None = None  # all should have
    stations: list[Station]
    agents: Annotated[list[Agent], Meta(max_length=2000)]
    pin: PinPolicy = "none"
    multi_login: Literal["deny", "move", "allow"] = "move"
    selftest: bool = False
    holidays: Annotated[list[date], Meta(max_length=400)] = field(default_factory=list)

    @property
    def tz(self) -> ZoneInfo:
        return ZoneInfo(self.zone)

    def agents_at(self, station: Station) -> list[Agent]:
        """Who can log in there; agents without a team can everywhere."""
        if not station.teams:
            return self.agents
        teams = {"", *station.teams}
        return [agent for agent in self.agents if agent.team in teams]


def load_if_any(path: Path) -> Site | None:
    """The site, or None before any is in force. Raises DiademaError."""
    return load(path) if path.exists() else None


def load(path: Path) -> Site:
    """With what of it is secret. Raises SiteError, also when the file cannot be read."""
    try:
        return parse(whole(path))
    except FileNotFoundError as error:
        raise DiademaError(
            Sentence("errors.site.no_site_force_parent_diadema", parent=path.parent)
        ) from error
    except OSError as error:
        raise DiademaError(
            Sentence("errors.cli.cannot_read_file_reason", file=path, reason=why(error))
        ) from error


def parse(data: bytes) -> Site:
    """Check everything that a station or a report will rely on. Raises SiteError."""
    try:
        site = msgspec.json.decode(data, type=Site)
    except msgspec.ValidationError as error:
        reason, _, key = str(error).partition(" - at ")
        raise SiteError(_key(key), reason) from error
    except UNREADABLE as error:
        raise SiteError("", Sentence("errors.site.file.no_json_error", error=error)) from error
    if site.zone not in available_timezones():
        raise SiteError(
            "zone", Sentence("errors.site.file.zone_no_time_zone_write", zone=site.zone)
        )
    if site.sntp is not None and not 0 < int(site.sntp.rpartition(":")[2]) < 65536:
        raise SiteError("sntp", Sentence("errors.site.file.port_must_1_65535"))
    if site.wifi is not None:
        _check_wifi(site.wifi)
    for at, station in enumerate(site.stations):
        if not is_station(station.id):
            raise SiteError(
                f"stations[{at}].id", Sentence("errors.site.file.must_dia_12_lower_case")
            )
        if found := hidden(station.seat):
            found_text = ", ".join(found)
            raise SiteError(
                f"stations[{at}].seat",
                Sentence(
                    "errors.site.file.has_found_text_which_nobody_sees", found_text=found_text
                ),
            )
    check_unique("stations[{}].id", (station.id for station in site.stations))
    check_unique("stations[{}].seat", (station.seat for station in site.stations))
    check_agents(site.agents, site.pin)
    _check_teams(site)
    check_work(site)
    return site


def _check_wifi(wifi: Wifi) -> None:
    """Wi-Fi counts bytes: an ñ has two."""
    if len(wifi.ssid.encode()) > 32:
        raise SiteError("wifi.ssid", Sentence("errors.site.file.has_more_than_32_bytes"))
    size = len(wifi.password.encode())
    if size == 64 and not wifi.password.lower().strip("0123456789abcdef"):
        return
    if size and not 8 <= size <= 63:
        raise SiteError(
            "wifi.password",
            Sentence("errors.site.file.must_have_8_63_bytes"),
        )


def _check_teams(site: Site) -> None:
    teams = {agent.team for agent in site.agents}
    sizes: dict[frozenset[str], int] = {}
    for at, station in enumerate(site.stations):
        for k, team in enumerate(station.teams):
            if team not in teams:
                raise SiteError(
                    f"stations[{at}].teams[{k}]",
                    Sentence("errors.site.file.no_agent_team", team=team),
                )
        group = frozenset(station.teams)
        if group not in sizes:
            sizes[group] = len(site.agents_at(station))
        if sizes[group] > AGENTS_OF_A_STATION:
            raise SiteError(
                f"stations[{at}].teams",
                Sentence(
                    "errors.site.file.seat_would_know_sizes_agents",
                    seat=station.seat,
                    sizes=sizes[group],
                    agents_of_a_station=AGENTS_OF_A_STATION,
                ),
            )


def _key(path: str) -> str:
    """msgspec's `$.agents[0].id` as a person would write it."""
    return path.strip("`").removeprefix("$").removeprefix(".")
