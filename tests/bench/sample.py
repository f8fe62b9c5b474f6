"""A month's draw over a million contacts, its export, and the check of the exported file.

Each in a process of its own, whose peak of memory the system tells; what is drawn is assigned too,
and the check has to find nothing wrong.
"""

import asyncio
import json
import os
import random
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import batched
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
from diadema.access import Accounts
from diadema.access.roles import THE_HUB
from diadema.base.paths import DataDir
from diadema.hub.quality_drawn import staff_of
from diadema.quality.assigning import Bars, assign
from diadema.quality.commitments import prepare
from diadema.quality.drawing import Wanted, make
from diadema.quality.frame import Conditions, Frame, frame_of, hash_of, late_of
from diadema.quality.sample_file import (
    Listed,
    Sample,
    keep_frame,
    listed,
    read_frame,
    sample_of,
    verify,
    write_sample,
)
from diadema.quality.sampling import (
    Earlier,
    SamplePeriod,
    check_over,
    commitment,
    draw,
    new_secret,
    overlap,
    replacement,
)
from diadema.site.directory.book import Change, Directory
from diadema.site.directory.freezing import publish_quality
from diadema.site.directory.kinds import KINDS
from diadema.site.directory.people import People
from diadema.site.directory.quality import SamplePlan
from diadema.store import open_reader, open_writer
from diadema.store.contact_rows import row_of
from diadema.store.rows import Contact

from tests.bench.crowd import weight
from tests.bench.figure import Figure
from tests.support.informed import inform
from tests.support.scripted_station import SITE

_CONTACTS, _AGENTS, _SEATS = 1_000_000, 1000, 1000
_BUDGET_S, _BUDGET_MB = 20, 300
_MEASURED = {
    "draw": "drawn from", "desk": "drawn from as the hub does", "late": "drawn from again",
    "export": "exported", "check": "checked",
}  # fmt: skip
_START = int(datetime(2026, 11, 1, tzinfo=UTC).timestamp() * 1000)
_DAYS = 30
_PERIOD = SamplePeriod("2026-11", _START, _START + _DAYS * 86_400_000, _DAYS, _START)
_CODES = ("111", "112", "211", "311")
_PLAN = SamplePlan(
    code="MES", label="Auditoría del mes", scorecard="F1", period="month", per_agent=8,
    strata=("motive", "duration"), least_talk_s=20, audit=True, days=20, cap_per_day=40,
    monitors=tuple(f"monitor{at}" for at in range(12)),
)  # fmt: skip
_OTHER = SamplePlan(code="SEMANA", label="Semanal", scorecard="F1")


async def figures() -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="diadema-bench-") as scratch:
        folder = Path(scratch)
        await asyncio.to_thread(_fill, folder / "store.sqlite3")
        await asyncio.to_thread(_found, DataDir(folder))
        found = []
        for name, what in _MEASURED.items():
            spent, own, peak = await _apart(name, folder)
            budget = (None, None) if name in ("late", "export") else (_BUDGET_S, _BUDGET_MB)
            of = f"{_CONTACTS:,} contacts {what}"
            found.append(Figure(of, spent, "s", budget[0], "budget" if budget[0] else ""))
            found.append(Figure(f"{of}: processor", own, "s of a core"))
            found.append(Figure(f"{of}: memory", peak, "MB", budget[1], found[-2].named))
        return found


async def _apart(name: str, folder: Path) -> tuple[float, float, float]:
    """Of one of `_PARTS`: seconds by the clock, those of a core, and megabytes."""
    command = [sys.executable, "-m", "tests.bench.sample", name, str(folder)]
    running = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    out, _ = await running.communicate()
    if running.returncode:
        raise SystemExit(f"{name} ended with {running.returncode}")
    spent, own, peak = json.loads(out)
    return spent, own, peak


