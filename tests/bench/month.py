"""A month, a day and an agent's page of a thousand agents, beside a plain query of the raw events.

The store is that of `centre`. Beside it the same answer comes from DuckDB by a query written by
hand over all raw events, which are in a DuckDB table with typed columns before the clock starts;
both answers are compared, and a difference ends the run. Reports are made twice, and the second
is told: the first also brings the roll-ups up to date, which is told apart.
"""

import asyncio
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
from diadema.figures.agent_day import agent_page
from diadema.figures.read import Figures, read
from diadema.report.kinds import KINDS
from diadema.report.make import make
from diadema.report.model import Scope
from diadema.report.period import around
from diadema.store import open_reader

from tests.bench.centre import Centre, centre
from tests.bench.centre_load import agent
from tests.bench.figure import Figure

_MONTH_MS, _DAY_MS, _PAGE_MS = 1000, 200, 200
_TURNS = 5
_COLUMNS = """{s: 'VARCHAR', e: 'BIGINT', n: 'BIGINT', k: 'VARCHAR', b: 'BIGINT', u: 'BIGINT',
  t: 'BIGINT', a: 'VARCHAR', c: 'VARCHAR', "by": 'VARCHAR', queue: 'VARCHAR', pbx: 'VARCHAR',
  wait_ms: 'BIGINT', direction: 'VARCHAR', ring_ms: 'BIGINT', code: 'VARCHAR', agent: 'VARCHAR',
  cause: 'VARCHAR'}"""
# whole seconds of each contact's parts, halves up, of those whose wrap-up is over
_CONTACTS = """
  WITH one AS (
    SELECT s, e, c, any_value(a) AS a, min(t) AS began,
      bool_or(k = 'contact.dialed') AS out,
      min(CASE k WHEN 'contact.answered' THEN u END) AS answered,
      min(CASE k WHEN 'contact.ended' THEN u END) AS ended,
      min(CASE k WHEN 'wrapup.started' THEN u END) AS wrapup,
      min(CASE k WHEN 'wrapup.ended' THEN u END) AS closed,
      coalesce(sum(CASE k WHEN 'contact.resumed' THEN u WHEN 'contact.held' THEN -u END), 0)
        AS hold
    FROM events WHERE c IS NOT NULL GROUP BY s, e, c
  )
  SELECT a, count(*) FILTER (NOT out), count(*) FILTER (NOT out AND answered IS NOT NULL),
    count(*) FILTER (out AND answered IS NOT NULL),
    count(closed), sum((2 * (ended - answered - hold) + 1000) // 2000) FILTER (closed IS NOT NULL),
    sum((2 * hold + 1000) // 2000) FILTER (closed IS NOT NULL),
    sum((2 * (closed - wrapup) + 1000) // 2000)
  FROM one WHERE began >= ? AND began < ? GROUP BY a ORDER BY a
"""
_QUEUE = """
  WITH one AS (
    SELECT queue, pbx,
      min(CASE k WHEN 'queue.entered' THEN t END) AS entered,
      min(CASE k WHEN 'queue.connected' THEN wait_ms END) AS answered,
      min(CASE k WHEN 'queue.abandoned' THEN wait_ms END) AS abandoned
    FROM events WHERE s LIKE 'PBX-%' GROUP BY queue, pbx
  )
  SELECT count(*), count(answered), count(abandoned), count(*) FILTER (answered <= 20000),
    sum((answered + 500) // 1000)
  FROM one WHERE entered >= ? AND entered < ?
"""


async def figures() -> list[Figure]:
    return await asyncio.to_thread(_figures)


def _figures() -> list[Figure]:
    made = centre()
    with tempfile.TemporaryDirectory(prefix="diadema-bench-") as folder:
        plain = _load(made, Path(folder))
        found = [*_compared(made, plain)]
        plain.close()
    return found


