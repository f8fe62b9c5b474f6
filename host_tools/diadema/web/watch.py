"""Keeps the alerts: looks at the rules once a second, and knows who has seen to which."""

import asyncio
from collections.abc import Callable, Iterable
from datetime import date

from diadema.directory.people import People
from diadema.web.alerts import Alert, Key, Moment, alerts
from diadema.web.floor import Floor
from diadema.web.pace import Pace

EVERY_S = 1.0
KEPT = 10_000


class Watch:
    """`alerts` hold now, seen to or not; `seen` is by whom. `on_change` when either changes."""

    def __init__(
        self,
        floor: Floor,
        pace: Pace,
        people: Callable[[], People],
        today: Callable[[], date],
        down: Callable[[], int | None],
    ) -> None:
        self.alerts: list[Alert] = []
        self.seen: dict[Key, str] = {}
        self.on_change: list[Callable[[], None]] = []
        self._floor = floor
        self._pace = pace
        self._people = people
        self._today = today
        self._down = down
        self._lost: dict[str, int] = {}
        floor.on_change.append(self._note_link)

    async def run(self) -> None:
        """Look, for ever; but not at what is known to be old."""
        while True:
            if self._down() is None:
                self.look()
            await asyncio.sleep(EVERY_S)

    def look(self) -> None:
        moment = Moment(
            now=self._pace.now_ms(), today=self._today(), people=self._people(), lost=self._lost
        )
        found = alerts(self._floor.rows.values(), moment)
        if found != self.alerts:
            self.alerts = found
            self._changed()

    def see(self, seen: Iterable[tuple[Key, str]]) -> None:
        """These were acknowledged, by whom; the oldest are forgotten."""
        self.seen |= seen
        for key in list(self.seen)[: len(self.seen) - KEPT]:
            del self.seen[key]
        self._changed()

    def _note_link(self, agent: str) -> None:
        row = self._floor.rows.get(agent)
        if row is not None and row.link == "lost":
            self._lost.setdefault(agent, self._pace.now_ms())
        else:
            self._lost.pop(agent, None)

    def _changed(self) -> None:
        for call in self.on_change:
            call()
