"""What the bridge asks of a telephone exchange, and what it hears of it: one file an exchange.

An exchange speaks its own names (a member, a queue, an extension, a number); the bridge knows
which agent, queue, seat and area of the site they are. No caller's number passes here: whoever
makes a `Heard` puts the keyed reference in its place.
"""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from diadema.base.errors import DiademaError
from diadema.base.sanitize import visible
from diadema.wire.events import Event
from diadema.wire.switching import WAYS, Mode
from diadema.words import Sentence

_REASON = 200  # characters
MOST = 10_000  # of anything that an exchange tells and we remember


def remember[K, V](known: dict[K, V], key: K, value: V, most: int = MOST) -> None:
    """In place of what was heard first, where there is too much of it."""
    if key not in known and len(known) >= most:
        del known[next(iter(known))]
    known[key] = value


class SwitchError(DiademaError):
    """The exchange cannot be reached, or is none that we know."""


class SwitchRefused(SwitchError):
    """It answered, and did not do it. `reason` is its own text, or how that begins; `say`: what to
    do, where we know more than that.
    """

    def __init__(
        self, action: str, reason: str, status: int = 0, say: Sentence | None = None
    ) -> None:
        reason = visible(reason[:_REASON])
        super().__init__(say or Sentence("errors.switch.refused", action=action, reason=reason))
        self.reason, self.status = reason, status


class SwitchDistrusted(SwitchError):
    """Whoever is there has another certificate than the exchange should have."""


@dataclass(frozen=True)
class Phone:
    """A seat's telephone: `PJSIP/101`, or what the exchange calls it; `way` is one of WAYS."""

    extension: str
    way: str = WAYS[0]


@dataclass(frozen=True)
class Member:
    """An agent in a queue, as it should be there or as it is. `reason` is of the pause."""

    name: str
    queue: str
    paused: bool = False
    reason: str = ""
    penalty: int = 0


@dataclass
class Listener:
    """Whoever hears a call, or whose telephone rings for it (`since_ms` None). `spyer`: what the
    exchange calls that, new each time; `listening`: our name for it, "" for what was begun
    elsewhere; `call`: of ours, else ""; `by`: the telephone.
    """

    spyer: str
    listening: str
    call: str
    linked: str
    by: str
    since_ms: int | None = None
    until_ms: int | None = None


type Side = Literal["caller", "area", "both", "nobody"]


@dataclass(frozen=True)
class Standing:
    """How a call of ours is there. `hears`: whom its agent does; `area`: one is consulted."""

    ringing: bool = False
    hears: Side = "caller"
    area: bool = False


@dataclass
class Caller:
    """Of one queue. `ringing`: members, and since when; `""` where that is not known. `left_ms`:
    out of the queue, to its agent or by a key while it rang. `tried`: offers that are over. Told
    before its time: that it entered (`early`), and of which offer how it ends (`ends`). `gone`:
    it hung up.
    """

    pbx: str
    queue: str
    entered_ms: int
    ringing: dict[str, int] = field(default_factory=dict)
    left_ms: int | None = None
    answered_ms: int | None = None
    member: str | None = None
    tried: deque[str] = field(default_factory=lambda: deque(maxlen=16))
    early: bool = False
    ends: tuple[str, str] | None = None
    gone: bool = False


@dataclass(frozen=True)
class Known:
    """What a bridge that ended left of the exchange: its callers, which calls were recorded
    (Uniqueid → Linkedid), and the start of the exchange that it was, in its own words.
    """

    callers: tuple[Caller, ...] = ()
    recorded: Mapping[str, str] = field(default_factory=dict)
    start: str = ""


# -- up


@dataclass(frozen=True)
class Offered:
    """A call rings at an agent. `call` is new at each offer; `pbx` is the caller's leg, by which
    the exchange's own log knows it; `linked` outlives transfers.
    """

    call: str
    pbx: str
    linked: str
    queue: str
    member: str
    reference: str | None = None


@dataclass(frozen=True)
class Dialed:
    """The far end of a call that `dial` began: it answered, or did not take it."""

    call: str
    result: Literal["answered", "busy", "no_answer", "failed"]


@dataclass(frozen=True)
class Withdrawn:
    """It was offered, and is not any more."""

    call: str
    cause: Literal["caller_gave_up", "withdrawn", "no_answer", "technical"]


