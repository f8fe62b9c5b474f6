"""What the bridge to a telephone exchange hears of the hub, and asks of it.

It has a user of NATS of its own: it hears what stations did once that is stored, asks for commands
about calls, and tells what the exchange says. Nothing else is open to it.
"""

import hashlib
import re
import secrets
from typing import Annotated, Any, Literal

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec import Meta, Raw, Struct

from diadema.wire.actions import ShortId
from diadema.wire.letters import LETTERS

WAYS = ("auto_answer", "nailed")  # how a seat's telephone is made to answer
USER = "switch"
INBOX = "_INBOX.switch"
FEED = "switch.events"  # subject of each Fed
CALL = "hub.call"  # asked with a command about a call, or about a telephone
STATE = "hub.switch"  # asked with a Report; answered by a Floor
QUEUE = "hub.queue"
DIAL = "switch.dial"  # the bridge is asked with a CallOut
LISTEN = "switch.listen"  # and with a Listen
BEAT_S = 2.0  # how often the bridge reports
LOST_S = 8.0  # without a report: there is no bridge
NAMED = 128  # characters of what the exchange calls something
# of a report
MOST = {"queues": 1000, "members": 6000, "phones": 3000, "troubles": 50, "listeners": 200}
REPORT_BYTES = 1 << 19  # the broker carries twice that

NUMBER = r"^[0-9*#]{1,20}$"  # what may be dialled at all
_NUMBER = re.compile(r"[0-9*#]{1,20}")
_NONCE_BYTES = 12

KINDS = (  # how the kinds of what it hears begin
    "session.", "presence.", "contact.", "wrapup.", "command.refused", "station.booted",
)  # fmt: skip


type Mode = Literal["silent", "whisper", "joined"]  # whom a listener speaks to
type Named = Annotated[str, Meta(max_length=NAMED)]
type Count = Annotated[int, Meta(ge=0, lt=2**53)]


class Fed(Struct, kw_only=True):
    """Events as they were stored, and their number, which grows by one: who misses one asks anew
    for everything.
    """

    number: int
    events: list[Raw]


class OpenContact(Struct, kw_only=True, rename=LETTERS, omit_defaults=True):
    """One that runs, or the last that did (`closed`). `heard`: area or caller in a consultation,
    both in a conference. `by`, `transfer`, `target`: how it ended. What nobody knows is None;
    `paused` is of its recording.
    """

    contact: str
    phase: str
    direction: str
    queue: str | None = None
    pbx: str | None = None
    heard: str | None = None
    area: str | None = None
    muted: bool | None = None
    paused: bool | None = None
    by: str | None = None
    transfer: str | None = None
    target: str | None = None


class SeatState(Struct, kw_only=True, rename=LETTERS, omit_defaults=True):
    """A station as the store has it. `since_utc`: of its session."""

    station: str
    agent: str | None = None
    presence: str = "logged_out"
    reason: str | None = None
    since_utc: int = 0
    up: bool = False
    open: list[OpenContact] = []


class Floor(Struct, kw_only=True):
    """`number` of the last Fed that is in it."""

    number: int
    seats: list[SeatState]


class QueueState(Struct, kw_only=True):
    name: Named
    mapped: bool
    waiting: Count = 0


class MemberState(Struct, kw_only=True):
    """`wanted`: as it should be, where it is otherwise; one that is lacking is `there`. `busy`:
    from an answer to the end of the wrap-up.
    """

    name: Named
    queue: Named
    agent: Named | None = None
    paused: bool = False
    reason: Named = ""
    busy: bool = False
    wanted: Literal["there", "gone", "paused", "ready"] | None = None


class PhoneState(Struct, kw_only=True):
    """`there`: whether it is registered; None: the exchange cannot say."""

    extension: Named
    station: Named
    there: bool | None = None


class CallOut(Struct, kw_only=True, forbid_unknown_fields=True):
    """A call that a program wants an agent to make. The number is `sealed`, so that the broker
    never has it; it goes no further than the bridge's memory, and from there to the exchange.
    """

    agent: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,24}\Z")]
    sealed: Annotated[str, Meta(max_length=128)]
    campaign: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.-]{1,24}\Z")] | None = None
    consent: Literal[0, 1] | None = None


class Listen(Struct, kw_only=True, forbid_unknown_fields=True):
    """The telephone of account `by` is to hear call `call`; without a mode it is to end."""

    listening: ShortId
    call: Named = ""
    by: Annotated[str, Meta(max_length=32)] = ""
    mode: Mode | None = None


class ListenerState(Struct, kw_only=True):
    """A telephone that hears a call, or rings for it (`since_utc_ms` None), or did a short while
    ago. `listening`: the hub's name for it; "" for one that was begun elsewhere. `call`: at a
    station; "" where that is not known.
    """

    spyer: Named
    listening: Named = ""
    call: Named = ""
    by: Named = ""
    since_utc_ms: Annotated[int, Meta(ge=0, lt=2**53)] | None = None
    until_utc_ms: Annotated[int, Meta(ge=0, lt=2**53)] | None = None


def seal(secret: str, number: str) -> str:
    """`secret`: the bridge's own password for the broker."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return (nonce + _cipher(secret).encrypt(nonce, number.encode(), DIAL.encode())).hex()


def unseal(secret: str, sealed: str) -> str | None:
    """None where it is not what `seal` made with that secret, or no number."""
    try:
        nonce, body = (raw := bytes.fromhex(sealed))[:_NONCE_BYTES], raw[_NONCE_BYTES:]
        number = _cipher(secret).decrypt(nonce, body, DIAL.encode()).decode()
    except (InvalidTag, ValueError):
        return None
    return number if _NUMBER.fullmatch(number) else None


def _cipher(secret: str) -> AESGCM:
    return AESGCM(hashlib.sha256(DIAL.encode() + secret.encode()).digest())


class Trouble(Struct, kw_only=True):
    """A fault that people should know of; `sentence` as `Sentence.parts` has it. `utc_ms`: the
    last of so many `times`; the first of them was at `first_utc_ms`.
    """

    utc_ms: Annotated[int, Meta(ge=0, lt=2**53)]
    sentence: list[Any]
    times: Count = 1
    first_utc_ms: Annotated[int, Meta(ge=0, lt=2**53)] = 0


class Report(Struct, kw_only=True):
    """The bridge as it is now. `up`: the exchange is there; `since_utc_ms`: when that was last
    otherwise; `why` it is not, as a sentence's parts.
    """

    name: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,32}\Z")]
    version: Named = ""
    up: bool = False
    since_utc_ms: Annotated[int, Meta(ge=0, lt=2**53)] = 0
    why: list[Any] = []
    utc_ms: Annotated[int, Meta(ge=0, lt=2**53)] = 0
    calls: Count = 0
    unsent: Count = 0  # events of its journal that the hub has not stored yet
    queues: Annotated[list[QueueState], Meta(max_length=MOST["queues"])] = []
    members: Annotated[list[MemberState], Meta(max_length=MOST["members"])] = []
    phones: Annotated[list[PhoneState], Meta(max_length=MOST["phones"])] = []
    troubles: Annotated[list[Trouble], Meta(max_length=MOST["troubles"])] = []
    listeners: Annotated[list[ListenerState], Meta(max_length=MOST["listeners"])] = []
