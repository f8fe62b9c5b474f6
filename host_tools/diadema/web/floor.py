"""The floor as it is now: the last valid row of every agent. Whoever shows it is told of changes.

Lives on the event loop's thread only.
"""

import logging
from collections.abc import Callable, Mapping

from diadema.wire.events import UNREADABLE
from diadema.wire.live_rows import (
    Head,
    Queues,
    Row,
    Site,
    decode_head,
    decode_queues,
    decode_row,
    decode_site,
)

log = logging.getLogger(__name__)

_AGENT = "agent."


class Floor:
    """Fed key by key (`put`, `drop`) or whole (`replace`); calls `on_change` with agent ids."""

    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}
        self.site = Site()
        self.head = Head()
        self.queues: Queues | None = None
        self.changes = 0
        self.rejected = 0
        self.on_change: list[Callable[[str], None]] = []
        self.on_site: list[Callable[[], None]] = []
        self.on_head: list[Callable[[], None]] = []

    def put(self, key: str, value: bytes) -> None:
        """Take one value of the bucket; a bad one is counted and the last good one stays."""
        try:
            if key == "meta":
                self._set_site(decode_site(value))
                self._set_head(decode_head(value), self.queues)
            elif key == "queues":
                self._set_head(self.head, decode_queues(value))
            elif key.startswith(_AGENT):
                self._set_row(key.removeprefix(_AGENT), decode_row(value))
        except UNREADABLE as error:
            self.rejected += 1
            log.warning("live value %s is not shown: %s", key, error)

    def drop(self, key: str) -> None:
        """The bucket no longer has this key."""
        agent = key.removeprefix(_AGENT)
        if key == "queues":
            self._set_head(self.head, None)
        elif key != "meta" and self.rows.pop(agent, None) is not None:
            self._changed(agent)

    def replace(self, entries: Mapping[str, bytes]) -> None:
        """Take the whole bucket, as after a new connection; agents it lacks are gone."""
        for agent in [a for a in self.rows if _AGENT + a not in entries]:
            self.drop(_AGENT + agent)
        if "queues" not in entries:
            self.drop("queues")
        for key, value in entries.items():
            self.put(key, value)

    def _set_row(self, agent: str, row: Row) -> None:
        if self.rows.get(agent) != row:
            self.rows[agent] = row
            self._changed(agent)

    def _set_site(self, site: Site) -> None:
        if site != self.site:
            self.site = site
            for call in self.on_site:
                call()

    def _set_head(self, head: Head, queues: Queues | None) -> None:
        if (head, queues) != (self.head, self.queues):
            self.head, self.queues = head, queues
            for call in self.on_head:
                call()

    def _changed(self, agent: str) -> None:
        self.changes += 1
        for call in self.on_change:
            call(agent)

    def by_state(self) -> dict[str, int]:
        """How many agents are in each state, for counters."""
        counts: dict[str, int] = {}
        for row in self.rows.values():
            counts[row.state] = counts.get(row.state, 0) + 1
        return counts
