"""Listening that was begun at the exchange and not here, «escucha fuera de Diadema»: an alert of
the agent who is heard, for a day, the more urgent while it goes on.
"""

import asyncio
import logging
from collections.abc import Callable

from sqlalchemy.exc import SQLAlchemyError

from diadema.base.errors import DiademaError
from diadema.base.paths import DataDir
from diadema.site.directory.people import People
from diadema.store import open_reader
from diadema.store.quality import Heard, listenings
from diadema.web.floor.queue_alerts import Alert

RULE = "spied"
EVERY_S = 5.0
DAY_MS = 86_400_000  # for which it is an alert
_GOES_ON, _OVER = 3, 2  # levels

log = logging.getLogger(__name__)


def is_stray(one: Heard) -> bool:
    """Begun at the exchange, and nobody asked for it here."""
    began = one.began
    return (began.kind, began.source, began.via) == ("started", "live", "outside")


class Spied:
    """`run` is its task; `alerts` hold now."""

    def __init__(
        self, data: DataDir, now_ms: Callable[[], int], people: Callable[[], People]
    ) -> None:
        self._data, self._now_ms, self._people = data, now_ms, people
        self._found: list[Heard] = []

    async def run(self) -> None:
        while True:
            try:
                await asyncio.to_thread(self.look)
            except (DiademaError, SQLAlchemyError) as error:
                log.info("the register of listening cannot be read yet: %s", error)
            await asyncio.sleep(EVERY_S)

    def look(self) -> None:
        """Read the register of the last day. Raises DiademaError and SQLAlchemyError."""
        if not self._data.store.exists():
            return
        with open_reader(self._data.store) as reader, reader.engine.connect() as tx:
            known = listenings(tx, start_utc=self._now_ms() - DAY_MS)
        self._found = [one for one in known if is_stray(one)]

    def alerts(self) -> list[Alert]:
        since_ms, people = self._now_ms() - DAY_MS, self._people()
        return [
            Alert(
                rule=RULE,
                agent=one.began.agent or "",
                name=people.name(one.began.agent or ""),
                since=one.began.utc,
                level=_GOES_ON if one.ended is None else _OVER,
                limit=0,
            )
            for one in self._found
            if one.began.utc > since_ms
        ]
