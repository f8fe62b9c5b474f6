"""Reads of the register, for the worker: what goes in and out must pickle."""

from collections.abc import Collection
from typing import Any

import msgspec
from sqlalchemy import select

from diadema.base.paths import DataDir
from diadema.site.directory.people import People
from diadema.store import open_reader, tables
from diadema.store.attendance import Badges
from diadema.store.host_rows import Correction
from diadema.store.register import Acted, Reading
from diadema.wire.letters import encoded_fields

type Place = tuple[str, int, int]


def acts(
    data: DataDir,
    agents: Collection[str] | None,
    by: str,
    start_utc: int | None,
    end_utc: int | None,
    after: int,
    limit: int,
) -> list[Acted]:
    """On these agents (None: on all), and those of `by` that are on none."""
    reader = open_reader(data.store)
    try:
        return reader.acts(
            agents=agents, by=by, start_utc=start_utc, end_utc=end_utc, after=after, limit=limit
        )
    finally:
        reader.close()


def act(data: DataDir, place: Place) -> Acted | None:
    reader = open_reader(data.store)
    try:
        return reader.act(*place)
    finally:
        reader.close()


def messages(
    data: DataDir,
    agents: Collection[str] | None,
    start_utc: int | None,
    end_utc: int | None,
    m: str | None,
) -> list[Reading]:
    reader = open_reader(data.store)
    try:
        found = reader.messages(start_utc=start_utc, end_utc=end_utc, m=m)
    finally:
        reader.close()
    return [one for one in found if agents is None or one.sent.agent in agents]


def corrections(
    data: DataDir, agents: Collection[str] | None, start_utc: int | None, end_utc: int | None
) -> list[Correction]:
    reader = open_reader(data.store)
    try:
        found = reader.corrections(start_utc=start_utc, end_utc=end_utc)
    finally:
        reader.close()
    return [one for one in found if agents is None or one.agent in agents]


def mark(data: DataDir, number: int) -> tuple[Place, str | None] | None:
    """(s, e, n) of that mark of the ledger, and whose it is."""
    reader = open_reader(data.store)
    row = tables.marks.c
    try:
        with reader.engine.connect() as tx:
            found = tx.execute(select(tables.marks).where(row.number == number)).first()
            if found is None:
                return None
            agent = found.a or Badges(tx).owner(found.badge, found.utc)
            return (found.s, found.e, found.n), agent
    finally:
        reader.close()


def plain_act(entry: Acted, people: People) -> dict[str, Any]:
    """As JSON tells it: what is null is left out. Private reasons have no name."""
    told = encoded_fields(entry.act)
    told["reason"] = people.shown(entry.act.reason)
    s, e, n = told.pop("s"), told.pop("e"), told.pop("n")
    of = told.pop("of_s"), told.pop("of_e"), told.pop("of_n")
    plain: dict[str, Any] = {"position": entry.position, "event": [s, e, n]}
    plain |= {name: value for name, value in told.items() if value is not None}
    if of[0] is not None:
        plain["of"] = list(of)
    if entry.outcome is not None:
        plain["outcome"] = _present(entry.outcome)
    return plain


def plain_reading(one: Reading) -> dict[str, Any]:
    sent = one.sent
    return {
        "m": sent.m,
        "event": [sent.station, sent.epoch, sent.sequence],
        "utc": sent.utc,
        "by": sent.by,
        "a": sent.agent,
        "text": sent.text,
        "sign": sent.sign,
        "shown": one.shown,
        "shown_utc": one.shown_utc,
        "answer": one.answer,
        "answered_utc": one.answered_utc,
        "how": one.how,
        "outcome": _present(one.outcome),
    }


def plain_correction(one: Correction) -> dict[str, Any]:
    told = encoded_fields(one)
    s, e, n = told.pop("s"), told.pop("e"), told.pop("n")
    of = told.pop("of_s"), told.pop("of_e"), told.pop("of_n")
    return {"event": [s, e, n], "of": None if of[0] is None else list(of), **told}


def _present(struct: msgspec.Struct) -> dict[str, Any]:
    fields = encoded_fields(struct)
    return {name: value for name, value in fields.items() if value is not None}
