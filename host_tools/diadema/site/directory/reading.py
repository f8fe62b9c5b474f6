"""People and places as they are on one day, for whoever reads figures."""

from contextlib import suppress
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from diadema.base.errors import DiademaError
from diadema.base.paths import DataDir, write_whole
from diadema.site import description
from diadema.site.directory.book import Directory
from diadema.site.directory.people import People, of_site
from diadema.site.directory.people_of import people_of


def people(data: DataDir, first: date | None = None, last: date | None = None) -> People:
    """As of `last` (today by default), with the roster of [first, last]. It is kept while nothing
    of it changes, so nobody may change it.
    """
    last = last or datetime.now(zone_of(data) or ZoneInfo("America/Lima")).date()
    return _people(data.root, tuple(map(_stamp, _files(data))), first or last, last)


def teams_of(data: DataDir, agent: str) -> set[str]:
    """Every team that an agent is of, or by the directory ever was; a site that cannot be read
    tells of none.
    """
    found: set[str] = set()
    if data.site.exists():
        with suppress(DiademaError):
            found = {one.team for one in description.load(data.site).agents if one.id == agent}
    if data.directory.exists():
        with Directory(data.directory) as book:
            bodies = [one.body or {} for one in book.history("agents", agent)]
        found |= {str(body.get("team") or "") for body in bodies}
    return found - {""}


def zone_of(data: DataDir) -> ZoneInfo | None:
    """The site's; while there is no site, that of the last import that was told one, or None."""
    if (stamp := _stamp(data.site)) is not None:
        return _site_zone(data.site, stamp)
    try:
        return ZoneInfo(data.zone.read_text())
    except (OSError, ValueError, ZoneInfoNotFoundError):
        return None


def note_zone(data: DataDir, zone: ZoneInfo) -> None:
    """An import was told that its hours are of that zone: days are cut by it while no site says
    otherwise.
    """
    if not data.site.exists():
        write_whole(data.zone, zone.key.encode())


@lru_cache(16)
def _site_zone(file: Path, stamp: object) -> ZoneInfo:
    return description.load(file).tz


@lru_cache(16)
def _people(root: Path, stamps: object, first: date, last: date) -> People:
    data = DataDir(root)
    if not data.directory.exists():
        return of_site(description.load(data.site) if data.site.exists() else None)
    with Directory(data.directory) as book:
        return people_of(book, first, last, zone_of(data) or ZoneInfo("America/Lima"))


def day_at(data: DataDir, now_ms: int) -> date:
    """The day in the site's zone at that moment."""
    return datetime.fromtimestamp(now_ms / 1000, zone_of(data) or ZoneInfo("America/Lima")).date()


class Kept:
    """The people of a day, read again when the site, the directory or the day has changed. For a
    process that is asked often; a site that cannot be read leaves what was known.
    """

    def __init__(self, data: DataDir) -> None:
        self._data = data
        self._made_of: object = None
        self._people = People()

    def on(self, day: date) -> People:
        with suppress(DiademaError):
            return self.read(day)
        return self._people

    def read(self, day: date) -> People:
        """Raises DiademaError where they cannot be read as they are now."""
        made_of = (day, *map(_stamp, _files(self._data)))
        if made_of != self._made_of:
            self._people = people(self._data, day, day)
            self._made_of = made_of
        return self._people


def _files(data: DataDir) -> tuple[Path, ...]:
    return data.site, data.directory, data.directory.with_name(f"{data.directory.name}-wal")


def _stamp(file: Path) -> tuple[int, int, int] | None:
    try:
        known = file.stat()
    except OSError:
        return None
    return known.st_mtime_ns, known.st_size, known.st_ino
