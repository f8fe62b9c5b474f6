"""The chain of the attendance ledger: each row's hash is over the one before it and its own
content with its time, under the key of the records, so that none can be changed, taken out or put
in. An hour that comes later is a link of a chain of its own, `mark_hours`.

The chain of a ledger that was worked out anew: as it was, wherever the marks are the same.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, select

from diadema.store import tables
from diadema.store.record_heads import FIRST, end_of, link, of_purpose, old_link

type MarkContent = tuple[str, int, int, int, int, int | None, str | None, str | None, str, str]
type Placed = tuple[int, int | None, int | None]  # generation, utc, uncertainty_ms
type MarkRow = tuple[int, *MarkContent, str, *Placed]
type MarkTime = tuple[int, int, int | None]  # of which mark; utc, uncertainty_ms
type MarkTimeRow = tuple[int, *MarkTime, str]

_CONTENT = 10  # s, e, n, b, u, t, a, badge, direction, method: what the event says
_encode = msgspec.json.Encoder().encode


class Chain:
    """Where it ends now. `tx` reads that from the store; without one it begins."""

    def __init__(self, key: bytes, tx: Connection | None = None) -> None:
        self._key = of_purpose(key, "marks")
        self.number, self.hash = 0, FIRST
        if tx is not None:
            end = end_of(tx, "marks", tables.marks)
            self.number, self.hash = end.count, end.hash

    def extend(self, marks: Iterable[tuple[MarkContent, Placed]]) -> list[MarkRow]:
        """The rows of these marks, in this order, after what is there."""
        rows: list[MarkRow] = []
        for content, placed in marks:
            self.number += 1
            self.hash = mark_link(self._key, self.hash, self.number, content, placed)
            rows.append((self.number, *content, self.hash, *placed))
        return rows


class MarkTimeChain:
    """The same of times that come later."""

    def __init__(self, key: bytes, tx: Connection | None = None) -> None:
        self._key = of_purpose(key, "hours")
        self.number, self.hash = 0, FIRST
        if tx is not None:
            end = end_of(tx, "hours", tables.mark_hours)
            self.number, self.hash = end.count, end.hash

    def extend(self, hours: Iterable[MarkTime]) -> list[MarkTimeRow]:
        rows: list[MarkTimeRow] = []
        for time in hours:
            self.number += 1
            self.hash = mark_time_link(self._key, self.hash, self.number, time)
            rows.append((self.number, *time, self.hash))
        return rows


def mark_link(key: bytes, before: str, number: int, content: Sequence[Any], placed: Placed) -> str:
    """`key` is of the purpose `marks`; `placed` as it was when the mark came in."""
    return link(key, before, _encode((number, *content, *placed)))


def old_mark_link(before: str, number: int, content: Sequence[Any]) -> str:
    return old_link(before, _encode((number, *content)))


def mark_time_link(key: bytes, before: str, number: int, time: MarkTime) -> str:
    return link(key, before, _encode((number, *time)))


def correction_link(before: str, number: int, content: Iterable[Any]) -> str:
    """Of the corrections of one hub. It has no key: the events that they are made of have none,
    and where it ends is sealed in the other file.
    """
    return old_link(before, _encode((number, *content)))


def enter_old_hours(tx: Connection, key: bytes) -> list[MarkTimeRow]:
    """Of a ledger that was chained without a key, and without its times: the rows that enter them,
    once.
    """
    row = tables.marks.c
    first = tx.execute(select(tables.marks).where(row.number == 1)).first()
    if first is None or end_of(tx, "hours", tables.mark_hours).count:
        return []
    if first.hash != old_mark_link(FIRST, 1, first[1 : _CONTENT + 1]):
        return []
    known = select(row.number, row.utc, row.uncertainty_ms).where(row.utc.is_not(None))
    hours = [(number, utc, doubt) for number, utc, doubt in tx.execute(known.order_by(row.number))]
    return MarkTimeChain(key).extend(hours)


def unchained(row: Sequence[Any]) -> tuple[MarkContent, Placed]:
    """What of a row is no link of the chain."""
    _, *content_and_hash = row
    content, placed = content_and_hash[:_CONTENT], content_and_hash[_CONTENT + 1 :]
    return tuple(content), tuple(placed)


class Again:
    """`late`: (utc, uncertainty_ms) of the marks by their old number that had their time later, in
    the order in which those came.
    """

    def __init__(self, key: bytes, late: Mapping[int, tuple[int, int | None]]) -> None:
        self._key = key
        self._marks_key = of_purpose(key, "marks")
        self._late = late
        self._order = {number: place for place, number in enumerate(late)}
        self._hours: list[tuple[int, MarkTime]] = []
        self._number, self._hash = 0, FIRST
        self._keyless = True

    def take(self, row: tuple[Any, ...], old: Any | None) -> MarkRow:
        """The row of the next mark; `old`: its row as it stood."""
        content, (generation, utc, doubt) = unchained(row)
        self._number += 1
        came_late = old is not None and self._late.get(old.number) == (utc, doubt)
        if old is not None and came_late and utc is not None:
            self._hours.append((self._order[old.number], (self._number, utc, doubt)))
        keyless = old_mark_link(self._hash, self._number, content)
        self._keyless = self._keyless and old is not None and old.hash == keyless
        if self._keyless:
            self._hash = keyless
        else:
            placed = (generation, None, None) if came_late else (generation, utc, doubt)
            self._hash = mark_link(self._marks_key, self._hash, self._number, content, placed)
        return (self._number, *content, self._hash, generation, utc, doubt)

    def hours(self) -> list[MarkTimeRow]:
        self._hours.sort(key=lambda one: one[0])
        return MarkTimeChain(self._key).extend(time for _, time in self._hours)
