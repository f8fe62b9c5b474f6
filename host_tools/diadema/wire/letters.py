"""The letters of an event's fields, as the wire and the columns of the store have them."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import astuple

IDENTITY = {"station": "s", "epoch": "e", "sequence": "n"}
LETTERS = IDENTITY | {
    "boot": "b",
    "uptime_ms": "u",
    "utc_ms": "t",
    "agent": "a",
    "contact": "c",
}


def encoded_fields(struct: Struct) -> dict[str, Any]:
    """The fields of a struct under their encoded names; what they hold is left as it is."""
    return dict(zip(struct.__struct_encode_fields__, astuple(struct), strict=True))


def from_columns[T: Struct](kind: type[T], row: Mapping[Any, Any]) -> T:
    """The struct of a row whose columns have the encoded names of its fields."""
    names = dict(zip(kind.__struct_encode_fields__, kind.__struct_fields__, strict=True))
    return kind(**{names[str(column)]: value for column, value in row.items()})
