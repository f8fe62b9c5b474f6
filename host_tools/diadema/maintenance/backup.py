"""A copy of a data directory in one sealed file, made while everything runs, and its check.

Each database is copied in one step: in steps the copy would begin again with each commit of
another process. The store comes last, so that nothing in a copy knows more than its store; after
it only the list of erasures, which may know more: a restore then erases again; and what a hub
keeps of samples before it says so.

The broker's stream, logs and sums are left out, and the flash of simulated stations: an old one
would write other events under numbers that are stored. Where copies lie, the list of erasures
lies beside them, sealed by the key of the records: it outlives the directory.
"""

import contextlib
import hashlib
import os
import sqlite3
import tarfile
import tempfile
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from typing import IO, cast

import msgspec
from msgspec import Struct
from sqlalchemy.exc import SQLAlchemyError

from diadema.access import Accounts
from diadema.access.roles import Person
from diadema.base.backups import Made, changing_backups, read_backups
from diadema.base.clock import Clock
from diadema.base.credentials import load
from diadema.base.errors import DiademaError, StoreMissing, why
from diadema.base.locks import locked
from diadema.base.paths import DataDir, Disk, cannot_write
from diadema.base.sealed import Sealer, Unsealer, read_passphrase
from diadema.base.standing import read_standing
from diadema.site.context import zone_of
from diadema.store.erased import last_erasure
from diadema.store.record_heads import key_of, of_purpose
from diadema.words import Sentence

ERASURES = "diadema-erasures.sealed"
SQLITE = ".sqlite3"
_FORMAT = 1
_MANIFEST = "manifest.json"
_PLACES = 16  # folders that are remembered
_LEFT = {"nats", "logs", "hub.json", "standbys.json", "simulated"}
_BUSY_S = 60.0
_READ = 1 << 20

TROUBLE = (DiademaError, OSError, sqlite3.Error, SQLAlchemyError, tarfile.TarError)

type Progress = Callable[[int, int], None]  # bytes done, of how many


class Content(Struct, frozen=True):
    size: int
    sha256: str


class Manifest(Struct, kw_only=True):
    """The last member of a copy. `position`: how many events its store has; `zone`: of its site's
    clock, empty in those of before.
    """

    format: int = _FORMAT
    made_ms: int
    program: str
    position: int
    files: dict[str, Content]
    zone: str = ""


class Checked(Struct):
    """`faults` is empty for what can be restored."""

    manifest: Manifest | None = None
    faults: list[Sentence] = []


def passphrase_of(data: DataDir, file: Path | None) -> bytes:
    """Of that file, or the one of scheduled copies. Raises DiademaError."""
    if file is not None:
        return read_passphrase(file)
    known = load(data).backup if data.secrets.exists() else ""
    if not known:
        raise DiademaError(Sentence("errors.maintenance.no_passphrase"))
    return known.encode()


# -- making


def back_up(
    data: DataDir,
    file: Path,
    passphrase: bytes,
    clock: Clock,
    by: Person,
    progress: Progress = lambda *_: None,
) -> Made:
    """Raises one of TROUBLE, also for a file that is there; then nothing has changed."""
    file = file.absolute()
    if not data.store.exists():
        raise StoreMissing(data.store)
    if file.is_relative_to(data.root.resolve()) or file.is_relative_to(data.root):
        raise DiademaError(Sentence("errors.maintenance.backup_inside", file=file, root=data.root))
    if file.exists():
        raise DiademaError(
            Sentence("errors.maintenance.output_there_already_give_another", output=file)
        )
    with locked(data.root / ".backup.lock"):
        _tidy(data)
        with _remembering(data, file.parent):
            record_act(data, by, "backup.made", file=str(file))
            made = _write(data, file, passphrase, clock, progress)
        with changing_backups(data) as known:
            known.last = made
        leave_erasures(data)
    return made


