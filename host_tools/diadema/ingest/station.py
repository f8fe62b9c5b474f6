"""One station in the memory of the ingest: how far each of its journals is in, and its link."""

from msgspec import Struct, field, msgpack

from diadema.commands import Hello
from diadema.ingest.state import StationState

PENDING_LIMIT = 1024  # events kept beyond a gap; a station has 32 on the way
_BEHIND = 32  # more than one window still to come: what is shown is old
_pack = msgpack.Encoder().encode


class Journal(Struct):
    """One epoch. 1…position is in; `pending` holds what came beyond a gap (None: dead letter)."""

    e: int
    position: int = 0
    pending: dict[int, bytes | None] = field(default_factory=dict)


class Greeting(Hello, kw_only=True):
    """A station's last hello, and which of its links are up now, whatever the hello says."""

    links: tuple[str, ...] = ()


class Station(Struct):
    s: str
    state: StationState = field(default_factory=StationState)
    hello: Greeting = field(default_factory=lambda: Greeting(up=False))
    journal: Journal = field(default_factory=lambda: Journal(-1))  # the one last used
    journals: dict[int, Journal] = field(default_factory=dict)
    next_i: int = 1
    unconfirmed: bool = False  # the broker went away; no greeting since
    returned: set[int] = field(default_factory=set)  # journals that were left, and spoke again

    def journal_of(self, e: int) -> Journal:
        """Make `e` the current journal; a new one begins before its first event."""
        if self.journal.e != e:
            self.journal = self.journals.setdefault(e, Journal(e))
        return self.journal

    def set_link(self, link: str, up: bool) -> None:
        """The station is lost only when neither the cable nor Wi-Fi is up."""
        links = {*self.hello.links} - {link} | ({link} if up else set())
        self.hello.links = tuple(sorted(links))
        self.hello.up = bool(links)
        self.unconfirmed = False

    @property
    def link(self) -> str:
        """up, late (what is shown is old), or lost."""
        if not self.hello.up:
            return "lost"
        behind = self.hello.last - self.position > _BEHIND
        return "late" if self.unconfirmed or behind else "up"

    @property
    def position(self) -> int:
        """How far the journal that its hello named is in."""
        journal = self.journals.get(self.hello.e)
        return journal.position if journal else 0


def saved(station: Station) -> tuple[str, bytes, bytes, int]:
    """The station's row of the store."""
    return (station.s, _pack(station.state), _pack(station.hello), station.next_i)
