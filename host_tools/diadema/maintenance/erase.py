"""Erasure after retention: events older than it lose what tells of a person and keep what they
count, in one recorded operation on a stopped hub; what follows from them is then rebuilt. What
tells of people beside the store goes too (`files`), and what comes back is known again (`obey`).

Of a station only whole sessions are taken, up to the last one that was closed before the limit, so
that none is half somebody's. Attendance keeps its own, longer time. Until that is over too, who
knows a mark can find by hour and seat whose the nameless session beside it was.

What tells of people outside the store: the broker's stream, logs, files of scheduled reports,
and journals read from boards.
"""

import contextlib
import re
import shutil
import sqlite3
from collections.abc import Callable, Collection, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from diadema.access import Accounts
from diadema.access.roles import Person
from diadema.base.clock import Clock
from diadema.base.errors import DiademaError
from diadema.base.locks import alone
from diadema.base.paths import DataDir, write_whole
from diadema.maintenance.rebuild import rebuild
from diadema.maintenance.records_keeping import enter
from diadema.report.model import Scope
from diadema.report.period import any_period
from diadema.report.schedule import runs, write_runs
from diadema.site.directory.people_of import people as read_people
from diadema.store.erased import ERASED, ErasedList, last_erasure
from diadema.wire.ask_hub import STREAM
from diadema.wire.scrub import Names, scrubbed
from diadema.words import Sentence

GONE = "erased"
_OWN = ("schedules.json", "runs.json")  # of the reports: what was ordered, and what came of it


def clear_files(data: DataDir, before_ms: int, names: Collection[str]) -> int:
    """How many went. `names`: of whom something was erased. The broker must not run."""
    gone = _clear_reports(data, before_ms)
    for folder in (data.reports, data.journals, data.logs):
        for path in _old(folder, before_ms):
            path.unlink()
            gone += 1
    _scrub_logs(data, names)
    _clear_stream(data)
    return gone


def _old(folder: Path, before_ms: int) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
        own = path.parent == folder and path.name in _OWN
        if path.is_file() and not own and path.stat().st_mtime * 1000 < before_ms:
            yield path


def _clear_reports(data: DataDir, before_ms: int) -> int:
    """Those of spans that are erased: they can be had again, without names. A file that was
    copied is as old as its span all the same.
    """
    limit, gone = datetime.fromtimestamp(before_ms / 1000, UTC).date(), 0
    made = runs(data)
    for run in made:
        if run.file is None or not _is_over(run.span, limit):
            continue
        if (data.reports / run.file).exists():
            (data.reports / run.file).unlink()
            gone += 1
        if run.scope.of == "agent":
            run.scope = Scope(of="agent", code=GONE)
    if made:
        write_runs(data, made)
    return gone


def _is_over(span: str, limit: date) -> bool:
    return any_period(span).last < limit


def _scrub_logs(data: DataDir, names: Collection[str]) -> None:
    """Nobody's id stays in what is newer."""
    if not names or not data.logs.is_dir():
        return
    any_name = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    whole = re.compile(rf"(?<![\w-])(?:{any_name})(?![\w-])".encode())
    for path in sorted(data.logs.iterdir()):
        if path.is_file():
            said = path.read_bytes()
            if (left := whole.sub(GONE.encode(), said)) != said:
                write_whole(path, left)


def _clear_stream(data: DataDir) -> None:
    """The broker makes it anew. What it held and the store had not is in the stations' journals:
    those free only what the store has acknowledged.
    """
    for folder in data.nats.rglob(f"streams/{STREAM}") if data.nats.is_dir() else ():
        shutil.rmtree(folder)


MONTH_MS = 365.25 / 12 * 86_400_000
MARK_YEARS = 5  # by DS 004-2006-TR
_MARK_MS = round(MARK_YEARS * 12 * MONTH_MS)
_LONGER = (  # attendance; and that somebody who still works here was informed
    "attendance.marked", "attendance.corrected", "attendance.justified", "notice.signed",
)  # fmt: skip
REGISTER_YEARS = 2  # of who heard which call, or might; longer where the recording is there longer
_REGISTER = ("listening.", "recording.released", "case.")
_HOST = ("HUB-", "WEB-", "PBX-")
_ROWS = 2000

type Progress = Callable[[int, int], None]


