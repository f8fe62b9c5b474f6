"""What a data directory says of its site; and the zone and language while there is none.

While there is no site, days are cut in the zone that the last import named for its times, and
without that in UTC. Texts are in the default language of the catalogues.
"""

from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from diadema.base.paths import DataDir, write_whole
from diadema.site import description
from diadema.site.description import Site
from diadema.wire.live_rows import DEFAULT_ZONE
from diadema.words import DEFAULT


def site_of(data: DataDir) -> Site | None:
    """The site in force; None while there is none. Raises DiademaError."""
    return description.load(data.site) if data.site.exists() else None


def language_of(site: Site | None) -> str:
    return site.language if site else DEFAULT


def tz_of(site: Site | None) -> ZoneInfo:
    return site.tz if site else ZoneInfo(DEFAULT_ZONE)


def zone_of(data: DataDir) -> ZoneInfo:
    """The site's; without one that of the last import that named one, or the default. Raises
    DiademaError when the site cannot be read.
    """
    if (version := file_version(data.site)) is not None:
        return _site_zone(data.site, version)
    try:
        return ZoneInfo(data.zone.read_text())
    except (OSError, ValueError, ZoneInfoNotFoundError):
        return tz_of(None)


def note_zone(data: DataDir, zone: ZoneInfo) -> None:
    """An import named this zone for its times: days are cut by it while there is no site."""
    if not data.site.exists():
        write_whole(data.zone, zone.key.encode())


def file_version(file: Path) -> tuple[int, int, int] | None:
    """Changes whenever the file does; None while there is none."""
    try:
        known = file.stat()
    except OSError:
        return None
    return known.st_mtime_ns, known.st_size, known.st_ino


@lru_cache(16)
def _site_zone(file: Path, version: object) -> ZoneInfo:
    return description.load(file).tz
