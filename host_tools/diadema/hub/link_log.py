"""When each station's link came and went, by the hub's clock, looked at once a second. A greeting
is no event, so this is no result of the events: a rebuild keeps it as it is.
"""

import time

from sqlalchemy import Connection, func, select

from diadema.ingest.core import Ingest
from diadema.store import tables
from diadema.store.rows import HUB, SWITCH

_OWN = (HUB, SWITCH)
_EVERY_S = 1.0


class LinkLog:
    """Writes a row for each change that it sees; `known` is the last one of each station."""

    def __init__(self, ingest: Ingest) -> None:
        self._ingest = ingest
        self._known: dict[str, bool] | None = None
        self._looked = 0.0

    def look_again(self) -> None:
        """Once a second; before, nothing. Raises StoreUnavailable."""
        now = time.monotonic()
        if now - self._looked >= _EVERY_S:
            self._looked = now
            self.look()

    def look(self) -> int:
        """How many links are another way than when we looked last. Raises StoreUnavailable."""
        ingest = self._ingest
        if self._known is None:
            with ingest.changing([]) as tx:
                self._known = _last(tx)
        known = self._known
        changed = {
            s: station.hello.up
            for s, station in ingest.stations.items()
            if not s.startswith(_OWN) and station.hello.up != known.get(s, False)
        }
        if changed:
            now_ms = ingest.clock.now_ms()
            with ingest.changing([]) as tx:
                rows = [(s, now_ms, up) for s, up in changed.items()]
                ingest.writer.put(tx, tables.links, rows)
            known.update(changed)
        return len(changed)


def _last(tx: Connection) -> dict[str, bool]:
    row = tables.links.c
    newest = select(row.s, func.max(row.utc).label("utc")).group_by(row.s).subquery()
    query = select(row.s, row.up).join(newest, (row.s == newest.c.s) & (row.utc == newest.c.utc))
    return {s: bool(up) for s, up in tx.execute(query)}