def seal(data: DataDir, into: IO[bytes], passphrase: bytes, clock: Clock, by: Person) -> None:
    """For a standby, which keeps it. Raises DiademaError."""
    if not data.store.exists():
        raise StoreMissing(data.store)
    with locked(data.root / ".backup.lock"):
        _tidy(data)
        record_act(data, by, "backup.sent")
        sealer = Sealer(into, passphrase)
        _put_all(data, sealer, clock, lambda *_: None)
        sealer.end()


def record_act(data: DataDir, by: Person, what: str, **more: str) -> None:
    accounts = Accounts(data)
    try:
        accounts.audit.record(by, what, **more)
    finally:
        accounts.close()


def _write(data: DataDir, file: Path, passphrase: bytes, clock: Clock, progress: Progress) -> Made:
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as raw:
            os.fchmod(descriptor, 0o600)
            sealer = Sealer(raw, passphrase)
            manifest = _put_all(data, sealer, clock, progress)
            sealer.end()
            raw.flush()
            os.fsync(descriptor)
        beside.replace(file)
    except OSError as error:
        raise cannot_write(file, error) from error
    finally:
        beside.unlink(missing_ok=True)
    size = file.stat().st_size
    return Made(str(file), size, manifest.made_ms, manifest.position, len(manifest.files))


def _put_all(data: DataDir, sealer: Sealer, clock: Clock, progress: Progress) -> Manifest:
    plain, databases = _content(data)
    whole, done, position = sum(path.stat().st_size for path in (*plain, *databases)), 0, 0
    found: dict[str, Content] = {}
    _look_for_room(data, databases)

    def moved(size: int) -> None:
        nonlocal done
        done += size
        progress(done, max(done, whole))

    with (
        tarfile.open(fileobj=cast(IO[bytes], sealer), mode="w|gz", compresslevel=1) as tar,
        tempfile.TemporaryDirectory(prefix=".backup-", dir=data.root) as scratch,
    ):
        last = [path for path in plain if _after_store(data, path)]
        first = [path for path in plain if path not in last]
        for path in (*first, *databases, *last):
            name, source = path.relative_to(data.root).as_posix(), path
            if path in databases:
                source = Path(scratch, "copy")
                _copy(path, source)
            if path == data.store:
                position = _position(source)
            with contextlib.suppress(FileNotFoundError):  # it was there a moment ago
                found[name] = _put(tar, name, source, moved)
            if source != path:
                source.unlink()
        manifest = Manifest(
            made_ms=clock.now_ms(), program=version("diadema"), position=position, files=found,
            zone=_zone(data),
        )  # fmt: skip
        inside = Path(scratch, _MANIFEST)
        inside.write_bytes(msgspec.json.encode(manifest))
        _put(tar, _MANIFEST, inside)
    return manifest


def _zone(data: DataDir) -> str:
    try:
        return zone_of(data).key
    except DiademaError:
        return ""  # of a site that cannot be read there is a copy all the same


def _content(data: DataDir) -> tuple[list[Path], list[Path]]:
    """Plain files, and databases in the order in which they are copied."""
    plain: list[Path] = []
    databases: list[Path] = []
    for path in sorted(data.root.rglob("*")):
        name = path.relative_to(data.root)
        if path == data.ports or (path.is_file() and _is_taken(data, name)):
            (databases if name.name.endswith(SQLITE) else plain).append(path)
    last = {data.store: 1, data.erased: 2}
    return plain, sorted(databases, key=lambda path: last.get(path, 0))


def _after_store(data: DataDir, path: Path) -> bool:
    """Secrets and draws, which a hub keeps before an event says of them: a store that says of one
    has it beside it.
    """
    return path.is_relative_to(data.samples)


def _is_taken(data: DataDir, name: Path) -> bool:
    first, last = name.parts[0], name.name
    return not (
        any(part.startswith(".") for part in name.parts)
        or first in _LEFT
        or first.startswith(("gateway-", data.rollups.name))
        or last.endswith((f"{SQLITE}-wal", f"{SQLITE}-shm", ".new", "lock"))
    )


