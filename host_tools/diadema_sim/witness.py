"""What the flash saw: each event at the moment its last byte was programmed, kept outside the VM.

It reads the flash through the host's own reader of the journal layout, so what it says does not
depend on the firmware, the wire or the store.

`compare` sets the store beside it: what was journaled and never stored, what was stored twice.
"""

import json
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from diadema.store import Reader
from diadema.store.rows import HUB
from diadema.store.tables import events
from diadema.wire.journal import JournalEvent
from sqlalchemy import select


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

    def record(self, station: str, event: JournalEvent) -> None:
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


type Key = tuple[str, int, int]
type Epoch = tuple[str, int]


@dataclass(frozen=True)
class Comparison:
    """`lost` counts an event stored with other content too; `doubled` one never journaled."""

    journaled: int
    stored: int
    lost: list[Key]
    doubled: list[Key]


def journaled(witness: Witness, stations: list[str]) -> dict[Key, dict[str, Any]]:
    """Every event that the witness saw, by identity."""
    return {
        (station, seen.epoch, seen.sequence): seen.event
        for station in stations
        for seen in witness.events(station)
    }


def compare(
    reader: Reader, seen: dict[Key, dict[str, Any]], earlier: Collection[Epoch] = ()
) -> Comparison:
    """Event by event: same identity, same content, once. `earlier`: journals of other runs."""
    contents: dict[Key, list[dict[str, Any]]] = {}
    with reader.engine.connect() as connection:
        for s, e, n, body in connection.execute(
            select(events.c.s, events.c.e, events.c.n, events.c.body)
        ):
            if (s, e) not in earlier and not s.startswith(HUB):
                contents.setdefault((s, e, n), []).append(json.loads(body))
    lost = [key for key, event in seen.items() if not _holds(contents.get(key, []), key, event)]
    doubled = [key for key, found in contents.items() for _ in range(_surplus(key, found, seen))]
    doubled += [
        (row["s"], row["e"], row["n"])
        for row in reader.conflicts()
        if (row["s"], row["e"]) not in earlier
    ]
    stored = sum(map(len, contents.values()))
    return Comparison(len(seen), stored, lost, doubled)


def missing(reader: Reader, seen: dict[Key, dict[str, Any]]) -> int:
    """How many of the witnessed events are not stored yet."""
    return len(seen.keys() - reader.keys())


def _holds(found: list[dict[str, Any]], key: Key, event: dict[str, Any]) -> bool:
    whole = {**event, "s": key[0], "e": key[1], "n": key[2]}
    return whole in found


def _surplus(key: Key, found: list[dict[str, Any]], seen: dict[Key, dict[str, Any]]) -> int:
    return len(found) - 1 if key in seen else len(found)
