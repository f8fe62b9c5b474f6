"""The record of one bench test: what the hub says of it, beside the station's own event. The hub
signs both together, so that neither can be another one.

The records of bench tests as the store has them; no hub need run.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, Select, and_, select

from diadema.base.paths import DataDir
from diadema.stations.technician import hub_key
from diadema.stations.technician import hub_key as records
from diadema.stations.technician.hub_key import is_signed
from diadema.store import open_reader, tables
from diadema.store.host_rows import Inspection
from diadema.wire.letters import LETTERS, from_columns
from diadema.wire.scrub import ERASED

type Standing = Literal["right", "altered", "another_hub", "erased"]


class Record(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True, rename=LETTERS):
    """`of`: s, e, n of the station's event; `t`: UTC milliseconds at which the hub noted it."""

    of: tuple[str, int, int]
    utc_ms: int
    by: str
    seat: str | None
    board: str
    firmware: str
    fit: bool


class Signed(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """As it is printed. `test`: the station's event; `key`: the public one of who signed."""

    record: Record
    test: dict[str, Any]
    signature: str
    key: str

    @property
    def tested_utc(self) -> int:
        """By the station's clock, where it had the hour."""
        told = self.test.get("t")
        return told if isinstance(told, int) else self.record.utc_ms

    @property
    def checks(self) -> dict[str, str]:
        return {str(name): str(one) for name, one in self.test.get("checks", {}).items()}

    @property
    def failed(self) -> list[str]:
        return [name for name, one in self.checks.items() if one == "failed"]

    @property
    def reason(self) -> str | None:
        told = self.test.get("reason")
        return None if told is None else str(told)


def statement(record: Record, test: dict[str, Any]) -> bytes:
    """What is signed."""
    return records.statement(record=record, test=test)


def standing(signed: Signed, public: str) -> Standing:
    """Whether it is a record of the hub with that public key, as that hub made it; erased: whose
    name was in it is not kept any more, so nobody can say.
    """
    message = statement(signed.record, signed.test)
    if is_signed(message, signed.signature, public):
        return "right"
    if signed.key != public and is_signed(message, signed.signature, signed.key):
        return "another_hub"
    return "erased" if signed.record.by.startswith(ERASED) else "altered"


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
    return {row.of_s: from_columns(Inspection, row._mapping) for row in found}


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
            utc_ms=row.utc,
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
