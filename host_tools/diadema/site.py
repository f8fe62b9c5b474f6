"""A site as its people describe it in `site.json`: stations and seats, agents and badges, reasons,
the tipificación tree. Read, checked whole, and refused with the key and the reason.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, available_timezones

import msgspec
from msgspec import Meta, Struct

from diadema.badge_cards import KIND
from diadema.commands import is_station
from diadema.errors import DiademaError
from diadema.events import UNREADABLE

type Name = Annotated[str, Meta(min_length=1, max_length=64)]
type Label = Annotated[str, Meta(min_length=1, max_length=16)]  # what a station's line can show
type Code = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.-]{1,24}\Z")]

type BrokerName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9.:-]{1,253}\Z")]  # DNS or address

type Server = Annotated[str, Meta(pattern=r"^[A-Za-z0-9.-]{1,253}:[0-9]{1,5}\Z")]  # host:port

type _Children = Annotated[list[Any], Meta(max_length=48)]

LEVELS = 3
SYSTEM_CODES = ("SIN_TIPIFICAR",)  # codes that no tree may use
SYSTEM_REASONS = ("login", "no_answer")  # reasons that only the station gives
_BADGE = re.compile(r"^[a-z0-9]{1,16}:[0-9A-F]{8,64}\Z")
_SECURE = re.compile(rf"^{KIND}:[0-9A-F]{{14}}\Z")


class SiteError(DiademaError):
    """A site that cannot be used: `key` is where, empty for the whole file; `reason` what is
    wrong there; `file` how people call it.
    """

    def __init__(self, key: str, reason: str, file: str = "site.json") -> None:
        super().__init__(f"{file}, {key}: {reason}" if key else f"{file}: {reason}")
        self.key = key
        self.reason = reason
        self.file = file


class _Strict(Struct, forbid_unknown_fields=True):
    """A misspelt key is told, not passed over."""


class Station(_Strict, kw_only=True):
    id: str
    seat: Annotated[str, Meta(min_length=1, max_length=12)]


class Agent(_Strict, kw_only=True):
    """`name` on the floor, `short` on the station's screen, `alias` on the public wall."""

    id: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,24}\Z")]
    name: Name
    short: Label
    alias: Label
    team: Annotated[str, Meta(max_length=64)] = ""
    badges: list[str] = []


class Reason(_Strict, kw_only=True):
    code: Code
    label: Label
    private: bool = False


class Wifi(_Strict, kw_only=True):
    """The network that stations may use where no cable is."""

    ssid: Annotated[str, Meta(min_length=1, max_length=32)]
    password: Annotated[str, Meta(min_length=8, max_length=63)]


class Tree(_Strict, kw_only=True):
    version: Annotated[int, Meta(ge=1, le=2**30 - 1)]
    nodes: Annotated[list[Any], Meta(min_length=1, max_length=48)]


class Site(_Strict, kw_only=True):
    site: Annotated[str, Meta(min_length=1, max_length=32)]
    zone: str
    language: Literal["es", "en"] = "es"
    ring_limit_s: Annotated[int, Meta(ge=5, le=600)] = 20
    wrapup_limit_s: Annotated[int, Meta(ge=5, le=3600)] = 60
    wifi: Wifi | None = None
    broker_names: Annotated[list[BrokerName], Meta(max_length=16)] = []  # the first one is told
    sntp: Server | None = None  # a time server for stations on Wi-Fi
    stations: list[Station]
    agents: Annotated[list[Agent], Meta(max_length=120)]  # each station holds them all
    reasons: Annotated[list[Reason], Meta(max_length=24)]
    tree: Tree

    @property
    def tz(self) -> ZoneInfo:
        return ZoneInfo(self.zone)


def load(path: Path) -> Site:
    """Raises SiteError, also when the file cannot be read."""
    try:
        return parse(path.read_bytes())
    except OSError as error:
        raise DiademaError(f"cannot read {path}: {error.strerror}") from error


