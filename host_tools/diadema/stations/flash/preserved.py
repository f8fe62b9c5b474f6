"""What of a station is preserved while its flash is written: its own files, and the events of a
journal that is about to go.

Its own files (configuration, Wi-Fi, key of updates, its agents' wishes) are read before, stored in
the data directory until all is verified, and put into the new vfs; their form is that of
`firmware/lib/config_store.py` and `kept.py`. The events are written into files and taken in;
`diadema import journal` does that where it could not be done, and each counts once.
"""

import contextlib
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from zlib import crc32

import littlefs
import msgspec
from littlefs.context import UserContext

from diadema.base.errors import DiademaError, FlashError, ImageError
from diadema.base.paths import DataDir, cannot_write, write_whole
from diadema.exchange.journal_import import import_journal, place_of
from diadema.stations.boards.partitions import Partition
from diadema.stations.flash.chip import Chip
from diadema.stations.image.files import VFS_BLOCK, mounted
from diadema.wire.events import UNREADABLE
from diadema.wire.journal import ACKNOWLEDGED, EVENT, walk
from diadema.words import Sentence

HEAD = 2 * VFS_BLOCK  # where a file system's root lies, which every change of a file changes
_NOT_OWN = (".py", ".mpy", ".new")  # start files, and what was being written
_CONFIGS = ("config.0", "config.1")
_FOLDER = 2  # LFS_TYPE_DIR
_HEAD = re.compile(rb"(DCFG([0-9A-F]{8})([0-9a-f]{64}))([0-9A-F]{8})\n")
_CHECK = re.compile(rb"(.*)\*([0-9A-F]{8})", re.DOTALL)

type Body = bytes


@dataclass
class Vfs:
    """`files` as they were read; `damaged`: names of those that could not be, or do not check."""

    files: dict[str, bytes] = field(default_factory=dict)
    damaged: list[str] = field(default_factory=list)

    def own(self) -> dict[str, bytes]:
        """The station's own files that are whole."""
        return {name: data for name, data in self.files.items() if is_own(name)}


class _OnChip(UserContext):
    """Reads a block when littlefs asks for it: a large vfs is mostly empty."""

    def __init__(self, chip: Chip, place: Partition) -> None:
        self._chip, self._place = chip, place
        self._blocks: dict[int, bytes] = {}
        self.error: FlashError | None = None

    def read(self, cfg: object, block: int, off: int, size: int) -> bytearray:
        """An error of the line would get lost in littlefs: who asked looks at `error`."""
        if self.error is None and block not in self._blocks:
            try:
                self._blocks[block] = self._chip.read(
                    self._place.offset + block * VFS_BLOCK, VFS_BLOCK
                )
            except FlashError as error:
                self.error = error
        data = self._blocks.get(block, b"\xff" * VFS_BLOCK)
        return bytearray(data[off : off + size])


def read_vfs(chip: Chip, place: Partition) -> Vfs:
    """The files of a chip's vfs. Raises FlashError when the line breaks, ImageError when that is
    no file system.
    """
    flash = _OnChip(chip, place)
    try:
        found = _read(flash, place.size)
    except ImageError:
        if flash.error is None:
            raise
    if flash.error is not None:
        raise flash.error
    return found


def _read(flash: UserContext, size: int) -> Vfs:
    read = mounted(flash, size, VFS_BLOCK)
    found = Vfs()
    waiting = [""]
    while waiting:
        folder = waiting.pop()
        try:
            entries = [*read.scandir(f"/{folder}")]
        except littlefs.LittleFSError:
            found.damaged.append(folder or "/")
            continue
        for entry in entries:
            path = f"{folder}/{entry.name}".lstrip("/")
            if entry.type == _FOLDER:
                waiting.append(path)
                continue
            try:
                with read.open(path, "rb") as file:
                    data = bytes(file.read())
            except littlefs.LittleFSError:
                data = None
            if data is not None and is_whole(path, data):
                found.files[path] = data
            else:
                found.damaged.append(path)
    return found


def is_own(path: str) -> bool:
    return "/" not in path and not path.endswith(_NOT_OWN)


def is_whole(name: str, data: bytes) -> bool:
    """Whether a file is whole, as far as it says so itself."""
    if name in _CONFIGS:
        return serial_of(data) is not None
    if name.endswith(".json"):
        found = _CHECK.fullmatch(data)
        return found is not None and int(found[2], 16) == crc32(found[1])
    return True


def serial_of(data: bytes) -> int | None:
    """The serial number of a configuration's file; None for one that is not whole."""
    head = _HEAD.match(data)
    if head is None or int(head[4], 16) != crc32(head[1]):
        return None
    if sha256(data[head.end() :]).hexdigest().encode() != head[3]:
        return None
    return int(head[2], 16)


def config_file(text: bytes, serial: int = 1) -> bytes:
    """A configuration as the station has it in a file."""
    head = b"DCFG%08X%b" % (serial, sha256(text).hexdigest().encode())
    return head + b"%08X\n" % crc32(head) + text


class _SavedFiles(msgspec.Struct):
    files: dict[str, bytes]
    before: bytes
    after: bytes