@dataclass(frozen=True)
class Joined:
    """Agent and caller hear each other: the telephone answered."""

    call: str


@dataclass(frozen=True)
class PhoneFailed:
    """The key was pressed, and the telephone did not answer. The caller waits on, first."""

    call: str


@dataclass(frozen=True)
class Consulted:
    """The other end of a consultation: it answered, hung up, or could not be had."""

    call: str
    result: Literal["answered", "dropped", "failed"]


@dataclass(frozen=True)
class Ended:
    call: str
    by: Literal["agent", "caller", "system", "transfer"]


@dataclass(frozen=True)
class MemberSeen:
    """A member as it is now; `there` false: taken out. Told of each change, whoever made it."""

    member: Member
    there: bool = True


@dataclass(frozen=True)
class MemberElsewhere:
    """A queue calls that member by an interface that is none of ours, past its station."""

    name: str
    queue: str
    interface: str


@dataclass(frozen=True)
class PhoneSeen:
    """Whether a telephone is registered; None: the exchange cannot say."""

    extension: str
    there: bool | None


@dataclass(frozen=True)
class SwitchEvent:
    """What goes into the store as it is, but for identity: of a queue, a recording. It has no
    sequence yet.
    """

    event: Event


@dataclass(frozen=True)
class Listening:
    """Somebody listens in, by us (`ours`) or by hand; kept in the journal of the bridge. Not
    begun: it is over, or the listener's telephone was not lifted.
    """

    linked: str
    by: str
    begun: bool
    utc_ms: int
    ours: bool = False


@dataclass(frozen=True)
class Up:
    """The exchange is there, its present members and telephones have been told, and `calls` are
    those of ours that it still has. `start` of it, which is another one after each restart.
    """

    calls: frozenset[str]
    start: str = ""


@dataclass(frozen=True)
class Down:
    error: DiademaError


type Heard = (
    Offered | Dialed | Withdrawn | Joined | PhoneFailed | Consulted | Ended
    | MemberSeen | MemberElsewhere | PhoneSeen | SwitchEvent | Listening | Up | Down
)  # fmt: skip
type Hear = Callable[[Heard], None]


class Exchange(Protocol):
    """`run` until cancelled; what is heard goes to the `Hear` that it was made with, in order.

    Each verb raises SwitchRefused where the exchange does not do it, SwitchError where it is away.
    `call` is that of `Offered`, or the one given to `dial`.
    """

    @property
    def version(self) -> str: ...
    async def run(self) -> None: ...
    async def take_calls(self, on: bool) -> None:
        """Whether calls are to come to us. Without us the exchange rings telephones by itself."""

    def standing(self, call: str) -> Standing | None:
        """None for a call that it has not, or that is none of ours any more."""

    async def answer(self, call: str, phone: Phone) -> None: ...
    async def hold(self, call: str) -> None: ...
    async def resume(self, call: str) -> None: ...
    async def hang_up(self, call: str) -> None: ...
    async def reject(self, call: str) -> None:
        """An offer that the agent did not take: the queue goes on to the next."""

    async def consult(self, call: str, number: str) -> None: ...
    async def swap(self, call: str) -> None: ...
    async def confer(self, call: str) -> None: ...
    async def hand_over(self, call: str) -> None: ...
    async def drop(self, call: str) -> None:
        """The consultation ends; a caller who waits waits on."""

    async def transfer(self, call: str, number: str) -> None: ...
    async def mute(self, call: str, on: bool) -> None: ...
    async def record(self, call: str, on: bool) -> None: ...
    async def dial(self, call: str, phone: Phone, number: str) -> None:
        """That telephone is called, and then the number, which is looked at before."""

    async def set_member(self, member: Member, there: bool) -> None: ...
    async def set_busy(self, name: str, busy: bool) -> None:
        """From an answer to the end of the wrap-up no queue offers that member a call."""

    async def set_phone(self, name: str, phone: Phone | None) -> None:
        """Which telephone the exchange rings for that member while we are not there."""

    async def listen(self, listening: str, call: str, extension: str, mode: Mode) -> None:
        """That telephone rings; once it is lifted it hears a caller, and what that one hears."""

    async def end_listening(self, listening: str) -> None:
        """One that is over is no error."""

    def listeners(self) -> list[Listener]:
        """Also those that ended a short while ago."""
