"""A PIN that is reset and chosen anew: a code for one use stands in the site's description in its
place, until the verifier of the PIN that the agent chose at a station takes it over.
"""

import json
import logging
import secrets

import msgspec
from sqlalchemy import select

from diadema.base.clock import Clock
from diadema.base.paths import DataDir, write_whole
from diadema.hub.own_journal import ME
from diadema.site import pins
from diadema.site.file import keep, whole, with_pin
from diadema.site.station_keys import StationKeys
from diadema.store import Reader, StoreUnavailable, tables
from diadema.wire.letters import LETTERS

log = logging.getLogger("diadema.ingest")

LIFE_S = 24 * 3600  # of a code


class _Pending(msgspec.Struct, kw_only=True, rename=LETTERS):
    """A reset that holds once the event at `place`, epoch and number, is stored."""

    place: tuple[int, int]
    agent: str
    verifier: str


class PinResets:
    """Writes the site's description; whoever calls puts it in force."""

    def __init__(self, data: DataDir, keys: StationKeys, reader: Reader, clock: Clock) -> None:
        self._site = data.site
        self._pending = data.pending_pin
        self._keys = keys
        self._reader = reader
        self._clock = clock

    def prepare(self, a: str, code: str, place: tuple[int, int]) -> None:
        """Have the agent choose another by this code, stored nowhere, once event `place` of
        the hub's journal stands. Raises StoreUnavailable; then nothing changed.
        """
        until = self._clock.now_ms() // 1000 + LIFE_S
        # two resets in one second are two all the same
        verifier = pins.for_one_use(code, until + secrets.randbelow(60))
        pending = _Pending(place=place, agent=a, verifier=verifier)
        try:
            write_whole(self._pending, msgspec.json.encode(pending))
        except OSError as error:
            raise StoreUnavailable(str(error)) from error

    @property
    def waiting(self) -> bool:
        """Whether one is noted, perhaps, and not in force."""
        return self._pending.exists()

    def take(self) -> bool:
        """Whether a reset that is noted is in force by this; it is tried again where the disk
        takes nothing. One that was never noted is none.
        """
        if not self.waiting:
            return False
        pending = msgspec.json.decode(self._pending.read_bytes(), type=_Pending)
        noted = self._reader.act(ME, *pending.place) is not None
        if noted:
            try:
                self._write(pending.agent, pending.verifier)
            except OSError as error:
                log.error("a PIN that was reset is not in force yet: %s", error)
                return False
        self._pending.unlink()
        return noted

    def settle(self) -> bool:
        """Whether somebody has chosen, or was given, a PIN that was not in force; it stands there
        now. Of several choices for one code the first counts.
        """
        changed = self.take()
        for a, until in self._open().items():
            if (verifier := self._chosen(a, until)) is not None:
                self._write(a, verifier)
                changed = True
        return changed

    def _open(self) -> dict[str, int]:
        """Who has a code for one use, and until when."""
        if not self._site.exists():
            return {}
        rows = json.loads(whole(self._site)).get("agents", [])
        found = {row["id"]: pins.until_of(row.get("pin", "")) for row in rows}
        return {a: until for a, until in found.items() if until}

    def _chosen(self, a: str, until: int) -> str | None:
        row = tables.pin_choices.c
        query = select(row.s, row.sealed).where((row.a == a) & (row.until_s == until))
        with self._reader.engine.connect() as tx:
            for s, sealed in tx.execute(query.order_by(row.utc, row.s, row.e, row.n)):
                key = self._keys.of(s)
                if key is not None and (verifier := pins.unsealed(sealed, key)) is not None:
                    return verifier
        return None

    def _write(self, a: str, verifier: str) -> None:
        keep(self._site, with_pin(whole(self._site).decode(), a, verifier, "site.json"))