class Erased(Struct, kw_only=True):
    """`before_ms` of everything but attendance and signed notices, `marks_before_ms` of these;
    `register_before_ms` of the register of listening.
    `chain`: the last hash of the ledger of marks before and after, for whoever holds an older one.
    """

    before_ms: int
    marks_before_ms: int
    register_before_ms: int = 0
    events: int = 0
    people: int = 0
    commands: int = 0
    entries: int = 0
    files: int = 0
    chain: tuple[str | None, str | None] = (None, None)


def erase(
    data: DataDir,
    clock: Clock,
    by: Person,
    before_ms: int,
    marks_before_ms: int | None = None,
    progress: Progress = lambda *_: None,
) -> Erased:
    """Raises DiademaError while a hub runs there, and for a limit that the law forbids. May be
    done again after it was cut off.
    """
    marks_before_ms = marks_before_ms or min(before_ms, clock.now_ms() - _MARK_MS)
    if marks_before_ms > clock.now_ms() - _MARK_MS:
        raise DiademaError(
            Sentence(
                "errors.maintenance.marks_attendance_are_kept_mark_years", mark_years=MARK_YEARS
            )
        )
    if before_ms > clock.now_ms():
        raise DiademaError(Sentence("errors.maintenance.only_what_over_can_erased"))
    if not data.store.exists():
        raise DiademaError(
            Sentence("errors.maintenance.no_store_store_check_data", store=data.store)
        )
    done = Erased(
        before_ms=before_ms,
        marks_before_ms=min(before_ms, marks_before_ms),
        register_before_ms=min(before_ms, clock.now_ms() - _register_ms(data)),
    )
    accounts = Accounts(data)
    erased = ErasedList(data.erased)
    try:
        with alone(data, "privacy erase"):
            number = erased.begin(clock.now_ms(), done.before_ms, done.marks_before_ms)
            accounts.audit.record(
                by, "privacy.erase.begun", before_ms=done.before_ms,
                marks_before_ms=done.marks_before_ms,
            )  # fmt: skip
            head = _head(data.store)
            names = Names()
            _scrub_store(data.store, done, names, erased, progress)
            _clear_directory(data.directory, done)
            done.files = clear_files(data, done.before_ms, names.known)
        rebuild(data, clock, apply=True)
        with alone(data, "privacy erase"):
            _compact(data.store)
            enter(data, clock, by, ERASED, erasure=number)
        done.chain = (head, _head(data.store))
        counts: dict[str, Any] = msgspec.to_builtins(done)
        accounts.audit.record(by, "privacy.erase", **counts)
    finally:
        erased.close()
        accounts.close()
    return done


def _register_ms(data: DataDir) -> int:
    """For how long it is known who heard a call: as long as a recording may be there at least."""
    known = read_people(data)
    longest = max([known.retention_days(), *known.retention.values()])
    return max(round(REGISTER_YEARS * 12 * MONTH_MS), longest * 86_400_000)


def obey(data: DataDir, clock: Clock, by: Person) -> Erased | None:
    """Erase again what a backup has brought back; None where nothing was ever erased. Raises
    DiademaError.
    """
    last = last_erasure(data)
    return erase(data, clock, by, last.before_ms, last.marks_before_ms) if last else None


def _compact(store: Path) -> None:
    """What was written over leaves the file too."""
    with contextlib.closing(sqlite3.connect(store, isolation_level=None)) as tx:
        tx.execute("VACUUM")
        tx.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _head(store: Path) -> str | None:
    with contextlib.closing(sqlite3.connect(store)) as tx:
        found = tx.execute("SELECT hash FROM marks ORDER BY number DESC LIMIT 1").fetchone()
    return found[0] if found else None


