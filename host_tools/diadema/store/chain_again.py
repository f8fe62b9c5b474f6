"""The chain of a ledger that was worked out anew: as it was, wherever the marks are the same."""

from collections.abc import Mapping
from typing import Any

from diadema.store.chain import (
    Hour,
    HourChain,
    HourRow,
    MarkRow,
    mark_link,
    old_mark_link,
    unchained,
)
from diadema.store.record_heads import FIRST
from diadema.store.record_key import of_purpose


class Again:
    """`late`: (utc, uncertainty_ms) of the marks by their old number that had their hour later, in
    the order in which those came.
    """

    def __init__(self, key: bytes, late: Mapping[int, tuple[int, int | None]]) -> None:
        self._key = key
        self._marks_key = of_purpose(key, "marks")
        self._late = late
        self._order = {number: place for place, number in enumerate(late)}
        self._hours: list[tuple[int, Hour]] = []
        self._number, self._hash = 0, FIRST
        self._keyless = True

    def take(self, row: tuple[Any, ...], old: Any | None) -> MarkRow:
        """The row of the next mark; `old`: its row as it stood."""
        told, (generation, utc, doubt) = unchained(row)
        self._number += 1
        came_late = old is not None and self._late.get(old.number) == (utc, doubt)
        if old is not None and came_late and utc is not None:
            self._hours.append((self._order[old.number], (self._number, utc, doubt)))
        keyless = old_mark_link(self._hash, self._number, told)
        self._keyless = self._keyless and old is not None and old.hash == keyless
        if self._keyless:
            self._hash = keyless
        else:
            placed = (generation, None, None) if came_late else (generation, utc, doubt)
            self._hash = mark_link(self._marks_key, self._hash, self._number, told, placed)
        return (self._number, *told, self._hash, generation, utc, doubt)

    def hours(self) -> list[HourRow]:
        self._hours.sort(key=lambda one: one[0])
        return HourChain(self._key).extend(hour for _, hour in self._hours)
