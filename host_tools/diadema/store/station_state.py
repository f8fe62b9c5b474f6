"""What the ingest knows of one station between two events; saved with each batch.

One station in the memory of the ingest: how far each of its journals is in, and its link.

Where a station's boots lie in UTC: its anchors, its crystal's drift, and how far an hour may be
off. Nobody's `t` is changed here; this is about where the host places what was measured by (b, u).

Before a drift is measured a crystal is held to be within ±50 ppm: Espressif's hardware design
guidelines ask for one within ±10 ppm, and IEEE 802.11 lets no 2.4 GHz radio be off by more than
±25 ppm; twice that leaves room for age and heat.
"""

from collections.abc import Callable, Iterable

from msgspec import Struct, field, msgpack

from diadema.store.rows import Contact, Press, QueueCall, Session, Ticket, Trail
from diadema.wire.agent_states import RANK
from diadema.wire.commands import Hello
from diadema.wire.letters import LETTERS

ASSUMED_PPB = 50_000
WANDER_PPB = 1_000  # what a measured drift may have changed by from one boot to the next
UNTOLD_MS = 250  # of an hour that only an event's `t` tells, as its anchor is lost
STEP_MS = 1_000  # beyond all doubt by more than this: a clock was set, not a crystal slow
BOOTS_LIMIT = 512  # that wait for an hour