def _compared(made: Centre, plain: duckdb.DuckDBPyConnection) -> Iterator[Figure]:
    first, last = date.fromisoformat(made.first), date.fromisoformat(made.last)
    day = last - timedelta(days=min(7, made.days - 1))
    _, ms = _timed(partial(read, made.data, first, last, made.now_ms), 1)
    yield Figure("month's figures, the first time", ms, "ms", None, "roll-ups are made")
    for what, span, budget in (("month", (first, last), _MONTH_MS), ("day", (day, day), _DAY_MS)):
        seen, ms = _timed(partial(read, made.data, *span, made.now_ms))
        answer, plain_ms = _timed(partial(_ask, plain, seen))
        _same(what, seen, answer)
        yield Figure(f"{what}'s figures", ms, "ms", budget, "budget")
        yield Figure(f"{what}'s figures", ms, "ms", plain_ms, "DuckDB, raw events, same answer")
    for kind in KINDS:
        report = partial(make, made.data, kind, around("month", first), Scope(), made.now_ms)
        _, ms = _timed(report)
        yield Figure(f"report of the month, {kind}", ms, "ms", _MONTH_MS, "budget")
    who = agent(made.agents // 2)
    page, ms = _timed(partial(agent_page, made.data, who, day, made.now_ms))
    yield Figure("an agent's page", ms, "ms", _PAGE_MS, "budget")
    _, plain_ms = _timed(partial(_timeline, plain, who, page.start, page.end))
    yield Figure("an agent's page", ms, "ms", plain_ms, "DuckDB, her raw events of the day")


def _load(made: Centre, folder: Path) -> duckdb.DuckDBPyConnection:
    """All raw events, typed; SQLite's rows go there as JSON Lines."""
    lines = folder / "events.jsonl"
    reader = open_reader(made.data.store)
    try:
        with reader.engine.connect() as connection, lines.open("wb") as file:
            rows = connection.exec_driver_sql("SELECT body FROM events ORDER BY rowid")
            for part in rows.yield_per(10_000).partitions():
                file.write(b"\n".join([row[0] for row in part]) + b"\n")
    finally:
        reader.close()
    plain = duckdb.connect(str(folder / "events.duckdb"))
    plain.execute(
        f"CREATE TABLE events AS SELECT * FROM read_json(?, format = 'newline_delimited', "
        f"columns = {_COLUMNS})",
        [str(lines)],
    )
    lines.unlink()
    return plain


def _timed[T](work: Callable[[], T], turns: int = _TURNS) -> tuple[T, float]:
    """The quickest of some turns: what else runs here can only slow it."""
    best, given = float("inf"), None
    for _ in range(turns):
        began = time.perf_counter()
        given = work()
        best = min(best, (time.perf_counter() - began) * 1000)
    assert given is not None
    return given, best


def _ask(plain: duckdb.DuckDBPyConnection, seen: Figures) -> tuple[Any, Any]:
    bounds = [seen.days[0].start_ms, seen.days[-1].end_ms]
    return (
        plain.execute(_CONTACTS, bounds).fetchall(),
        plain.execute(_QUEUE, bounds).fetchone(),
    )


def _timeline(
    plain: duckdb.DuckDBPyConnection, who: str, start: int, end: int
) -> list[tuple[Any, ...]]:
    """What her page is drawn from."""
    query = "SELECT * FROM events WHERE a = ? AND t >= ? AND t < ? ORDER BY e, n"
    return plain.execute(query, [who, start, end]).fetchall()


def _same(what: str, seen: Figures, answer: tuple[Any, Any]) -> None:
    ours = {}
    for a, sums in seen.agents().items():
        calls = sums.calls()
        told = (
            calls.offered, calls.answered, calls.connected, calls.n, calls.talk_s, calls.hold_s,
            calls.wrap_s,
        )  # fmt: skip
        if any(told):
            ours[a] = told
    theirs = {a: tuple(int(one or 0) for one in told) for a, *told in answer[0]}
    if ours != theirs:
        odd = {a for a in ours.keys() | theirs.keys() if ours.get(a) != theirs.get(a)}
        a = min(odd)
        raise SystemExit(
            f"{what}: {len(odd)} agents differ, {a}: {ours.get(a)} and {theirs.get(a)}"
        )
    queue = seen.queue()
    flow = queue.flow(20, 5)
    told = (flow.received, flow.answered, flow.abandoned, flow.answered_within, flow.wait_s)
    if told != tuple(int(one or 0) for one in answer[1]):
        raise SystemExit(f"{what}: the queue's figures differ, {told} and {answer[1]}")
