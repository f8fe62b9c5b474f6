"""Listens to the acknowledgements that reach a station: none may be ahead of the store.

What is acknowledged is no longer the station's to keep, so at that moment it must be committed.
"""

import json
from collections.abc import Callable

from diadema.store import Reader
from diadema.wire.frames import Decoder
from diadema.wire.pieces import Joiner

from diadema_sim.centre import Centre
from diadema_sim.station import Station
from diadema_sim.torture.outcome import Outcome

_NAMED = 5


class AckWatch:
    """On every cable of `centre` from its making on; `close` when the run is over."""

    def __init__(self, centre: Centre) -> None:
        self.heard = 0
        self.early: list[str] = []
        self._reader: Reader = centre.reader()
        for station in centre.world.stations.values():
            station.cable.spy = self._ear(station)

    def _ear(self, station: Station) -> Callable[[bytes], None]:
        decoder, joiner = Decoder(), Joiner()

        def hear(data: bytes) -> None:
            for frame in decoder.feed(data):
                _, body = joiner.take(frame)
                if body and b'"ack"' in body:
                    self._check(station.id, *json.loads(body)["ack"])
            decoder.take_console()

        return hear

    def _check(self, s: str, e: int, n: int) -> None:
        self.heard += 1
        if n and self._reader.position(s, e) < n:
            self.early.append(f"{s} {e}/{n} acknowledged before it was stored")

    def close(self, outcome: Outcome, only: str = "") -> None:
        self._reader.close()
        outcome.add("acknowledgements", self.heard)
        if self.early:
            what = "; ".join(self.early[:_NAMED])
            outcome.fail(only, f"{len(self.early)} too early: {what}", lost=len(self.early))
