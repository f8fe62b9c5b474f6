"""What was answered to writes that name themselves, for a day: asked again, the same once more."""

from collections.abc import Callable

from sqlalchemy import Engine, delete, select
from sqlalchemy.dialects.sqlite import insert

from diadema.access.database import writing
from diadema.access.tables import answers
from diadema.base.idempotency import KEPT_MS, Once


class Answers:
    def __init__(self, engine: Engine, now: Callable[[], int]) -> None:
        self._engine = engine
        self._now = now

    def of(self, once: Once) -> bytes | None:
        """Raises OtherRequest."""
        row = answers.c
        mine = (row.id == once.id) & (row.at_ms > self._now() - KEPT_MS)
        with self._engine.connect() as connection:
            kept = connection.execute(select(row.request, row.sealed).where(mine)).first()
        return once.opened(kept.request, kept.sealed) if kept else None

    def keep(self, once: Once, answer: bytes) -> None:
        """Those of more than a day ago go."""
        now = self._now()
        fields = {"request": once.request, "at_ms": now, "sealed": once.sealed(answer)}
        made = insert(answers).values(id=once.id, **fields)
        with writing(self._engine) as tx:
            tx.execute(delete(answers).where(answers.c.at_ms <= now - KEPT_MS))
            tx.execute(made.on_conflict_do_update(index_elements=["id"], set_=fields))
