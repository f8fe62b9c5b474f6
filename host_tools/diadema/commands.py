"""What goes over the wire beside events: the greeting up; acknowledgements and commands down.

Commands are tagged by `cmd`. The host allocates `i`, so the structs hold what the asker gives.
"""

import re
from functools import reduce
from operator import or_
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from diadema.events import STATION_ID, Count, Epoch, Sequence, Station, Utc

CALL_LIFE_MS = 10_000  # a command about a call that is answered later than this is worthless
CONFIG_PART = 480  # raw bytes of one block of a configuration

_WORD_BYTES = 64
_TEXT_BYTES = 320

_STATION = re.compile(STATION_ID)

type Contact = Annotated[str, Meta(min_length=1, max_length=48)]
type Name = Annotated[str, Meta(max_length=64)]


def is_station(name: str) -> bool:
    """Whether `name` is a station id, safe as a topic level and as a file name."""
    return _STATION.match(name) is not None and "\n" not in name


class Hello(Struct, kw_only=True):
    """A link's greeting, or its end (`up` false). `first` = `last` + 1: nothing on flash."""

    up: bool
    s: Station = ""
    e: Epoch = 0
    first: Sequence = 1
    last: Count = 0
    acked: Count = 0
    b: Count = 0
    firmware: Name = ""
    board: Name = ""
    generation: Count = 0
    u: Count | None = None  # when it was said; given back with the time
    gw: Name = ""  # the gateway that carries the cable; it adds its own name


class Ack(Struct):
    """`{"ack":[e,n]}`: each event 1…n of epoch e is stored, dead-lettered or a recorded loss."""

    ack: tuple[Epoch, Count]


class Command(Struct, kw_only=True, tag_field="cmd", forbid_unknown_fields=True):
    """A command without its number. Its texts are such as a station takes."""

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if isinstance(value, str) and name != "data":
                _check_text(name, value, _TEXT_BYTES if name == "text" else _WORD_BYTES)


def _check_text(name: str, value: str, limit: int) -> None:
    """Raises ValueError. A quote or a backslash takes two bytes in the event that answers."""
    if any(character < " " for character in value):
        raise ValueError(f"{name} has a control character")
    if len(value.encode()) + value.count('"') + value.count("\\") > limit:
        raise ValueError(f"{name} is longer than {limit} bytes")


class Ring(Command, tag="ring", kw_only=True):
    contact: Contact
    direction: Literal["in", "out"] = "in"
    queue: Annotated[str, Meta(min_length=1, max_length=32)] | None = None
    pbx: Annotated[str, Meta(min_length=1, max_length=48)] | None = None


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
    contact: Contact
    by: Literal["agent", "caller", "system"]


class SetPresence(Command, tag="presence", kw_only=True):
    """From the supervisor's side an agent can be set not ready, nothing else."""

    to: Literal["not_ready"]
    reason: Annotated[str, Meta(min_length=1, max_length=24)]


class ShowText(Command, tag="text", kw_only=True):
    m: Annotated[str, Meta(min_length=1, max_length=32)]
    text: Annotated[str, Meta(min_length=1, max_length=84)]


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


CALLS = (Ring, Withdraw, Answer, Hold, Resume, Hangup)
ASKED = (
    *CALLS,
    SetPresence,
    ShowText,
)  # what the host side may ask for; the rest is the hub's own
COMMANDS = (*ASKED, Time, Config)
ANY_ASKED: Any = reduce(or_, ASKED)