def _scrub_store(
    store: Path, done: Erased, names: Names, erased: ErasedList, progress: Progress
) -> None:
    people = set[str]()
    with contextlib.closing(sqlite3.connect(store, isolation_level=None)) as tx:
        tx.execute("PRAGMA synchronous = FULL")
        tx.execute("BEGIN IMMEDIATE")
        journals = tx.execute("SELECT s, e, count(*) FROM events GROUP BY s, e").fetchall()
        total, seen = sum(count for *_, count in journals), 0
        for s, e, count in journals:
            ends = _ends(tx, s, e, done)
            changed, gone = [], []
            for n, body in _rows(tx, s, e, max(ends)):
                event: dict[str, Any] = msgspec.json.decode(body)
                if _is_due(event, s, n, ends, done):
                    new = scrubbed(event, names)
                    if new != event:
                        people.add(new.get("a") or "")
                        changed.append((msgspec.json.encode(new), s, e, n))
                        gone.append(body)
            erased.add(gone)  # before they are gone: whoever is cut off knows them again
            tx.executemany("UPDATE events SET body = ? WHERE s = ? AND e = ? AND n = ?", changed)
            for table in ("conflicts", "dead_letters"):
                its = f"SELECT rowid, n, body FROM {table} WHERE s = ? AND e = ? AND n <= ?"
                found = tx.execute(its, (s, e, max(ends))).fetchall()
                due = [(at, body) for at, n, body in found
                       if _is_due(_said(body), s, n, ends, done)]  # fmt: skip
                erased.add(body for _, body in due)
                tx.executemany(f"DELETE FROM {table} WHERE rowid = ?", [(at,) for at, _ in due])
            done.events += len(changed)
            seen += count
            progress(seen, total)
        _clear_unread(tx, done)
        over = "DELETE FROM commands WHERE asked_utc < ? AND status != 'open'"
        done.commands = tx.execute(over, (done.before_ms,)).rowcount
        tx.execute("DELETE FROM badges WHERE until_utc < ?", (done.marks_before_ms,))
        tx.execute("COMMIT")
    done.people = len(people - {""})


def _clear_unread(tx: sqlite3.Connection, done: Erased) -> None:
    """Of dead letters, which no journal has: those that do not show that they are newer."""
    found = tx.execute("SELECT rowid, body FROM dead_letters").fetchall()
    gone = [(rowid,) for rowid, body in found if not _is_newer(body, done.before_ms)]
    tx.executemany("DELETE FROM dead_letters WHERE rowid = ?", gone)


def _is_newer(body: bytes, limit: int) -> bool:
    at = _said(body).get("t")
    return isinstance(at, int) and at >= limit


def _said(body: bytes) -> dict[str, Any]:
    """Nothing, of what cannot be read."""
    try:
        said = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}
    return said if isinstance(said, dict) else {}


def _ends(tx: sqlite3.Connection, s: str, e: int, done: Erased) -> tuple[int, int]:
    """Up to which number of this journal events are due: all but attendance, and attendance."""
    journal = "FROM events WHERE s = ? AND e = ?"
    last: int = tx.execute(f"SELECT max(n) {journal}", (s, e)).fetchone()[0]
    if s.startswith(_HOST):
        return last, last  # each by its own time

    def until(limit: int) -> int:
        retained = f"SELECT min(n) {journal} AND (body ->> 't') >= ?"
        first = tx.execute(retained, (s, e, limit)).fetchone()[0]
        if first is None:
            return last
        closed = f"SELECT max(n) {journal} AND n < ? AND k = 'session.closed'"
        return tx.execute(closed, (s, e, first)).fetchone()[0] or 0

    return until(done.before_ms), until(done.marks_before_ms)


def _rows(tx: sqlite3.Connection, s: str, e: int, last: int) -> Iterator[tuple[int, bytes]]:
    after = 0
    query = (
        "SELECT n, body FROM events WHERE s = ? AND e = ? AND n > ? AND n <= ? ORDER BY n LIMIT ?"
    )
    while rows := tx.execute(query, (s, e, after, last, _ROWS)).fetchall():
        yield from rows
        after = rows[-1][0]


def _is_due(event: dict[str, Any], s: str, n: int, ends: tuple[int, int], done: Erased) -> bool:
    marks = event.get("k") in _LONGER
    if s.startswith(_HOST):
        limit, at = done.marks_before_ms if marks else done.before_ms, event.get("t")
        if str(event.get("k")).startswith(_REGISTER):
            limit = done.register_before_ms
        return isinstance(at, int) and at < limit
    return n <= ends[1 if marks else 0]


def _clear_directory(path: Path, done: Erased) -> None:
    """Agents who left before attendance may be erased, and plans of days before that."""
    if not path.exists():
        return
    day = datetime.fromtimestamp(done.marks_before_ms / 1000, UTC).date().isoformat()
    left = (
        "kind = 'agents' AND code IN (SELECT code FROM entries AS last WHERE kind = 'agents' "
        "AND body IS NULL AND valid_from < ? AND version = "
        "(SELECT max(version) FROM entries WHERE kind = 'agents' AND code = last.code))"
    )
    plans = "kind = 'roster' AND substr(code, 1, 10) < ?"
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as tx:
        tx.execute("PRAGMA secure_delete = ON")
        tx.execute("BEGIN IMMEDIATE")
        for where in (left, plans):
            done.entries += tx.execute(f"DELETE FROM entries WHERE {where}", (day,)).rowcount
        tx.execute("COMMIT")
