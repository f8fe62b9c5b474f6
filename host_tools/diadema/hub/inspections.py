"""Bench tests: begun when a technician asks, and each one recorded once, signed, in the hub's own
journal. What is to be recorded is what the store has, so that it does not matter who was killed.
A test that nobody asked for here stays the station's own word.
"""

import logging
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct
from sqlalchemy import ColumnElement, FromClause, Row, Text, and_, cast, func, or_, select, tuple_

from diadema.base import sanitize
from diadema.base.idempotency import Once
from diadema.base.paths import DataDir
from diadema.hub.commanding import Commands, Frames, New
from diadema.hub.own_journal import (
    OwnJournal,
    Recorded,
    Refused,
    SupervisorAction,
)
from diadema.ingest.core import Ingest
from diadema.stations import signing
from diadema.stations.selftest.record import Record, statement
from diadema.store import Reader, tables
from diadema.wire.commands import Author
from diadema.wire.letters import LETTERS

LIFE_MS = 600_000  # of the whole test; a station that restarts in it begins again
_AT_ONCE = 50
_NAME_BYTES = 32  # of board and program in a record
_NOBODY = "diadema"  # asked by a program that gave no name
log = logging.getLogger(__name__)


class _BenchRequest(Struct, kw_only=True, forbid_unknown_fields=True, rename=LETTERS):
    """`s`: its id or its seat."""

    station: Annotated[str, Meta(min_length=1, max_length=64)]
    by: Author


class Inspections:
    """`due`: there may be tests without a record."""

    def __init__(self, data: DataDir, ingest: Ingest, commands: Commands, reader: Reader) -> None:
        self._data = data
        self._ingest = ingest
        self._commands = commands
        self._reader = reader
        self._journal = OwnJournal(ingest, commands)
        self._without: dict[str, int] = {}  # of each station, as it was said last
        self.due = True

    def begin(
        self, body: dict[str, Any], once: Once | None = None
    ) -> tuple[dict[str, Any], Frames]:
        """Tell the station. Raises Refused, ValidationError, StoreUnavailable or StoreStale."""
        request = msgspec.convert(body, _BenchRequest)
        if found := sanitize.hidden(request.by):
            shown = ", ".join(found)
            detail = f"by has {shown}, which nobody sees: write it without"
            raise Refused("hidden", detail, 422, name="by", found=shown)
        site = self._ingest.site
        seats = {one.seat: one.id for one in site.stations} if site else {}
        s = seats.get(request.station, request.station)
        station = self._ingest.stations.get(s) if s.startswith("DIA-") else None
        if station is None and s not in seats.values():
            raise Refused(
                "unknown_station", f"no station {request.station} here", 404, s=request.station
            )
        seat = self._ingest.floor.seat_name(s)
        if station is None or station.link == "lost":
            raise Refused("link_lost", f"{seat} is not connected", seat=seat)
        if (session := station.state.session) is not None:
            raise Refused(
                "somebody_there",
                f"{session.agent} is logged in at {seat}",
                seat=seat,
                a=session.agent,
            )
        new = New(s, "selftest", {"bench": 1, "by": request.by}, life_ms=LIFE_MS)
        place = {"s": s, "seat": seat}
        i, frames = self._commands.order(new, once, place)
        return {**place, "i": i}, frames

    def make(self) -> Recorded | None:
        """Record those that have none. Raises DiademaError; then nothing was stored, and it is
        still due.
        """
        waiting = self._waiting()
        if not waiting:
            self.due = False
            self._say_without()
            return None
        key = signing.load_or_make(self._data)
        return self._journal.record([self._action(row, key) for row in waiting])

    def _waiting(self) -> list[Row[Any]]:
        """Those that answer a bench test which was asked for; of one told twice, the first."""
        test, event, command = tables.bench_tests.c, tables.events.c, tables.commands.c
        its = and_(event.s == test.s, event.e == test.e, event.n == test.n)
        by = and_(command.s == test.s, command.i == test.i, command.cmd == "selftest")
        query = (
            select(test.s, test.e, test.n, event.body, command.body.label("request"))
            .join(tables.events, its)
            .join(tables.commands, by)
            .where(func.json_extract(cast(command.body, Text), "$.bench") == 1)
            .where(~_recorded(tables.bench_tests), ~_answered_before())
            .limit(_AT_ONCE)
        )
        with self._reader.engine.connect() as tx:
            return [*tx.execute(query)]

    def _say_without(self) -> None:
        """Whoever looks for a record that is not there finds why in the log."""
        test = tables.bench_tests
        query = select(test.c.s, func.count()).where(~_recorded(test)).group_by(test.c.s)
        with self._reader.engine.connect() as tx:
            found = {s: count for s, count in tx.execute(query)}
        for s, count in found.items():
            if self._without.get(s) != count:
                log.warning("%s: %d of its bench tests answer nothing that was asked for here, or "
                            "tell it again: they have no record", s, count)  # fmt: skip
        self._without = found

    def _action(self, row: Row[Any], key: signing.HubKey) -> SupervisorAction:
        station = self._ingest.station(row.s)
        test: dict[str, Any] = msgspec.json.decode(row.body)
        command: dict[str, Any] = msgspec.json.decode(row.request)
        checks: dict[str, str] = test["checks"]
        seat = self._ingest.floor.seat_name(row.s)
        record = Record(
            of=(row.s, row.e, row.n),
            utc_ms=self._ingest.clock.now_ms(),
            by=sanitize.stripped(str(command.get("by", ""))) or _NOBODY,
            seat=None if seat == row.s else seat,
            board=_cut(station.hello.board or station.state.board),
            firmware=_cut(station.state.firmware or station.hello.firmware),
            fit=test["fit"] and bool(checks) and "failed" not in checks.values(),
        )
        fields = msgspec.to_builtins(record) | {"signature": key.sign(statement(record, test))}
        return SupervisorAction([("station.inspected", fields)])


def _recorded(test: FromClause) -> ColumnElement[bool]:
    made = tables.inspections.c
    its = and_(made.of_s == test.c.s, made.of_e == test.c.e, made.of_n == test.c.n)
    return select(made.n).where(its).exists()


def _answered_before() -> ColumnElement[bool]:
    """Whether the same command had another answer before, or one that is recorded."""
    test, other = tables.bench_tests.c, tables.bench_tests.alias()
    before = tuple_(other.c.e, other.c.n) < tuple_(test.e, test.n)
    same = and_(other.c.s == test.s, other.c.i == test.i)
    return select(other.c.n).where(same, or_(before, _recorded(other))).exists()


def _cut(name: str) -> str:
    return sanitize.stripped(name).encode()[:_NAME_BYTES].decode(errors="ignore")
