"""A data directory out of a backup. Nothing stands there before all of it is right.

What came after the backup: stations send again what nobody acknowledged to them, and the stream
of the directory that was there before (`old`) has the last seven days. Erasures are done again by
the newest list of them that is found: the old directory's, the one beside the backup, or its own.
Whoever had come in by browser comes in anew.

The hub that it was made of may still run: nothing goes out of what was put back until somebody
has said that it is to serve.
"""

import contextlib
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from diadema.access import Accounts
from diadema.access.database import codes, sessions
from diadema.access.roles import Person
from diadema.base.backups import Made, changing_backups
from diadema.base.clock import Clock
from diadema.base.errors import DiademaError
from diadema.base.locks import alone
from diadema.base.paths import DataDir, cannot_write
from diadema.base.sealed import OtherPassphrase
from diadema.base.sqlite import writing
from diadema.base.standing import changing_standing
from diadema.maintenance.backup import (
    ERASURES,
    Manifest,
    leave_erasures,
    read_erasures,
    record_act,
    unpack,
)
from diadema.maintenance.erase import Erased, obey
from diadema.maintenance.records_keeping import RESTORED, enter
from diadema.store.erased import check_obeyed, last_erasure
from diadema.store.record_heads import NAME as KEY
from diadema.switch import settings as switch_settings
from diadema.switch.journal import Journal
from diadema.words import Sentence

_STAGING = ".restoring-"
_OWN = {"lock", "ingest.lock", ".standby"}
_STREAMS = "jetstream"


class Restored(Struct):
    """`erased`: what an erasure since then took again. `knew_erasures`: a list of them from
    outside the backup was there. `stream`: whether the old one goes on.
    """

    manifest: Manifest
    erased: Erased | None
    knew_erasures: bool
    stream: bool


def restore(
    file: Path,
    passphrase: bytes,
    data: DataDir,
    clock: Clock,
    by: Person,
    *,
    old: DataDir | None = None,
    erasures: Path | None = None,
    settle: Callable[[DataDir], bool] | None = None,
    progress: Callable[[int, int], None] = lambda *_: None,
) -> Restored:
    """Raises DiademaError; then `data` has nothing of it. `settle`: what else is to be in the new
    directory before anything is; whether that is a stream.
    """
    try:
        if data.root.exists():
            _check_unused(data)  # and leave it as it is
        data.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        data.root.chmod(0o700)
        with alone(data, "restore"), contextlib.ExitStack() as held:
            _check_unused(data)
            for left in data.root.glob(f"{_STAGING}*"):
                shutil.rmtree(left)
            if old is not None:
                _check_old(old)
                held.enter_context(alone(old, "restore"))
            folder = tempfile.mkdtemp(prefix=_STAGING, dir=data.root)
            held.callback(shutil.rmtree, folder, ignore_errors=True)
            new = DataDir(Path(folder))
            checked = unpack(file, passphrase, new.root, progress)
            if any(isinstance(one.values.get("error"), OtherPassphrase) for one in checked.faults):
                raise DiademaError(Sentence("errors.maintenance.restore_passphrase", file=file))
            if checked.faults or checked.manifest is None:
                raise DiademaError(
                    Sentence(
                        "errors.maintenance.restore_faulty", file=file, fault=checked.faults[0]
                    )
                )
            done = _settle(new, file, clock, by, old, erasures, checked.manifest)
            if settle is not None:
                done.stream = settle(new)
            for path in sorted(new.root.iterdir(), key=lambda path: path == new.store):
                if path.name not in _OWN:
                    path.rename(data.root / path.name)
            _sync(data.root)
    except OSError as error:
        raise cannot_write(data.root, error) from error
    return done


def put_in_force(data: DataDir, clock: Clock, by: Person) -> None:
    """It is the one that serves: what falls due from now on goes out of it. Raises DiademaError
    where nothing is held back.
    """
    with changing_standing(data) as known:
        if not known.trial:
            raise DiademaError(Sentence("errors.maintenance.restore_in_force", root=data.root))
        record_act(data, by, "restore.in_force")
        known.trial, known.in_force_ms = False, clock.now_ms()
    leave_erasures(data)


