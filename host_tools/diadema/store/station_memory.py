"""One station in the memory of the ingest: how far each of its journals is in, and its link."""

from collections.abc import Callable

from msgspec import Struct, field, msgpack

from diadema.store.station_state import StationState
from diadema.wire.commands import Hello

JOURNALS = 8  # of a station that are held; the store knows the older ones
RECORDS = 1 << 16  # of a journal: 512 KiB of flash, and 8 bytes beside each
LIFE = 1 << 24  # numbers of a journal that one greeting may name, or be ahead of us
COMMANDS = 1 << 20  # that a store put back from a copy may not know of
PENDING_LIMIT = 1024  # events kept beyond a gap; a station has 32 on the way
_BEHIND = 32  # more than one window still to come: what is shown is old
_pack = msgpack.Encoder().encode


class Journal(Struct):
    """One epoch. 1…position is in; `pending` holds what came beyond a gap (None: dead letter)."""

    e: int
    position: int = 0
    pending: dict[int, bytes | None] = field(default_factory=dict)


class Greeting(Hello, kw_only=True):
    """A station's last hello, and which of its links are up now, whatever the hello says.
    `proven`: who is on the cable showed that he has its key. `keeps`: its program keeps a key that
    a configuration does not repeat, as it said itself where it was believed.
    """

    links: tuple[str, ...] = ()
    proven: bool = False
    keeps: bool = False


class Station(Struct):
    s: str
    state: StationState = field(default_factory=StationState)
    hello: Greeting = field(default_factory=lambda: Greeting(up=False))
    journal: Journal = field(default_factory=lambda: Journal(-1))  # the one last used
    journals: dict[int, Journal] = field(default_factory=dict)
    next_i: int = 1
    unconfirmed: bool = False  # the broker went away; no greeting since
    returned: set[int] = field(default_factory=set)  # journals that were left, and spoke again
    aside: bool = False  # it has more journals than are held

    def journal_of(self, e: int, kept: Callable[[str, int], Journal] | None = None) -> Journal:
        """Make `e` the current journal; a new one begins before its first event. `kept` knows
        those that were put aside.
        """
        if self.journal.e != e:
            found = self.journals.get(e)
            if found is None:
                found = kept(self.s, e) if kept and self.aside else Journal(e)
                self.journals[e] = found
            self.journal = found
        return self.journal

    def put_aside(self) -> None:
        """Hold the newest journals and those that are spoken of; the store has all of them."""
        stay = {self.hello.e, self.state.e, self.journal.e}
        for e in [e for e in self.journals if e not in stay][: len(self.journals) - JOURNALS]:
            del self.journals[e]
            self.aside = True
        self.returned &= self.journals.keys()

    def set_link(self, link: str, up: bool) -> None:
        """The station is lost only when neither the cable nor Wi-Fi is up."""
        links = {*self.hello.links} - {link} | ({link} if up else set())
        self.hello.links = tuple(sorted(links))
        self.hello.up = bool(links)
        self.hello.proven = self.hello.proven and "usb" in links
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
