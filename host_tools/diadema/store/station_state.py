"""What the ingest knows of one station between two events; saved with each batch."""

from msgspec import Struct, field

from diadema.store.rows import Contact, QueueCall, Session, Ticket, Trail
from diadema.store.station_timeline import Adrift, BootClock


class StationState(Struct, kw_only=True, omit_defaults=True):
    """Projection so far. `u` is the newest event's; `offset` + u = UTC in the current boot `b`,
    but for the drift, which its `clock` knows."""

    e: int = 0
    b: int = 0
    u: int = 0
    offset: int | None = None
    clock: BootClock = field(default_factory=BootClock)
    hourless: bool = False  # somebody did something in this boot, and it has no hour yet
    adrift: list[Adrift] = []  # boots since `sure_utc` that ended without an hour
    sure_utc: int | None = None  # the last hour before them
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
    tickets: list[Ticket] = []  # the open ones, and some that were closed
    calls: dict[str, QueueCall] = {}  # of a switch: those that are not over, by queue and call
    shown: str = "logged_out"
    shown_reason: str | None = None
    shown_b: int = 0
    shown_u: int = 0
    shown_utc: int | None = None
    wrong_pins: dict[str, tuple[int, int | None]] = {}  # by agent: in a row, and UTC of the last
    faults: dict[str, str] = {}
    fault_utc: int | None = None  # since when there is one
    unfit: str | None = None  # what the last self-test found wrong
    unfit_utc: int | None = None
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

    @property
    def is_new(self) -> bool:
        """No event was worked into it yet."""
        return self.e == self.b == self.u == 0


_RANK = {  # design §3: which of several things at once is the state of a second
    phase: rank
    for rank, phase in enumerate(("talking", "held", "consulting", "dialing", "wrapup", "offered"))
}


def foremost(contacts: list[Contact]) -> Contact:
    """The contact that decides what is shown; there must be one."""
    return min(contacts, key=lambda contact: _RANK[contact.phase])
