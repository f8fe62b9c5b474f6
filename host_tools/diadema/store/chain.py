"""The chain of the attendance ledger: each row's hash is over the one before it and its own
content, so that none can be changed, taken out or put in without all that follow being others.
"""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, select

from diadema.store import tables

type Told = tuple[str, int, int, int, int, int | None, str | None, str | None, str, str]
type Placed = tuple[int, int | None, int | None]  # generation, utc, uncertainty_ms
type MarkRow = tuple[int, *Told, str, *Placed]

_FIRST = "0" * 64
_TOLD = 10  # s, e, n, b, u, t, a, badge, direction, method: what the event says
_encode = msgspec.json.Encoder().encode


class Chain:
    """Where it ends now. `tx` reads that from the store; without one it begins."""

    def __init__(self, tx: Connection | None = None) -> None:
        self.number, self.hash = 0, _FIRST
        if tx is not None:
            row = tables.marks.c
            last = select(row.number, row.hash).order_by(row.number.desc()).limit(1)
            for number, digest in tx.execute(last):
                self.number, self.hash = number, digest

    def extend(self, marks: Iterable[tuple[Told, Placed]]) -> list[MarkRow]:
        """The rows of these marks, in this order, after what is there."""
        rows: list[MarkRow] = []
        for told, placed in marks:
            self.number += 1
            content = self.hash.encode() + _encode((self.number, *told))
            self.hash = hashlib.sha256(content).hexdigest()
            rows.append((self.number, *told, self.hash, *placed))
        return rows


def unchained(row: Sequence[Any]) -> tuple[Told, Placed]:
    """What of a row is no link of the chain."""
    _, *told_and_hash = row
    told, placed = told_and_hash[:_TOLD], told_and_hash[_TOLD + 1 :]
    return tuple(told), tuple(placed)
