"""Keeps the alerts: looks at the rules once a second, and knows who has seen to which."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from datetime import date

from sqlalchemy.exc import SQLAlchemyError

from diadema.base.errors import DiademaError
from diadema.base.paths import DataDir
from diadema.site.directory.people import People
from diadema.store import open_reader
from diadema.web.alerts import Alert, Key, Moment, alerts
from diadema.web.feed import Floor
from diadema.web.pace import Pace

log = logging.getLogger(__name__)

EVERY_S = 1.0
KEPT = 10_000
_DAY_MS = 86_400_000
_AGAIN_S = 5.0


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

    async def remember(self, data: DataDir) -> None:
        """Take from the register what was seen to in the last day, before this process began."""
        while data.store.exists():
            try:
                known = await asyncio.to_thread(acknowledged, data, self._pace.now_ms() - _DAY_MS)
            except (DiademaError, SQLAlchemyError) as error:
                log.info("the register cannot be read yet: %s", error)
                await asyncio.sleep(_AGAIN_S)
            else:
                self.see([*known, *self.seen.items()])
                return

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


def acknowledged(data: DataDir, since_ms: int) -> list[tuple[Key, str]]:
    """The alerts that were seen to since then, and by whom. Raises DiademaError."""
    reader = open_reader(data.store)
    try:
        return [
            ((act.rule, act.agent, act.since_utc), act.who or act.by)
            for act in (one.act for one in reader.acts(start_utc=since_ms))
            if act.rule is not None and act.agent is not None and act.since_utc is not None
        ]
    finally:
        reader.close()
