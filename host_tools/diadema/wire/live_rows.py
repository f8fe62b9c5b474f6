"""One agent's live row as ingest keeps it in the bucket `live`, and what the site says of itself.

Types are checked here, once; a value that does not fit is counted by the caller and never shown.
"""

import msgspec

from diadema.wire.agent_states import LOGGED_OUT
from diadema.wire.letters import LETTERS
from diadema.words import DEFAULT

DEFAULT_ZONE = "UTC"  # while there is no site
PRIVATE = "private"  # stands for every private reason in what is reported of a person
SILENT_S = 60  # after so long without a word of the switch nobody knows how its queues stand
THRESHOLD_S, SHORT_S = 20, 5  # of the service level, where no target and nobody says otherwise


class Row(msgspec.Struct, kw_only=True, rename=LETTERS):
    """`agent.<id>`: what is known of one agent now. Times are UTC milliseconds, `tmo` seconds. The
    defaults are for what a row does not say.
    """

    agent: str
    name: str = ""
    alias: str = ""
    team: str | None = None
    seat: str | None = None
    station: str | None = None
    state: str = LOGGED_OUT
    reason: str | None = None
    reason_label: str | None = None
    private: bool | None = None
    since: int | None = None
    utc_ms: int | None = None
    contact: str | None = None
    queue: str | None = None
    contacts: int = 0
    tmo: int | None = None
    link: str | None = None
    warn: str | None = None
    help: int | None = None  # waits for it since then; 0: nobody knows since when
    help_topic: str | None = None
    help_by: str | None = None  # who has accepted
    fault: int | None = None
    fault_by: str | None = None
    missed: int = 0
    in_a_row: int = 0  # missed since the last answered one
    in_a_row_utc: int | None = None  # the first of those
    handle_s: int = 0  # behind `tmo`: seconds of so many contacts
    handled: int = 0
    answered_utc: int | None = None  # of the running call
    unfit: str | None = None  # what keeps the desk from work: a part, or what the self-test found
    unfit_utc: int | None = None
    by: str | None = None  # who set the state: agent, system or supervisor

    @property
    def hides_reason(self) -> bool:
        """Whether the public may not know why: not ready, and nobody said that it is no secret."""
        return self.state == "not_ready" and self.private is not False

    def shown(self) -> "Row":
        """As whoever sees the floor may know it: a private reason has no name."""
        if not self.private:
            return self
        return msgspec.structs.replace(self, reason=PRIVATE, reason_label=None)


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """`meta`: the site's name, its time zone and the language of its screens."""

    site: str = ""
    zone: str = DEFAULT_ZONE
    language: str = DEFAULT
    generation: int = 0
    day: str | None = None


class Cut(msgspec.Struct, frozen=True):
    """Until when the rows are known: the clock, and how many events were taken in."""

    at: int
    position: int


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """Of `meta` what changes with every batch; `owing` are seats and when each was last heard."""

    cut: Cut | None = None
    owing: tuple[tuple[str, int | None], ...] = ()


class Waiting(msgspec.Struct, kw_only=True):
    """One queue, or all of them, in the running half-hour. `longest_since`: when who waits longest
    entered, UTC ms. `service_level` by variant, percent, within `threshold_s`, of all within that
    of each; `variant` is the one that its target is of.
    """

    waiting: int = 0
    longest_since: int | None = None
    received: int = 0
    answered: int = 0
    abandoned: int = 0
    service_level: dict[str, float | None] = {}
    threshold_s: int = THRESHOLD_S
    variant: str = "offered"


class Queues(msgspec.Struct, frozen=True, kw_only=True):
    """`queues`: what the switch's log tells of the running half-hour (its first UTC second).
    `heard`: when the follower spoke last, UTC ms.
    """

    half_hour: int
    short_s: int
    source: str
    heard: int
    queues: dict[str, Waiting] = {}
    total: Waiting = msgspec.field(default_factory=Waiting)


_row = msgspec.json.Decoder(Row)
_site = msgspec.json.Decoder(Site)
_head = msgspec.json.Decoder(Head)
_queues = msgspec.json.Decoder(Queues)


def decode_row(value: bytes) -> Row:
    """Raises msgspec.DecodeError for bytes that are no row."""
    return _row.decode(value)


def decode_site(value: bytes) -> Site:
    """Raises msgspec.DecodeError for bytes that are no site."""
    return _site.decode(value)


def decode_head(value: bytes) -> Head:
    """Raises msgspec.DecodeError for bytes that are no head."""
    return _head.decode(value)


def decode_queues(value: bytes) -> Queues:
    """Raises msgspec.DecodeError for bytes that are no queues."""
    return _queues.decode(value)