def _copy(path: Path, into: Path) -> None:
    """In one step. Raises DiademaError for a damaged one: it is no copy to rely on."""
    try:
        with (
            contextlib.closing(
                sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=_BUSY_S)
            ) as source,
            contextlib.closing(sqlite3.connect(into)) as copy,
        ):
            copy.execute("PRAGMA synchronous = OFF")  # it goes in a moment: the disk is others'
            source.backup(copy)
            found = _damage(copy, "quick_check")
    except sqlite3.Error as error:
        found = str(error)
    if found:
        raise DiademaError(Sentence("errors.maintenance.backup_damaged", path=path, error=found))


def _damage(opened: sqlite3.Connection, how: str = "integrity_check") -> str:
    """What its own check finds wrong first."""
    (first,) = opened.execute(f"PRAGMA {how}(1)").fetchone()
    return "" if first == "ok" else " ".join(str(first).split())


def _position(copy: Path) -> int:
    with contextlib.closing(sqlite3.connect(copy)) as tx:
        return int(tx.execute("SELECT count(*) FROM events").fetchone()[0])


class _Hashing:
    """A file that is read, and what it says in short."""

    def __init__(self, file: IO[bytes], moved: Callable[[int], None] = lambda _: None) -> None:
        self._file = file
        self._moved = moved
        self._hash = hashlib.sha256()
        self.size = 0

    def read(self, size: int) -> bytes:
        data = self._file.read(size)
        self._hash.update(data)
        self.size += len(data)
        self._moved(len(data))
        return data

    @property
    def content(self) -> Content:
        return Content(self.size, self._hash.hexdigest())


def _put(
    tar: tarfile.TarFile, name: str, path: Path, moved: Callable[[int], None] = lambda _: None
) -> Content:
    with path.open("rb") as file:
        info = tarfile.TarInfo(name)
        state = os.fstat(file.fileno())
        info.size, info.mtime, info.mode = state.st_size, int(state.st_mtime), 0o600
        hashing = _Hashing(file, moved)
        tar.addfile(info, cast(IO[bytes], hashing))
    return hashing.content


def _look_for_room(data: DataDir, databases: Iterable[Path]) -> None:
    """One database at a time lies there twice."""
    room = Disk(data.root).look()
    largest = max((path.stat().st_size for path in databases), default=0)
    if room.free - largest < room.reserve:
        raise DiademaError(
            Sentence("errors.maintenance.backup_no_room", root=data.root, megabytes=largest >> 20)
        )


def _tidy(data: DataDir) -> None:
    """What one that was killed left behind."""
    for folder in data.root.glob(".backup-*"):
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()


@contextlib.contextmanager
def _remembering(data: DataDir, folder: Path) -> Iterator[None]:
    """A copy that is made in here knows its own place; that of one that fails is forgotten."""
    with changing_backups(data) as known:
        before = known.places
        others = [one for one in before if one != str(folder)]
        known.places = [str(folder), *others][:_PLACES]
    try:
        yield
    except BaseException:
        with changing_backups(data) as known:
            known.places = before
        raise


# -- the list of erasures beside them


def leave_erasures(data: DataDir) -> list[Path]:
    """Into each folder with copies; those that cannot be reached now. Not out of what was put
    back for a trial: the list there is the living hub's.
    """
    if last_erasure(data) is None or read_standing(data).trial:
        return []
    with contextlib.closing(sqlite3.connect(data.erased)) as opened:
        whole = opened.serialize()
    unreached = []
    for place in map(Path, read_backups(data).places):
        beside = place / f".{ERASURES}.{os.getpid()}"
        try:
            descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as raw:
                sealer = Sealer(raw, _key_of_erasures(data), is_key=True)
                sealer.write(whole)
                sealer.end()
                raw.flush()
                os.fsync(descriptor)
            beside.replace(place / ERASURES)
        except OSError:
            unreached.append(place)
    return unreached


def read_erasures(data: DataDir, file: Path) -> bytes:
    """The list, as a database. `data` has the key of the records. Raises DiademaError."""
    found = []
    try:
        with file.open("rb") as raw:
            unsealer = Unsealer(raw, _key_of_erasures(data))
            while piece := unsealer.read(_READ):
                found.append(piece)
    except OSError as error:
        raise DiademaError(
            Sentence("errors.cli.cannot_read_file_reason", file=file, reason=why(error))
        ) from error
    return b"".join(found)


