"""What goes over the wire beside events: the greeting up; acknowledgements and commands down.

Commands are tagged by `cmd`. The host allocates `i`, so the structs hold what the asker gives.
"""

import re
from functools import reduce
from operator import or_
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from diadema.wire.actions import MESSAGE_CHARACTERS, FaultAnswer, HelpAnswer
from diadema.wire.events import (
    HOST_ID,
    STATION_ID,
    Count,
    Epoch,
    Sequence,
    Station,
    Utc,
)
from diadema.wire.letters import LETTERS

CALL_LIFE_MS = 10_000  # a command about a call that is answered later than this is worthless
SIMULATED = "DIA-0ed1ad"  # a locally administered address, which no chip comes with
CONFIG_PART = 480  # raw bytes of one block of a configuration

_WORD_BYTES = 64
_BYTES = {"text": 320, "by": 32, "who": 32, "note": 32}  # of those that have another bound
RING_QUEUE = 32  # characters of the queue that a call came by
_RING_BYTES = 184  # of the free texts of one call, which its event repeats

_STATION, _HOST = re.compile(STATION_ID), re.compile(HOST_ID)

type Contact = Annotated[str, Meta(min_length=1, max_length=48)]
type Name = Annotated[str, Meta(max_length=64)]
type Path = Annotated[str, Meta(max_length=200)]
type Queue = Annotated[str, Meta(min_length=1, max_length=RING_QUEUE)]
type Pbx = Annotated[str, Meta(min_length=1, max_length=48)]
type Code = Annotated[str, Meta(pattern="^[A-Za-z0-9_.-]{1,24}$")]
type Author = Annotated[str, Meta(min_length=1, max_length=32)]
type ShortNote = Annotated[str, Meta(min_length=1, max_length=32)]
type Reference = Annotated[str, Meta(min_length=16, max_length=32, pattern="^[0-9a-f]+$")]


def is_station(name: str) -> bool:
    """Whether `name` is a station's id, safe as a topic level and as a file name."""
    return _STATION.fullmatch(name) is not None


def is_simulated(name: str) -> bool:
    """Whether it is the id of a simulated station at a seat of a site."""
    return name.startswith(SIMULATED)


def is_host(name: str) -> bool:
    """Whether `name` is the id of somebody on the host side: the hub, the web or a switch."""
    return _HOST.fullmatch(name) is not None


class Hello(Struct, kw_only=True, rename=LETTERS):
    """A link's greeting, or its end (`up` false). `first` = `last` + 1: nothing on flash. In safe
    mode it is an end, for no journal speaks; `cause` says why no program runs, `build` which
    MicroPython does.
    """

    up: bool
    station: Station = ""
    epoch: Epoch = 0
    first: Sequence = 1
    last: Count = 0
    acked: Count = 0
    boot: Count = 0
    firmware: Name = ""
    board: Name = ""
    generation: Count = 0
    uptime_ms: Count | None = None  # when it was said; given back with the time
    gw: Name = ""  # the gateway that carries the cable, …
    port: Count = 0  # … which of its cables that is, and the path of it
    at: Path = ""
    gw_ca: Name = ""  # of one on another machine: mark of the broker's authorities in its file
    keyed: int | None = None  # whether it holds a key; None: a program that cannot prove it
    nonce: Name = ""  # of the hub's question, and the proof that answers it
    mac: Name = ""
    safe: bool = False
    cause: Name = ""
    micropython: Name = ""
    build: Name = ""


class Ack(Struct):
    """`{"ack":[e,n]}`: each event 1…n of epoch e is stored, dead-lettered or a recorded loss."""

    ack: tuple[Epoch, Count]


class Command(Struct, kw_only=True, tag_field="cmd", forbid_unknown_fields=True):
    """A command without its number. Its texts are such as a station takes."""

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if isinstance(value, str) and name != "data":
                _check_text(name, value, _BYTES.get(name, _WORD_BYTES))


def _check_text(name: str, value: str, limit: int) -> None:
    """Raises ValueError."""
    if any(character < " " for character in value):
        raise ValueError(f"{name} has a control character")
    if _size(value) > limit:
        raise ValueError(f"{name} is longer than {limit} bytes")


def _size(text: str) -> int:
    """Bytes in the event that answers, where a quote or a backslash takes two."""
    return len(text.encode()) + text.count('"') + text.count("\\")


class Ring(Command, tag="ring", kw_only=True):
    """`parent`: the contact that it was transferred from; `reference`: a keyed hash of the caller,
    never a number.
    """

    contact: Contact
    direction: Literal["in", "out"] = "in"
    queue: Queue | None = None
    pbx: Pbx | None = None
    campaign: Code | None = None
    parent: Contact | None = None
    reference: Reference | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        texts = (self.contact, self.queue, self.pbx, self.parent)
        if sum(_size(text) for text in texts if text is not None) > _RING_BYTES:
            raise ValueError(f"contact, queue, pbx and parent are over {_RING_BYTES} bytes")


class Withdraw(Command, tag="withdraw", kw_only=True):
    contact: Contact
    cause: Literal["no_answer", "caller_gave_up", "withdrawn", "rejected", "technical"]


class Answer(Command, tag="answer", kw_only=True):
    contact: Contact


class Hold(Command, tag="hold", kw_only=True):
    contact: Contact


class Resume(Command, tag="resume", kw_only=True):
    contact: Contact


class Hangup(Command, tag="hangup", kw_only=True):
    """`result`: what became of a call that was being dialled."""

    contact: Contact
    by: Literal["agent", "caller", "system"]
    result: Literal["busy", "no_answer", "failed"] | None = None


class Failed(Command, tag="failed", kw_only=True):
    """The agent took the call, or dialled, and their telephone was not there: no conversation."""

    contact: Contact


