"""Where recordings lie, what they are called and how long they are there: `recordings.json`."""

import re
from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec import Meta, Struct

from diadema.base.errors import DiademaError
from diadema.base.paths import DataDir, write_whole
from diadema.words import Sentence

CALL = "{pbx}"
DAY_MS = 86_400_000
_PLACES = {
    "pbx": r"(?:[A-Za-z][A-Za-z0-9_.]*-)?[0-9]+\.[0-9]+",  # Asterisk's, with its `systemname`
    "agent": r"[A-Za-z0-9_.@]+",
    "date": r"[0-9]{8}",
    "time": r"[0-9]{6}",
}
_PLACE = re.compile(r"\{([^{}]*)\}|(\*)")
_EXTENSION = r"\.[A-Za-z0-9]{2,5}"


class Settings(Struct, kw_only=True, forbid_unknown_fields=True):
    """`pattern`: of a file's name without its extension: `{pbx}`, the switch's id of the call;
    `{agent}`, `{date}` as 20261231 and `{time}` as 235959, in `zone`; `*`, anything. `link`: of a
    call at another platform that records, with `{pbx}`. `instruction`: number of the document
    by which the mandante has what is due deleted. For how long one may be heard is the
    directory's to say.
    """

    folders: Annotated[list[Annotated[str, Meta(pattern=r"^/")]], Meta(max_length=16)] = []
    pattern: Annotated[str, Meta(max_length=200)] = "*-{date}-{time}-{pbx}"
    zone: str = "America/Lima"
    link: Annotated[str, Meta(max_length=300)] = ""
    instruction: Annotated[str, Meta(max_length=80)] = ""

    @property
    def tz(self) -> ZoneInfo:
        return ZoneInfo(self.zone)

    def address_of(self, pbx: str) -> str:
        """Of that call at the other platform; empty where there is none."""
        return self.link.replace(CALL, pbx)


class Named(Struct, frozen=True):
    """What a file's name says; empty and None where it says nothing."""

    pbx: str = ""
    agent: str = ""
    utc_ms: int | None = None


class Names:
    """Reads names by a pattern. Raises DiademaError for one that cannot be told apart."""

    def __init__(self, settings: Settings) -> None:
        self._tz = settings.tz
        found = [place for place, _ in _PLACE.findall(settings.pattern) if place]
        by_time = {"agent", "date", "time"} <= set(found)
        if (
            set(found) - set(_PLACES)
            or len(found) != len(set(found))
            or not ("pbx" in found or by_time)
        ):
            raise DiademaError(Sentence("errors.recordings.pattern", pattern=settings.pattern))
        pieces, at = [], 0
        for place in _PLACE.finditer(settings.pattern):
            pieces.append(re.escape(settings.pattern[at : place.start()]))
            pieces.append(f"(?P<{place[1]}>{_PLACES[place[1]]})" if place[1] else ".*?")
            at = place.end()
        pieces.append(re.escape(settings.pattern[at:]))
        self._pattern = re.compile("".join(pieces) + _EXTENSION)

    def read(self, name: str) -> Named | None:
        """None for a file that is none of the recordings."""
        found = self._pattern.fullmatch(name)
        if found is None:
            return None
        said = found.groupdict()
        utc_ms = None
        if "date" in said and "time" in said:
            try:
                local = datetime.strptime(said["date"] + said["time"], "%Y%m%d%H%M%S")
            except ValueError:
                return None
            utc_ms = round(local.replace(tzinfo=self._tz).timestamp() * 1000)
        return Named(said.get("pbx", ""), said.get("agent", ""), utc_ms)


def read(data: DataDir) -> Settings | None:
    """None where nothing is set up. Raises DiademaError."""
    try:
        settings = msgspec.json.decode(data.recordings.read_bytes(), type=Settings)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError) as error:
        raise DiademaError(
            Sentence("errors.stations.path_reason", path=data.recordings, reason=error)
        ) from error
    check(settings)
    return settings


def required(data: DataDir) -> Settings:
    """Raises DiademaError where nothing is set up too."""
    settings = read(data)
    if settings is None:
        raise DiademaError(Sentence("errors.recordings.not_set_up"))
    return settings


def check(settings: Settings) -> None:
    """Raises DiademaError for what cannot be worked with."""
    try:
        settings.tz  # noqa: B018
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise DiademaError(Sentence("errors.recordings.zone", zone=settings.zone)) from error
    Names(settings)
    if settings.link and (CALL not in settings.link or not settings.link.startswith("https://")):
        raise DiademaError(Sentence("errors.recordings.link", link=settings.link))


def write(data: DataDir, settings: Settings) -> None:
    """Raises DiademaError for what `read` would not take."""
    body = msgspec.json.encode(settings)
    try:
        check(msgspec.json.decode(body, type=Settings))
    except msgspec.ValidationError as error:
        raise DiademaError(
            Sentence("errors.stations.path_reason", path=data.recordings, reason=error)
        ) from error
    write_whole(data.recordings, msgspec.json.format(body))