def _key_of_erasures(data: DataDir) -> bytes:
    return of_purpose(key_of(data.root), "erasures elsewhere")


# -- reading


def check(file: Path, passphrase: bytes, progress: Progress = lambda *_: None) -> Checked:
    """Every byte of it, and each database by its own check."""
    with tempfile.TemporaryDirectory(prefix="diadema-check-") as scratch:
        return unpack(file, passphrase, Path(scratch), progress, only_databases=True)


def unpack(
    file: Path,
    passphrase: bytes,
    into: Path,
    progress: Progress = lambda *_: None,
    *,
    only_databases: bool = False,
) -> Checked:
    """Write what is in it, owner's alone, into an empty folder, and say what is wrong with it.
    Raises DiademaError where it cannot be read, or written.
    """
    checked, found = Checked(), dict[str, Content]()
    try:
        with file.open("rb") as raw:
            whole = os.fstat(raw.fileno()).st_size
            unsealer = Unsealer(raw, passphrase)
            with tarfile.open(fileobj=cast(IO[bytes], unsealer), mode="r|gz") as tar:
                for member in tar:
                    name, content = member.name, tar.extractfile(member)
                    if content is None or not _is_inside(name):
                        checked.faults.append(_fault("backup_strange", name))
                    elif name == _MANIFEST:
                        checked.manifest = msgspec.json.decode(content.read(), type=Manifest)
                    else:
                        leaves = not only_databases or name.endswith(SQLITE)
                        target = into / name if leaves else None
                        found[name] = _take(content, target, member.mtime)
                        if target is not None and name.endswith(SQLITE):
                            checked.faults += _database_faults(name, target)
                            if only_databases:
                                target.unlink()
                    progress(raw.tell(), whole)
            unsealer.drain()
    except OSError as error:
        raise DiademaError(
            Sentence("errors.cli.cannot_read_file_reason", file=file, reason=why(error))
        ) from error
    except (tarfile.TarError, msgspec.DecodeError) as error:
        checked.faults.append(Sentence("errors.maintenance.backup_unreadable", error=error))
    except DiademaError as error:
        checked.faults.append(Sentence("errors.maintenance.backup_sealed", error=error))
    else:
        checked.faults += _differences(checked.manifest, found)
    return checked


def _is_inside(name: str) -> bool:
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts


def _take(content: IO[bytes], target: Path | None, mtime: float) -> Content:
    hashing = _Hashing(content)
    if target is None:
        while hashing.read(_READ):
            pass
        return hashing.content
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as copy:
        os.fchmod(descriptor, 0o600)
        while data := hashing.read(_READ):
            copy.write(data)
        copy.flush()
        os.fsync(descriptor)
    os.utime(target, times=(mtime, mtime))  # what is erased by its age is as old as it was
    return hashing.content


def _database_faults(name: str, path: Path) -> Iterator[Sentence]:
    try:
        with contextlib.closing(sqlite3.connect(path)) as opened:
            damage = _damage(opened)
    except sqlite3.Error as error:
        damage = str(error)
    if damage:
        yield Sentence("errors.maintenance.backup_bad_database", name=name, error=damage)


def _differences(manifest: Manifest | None, found: dict[str, Content]) -> Iterator[Sentence]:
    if manifest is None or manifest.format != _FORMAT:
        yield Sentence("errors.maintenance.backup_no_manifest")
        return
    for name in sorted(manifest.files.keys() | found.keys()):
        if name not in found:
            yield _fault("backup_missing", name)
        elif manifest.files.get(name) != found[name]:
            yield _fault("backup_other", name)
    if "store.sqlite3" not in found:
        yield _fault("backup_missing", "store.sqlite3")


def _fault(sentence: str, name: str) -> Sentence:
    return Sentence(f"errors.maintenance.{sentence}", name=name)
