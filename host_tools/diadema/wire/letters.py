"""What every event has: its identity and times, the types of its fields and their bounds, and the
letters that the wire and the columns of the store have for them.
"""

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType
from msgspec.structs import astuple

IDENTITY = {"station": "s", "epoch": "e", "sequence": "n"}
LETTERS = IDENTITY | {
    "boot": "b",
    "uptime_ms": "u",
    "utc_ms": "t",
    "agent": "a",
    "contact": "c",
}
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
type Of = Annotated[
    tuple[Station, Epoch, Sequence],
    Meta(description="s, e, n of the earlier event that this one answers, corrects or undoes"),
]
type By = Annotated[str, Meta(min_length=1, max_length=32, description="the account or the rule")]
type Direction = Annotated[str, words("in", "out")]


def tag_of(kind: type[Struct]) -> str:
    """The word by which the wire knows a struct."""
    return str(kind.__struct_config__.tag)


def encoded_fields(struct: Struct) -> dict[str, Any]:
    """The fields of a struct under their encoded names; what they hold is left as it is."""
    return dict(zip(struct.__struct_encode_fields__, astuple(struct), strict=True))


def from_columns[T: Struct](kind: type[T], row: Mapping[Any, Any]) -> T:
    """The struct of a row whose columns have the encoded names of its fields."""
    names = _fields(kind)
    return kind(**{names[column]: value for column, value in row.items()})


@cache
def _fields(kind: type[Struct]) -> dict[str, str]:
    """By their encoded names."""
    return dict(zip(kind.__struct_encode_fields__, kind.__struct_fields__, strict=True))


def words(*words: str) -> Meta:
    """The words that a field may hold today; any other text is stored all the same."""
    return Meta(extra_json_schema={"enum": list(words)})


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
