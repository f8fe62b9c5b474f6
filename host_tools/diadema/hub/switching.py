"""What the bridge to the telephone exchange hears and may ask: see `wire/switching.py`."""

import time
from collections.abc import Sequence
from typing import Any

import msgspec

from diadema.base.paths import DataDir
from diadema.ingest.core import Ingest
from diadema.store.station_state import Station
from diadema.wire.switching import (
    KINDS,
    LOST_S,
    Fed,
    Floor,
    OpenContact,
    Report,
    SeatState,
    Trouble,
)
from diadema.words import Sentence

_SAID = 2000  # characters of a trouble
_BEGINS_S = 30.0  # after the hub's own beginning the bridge may still be on its way

_encode = msgspec.json.Encoder().encode


class Switching:
    """Nothing is told while no exchange is set up (`switch.json`)."""

    def __init__(self, data: DataDir, ingest: Ingest) -> None:
        self._data = data
        self._ingest = ingest
        self._number = 0
        self._heard = 0.0
        self._since = time.monotonic()
        self._ordered: dict[str, tuple[str, int]] = {}  # state and journal, by station
        self.report: Report | None = None
        self.look()

    def look(self) -> None:
        """Whether there is one now."""
        there = self._data.switch.exists()
        self._ingest.feeds = KINDS if there else ()
        if not there:
            self.report = None

    @property
    def is_set_up(self) -> bool:
        return bool(self._ingest.feeds)

    @property
    def is_up(self) -> bool:
        """The bridge is there, and the exchange behind it."""
        fresh = time.monotonic() - self._heard < LOST_S
        return fresh and self.report is not None and self.report.up

    def feed(self, bodies: Sequence[bytes]) -> bytes | None:
        """Of one batch, once it is stored; None where nothing of it is to be told."""
        if not bodies:
            return None
        self._number += 1
        return _encode(Fed(number=self._number, events=[msgspec.Raw(one) for one in bodies]))

    def take(self, report: Report) -> Floor:
        report.troubles = self.sayable(report.troubles)
        self.report, self._heard = report, time.monotonic()
        seats = [
            _seat(one) for one in self._ingest.stations.values() if one.station.startswith("DIA-")
        ]
        return Floor(number=self._number, seats=seats)

    @staticmethod
    def sayable(troubles: Sequence[Trouble]) -> list[Trouble]:
        """Those that whoever shows them can say: what else a bridge sends is nobody's words."""
        return [one for one in troubles if _is_sayable(one.sentence)]

    def due(self) -> list[tuple[str, str]]:
        """Stations that are to be told how telephone and exchange are, and what; each once."""
        if self.is_set_up and self.report is None and time.monotonic() - self._since < _BEGINS_S:
            return []
        gone = set()
        if self.report is not None:
            gone = {one.station for one in self.report.phones if one.there is False}
        found = []
        for station in self._ingest.stations.values():
            s = station.station
            if not station.hello.up or not s.startswith("DIA-"):
                self._ordered.pop(s, None)
                continue
            wanted = "ok"
            if self.is_set_up:
                wanted = "no_switch" if not self.is_up else "no_phone" if s in gone else "ok"
            order = wanted, station.state.epoch
            if wanted != _said(station) and self._ordered.get(s) != order:
                self._ordered[s] = order
                found.append((s, wanted))
            elif wanted == _said(station):
                self._ordered.pop(s, None)
        return found

    def shown(self) -> dict[str, Any] | None:
        """For whoever looks; None while no exchange is set up."""
        if not self.is_set_up:
            return None
        age = time.monotonic() - self._heard if self.report is not None else None
        report = msgspec.to_builtins(self.report) if self.report is not None else None
        return {"up": self.is_up, "age_s": age, "report": report}


def _is_sayable(sentence: list[Any]) -> bool:
    try:
        said = Sentence.of(sentence).say("en")
    except (LookupError, TypeError, ValueError, AttributeError, RecursionError):
        return False
    return len(said) <= _SAID


def _said(station: Station) -> str:
    """What it was told last, as its faults have it."""
    faults = station.state.faults
    return "no_switch" if "switch" in faults else "no_phone" if "telephone" in faults else "ok"


def _seat(station: Station) -> SeatState:
    state = station.state
    session = state.session
    return SeatState(
        station=station.station,
        agent=session.agent if session is not None else None,
        presence=state.presence,
        reason=state.reason,
        since_utc=(session.open_utc or 0) if session is not None else 0,
        up=station.hello.up,
        open=[
            OpenContact(
                contact=one.contact,
                phase=one.phase,
                direction=one.direction,
                queue=one.queue,
                pbx=one.pbx,
                heard=one.more.heard if one.more is not None else None,
            )
            for one in state.open
        ],
    )
