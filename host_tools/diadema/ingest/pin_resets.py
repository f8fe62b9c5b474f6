"""A PIN that is reset and chosen anew: a code for one use stands in the site's description in its
place, until the verifier of the PIN that she chose at a station takes it over.
"""

import json
import secrets

from sqlalchemy import select

from diadema import pins
from diadema.clock import Clock
from diadema.paths import DataDir, write_whole
from diadema.pin_command import with_pin
from diadema.station_keys import StationKeys
from diadema.store import Reader, tables

LIFE_S = 24 * 3600  # of a code


class PinResets:
    """Writes the site's description; whoever calls puts it in force."""

    def __init__(self, data: DataDir, keys: StationKeys, reader: Reader, clock: Clock) -> None:
        self._site = data.site
        self._keys = keys
        self._reader = reader
        self._clock = clock

    def reset(self, a: str, code: str) -> None:
        """Have her choose another by this code, which is kept nowhere. Raises DiademaError."""
        until = self._clock.now_ms() // 1000 + LIFE_S
        # two resets in one second are two all the same
        self._write(a, pins.for_one_use(code, until + secrets.randbelow(60)))

    def settle(self) -> bool:
        """Whether somebody has chosen a PIN that was not in force; it stands there now. Of several
        choices for one code the first counts.
        """
        changed = False
        for a, until in self._open().items():
            if (verifier := self._chosen(a, until)) is not None:
                self._write(a, verifier)
                changed = True
        return changed

    def _open(self) -> dict[str, int]:
        """Who has a code for one use, and until when."""
        if not self._site.exists():
            return {}
        rows = json.loads(self._site.read_bytes()).get("agents", [])
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
        text = with_pin(self._site.read_text("utf-8"), a, verifier, "site.json")
        write_whole(self._site, text.encode())
