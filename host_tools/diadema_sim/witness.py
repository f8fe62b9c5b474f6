"""What the flash saw: each event at the moment its last byte was programmed, kept outside the VM.

It reads the flash through the host's own reader of the journal layout, so what it says does not
depend on the firmware, the wire or the store that it is compared with.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from diadema.wire.journal import JournalEvent


@dataclass(frozen=True)
class Witnessed:
    """One journaled event; `event` is its JSON without s, e, n; `at_ms` the run's time (UTC)."""

    epoch: int
    sequence: int
    event: dict[str, Any]
    at_ms: int
    payload: bytes


class Witness:
    """All events that were ever whole on any station's flash, in the order they became so."""

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._events: dict[str, list[Witnessed]] = {}
        self._known: dict[tuple[str, int, int], bytes] = {}
        self.rewritten: list[tuple[str, int, int]] = []  # one number with two contents
        self.listeners: list[Callable[[str, Witnessed], None]] = []

    def saw(self, station: str, event: JournalEvent) -> None:
        key = (station, event.epoch, event.sequence)
        known = self._known.setdefault(key, event.payload)
        if known is not event.payload:
            if known != event.payload:
                self.rewritten.append(key)
            return
        seen = Witnessed(
            event.epoch, event.sequence, json.loads(event.payload), self._now_ms(), event.payload
        )
        self._events.setdefault(station, []).append(seen)
        for listener in list(self.listeners):
            listener(station, seen)

    def events(self, station: str) -> list[Witnessed]:
        """Everything `station` journaled so far."""
        return self._events.setdefault(station, [])

    def keys(self) -> set[tuple[str, int, int]]:
        """(s, e, n) of every event."""
        return set(self._known)
