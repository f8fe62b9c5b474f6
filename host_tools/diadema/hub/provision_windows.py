"""When a station may be given its key: for a short time, on the port that a person named.

A key that was given before is not given again: the station gets a new one, and with it another
password; what was stolen is worth nothing.
"""

import time
from collections.abc import Mapping

from msgspec import Struct

from diadema.hub.enrolment import Enrolment
from diadema.ingest.core import Ingest
from diadema.ingest.proof import Proofs
from diadema.site.station_keys import StationKeys
from diadema.store.station_state import Greeting

LONGEST_S = 600.0


class _Window(Struct):
    """Monotonic seconds; `given`: its key is on the way."""

    gw: str
    at: str
    until: float
    given: bool = False


class Windows:
    def __init__(
        self, ingest: Ingest, keys: StationKeys, enrolment: Enrolment, proofs: Proofs
    ) -> None:
        self._ingest = ingest
        self._keys = keys
        self._enrolment = enrolment
        self._proofs = proofs
        self._open: dict[str, _Window] = {}
        proofs.named = self.named

    def open(self, s: str, gw: str, at: str, seconds: float) -> None:
        """For the station on that port of that gateway."""
        seconds = min(max(seconds, 0.0), LONGEST_S)
        self._open[s] = _Window(gw, at, time.monotonic() + seconds)

    def giving(self, s: str) -> str | None:
        """The key (hex) that goes with the station's configuration now."""
        window, key = self._open.get(s), self._keys.of(s)
        if window is None or not window.given or key is None:
            return None
        hello = self._ingest.station(s).hello
        return key.hex() if _fits(window, hello.gw, hello.at) and not hello.proven else None

    def named(self, s: str, gw: str, at: str) -> bool:
        """Whether that is the port where this station is given its key."""
        window = self._open.get(s)
        return window is not None and _fits(window, gw, at)

    def greeted(self, hellos: Mapping[str, Greeting]) -> set[str]:
        """Begin to give where it is due; who has another password by it."""
        renewed = set()
        while self._proofs.shown:
            self._keys.shown(*self._proofs.shown.popitem())
        for s, hello in hellos.items():
            window = self._open.get(s)
            if window is None or not _fits(window, hello.gw, hello.at):
                continue
            if hello.proven:
                del self._open[s]
                continue
            if window.given or (hello.keyed and s not in self._proofs.former):
                continue  # on the way; or it is asked first which key it has
            if self._keys.sent(s):
                self._enrolment.renew(s)
                renewed.add(s)
            self._keys.mark_sent(s)
            window.given = True
        return renewed


def _fits(window: _Window, gw: str, at: str) -> bool:
    return (window.gw, window.at) == (gw, at) and time.monotonic() < window.until
