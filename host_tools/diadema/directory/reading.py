"""People and places as they are on one day, for whoever reads figures."""

from datetime import date

from diadema import site
from diadema.directory.people import People, of_site
from diadema.paths import DataDir


def people(data: DataDir, first: date | None = None, last: date | None = None) -> People:
    """As of `last` (today by default), with the roster of [first, last]."""
    return of_site(site.load(data.site) if data.site.exists() else None)
