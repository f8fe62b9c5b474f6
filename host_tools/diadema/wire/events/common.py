"""What every event has: its identity and times, the types of its fields, and their bounds."""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from diadema.wire.letters import LETTERS

EVENT_LIMIT = 512  # bytes of one event's JSON
STATION_ID = r"DIA-[0-9a-f]{12}"
HOST_ID = r"(HUB|WEB|PBX)-[A-Za-z0-9_-]{1,32}"

UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)  # what a decoder raises

_SAFE = 2**53 - 1  # what every JSON reader can hold

type Station = Annotated[str, Meta(extra_json_schema={"pattern": f"^({STATION_ID}|{HOST_ID})$"})]
type Epoch = Annotated[int, Meta(ge=0, le=2**32 - 1)]
type Sequence = Annotated[int, Meta(ge=1, le=_SAFE)]
type Count = Annotated[int, Meta(ge=0, le=_SAFE)]
type Percent = Annotated[int, Meta(ge=0, le=100)]
type Utc = Annotated[int, Meta(ge=0, le=_SAFE, description="UTC milliseconds")]
type Maybe[T] = T | UnsetType | None
type Version = str | int  # of the tree, playbook or list that a code came from


def words(*words: str) -> Meta:
    """The words that a field may hold today; any other text is stored all the same."""
    return Meta(extra_json_schema={"enum": list(words)})


type Of = Annotated[
    tuple[Station, Epoch, Sequence],
    Meta(description="s, e, n of the earlier event that this one answers, corrects or undoes"),
]
type Direction = Annotated[str, words("in", "out")]


class Event(
    Struct, kw_only=True, tag_field="k", forbid_unknown_fields=True, gc=False, rename=LETTERS
):
    """What every event carries: identity (s, e, n), measured time (b, u), known time (t)."""

    station: Station
    epoch: Epoch
    sequence: Sequence
    boot: Count
    uptime_ms: Count
    utc_ms: Utc | None = None
    agent: Maybe[str] = UNSET
    contact: Maybe[str] = UNSET
    i: Maybe[Count] = UNSET
