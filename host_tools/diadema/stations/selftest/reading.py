"""The records of bench tests as the store has them; no hub need run."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, and_, select

from diadema.base.paths import DataDir
from diadema.stations.selftest.record import Record, Signed
from diadema.stations.technician import hub_key
from diadema.store import open_reader, tables
from diadema.store.host_rows import Inspection

_MOST = 100


def inspections(data: DataDir, s: str, most: int = _MOST) -> list[Signed]:
    """Of one station, the newest first. Raises DiademaError."""
    row = tables.inspections.c
    return _read(data, _query().where(row.of_s == s).order_by(*_NEWEST).limit(most))


def inspection(data: DataDir, of: tuple[str, int, int]) -> Signed | None:
    """Of that station's event. Raises DiademaError."""
    row = tables.inspections.c
    its = and_(row.of_s == of[0], row.of_e == of[1], row.of_n == of[2])
    return next(iter(_read(data, _query().where(its).limit(1))), None)


def newest(tx: Connection) -> Mapping[str, Inspection]:
    """The last record of each station."""
    row = tables.inspections.c
    found = tx.execute(select(tables.inspections).order_by(row.utc, row.n))
    return {row.of_s: Inspection(**row._mapping) for row in found}


_NEWEST = (tables.inspections.c.utc.desc(), tables.inspections.c.n.desc())


def _query() -> Select[Any]:
    made, event = tables.inspections.c, tables.events.c
    its = and_(event.s == made.of_s, event.e == made.of_e, event.n == made.of_n)
    return select(tables.inspections, event.body).join(tables.events, its)


def _read(data: DataDir, query: Select[Any]) -> list[Signed]:
    reader = open_reader(data.store)
    try:
        with reader.engine.connect() as tx:
            rows = [*tx.execute(query)]
    finally:
        reader.close()
    return [*_signed(rows, data)]


def _signed(rows: list[Any], data: DataDir) -> Iterator[Signed]:
    if not rows:
        return
    key = hub_key.load(data)
    for row in rows:
        record = Record(
            of=(row.of_s, row.of_e, row.of_n),
            t=row.utc,
            by=row.by,
            seat=row.seat,
            board=row.board,
            firmware=row.firmware,
            fit=row.fit,
        )
        yield Signed(
            record=record,
            test=msgspec.json.decode(row.body),
            signature=row.signature,
            key=key.public if key else "",
        )
