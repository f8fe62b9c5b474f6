"""People and places as they are on one day, for whoever reads figures."""

from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from diadema import site
from diadema.directory.book import Directory
from diadema.directory.people import People, of_site
from diadema.directory.people_of import people_of
from diadema.errors import DiademaError
from diadema.paths import DataDir


def people(data: DataDir, first: date | None = None, last: date | None = None) -> People:
    """As of `last` (today by default), with the roster of [first, last]."""
    if not data.directory.exists():
        return of_site(site.load(data.site) if data.site.exists() else None)
    zone = _zone(data)
    last = last or datetime.now(zone).date()
    with Directory(data.directory) as book:
        return people_of(book, first or last, last, zone)


def day_at(data: DataDir, now_ms: int) -> date:
    """The day in the site's zone at that moment."""
    return datetime.fromtimestamp(now_ms / 1000, _zone(data)).date()


def _zone(data: DataDir) -> ZoneInfo:
    return site.load(data.site).tz if data.site.exists() else ZoneInfo("America/Lima")


class Kept:
    """The people of a day, read again when the site, the directory or the day has changed. For a
    process that is asked often; a site that cannot be read leaves what was known.
    """

    def __init__(self, data: DataDir) -> None:
        self._data = data
        self._made_of: object = None
        self._people = People()

    def on(self, day: date) -> People:
        made_of = (day, *map(_stamp, self._files()))
        if made_of != self._made_of:
            try:
                self._people = people(self._data, day, day)
            except DiademaError:
                pass
            else:
                self._made_of = made_of
        return self._people

    def _files(self) -> tuple[Path, ...]:
        directory = self._data.directory
        return self._data.site, directory, directory.with_name(f"{directory.name}-wal")


def _stamp(file: Path) -> tuple[int, int, int] | None:
    try:
        known = file.stat()
    except OSError:
        return None
    return known.st_mtime_ns, known.st_size, known.st_ino