class Copy:
    """A copy of a board's own files on this machine, until the board is verified; mode 0600."""

    def __init__(self, data: DataDir, station: str) -> None:
        self._data = data
        self.path = data.boards / f"{station}.files"

    def read(self, now: bytes) -> dict[str, bytes]:
        """What a run read that was broken off; empty when there was none, or when the board worked
        since. `now`: its HEAD bytes. Raises FlashError.
        """
        try:
            saved = msgspec.msgpack.decode(self.path.read_bytes(), type=_SavedFiles)
        except (FileNotFoundError, NotADirectoryError):
            return {}
        except (OSError, msgspec.DecodeError) as error:
            raise FlashError(
                Sentence("errors.stations.copy_its_files_path_cannot", path=self.path, error=error)
            ) from error
        return saved.files if _unfinished(now, saved.before, saved.after) else {}

    def write(self, files: Mapping[str, bytes], before: bytes, after: bytes) -> None:
        """The first HEAD bytes of the vfs' place as they are, and as they are to be. Raises
        DiademaError.
        """
        saved = _SavedFiles(dict(files), before, after)
        try:
            self._data.make()
            self.path.parent.mkdir(exist_ok=True, mode=0o700)
            write_whole(self.path, msgspec.msgpack.encode(saved), 0o600)
        except OSError as error:
            raise cannot_write(self.path.parent, error) from error

    def remove(self) -> None:
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            self.path.unlink()


def _unfinished(now: bytes, *states: bytes) -> bool:
    """Whether each block is one of its states, or on its way there: an erase only sets bits, and
    of a program some are not cleared yet.
    """
    for at in range(0, HEAD, VFS_BLOCK):
        block = int.from_bytes(now[at : at + VFS_BLOCK])
        wanted = [int.from_bytes(state[at : at + VFS_BLOCK]) for state in states]
        if not any(block & one == one for one in wanted):
            return False
    return True


@dataclass(frozen=True)
class SavedEvents:
    """`events` nobody had acknowledged; `path` has them, None when there was nothing to keep;
    `stored`: they are in the hub's store too, else `why` not. `refused`: more that are no events
    of this journal; they stay in the copy of it beside `path`.
    """

    events: int
    unreadable: int
    path: Path | None
    stored: bool = False
    why: str = ""
    refused: int = 0


def unacknowledged_events(station: str, dump: bytes) -> tuple[list[Body], int]:
    """The events that the hub has not acknowledged, as the station would send them; and how many
    the journal holds that cannot be of this station.
    """
    content = walk(dump)
    acked: dict[int, int] = {}
    events: dict[int, dict[int, bytes]] = {}
    for sector in content.sectors:
        epoch, in_header = sector.header.epoch, sector.header.acked
        numbers = [one.sequence for one in sector.records if one.kind == ACKNOWLEDGED]
        acked[epoch] = max(acked.get(epoch, 0), in_header, *numbers)
        theirs = events.setdefault(epoch, {})
        theirs |= {one.sequence: one.payload for one in sector.records if one.kind == EVENT}
    bodies: list[Body] = []
    refused = 0
    for epoch, theirs in events.items():
        left = {n: payload for n, payload in theirs.items() if n > acked[epoch]}
        own = {n: payload for n, payload in left.items() if _is_own(station, epoch, n, payload)}
        refused += len(left) - len(own)
        bodies += _bodies(station, epoch, acked[epoch], own)
    return bodies, refused


def _is_own(station: str, epoch: int, n: int, payload: bytes) -> bool:
    """One line that says no other place than its record and its sector do."""
    line = _head(station, epoch, n) + payload[1:]
    try:
        one = payload.startswith(b"{") and len(line.splitlines()) == 1
        return one and place_of(line) == (station, epoch, n)
    except UNREADABLE:
        return False


def _bodies(station: str, epoch: int, acked: int, events: dict[int, bytes]) -> Iterator[Body]:
    """From the first that is not acknowledged; `station.lost` for those that are not there."""
    n = acked + 1
    for at in sorted(events):
        if at > n:
            yield _head(station, epoch, n) + b'"to":%d,"k":"station.lost"}' % (at - 1)
        yield _head(station, epoch, at) + events[at][1:]
        n = at + 1


def _head(station: str, epoch: int, n: int) -> bytes:
    return b'{"s":"%s","e":%d,"n":%d,' % (station.encode(), epoch, n)


def save_events(station: str, dump: bytes, data: DataDir) -> SavedEvents:
    """Saves the unacknowledged events of a journal. Raises DiademaError when they cannot even be
    written into a file.
    """
    unreadable = walk(dump).unreadable
    bodies, refused = unacknowledged_events(station, dump)
    if not bodies and not unreadable and not refused:
        return SavedEvents(0, 0, None)
    path = data.journals / f"{station}-{crc32(dump):08x}.jsonl"
    try:
        data.make()
        data.journals.mkdir(exist_ok=True, mode=0o700)
        _write(path.with_suffix(".bin"), dump)
        _write(path, b"".join(body + b"\n" for body in bodies))
    except OSError as error:
        raise cannot_write(data.journals, error) from error
    if not bodies:
        return SavedEvents(0, unreadable, path.with_suffix(".bin"), refused=refused)
    try:
        done = import_journal([path], data)
    except DiademaError as error:
        return SavedEvents(len(bodies), unreadable, path, why=str(error), refused=refused)
    return SavedEvents(len(bodies), unreadable, path, stored=not done.left, refused=refused)


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
