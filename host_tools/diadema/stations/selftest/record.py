"""The record of one bench test: what the hub says of it, beside the station's own event. The hub
signs both together, so that neither can be another one.
"""

from typing import Any, Literal

from msgspec import Struct

from diadema.stations.technician import record as records
from diadema.stations.technician.hub_key import is_signed
from diadema.wire.scrub import ERASED

type Standing = Literal["right", "altered", "another_hub", "erased"]


class Record(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """`of`: s, e, n of the station's event; `t`: UTC milliseconds at which the hub noted it."""

    of: tuple[str, int, int]
    t: int
    by: str
    seat: str | None
    board: str
    firmware: str
    fit: bool


class Signed(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """As it is printed. `test`: the station's event; `key`: the public one of who signed."""

    record: Record
    test: dict[str, Any]
    signature: str
    key: str

    @property
    def tested_utc(self) -> int:
        """By the station's clock, where it had the hour."""
        told = self.test.get("t")
        return told if isinstance(told, int) else self.record.t

    @property
    def checks(self) -> dict[str, str]:
        return {str(name): str(one) for name, one in self.test.get("checks", {}).items()}

    @property
    def failed(self) -> list[str]:
        return [name for name, one in self.checks.items() if one == "failed"]

    @property
    def reason(self) -> str | None:
        told = self.test.get("reason")
        return None if told is None else str(told)


def statement(record: Record, test: dict[str, Any]) -> bytes:
    """What is signed."""
    return records.statement(record=record, test=test)


def standing(signed: Signed, public: str) -> Standing:
    """Whether it is a record of the hub with that public key, as that hub made it; erased: whose
    name was in it is not kept any more, so nobody can say.
    """
    message = statement(signed.record, signed.test)
    if is_signed(message, signed.signature, public):
        return "right"
    if signed.key != public and is_signed(message, signed.signature, signed.key):
        return "another_hub"
    return "erased" if signed.record.by.startswith(ERASED) else "altered"