class BootClock(Struct, kw_only=True, omit_defaults=True, rename=LETTERS):
    """One boot's clock: the newest anchor (`u`, `utc`), and the oldest one (`from_…`) that no jump
    divides from it, against which drift is measured. `source` is host, sntp, event (the `t` of
    one), between (see `between`), or empty: no time is known.
    """

    source: str = ""
    uptime_ms: int = 0
    utc: int = 0
    uncertainty_ms: int = 0
    from_u: int = 0
    from_utc: int = 0
    from_uncertainty_ms: int = 0
    drift_ppb: int = 0  # UTC milliseconds gained in 10⁹ of the station's
    drift_error_ppb: int = ASSUMED_PPB
    jumps: int = 0  # of this station so far

    def utc_at(self, u: int) -> int:
        return (
            self.utc
            + (u - self.uptime_ms)
            + (u - self.uptime_ms) * self.drift_ppb // 1_000_000_000
        )

    def uncertainty_at(self, u: int) -> int:
        """How far `utc_at(u)` may be off; it grows with the distance from the anchor."""
        aged = abs(u - self.uptime_ms) * self.drift_error_ppb
        return self.uncertainty_ms + -(-aged // 1_000_000_000)

    def next_boot(self) -> "BootClock":
        """Nothing is known of another boot but its crystal."""
        error = min(ASSUMED_PPB, self.drift_error_ppb + WANDER_PPB)
        return BootClock(drift_ppb=self.drift_ppb, drift_error_ppb=error, jumps=self.jumps)

    def anchor(self, u: int, utc: int, source: str, uncertainty_ms: int) -> int | None:
        """Take a newer anchor. Milliseconds by which a clock was set since the last one, or None
        when they agree."""
        jump = None
        if self.source:
            off = utc - self.utc_at(u)
            if abs(off) > self.uncertainty_at(u) + uncertainty_ms + STEP_MS:
                jump = off
                self.jumps += 1
        if not self.source or jump is not None:
            self.from_u, self.from_utc, self.from_uncertainty_ms = u, utc, uncertainty_ms
        self.source, self.uptime_ms, self.utc, self.uncertainty_ms = source, u, utc, uncertainty_ms
        self._measure()
        return jump

    def _measure(self) -> None:
        """Drift from the oldest to the newest anchor, if that tells more than was known."""
        span = self.uptime_ms - self.from_u
        if span <= 0:
            return
        doubt = self.from_uncertainty_ms + self.uncertainty_ms
        error = -(-doubt * 1_000_000_000 // span)
        drift = (self.utc - self.from_utc - span) * 1_000_000_000 // span
        if error < self.drift_error_ppb and abs(drift) <= ASSUMED_PPB:
            self.drift_ppb, self.drift_error_ppb = drift, error


class Adrift(Struct, array_like=True, rename=LETTERS):
    """A boot that ended without an hour, `ms` after it began."""

    epoch: int
    boot: int
    ms: int


def between(
    boots: list[Adrift], after_utc: int, before_utc: int, uncertainty_ms: int
) -> list[BootClock]:
    """Clocks for boots, in their order, that lie between two times, known to `uncertainty_ms`.

    What they measured and their order stand; the rest of the interval may be before, between or
    after them. Each is put in the middle of where it can be, and may be off by half of the rest.
    When there is no room, as an hour was wrong, they end at the later one.
    """
    rest = before_utc - after_utc - sum(boot.ms for boot in boots)
    start = after_utc + rest // 2 if rest >= 0 else after_utc + rest
    error_ms = uncertainty_ms + ((rest + 1) // 2 if rest >= 0 else -rest)
    clocks = []
    for boot in boots:
        clocks.append(BootClock(source="between", utc=start, uncertainty_ms=error_ms))
        start += boot.ms
    return clocks


def summary(clocks: Iterable[BootClock], now_ms: int) -> dict[str, int | None]:
    """The stations' clocks in numbers; `worst_ms` is the largest uncertainty now."""
    known = unknown = jumps = 0
    worst: int | None = None
    for clock in clocks:
        jumps += clock.jumps
        if not clock.source:
            unknown += 1
            continue
        known += 1
        worst = max(worst or 0, now_uncertainty(clock, now_ms))
    return {"known": known, "unknown": unknown, "worst_ms": worst, "jumps": jumps}


def now_uncertainty(clock: BootClock, now_ms: int) -> int:
    """By the hub's clock, since the station's own is not at hand."""
    return clock.uncertainty_at(clock.uptime_ms + max(now_ms - clock.utc, 0))


def clock_fields(clock: BootClock, now_ms: int) -> dict[str, str | int | float | None]:
    """What a person asks of one station's clock; ppm null while the drift is only assumed."""
    measured = clock.drift_error_ppb < ASSUMED_PPB
    known = bool(clock.source)
    return {
        "source": clock.source or None,
        "anchored_utc": clock.utc if known else None,
        "offset_ms": clock.utc - clock.uptime_ms if known else None,
        "uncertainty_ms": now_uncertainty(clock, now_ms) if known else None,
        "drift_ppm": clock.drift_ppb / 1000 if measured else None,
        "drift_error_ppm": clock.drift_error_ppb / 1000,
        "jumps": clock.jumps,
    }


class StationState(
    Struct,
    kw_only=True,
    omit_defaults=True,
    rename=LETTERS | {"untimed": "hourless", "presses": "tickets", "tickets": "problems"},
):
    """Projection so far. `u` is the newest event's; `offset` + u = UTC in the current boot `b`,
    but for the drift, which its `clock` knows. Older layouts called presses tickets."""

    epoch: int = 0
    boot: int = 0
    uptime_ms: int = 0
    offset: int | None = None
    clock: BootClock = field(default_factory=BootClock)
    untimed: bool = False  # somebody did something in this boot, and it has no time yet
    adrift: list[Adrift] = []  # boots since `sure_utc` that ended without an hour
    sure_utc: int | None = None  # the last time before them
    sure_ms: int = 0  # how far it may be off
    newest_utc: int | None = None
    session: Session | None = None
    presence: str = "logged_out"
    reason: str | None = None
    by: str | None = None  # who set it: agent, system or supervisor, and whose name
    who: str | None = None
    trail: Trail | None = None  # the running one, of this boot
    open: list[Contact] = []  # the running contact, and at most one in wrap-up
    last: Contact | None = None  # the last one that was closed
    coded_late: list[Contact] = []  # closed before it without a code; one may come, and be changed
    presses: list[Press] = []  # the open ones, and some that were closed
    tickets: list[Ticket] = []  # of a hub: those that are not closed, and some that were
    calls: dict[str, QueueCall] = {}  # of a switch: those that are not over, by queue and call
    shown: str = "logged_out"
    shown_reason: str | None = None
    shown_b: int = 0
    shown_u: int = 0
    shown_utc: int | None = None
    wrong_pins: dict[str, tuple[int, int | None]] = {}  # by agent: in a row, and UTC of the last
    faults: dict[str, str] = {}
    fault_utc: int | None = None  # since when there is one
    fault_of: dict[
        str, tuple[int, int, int | None]
    ] = {}  # of each part: e, n and UTC of its event
    unfit: str | None = None  # what the last self-test found wrong
    unfit_utc: int | None = None
    unfit_of: tuple[int, int] | None = None  # e, n of it, where it was that of a shift
    firmware: str = ""
    board: str = ""
    micropython: str = ""
    build: str = ""  # of MicroPython, as it names itself
    psram: int | None = None  # bytes; of what never told it, nothing is known
    start: int | None = None  # number of its start files
    cause: str = ""  # of its last start
    generation: int = 0  # of the configuration that it says it has
    ca: str = ""  # mark of the broker's authorities that it says it holds
    amended: int = 0  # of a hub: corrections of attendance, and the chain of them
    amendments: str = ""
    answered_i: int = 0  # highest command number that it has executed
    older: list["StationState"] = []  # journals that a newer one took over from, as they stand

    @property
    def is_new(self) -> bool:
        """No event was worked into it yet."""
        return self.epoch == self.boot == self.uptime_ms == 0

    def leave(self, e: int) -> None:
        """Journal `e` takes over: what is still to come of this one goes on beside it."""
        others = [one for one in self.older if one.epoch not in (self.epoch, e)]
        if not self.is_new:
            left = self.copy()
            left.older, left.presses, left.calls = [], [], {}
            others.append(left)
        self.older = others[-OLDER:]

    def beside(self, e: int) -> "StationState":
        """Of a journal that another one took over from."""
        for one in self.older:
            if one.epoch == e:
                return one
        fresh = StationState(epoch=e)
        self.older = [*self.older, fresh][-OLDER:]
        return fresh

    def copy(self) -> "StationState":
        return msgpack.decode(_pack(self), type=StationState)


def foremost(contacts: list[Contact]) -> Contact:
    """The contact that decides what is shown; there must be one."""
    return min(contacts, key=lambda contact: RANK[contact.phase])


OLDER = 2  # journals of a station of which something may still come
JOURNALS = 8  # of a station that are held; the store knows the older ones
RECORDS = 1 << 16  # of a journal: 512 KiB of flash, and 8 bytes beside each
LIFE = 1 << 24  # numbers of a journal that one greeting may name, or be ahead of us
COMMANDS = 1 << 20  # that a store put back from a copy may not know of
PENDING_LIMIT = 1024  # events kept beyond a gap; a station has 32 on the way
_BEHIND = 32  # more than one window still to come: what is shown is old
_pack = msgpack.Encoder().encode


class Journal(Struct, rename=LETTERS):
    """One epoch. 1…position is in; `pending` holds what came beyond a gap (None: dead letter)."""

    epoch: int
    position: int = 0
    pending: dict[int, bytes | None] = field(default_factory=dict)


class Greeting(Hello, kw_only=True):
    """A station's last hello, and which of its links are up now, whatever the hello says.
    `proven`: what is on the cable showed that it has the key. `keeps`: its program keeps a key
    that a configuration does not repeat, as it said itself where it was believed.
    """

    links: tuple[str, ...] = ()
    proven: bool = False
    keeps: bool = False


class Station(Struct, rename=LETTERS):
    station: str
    state: StationState = field(default_factory=StationState)
    hello: Greeting = field(default_factory=lambda: Greeting(up=False))
    journal: Journal = field(default_factory=lambda: Journal(-1))  # the one last used
    journals: dict[int, Journal] = field(default_factory=dict)
    next_i: int = 1
    unconfirmed: bool = False  # the broker went away; no greeting since
    returned: set[int] = field(default_factory=set)  # journals that were left, and spoke again
    aside: bool = False  # it has more journals than are held

    def journal_of(self, e: int, load: Callable[[str, int], Journal] | None = None) -> Journal:
        """Make `e` the current journal; a new one begins before its first event. `load` knows
        those that were put aside.
        """
        if self.journal.epoch != e:
            found = self.journals.get(e)
            if found is None:
                found = load(self.station, e) if load and self.aside else Journal(e)
                self.journals[e] = found
            self.journal = found
        return self.journal

    def put_aside(self) -> None:
        """Hold the newest journals and those that are spoken of; the store has all of them."""
        stay = {self.hello.epoch, self.state.epoch, self.journal.epoch}
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
        journal = self.journals.get(self.hello.epoch)
        return journal.position if journal else 0


def saved(station: Station) -> tuple[str, bytes, bytes, int]:
    """The station's row of the store."""
    return (station.station, _pack(station.state), _pack(station.hello), station.next_i)