def parse(data: bytes) -> Site:
    """Check everything that a station or a report will rely on. Raises SiteError."""
    try:
        site = msgspec.json.decode(data, type=Site)
    except msgspec.ValidationError as error:
        reason, _, key = str(error).partition(" - at ")
        raise SiteError(_key(key), reason) from error
    except UNREADABLE as error:
        raise SiteError("", f"it is no JSON: {error}") from error
    if site.zone not in available_timezones():
        raise SiteError("zone", f"{site.zone!r} is no time zone; write one like America/Lima")
    if site.sntp is not None and not 0 < int(site.sntp.rpartition(":")[2]) < 65536:
        raise SiteError("sntp", "the port must be 1 to 65535")
    for at, station in enumerate(site.stations):
        if not is_station(station.id):
            raise SiteError(f"stations[{at}].id", "must be DIA- and 12 lower-case hex digits")
    _unique("stations[{}].id", (station.id for station in site.stations))
    _unique("stations[{}].seat", (station.seat for station in site.stations))
    _unique("agents[{}].id", (agent.id for agent in site.agents))
    _unique("reasons[{}].code", (reason.code for reason in site.reasons))
    for at, given in enumerate(site.reasons):
        if given.code in SYSTEM_REASONS:
            raise SiteError(f"reasons[{at}].code", f"{given.code} is given by the system only")
    _check_badges(site.agents)
    codes = [code for at, node in enumerate(site.tree.nodes) for code in _walk(node, 1, (at,))]
    _unique("tree.nodes, code number {}", codes)
    return site


def _check_badges(agents: list[Agent]) -> None:
    owners: dict[str, str] = {}
    secure = {
        badge.partition(":")[2] for agent in agents for badge in agent.badges if _is_secure(badge)
    }
    for at, agent in enumerate(agents):
        for index, badge in enumerate(agent.badges):
            key = f"agents[{at}].badges[{index}]"
            if not _BADGE.match(badge):
                raise SiteError(key, "must be kind:ID in upper-case hex, as iso14443a:04A1B2C3")
            if badge in owners:
                raise SiteError(key, f"belongs to {owners[badge]} already")
            if _is_secure(badge) and not _SECURE.match(badge):
                raise SiteError(key, "a desfire card has an id of 14 hex digits")
            if not _is_secure(badge) and badge.partition(":")[2] in secure:
                raise SiteError(key, "is a desfire card: as a plain one anybody could copy it")
            owners[badge] = agent.id


def _is_secure(badge: str) -> bool:
    return badge.startswith(f"{KIND}:")


def _walk(node: Any, level: int, path: tuple[int, ...]) -> Iterator[str]:
    """Every code below `node`; each leaf must be at the third level, and nothing else a leaf."""
    key = "tree.nodes" + "[2]".join(f"[{at}]" for at in path)
    leaf = level == LEVELS
    try:
        if leaf:
            code, _ = msgspec.convert(node, tuple[Code, Label])
            children: list[Any] = []
        else:
            code, _, children = msgspec.convert(node, tuple[Code, Label, _Children])
    except msgspec.ValidationError as error:
        wanted = "[code, label]" if leaf else "[code, label, [children]]"
        reason = str(error).partition(" - at ")[0]
        raise SiteError(key, f"level {level} of {LEVELS} must be {wanted}: {reason}") from error
    if code in SYSTEM_CODES:
        raise SiteError(key, f"{code} is given by the system only")
    if not children and not leaf:
        raise SiteError(key, f"has no children; every branch must have {LEVELS} levels")
    yield code
    for at, child in enumerate(children):
        yield from _walk(child, level + 1, (*path, at))


def _unique(key: str, values: Iterable[str]) -> None:
    seen: set[str] = set()
    for at, value in enumerate(values):
        if value in seen:
            raise SiteError(key.format(at), f"{value} is there twice")
        seen.add(value)


def _key(path: str) -> str:
    """msgspec's `$.agents[0].id` as a person would write it."""
    return path.strip("`").removeprefix("$").removeprefix(".")