def _check_unused(data: DataDir) -> None:
    for path in data.root.iterdir():
        if path.name not in _OWN and not path.name.startswith(_STAGING):
            raise DiademaError(Sentence("errors.maintenance.restore_used", root=data.root))


def _check_old(old: DataDir) -> None:
    if not (old.root / KEY).exists():
        raise DiademaError(Sentence("errors.maintenance.restore_no_old", root=old.root))


def _settle(
    new: DataDir,
    file: Path,
    clock: Clock,
    by: Person,
    old: DataDir | None,
    erasures: Path | None,
    manifest: Manifest,
) -> Restored:
    knew, is_newer = _take_erasures(new, file, old, erasures)
    erased = obey(new, clock, by) if is_newer or not _is_obeyed(new) else None
    stream = old is not None and _take_stream(new, old)
    _begin_switch_anew(new)
    _end_sessions(new)
    with changing_backups(new) as known:
        known.last = Made(
            str(file.absolute()), file.stat().st_size, manifest.made_ms, manifest.position,
            len(manifest.files),
        )  # fmt: skip
    with changing_standing(new) as standing:
        standing.trial = True
    with alone(new, "restore"):
        enter(new, clock, by, RESTORED, file.name, made_ms=manifest.made_ms)
    return Restored(manifest, erased, knew, stream)


def _take_erasures(
    new: DataDir, file: Path, old: DataDir | None, erasures: Path | None
) -> tuple[bool, bool]:
    """The list that knows of the newest: whether any came from outside the backup, and knows of
    newer ones. What was named must be there, and be of this hub; an old directory without a list
    never erased.
    """
    lists: list[bytes] = []
    if old is not None and old.erased.exists():
        if (old.root / KEY).read_bytes() != (new.root / KEY).read_bytes():
            raise DiademaError(Sentence("errors.maintenance.restore_other_hub", root=old.root))
        with contextlib.closing(sqlite3.connect(old.erased)) as opened:
            lists.append(opened.serialize())
    beside = erasures or file.with_name(ERASURES)
    if erasures is not None or beside.exists():
        lists.append(read_erasures(new, beside))
    is_newer = [_take_if_newer(new, one) for one in lists]
    return bool(lists) or old is not None, any(is_newer)


def _is_obeyed(new: DataDir) -> bool:
    try:
        check_obeyed(new)
    except DiademaError:
        return False
    return True


def _take_if_newer(new: DataDir, one: bytes) -> bool:
    """By its time: numbers of two directories that were one once say nothing."""
    with tempfile.TemporaryDirectory(prefix=".erased-", dir=new.root) as scratch:
        other = DataDir(Path(scratch))
        other.erased.write_bytes(one)
        shutil.copyfile(new.root / KEY, other.root / KEY)
        (other.root / KEY).chmod(0o600)
        before, found = last_erasure(new), last_erasure(other)
        is_newer = found is not None and (before is None or found.at_ms > before.at_ms)
        if is_newer:
            other.erased.chmod(0o600)
            other.erased.replace(new.erased)
    return is_newer


def _take_stream(new: DataDir, old: DataDir) -> bool:
    """Copied: the old directory stays as it is."""
    source = old.nats / _STREAMS
    if not source.is_dir():
        return False
    shutil.copytree(source, new.nats / _STREAMS)
    for path in (new.nats, *new.nats.rglob("*")):
        path.chmod(0o700 if path.is_dir() else 0o600)
    return True


def _begin_switch_anew(new: DataDir) -> None:
    """The bridge to the telephone switch goes on under another epoch, as the hub itself does."""
    settings = switch_settings.read(new)
    if settings is None or not new.switch_journal.exists():
        return
    journal = Journal(new.switch_journal, settings.name)
    try:
        with contextlib.closing(sqlite3.connect(new.store)) as tx:
            query = "SELECT coalesce(max(n), 0) FROM events WHERE s = ? AND e = ?"
            (position,) = tx.execute(query, (journal.station, journal.epoch)).fetchone()
        journal.restored(position)
    finally:
        journal.close()


def _end_sessions(new: DataDir) -> None:
    """One that was ended since would be alive again."""
    accounts = Accounts(new)
    try:
        with writing(accounts.engine) as tx:
            tx.execute(sessions.delete())
            tx.execute(codes.delete())
    finally:
        accounts.close()


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
