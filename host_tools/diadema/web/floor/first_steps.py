"""What whoever sets a centre up does first, one after the other, and what of it is done: until all
of it is.
"""

from contextlib import suppress

from msgspec import Struct

from diadema.base.errors import DiademaError
from diadema.base.paths import DataDir
from diadema.site.context import site_of
from diadema.site.directory.book import Directory
from diadema.site.directory.kinds import Body
from diadema.site.directory.people import People
from diadema.store import open_reader
from diadema.wire.live_rows import Site
from diadema.words import DEFAULT

_PEOPLE = "/ui/people"
_WAYS = {  # in their order: where each is done
    "settings": f"{_PEOPLE}?kind=settings",
    "teams": f"{_PEOPLE}?kind=teams",
    "agents": f"{_PEOPLE}?kind=agents",
    "seats": f"{_PEOPLE}?kind=seats",
    "publish": f"{_PEOPLE}?kind=settings&publish=1",
    "station": "/flasher",
}


class Step(Struct, frozen=True, kw_only=True):
    """`is_next`: the first that is not done."""

    name: str
    path: str
    done: bool
    is_next: bool


class FirstSteps:
    def __init__(self, data: DataDir) -> None:
        self._data = data
        self._all_done = False

    def now(self, people: People) -> list[Step]:
        """All of them; none once all are done, which is not looked at again. Raises
        DiademaError.
        """
        if self._all_done:
            return []
        done = self._done(people)
        self._all_done = all(done.values())
        first = next((name for name in _WAYS if not done[name]), None)
        return (
            []
            if self._all_done
            else [
                Step(name=name, path=path, done=done[name], is_next=name == first)
                for name, path in _WAYS.items()
            ]
        )

    def _done(self, people: People) -> dict[str, bool]:
        site = None
        with suppress(DiademaError):  # one that cannot be read is not in force
            site = site_of(self._data)
        return {
            "settings": site is not None or settings_of(self._data) is not None,
            "teams": bool(people.teams),
            "agents": any(one.active for one in people.workers.values()),
            "seats": bool(people.seats),
            "publish": site is not None and bool(site.agents and site.stations),
            "station": self._is_heard(people),
        }

    def _is_heard(self, people: People) -> bool:
        if not (people.seats and self._data.store.exists()):
            return False
        with suppress(DiademaError), open_reader(self._data.store) as reader:
            return not people.seats.keys().isdisjoint(reader.stations())
        return False


def described(data: DataDir) -> Site | None:
    """As the site in force says, or while there is none the directory: so hours are in its zone
    before the hub says so too.
    """
    try:
        site, body = site_of(data), settings_of(data)
    except (DiademaError, OSError):  # which the pages say of what they read
        return None
    if site is not None:
        return Site(site=site.site, zone=site.zone, language=site.language)
    if body is None:
        return None
    return Site(
        site=str(body["site"]),
        zone=str(body["zone"]),
        language=str(body.get("language") or DEFAULT),
    )


def settings_of(data: DataDir) -> Body | None:
    """What the directory says of the centre itself; None while nobody has entered it."""
    if not data.directory.exists():
        return None
    with Directory(data.directory) as book:
        entries = book.entries("settings")
    return next((one.body for one in entries if one.body is not None), None)
