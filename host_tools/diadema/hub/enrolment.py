"""The stations' MQTT credentials: one a station, made with its key, renewed or revoked on request.

A password is HMAC-SHA256 of the credential's number under the station's key: it can be sent again
with each configuration and stands nowhere in clear. The store has its hash.

A station is given its key for a short time only, on the port that a person named. A key that was
given before is not given again: the station gets a new one, and with it another password.
"""

import asyncio
import base64
import hashlib
import hmac
import time
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from msgspec import Struct
from sqlalchemy import select

from diadema.base.paths import DataDir
from diadema.ingest.core import Ingest
from diadema.ingest.proof import Proofs
from diadema.site.station_keys import StationKeys
from diadema.store import tables
from diadema.store.station_state import Greeting
from diadema.wire.ask_hub import ask_hub

LONGEST_S = 600.0  # of a provision window


class Credential(Struct):
    """`number` grows with each renewal."""

    number: int
    sha256: bytes
    revoked: bool


class Enrolment:
    """Raises StoreUnavailable where it writes; then nothing has changed."""

    def __init__(self, ingest: Ingest, keys: StationKeys) -> None:
        self._ingest = ingest
        self._keys = keys
        self._credentials: dict[str, Credential] = {}
        with ingest.changing([]) as tx:
            for s, number, sha256, revoked in tx.execute(select(tables.credentials)):
                self._credentials[s] = Credential(number, sha256, bool(revoked))

    def enrol(self, stations: Iterable[str]) -> None:
        """A key and a credential for each of `stations` that has none, all at once."""
        stations = list(stations)
        self._keys.make(stations)
        self._write({s: self._made(s, 1) for s in stations if s not in self._credentials})

    def renew(self, s: str) -> None:
        """Another key and another password; the old ones are worth nothing any more. Also after a
        revocation.
        """
        self._keys.renew(s)
        known = self._credentials.get(s)
        self._write({s: self._made(s, known.number + 1 if known else 1)}, doubted=[s])

    def revoke(self, s: str) -> None:
        known = self._credentials.get(s)
        if known is not None:
            self._write({s: Credential(known.number, known.sha256, True)})

    def knows(self, s: str) -> bool:
        """It was enrolled once, whatever became of it and of its place in the site."""
        return s in self._credentials

    def revoked(self, s: str) -> bool:
        return s in self._credentials and self._credentials[s].revoked

    def password(self, s: str) -> str | None:
        """None for a station that is not enrolled or was revoked."""
        known = self._credentials.get(s)
        return None if known is None or known.revoked else self._password(s, known.number)

    def passwords(self) -> dict[str, str]:
        """Of every station that may connect."""
        known = self._credentials.items()
        return {s: self._password(s, one.number) for s, one in known if not one.revoked}

    def admits(self, s: str, password: str) -> bool:
        known = self._credentials.get(s)
        given = hashlib.sha256(password.encode()).digest()
        return known is not None and hmac.compare_digest(known.sha256, given) and not known.revoked

    def _made(self, s: str, number: int) -> Credential:
        digest = hashlib.sha256(self._password(s, number).encode()).digest()
        return Credential(number, digest, False)

    def _password(self, s: str, number: int) -> str:
        key = self._keys.of(s)
        assert key is not None
        secret = hmac.digest(key, b"mqtt\n%d" % number, hashlib.sha256)
        return base64.urlsafe_b64encode(secret).decode().rstrip("=")

    def _write(self, credentials: dict[str, Credential], doubted: Collection[str] = ()) -> None:
        if credentials:
            rows = [(s, c.number, c.sha256, c.revoked) for s, c in credentials.items()]
            with self._ingest.changing(doubted) as tx:
                for s in doubted:  # what it showed is worth nothing any more
                    self._ingest.station(s).hello.proven = False
                self._ingest.writer.put(tx, tables.credentials, rows)
            self._credentials |= credentials


class _Window(Struct):
    """Monotonic seconds; `given`: its key is on the way."""

    gw: str
    at: str
    until: float
    given: bool = False


class ProvisionWindows:
    """On which port which station may be given its key now."""

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


def enrol(data: DataDir, s: str, *, renew: bool = False, revoke: bool = False) -> dict[str, Any]:
    """Ask a running hub for the MQTT credential of a station, or of a gateway (`gw-` and its
    name), a new one, or an end of it.

    `{"s", "user", "password", "host", "port", "ca"}`; `password` null after revoking. Raises
    DiademaError when no hub runs there, or it refuses.
    """
    return asyncio.run(ask_hub(data, "hub.enrol", {"s": s, "renew": renew, "revoke": revoke}))
