"""What was answered to acts that name themselves: kept in one transaction with the act itself, so
that asked again, for a day, the hub says the same and does nothing.
"""

from typing import Any

import msgspec
from sqlalchemy import select

from diadema.base.clock import Clock
from diadema.base.idempotency import KEPT_MS, Once, OtherRequest
from diadema.hub.own_journal import Refused
from diadema.store import Reader, tables


class Answers:
    def __init__(self, reader: Reader, clock: Clock) -> None:
        self._reader = reader
        self._clock = clock

    def of(self, once: Once) -> dict[str, Any] | None:
        """Raises Refused where that name was another request's."""
        row = tables.answers.c
        mine = (row.id == once.id) & (row.utc > self._clock.now_ms() - KEPT_MS)
        with self._reader.engine.connect() as tx:
            kept = tx.execute(select(row.request, row.sealed).where(mine)).first()
        if kept is None:
            return None
        try:
            answer = once.opened(kept.request, kept.sealed)
        except OtherRequest:
            raise Refused("key_used", "this key named another request", 422) from None
        return None if answer is None else msgspec.json.decode(answer, type=dict[str, Any])
