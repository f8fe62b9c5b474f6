"""The record of a bench test: what the hub says of it, beside the station's own event. The hub
signs both together, so that neither can be exchanged.

Records are read from the store; no hub need run. Their words are of the catalogue's area
`selftest`; a check that it does not know is shown as the station calls it.
"""

import shlex
from collections.abc import Iterator, Mapping
from typing import Any, Literal
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, Select, and_, select

from diadema.base.paths import DataDir
from diadema.base.sanitize import file_name
from diadema.stations import signing
from diadema.stations.signing import fingerprint, is_signed
from diadema.store import open_reader, tables
from diadema.store.host_rows import Inspection
from diadema.wire.letters import LETTERS, from_columns
from diadema.wire.scrub import ERASED
from diadema.words import section, text
from diadema.words.formatting import local_time

_MOST = 100
_NEWEST = (tables.inspections.c.utc.desc(), tables.inspections.c.n.desc())

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
    """A record as it is printed. `test`: the station's event; `key`: the signer's public one."""

    record: Record
    test: dict[str, Any]
    signature: str
    key: str

    @property
    def tested_utc(self) -> int:
        """UTC milliseconds by the station's clock, else by the hub's."""
        at = self.test.get("t")
        return at if isinstance(at, int) else self.record.utc_ms

    @property
    def checks(self) -> dict[str, str]:
        return {str(name): str(one) for name, one in self.test.get("checks", {}).items()}

    @property
    def failed(self) -> list[str]:
        return [name for name, one in self.checks.items() if one == "failed"]

    @property
    def reason(self) -> str | None:
        reason = self.test.get("reason")
        return None if reason is None else str(reason)


def statement(record: Record, test: dict[str, Any]) -> bytes:
    """The bytes that are signed."""
    return signing.statement(record=record, test=test)


def standing(signed: Signed, public: str) -> Standing:
    """Whether it is a record of the hub with that public key, as that hub made it. `erased`: the
    name in it was erased since, so nobody can say.
    """
    message = statement(signed.record, signed.test)
    if is_signed(message, signed.signature, public):
        return "right"
    if signed.key != public and is_signed(message, signed.signature, signed.key):
        return "another_hub"
    return "erased" if signed.record.by.startswith(ERASED) else "altered"


def inspections(data: DataDir, s: str, most: int = _MOST) -> list[Signed]:
    """The records of one station, the newest first. Raises DiademaError."""
    row = tables.inspections.c
    return _read(data, _query().where(row.of_s == s).order_by(*_NEWEST).limit(most))


def inspection(data: DataDir, of: tuple[str, int, int]) -> Signed | None:
    """The record of that station's event (s, e, n), if there is one. Raises DiademaError."""
    row = tables.inspections.c
    its = and_(row.of_s == of[0], row.of_e == of[1], row.of_n == of[2])
    return next(iter(_read(data, _query().where(its).limit(1))), None)


def newest(tx: Connection) -> Mapping[str, Inspection]:
    """The last record of each station."""
    row = tables.inspections.c
    found = tx.execute(select(tables.inspections).order_by(row.utc, row.n))
    return {row.of_s: from_columns(Inspection, row._mapping) for row in found}


def _query() -> Select[Any]:
    made, event = tables.inspections.c, tables.events.c
    its = and_(event.s == made.of_s, event.e == made.of_e, event.n == made.of_n)
    return select(tables.inspections, event.body).join(tables.events, its)


def _read(data: DataDir, query: Select[Any]) -> list[Signed]:
    with open_reader(data.store) as reader, reader.engine.connect() as tx:
        rows = [*tx.execute(query)]
    return [*_signed(rows, data)]


def _signed(rows: list[Any], data: DataDir) -> Iterator[Signed]:
    if not rows:
        return
    key = signing.load(data)
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


def check(name: str, language: str) -> str:
    return section("selftest", language).get(f"check.{name}", name)


def result(word: str, language: str) -> str:
    return section("selftest", language).get(f"result.{word}", word)


def advice(name: str, language: str) -> str | None:
    """What to do about a check that failed, or about why it ended."""
    words = section("selftest", language)
    return words.get(f"do.{name}") or words.get(f"do.{name.partition('_')[0]}")


def why(signed: Signed, language: str) -> str:
    """What failed, and why else it is not fit."""
    words = section("selftest", language)
    failed = [check(name, language) for name in signed.failed]
    if signed.reason and signed.reason not in signed.checks:
        failed.append(words.get(f"why.{signed.reason}", signed.reason))
    if not failed and not signed.checks:
        failed.append(words["why.no_checks"])
    return ", ".join(failed)


def verdict(signed: Signed, language: str) -> str:
    words, seat = section("selftest", language), named(signed)
    if signed.record.fit:
        return words["verdict.fit"].format(seat=seat)
    return words["verdict.unfit"].format(seat=seat, why=why(signed, language))


def to_do(signed: Signed, language: str) -> list[str]:
    """A line for each thing that is wrong."""
    pairs = [(check(name, language), advice(name, language)) for name in signed.failed]
    lines = [f"{name}: {what}" for name, what in pairs if what]
    if signed.reason and signed.reason not in signed.checks:
        lines += filter(None, [advice(signed.reason, language)])
    elif not signed.checks:
        lines += filter(None, [advice("no_checks", language)])
    return lines


def standing_text(found: Standing, public: str, language: str) -> str:
    return text(f"selftest.standing.{found}", language, fingerprint=fingerprint(public))


def next_step(signed: Signed, language: str) -> str:
    """The command that prints its record, as a shell takes it."""
    seat = named(signed)
    file = shlex.quote(f"{file_name(seat)}.pdf")
    return text("selftest.next", language, seat=shlex.quote(seat), file=file)


def named(signed: Signed) -> str:
    return signed.record.seat or signed.record.of[0]


def day_and_time(utc_ms: int, zone: ZoneInfo) -> str:
    return local_time(utc_ms, zone, "date_minute")
