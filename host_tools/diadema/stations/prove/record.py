"""The record of one station's figures, signed with the hub's key, so that it says later what was
measured and nothing else.
"""

from typing import Any

from msgspec import Struct

from diadema.stations.prove.figures import Figure, wrong
from diadema.stations.prove.work import Told
from diadema.stations.technician.hub_key import HubKey, is_signed
from diadema.stations.technician.record import statement


class Proof(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """`t`: UTC milliseconds; `told`: what the station answered, step by step."""

    s: str
    seat: str | None
    board: str
    firmware: str
    micropython: str
    t: int
    by: str
    forged: int
    figures: list[Figure]
    told: dict[str, dict[str, Any]]

    @property
    def right(self) -> bool:
        return not self.forged and not [*wrong(self.figures)]


class Signed(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """`key`: the public one of who signed."""

    proof: Proof
    signature: str
    key: str


def proof_of(
    told: Told, found: list[Figure], seat: str | None, *, forged: int, by: str, now: int
) -> Proof:
    about = told.steps["about"]
    return Proof(
        s=told.s,
        seat=seat,
        board=told.board,
        firmware=str(about.get("firmware", "")),
        micropython=str(about.get("micropython", "")),
        t=now,
        by=by,
        forged=forged,
        figures=found,
        told=told.steps,
    )


def sign(proof: Proof, key: HubKey) -> Signed:
    return Signed(proof=proof, signature=key.sign(statement(proof=proof)), key=key.public)


def is_right(signed: Signed, public: str) -> bool:
    """Whether the hub with that public key signed just this."""
    return is_signed(statement(proof=signed.proof), signed.signature, public)