class Dial(Command, tag="dial", kw_only=True):
    """An outbound call; the station's guard may answer that its campaign forbids it now.
    `reference`: a keyed hash of who is called, never a number.
    """

    contact: Contact
    campaign: Code | None = None
    queue: Queue | None = None
    pbx: Pbx | None = None
    consent: Literal[0, 1] | None = None
    reference: Reference | None = None


class Consult(Command, tag="consult", kw_only=True):
    contact: Contact
    area: Code


class ConsultEnd(Command, tag="consult_end", kw_only=True):
    contact: Contact
    result: Literal["back", "dropped", "failed"]


class Transfer(Command, tag="transfer", kw_only=True):
    """`target`: the code of an area."""

    contact: Contact
    target: Code
    kind: Literal["blind", "consulted", "conference"]
    completed: Literal[0, 1] = 1


class Recording(Command, tag="recording", kw_only=True):
    contact: Contact
    state: Literal["paused", "resumed"]


class Listened(Command, tag="listened", kw_only=True):
    """Somebody hears the call, or hears it no more; the station tells its agent before it answers.
    `who`: by whose name, or `quality`, which the station says in its agent's language.
    """

    contact: Contact
    state: Literal["on", "off"]
    who: Author


class SetPresence(Command, tag="presence", kw_only=True):
    """From the supervisor's side an agent can be set not ready, nothing else. `agent`: nobody
    else; `who` did it, and why: `note`.
    """

    to: Literal["not_ready"]
    reason: Annotated[str, Meta(min_length=1, max_length=24)]
    who: Author | None = None
    note: ShortNote | None = None
    agent: Code | None = None


class Telephone(Command, tag="telephone", kw_only=True):
    """How the switch is for a seat: `no_phone`, its telephone is not registered; `no_switch`,
    nobody speaks with the switch.
    """

    state: Literal["ok", "no_phone", "no_switch"]


class Session(Command, tag="session", kw_only=True):
    """What the host says of a session: that it holds, or that it ends and why. `who` and `note`:
    of a supervisor's word.
    """

    agent: Code
    verdict: Literal["confirm", "close"]
    reason: Code | None = None
    who: Author | None = None
    note: ShortNote | None = None


class EndWrapup(Command, tag="wrapup", kw_only=True):
    """A supervisor ends the wrap-up of that contact; its code can still be given."""

    contact: Contact
    who: Author | None = None


class Help(Command, tag="help", kw_only=True):
    """`of`: the `n` of the station's own help.requested."""

    of: Sequence
    state: HelpAnswer
    by: Author
    result: Code | None = None


class Fault(Command, tag="fault", kw_only=True):
    """`of`: the `n` of the station's own fault.reported."""

    of: Sequence
    state: FaultAnswer
    by: Author
    cause: Code | None = None


class ShowText(Command, tag="text", kw_only=True):
    """`sign` makes it an acuse, signed with the agent's badge; `agent`: for nobody else."""

    m: Annotated[str, Meta(min_length=1, max_length=32)]
    text: Annotated[str, Meta(min_length=1, max_length=MESSAGE_CHARACTERS)]
    sign: Literal[0, 1] | None = None
    agent: Code | None = None


class Selftest(Command, tag="selftest", kw_only=True):
    """Of the shift, or the technician's on the bench, which nobody is logged in for; `by`: in
    whose name it is recorded. `skip`: a supervisor leaves out the one that `agent` is asked for.
    """

    bench: Literal[1] | None = None
    by: Author | None = None
    skip: Literal[1] | None = None
    agent: Code | None = None


class Time(Command, tag="time", kw_only=True):
    utc: Utc
    hello_u: Count | None = None  # of the hello that this answers at once


class Config(Command, tag="config", kw_only=True):
    """One block: at most 480 bytes of the configuration in base64; the hash is of all of it."""

    generation: Count
    part: Sequence
    parts: Sequence
    data: str
    sha256: Annotated[str, Meta(min_length=64, max_length=64)]


class Update(Command, tag="update", kw_only=True):
    """One block of a bundle, as of a configuration. All blocks have one number; the station says
    by `station.update` which part it waits for.
    """

    sha256: Annotated[str, Meta(min_length=64, max_length=64)]
    part: Sequence
    parts: Sequence
    data: str


class Marks(Struct, kw_only=True, tag_field="cmd", tag="marks", forbid_unknown_fields=True):
    """Who has marked anywhere in the site. State: it has no number, no answer, and is not kept."""

    marks: list[tuple[str, Literal["in", "out"], Utc]]
    i: Literal[0] = 0


class Turn(Struct, kw_only=True, tag_field="cmd", tag="turn", forbid_unknown_fields=True):
    """How far a request for help is that waits, `of` the `n` of the station's own help.requested:
    how many are before it; `to`: who was asked to come. State, as `Marks` are.
    """

    of: Sequence
    ahead: Annotated[int, Meta(ge=0, le=99)]
    to: Author | None = None
    i: Literal[0] = 0

    def __post_init__(self) -> None:
        if self.to is not None:
            _check_text("to", self.to, _BYTES["by"])


CALLS = (
    Ring,
    Withdraw,
    Answer,
    Hold,
    Resume,
    Hangup,
    Failed,
    Dial,
    Consult,
    ConsultEnd,
    Transfer,
    Recording,
)
ON_REQUEST = (
    *CALLS,
    Telephone,
    SetPresence,
    Session,
    EndWrapup,
    Help,
    Fault,
    ShowText,
    Selftest,
)  # what the host side may ask for; the rest is the hub's own
NUMBERED = (*ON_REQUEST, Listened, Time, Config, Update)
COMMANDS = (*NUMBERED, Marks, Turn)
ANY_ON_REQUEST: Any = reduce(or_, ON_REQUEST)
