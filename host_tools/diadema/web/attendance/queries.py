"""Reads of attendance, for the API.

They run in the worker: what goes in and out must pickle.
"""

from collections.abc import Collection
from typing import Any

from sqlalchemy import select

from diadema.base.paths import DataDir
from diadema.store import open_reader, tables
from diadema.store.attendance import Badges
from diadema.store.host_rows import Correction
from diadema.web.actions.queries import Place
from diadema.wire.letters import encoded_fields


def corrections(
    data: DataDir, agents: Collection[str] | None, start_utc: int | None, end_utc: int | None
) -> list[Correction]:
    with open_reader(data.store) as reader:
        found = reader.corrections(start_utc=start_utc, end_utc=end_utc)
    return [one for one in found if agents is None or one.agent in agents]


def mark(data: DataDir, number: int) -> tuple[Place, str | None] | None:
    """(s, e, n) of that mark of the ledger, and whose it is."""
    row = tables.marks.c
    with open_reader(data.store) as reader, reader.engine.connect() as tx:
        found = tx.execute(select(tables.marks).where(row.number == number)).first()
        if found is None:
            return None
        agent = found.a or Badges(tx).owner(found.badge, found.utc)
        return (found.s, found.e, found.n), agent


def plain_correction(one: Correction) -> dict[str, Any]:
    fields = encoded_fields(one)
    s, e, n = fields.pop("s"), fields.pop("e"), fields.pop("n")
    of = fields.pop("of_s"), fields.pop("of_e"), fields.pop("of_n")
    return {"event": [s, e, n], "of": None if of[0] is None else list(of), **fields}