def _fill(path: Path) -> None:
    open_writer(path).close()
    tx = sqlite3.connect(path)
    with tx:
        for rows in batched((row_of(one) for one in _contacts()), 10_000):
            tx.executemany("INSERT INTO contacts VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
    tx.close()


def _contacts() -> Iterator[Contact]:
    order = random.Random(31)
    each = _CONTACTS // _AGENTS
    step = (_DAYS * 86_400_000) // each
    for at in range(_CONTACTS):
        agent, n = divmod(at, each)
        start = _START + n * step + agent
        talk = order.choice((9_000, 60_000, 180_000, 400_000, 700_000))
        answered, end = start + 4000, start + 4000 + talk
        yield Contact(
            station=f"DIA-{agent % _SEATS:012x}", epoch=7, sequence=9 * n + 5, contact=f"c{n}",
            agent=f"A{agent:04}", queue="ventas", phase="closed", ended_by="caller", how="agent",
            outcome="missed" if order.random() < 0.05 else "answered",
            start_b=1, start_u=start - _START, start_utc=start, answered_u=answered - _START,
            answered_utc=answered, end_b=1, end_u=end - _START, end_utc=end, close_b=1,
            close_u=end + 9000 - _START, close_utc=end + 9000, ring_ms=4000, talk_ms=talk,
            wrap_ms=9000, code=order.choice(_CODES), version="1",
        )  # fmt: skip


def _draw(folder: Path) -> None:
    check_over(_PLAN, _PERIOD, _PERIOD.end_ms)
    people = People(motive_of={code: code[0] for code in _CODES})
    conditions = Conditions(
        noticed=lambda contact: contact.queue == "ventas",
        left_out=lambda one: one.agent == "A0007",
    )
    secret = new_secret()
    with open_reader(folder / "store.sqlite3") as reader, reader.engine.connect() as tx:
        frame = frame_of(tx, _PLAN, _PERIOD, people, ZoneInfo("America/Lima"), conditions)
    drawn = draw(_PLAN, frame.rows, secret)
    given = assign(_PLAN, _PERIOD, drawn, secret, Bars())
    if len(given.calls) < (_AGENTS - 1) * 8 or given.left or given.alone:
        raise SystemExit(f"{len(given.calls)} assigned, {len(given.left)} left")
    keep_frame(folder / "frame.csv", frame.rows)
    about = sample_of("D00000000001", _PLAN, 1, _PERIOD, secret, frame, drawn,
                      beside=overlap(_PLAN, [_OTHER]))  # fmt: skip
    (folder / "about").write_bytes(msgspec.json.encode(about))
    (folder / "calls").write_bytes(msgspec.json.encode(listed(drawn)))


def _found(data: DataDir) -> None:
    """What the hub reads beside the store: a form, the plan, people who were informed."""
    data.site.write_text(json.dumps(SITE | {"zone": "UTC", "stations": [], "agents": []}))
    inform(data, _START - 86_400_000, [f"A{at:04}" for at in range(_AGENTS)])
    accounts = Accounts(data)
    for one in _PLAN.monitors:
        accounts.book.add(THE_HUB, one, one, "monitor", password="clave-1234")
    accounts.close()
    rows: list[tuple[str, dict[str, object]]] = [
        ("scorecards", {"code": "F1", "name": "F1"}),
        ("scorecard_sections", {"scorecard": "F1", "code": "s", "name": "S"}),
        ("scorecard_items",
         {"scorecard": "F1", "section": "s", "code": "i", "text": "I", "weight": 9}),
        ("sample_plans",
         {"code": "MES", "name": "Mes", "scorecard": "F1", "period": "month", "per_agent": 8,
          "strata": [*_PLAN.strata], "least_talk_s": 20, "audit": True, "plan_days": 20,
          "cap_per_day": 40, "monitors": [*_PLAN.monitors]}),
    ]  # fmt: skip
    with Directory(data.directory) as book:
        for kind, row in rows:
            body = KINDS[kind].read(row)
            one = Change(kind=kind, code=KINDS[kind].code(body), body=body)
            book.apply([one], by="luz", reason="bench", at_ms=_START)
        asyncio.run(publish_quality(book, "scorecards", by="luz", at_ms=_START, ask=_nothing))


async def _nothing(*_: object) -> dict[str, object]:
    return {}


def _desk(folder: Path) -> None:
    data = DataDir(folder)
    secret = prepare(data, "MES", _PERIOD.word)
    wanted = Wanted(plan="MES", version=1, period=_PERIOD, commit=commitment(secret))
    kept = make(data, wanted, staff_of(data), _PERIOD.end_ms)
    if len(kept.listed) != _AGENTS * 8 or kept.left or kept.sample.excluded.get("no_notice"):
        raise SystemExit(f"{len(kept.listed)} drawn, {len(kept.left)} left")


def _export(folder: Path) -> None:
    about = msgspec.json.decode((folder / "about").read_bytes(), type=Sample)
    calls = msgspec.json.decode((folder / "calls").read_bytes(), type=list[Listed])
    rows = read_frame(folder / "frame.csv")
    first = calls[0]
    following = replacement(
        rows, bytes.fromhex(about.secret), first.agent, first.stratum, first.rank
    )
    if following is not None:
        calls[0] = msgspec.structs.replace(first, replaced="unplayable")
        calls.append(Listed(first.agent, first.stratum, following.rank, *following.key))
    with (folder / "sample.zip").open("wb") as file:
        write_sample(file, about, rows, calls)


def _late(folder: Path) -> None:
    """One seat's month comes in after the draw."""
    about = msgspec.json.decode((folder / "about").read_bytes(), type=Sample)
    away = f"DIA-{1:012x},".encode()
    first = [row for row in read_frame(folder / "frame.csv") if not row.startswith(away)]
    drawn = Earlier.of(draw(_PLAN, first, bytes.fromhex(about.secret)))
    rows = [*read_frame(folder / "frame.csv")]
    late = late_of(Frame(rows, hash_of(rows), {}), first)
    found = draw(_PLAN, late.rows, bytes.fromhex(about.secret), drawn)
    if {one.agent for one in found.strata} != {"A0001"} or found.short:
        raise SystemExit(f"{len(found.strata)} strata of those that came later")


def _check(folder: Path) -> None:
    found = verify(folder / "sample.zip")
    if found.faults or found.chosen != (_AGENTS - 1) * 8:
        raise SystemExit(f"{found.chosen} chosen, and wrong: {[*map(str, found.faults)]}")


_PARTS = {"draw": _draw, "desk": _desk, "late": _late, "export": _export, "check": _check}


def main() -> None:
    name, folder = sys.argv[1:]
    began, own = time.perf_counter(), time.process_time()
    _PARTS[name](Path(folder))
    spent, own = time.perf_counter() - began, time.process_time() - own
    seen = weight(os.getpid())
    print(json.dumps([spent, own, seen.peak_mb if seen else 0]))


if __name__ == "__main__":
    main()
