"""Flashes one board on its cable, until it reads back right: looks at the chip, preserves the
station's own files and its journal, writes and verifies.

What is right already stays, so the same command after a pulled cable goes on where it was.
"""

import asyncio
import hashlib
import threading
from base64 import b64decode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from serial.tools import list_ports

from diadema.base.errors import DiademaError, FlashError, ImageError
from diadema.base.paths import DataDir
from diadema.gateway.serial_port import port_paths
from diadema.stations.boards.partitions import TABLE_OFFSET, TABLE_SIZE, Partition, unpack_table
from diadema.stations.boards.table import load_board
from diadema.stations.flash.chip import BAUD, Chip, Found, connected
from diadema.stations.flash.plan import FlashPlan, Piece
from diadema.stations.flash.preserved import (
    HEAD,
    Copy,
    SavedEvents,
    Vfs,
    config_file,
    read_vfs,
    save_events,
)
from diadema.stations.image.files import VFS_BLOCK, pack, unpack
from diadema.wire.ask_hub import ask_hub
from diadema.wire.journal import walk
from diadema.words import Sentence

_BLOCK = 0x10000
_RUN = 0x40000  # of one write: so much is to be sent again at most
_MEGABYTE = 0x100000
# pieces of a program: with another one, what NVS knows of the one before (how often it crashed,
# which MicroPython proved itself) is not true any more
_PROGRAM = ("otadata", "trailer of ota_0", "trailer of ota_1", "ota_0", "slot_a", "slot_b")
_CONFIGS = ("config.0", "config.1")


def hub_files(data: DataDir, station: str) -> tuple[dict[str, bytes], str]:
    """The files that the hub has for the vfs of a station whose configuration cannot be read any
    more; or none, and why.
    """
    try:
        answer = asyncio.run(ask_hub(data, "hub.configuration", {"s": station}))
    except DiademaError as error:
        return {}, str(error)
    return {"config.0": config_file(b64decode(answer["config"]))}, ""


@dataclass
class Files:
    """Names of a station's own files that its new vfs has, and of those that were `damaged`.
    `source`: board, hub, or copy (of a run that was broken off); empty where there are none.
    `unread`: why its vfs could not be read; `why`: why the hub gave nothing then.
    """

    names: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    source: str = ""
    unread: str | Sentence = ""
    why: str | Sentence = ""


@dataclass
class FlashResult:
    """What came of one board: bytes of flash `written`, `sent` over the line, `right` already; no
    `error`: verified.
    """

    port: str
    found: Found | None = None
    written: int = 0
    sent: int = 0
    right: int = 0
    journal: str = ""
    saved: SavedEvents | None = None
    files: Files = field(default_factory=Files)
    failure: DiademaError | None = None

    @property
    def error(self) -> str:
        return "" if self.failure is None else str(self.failure)


@dataclass
class Watch:
    """Called with how far a port is: what it does, and bytes of the plan that are right now."""

    stage: Callable[[str, str | Sentence], None] = lambda port, text: None
    advance: Callable[[str, int], None] = lambda port, more: None


@dataclass
class Job:
    """What is the same for all boards of a run. `fresh`: nothing of what they were stays, but
    events.
    """

    plan: FlashPlan
    data: DataDir
    force: bool = False
    erase_journal: bool = False
    fresh: bool = False
    baud: int = BAUD
    attempts: int = 5
    watch: Watch = field(default_factory=Watch)
    _ports: dict[str, str] = field(default_factory=dict)  # by station
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self, port: str) -> FlashResult:
        """Never raises what one board can do; a thread a port."""
        done = FlashResult(port)
        try:
            self.watch.stage(port, Sentence("commands.stage.chip"))
            by_hand = _by_hand(self.plan.board)
            with connected(port, self.baud, self.attempts, by_hand) as chip:
                done.found = chip.found
                self._accept(chip.found)
                _Board(self, chip, done).write()
        except DiademaError as error:
            done.failure = error
        self.watch.stage(
            port, Sentence(f"commands.stage.{'failed' if done.error else 'verified'}")
        )
        return done

    def _accept(self, found: Found) -> None:
        plan = self.plan
        if found.chip != plan.chip:
            raise FlashError(
                Sentence(
                    "errors.stations.chip_image_board_chip2_build",
                    chip=found.chip,
                    board=plan.board,
                    chip2=plan.chip,
                )
            )
        if found.flash_bytes < plan.flash_bytes:
            raise FlashError(
                Sentence(
                    "errors.stations.its_flash_has_flash_bytes_mb",
                    flash_bytes=found.flash_bytes // _MEGABYTE,
                    board=plan.board,
                    flash_bytes2=plan.flash_bytes // _MEGABYTE,
                )
            )
        with self._lock:
            other = self._ports.setdefault(found.station, found.port)
        if other != found.port:
            raise FlashError(
                Sentence(
                    "errors.stations.has_same_id_board_other", other=other, station=found.station
                )
            )


class _Board:
    def __init__(self, job: Job, chip: Chip, done: FlashResult) -> None:
        self._job, self._chip, self._done = job, chip, done
        self._port = chip.found.port
        self._table: list[Partition] | None = None
        self._copy = Copy(job.data, chip.found.station)
        self._nvs_erased = False

    def write(self) -> None:
        job = self._job
        self._table = self._own_table()
        if job.fresh:
            self._copy.remove()
        pieces = [self._vfs(one) if one.name == "vfs" else one for one in job.plan.pieces]
        pieces = [one for one in pieces if one.data]
        self._preserve_journal()
        if job.fresh and not self._blank(job.plan.nvs):
            self._chip.erase(job.plan.nvs.offset, job.plan.nvs.size)
        for piece in pieces:
            self._stage(piece.name)
            self._bring(piece)
        self._copy.remove()
        self._chip.start()

    def _stage(self, text: str | Sentence) -> None:
        self._job.watch.stage(self._port, text)

    def _own_table(self) -> list[Partition] | None:
        try:
            return unpack_table(self._chip.read(TABLE_OFFSET, TABLE_SIZE))
        except ImageError:
            return None

    # -- its own files

    def _vfs(self, piece: Piece) -> Piece:
        """The image's start files and the station's own; empty where they are there already.
        Nothing is written yet.
        """
        if self._job.fresh:
            return piece
        starts = unpack(piece.data, VFS_BLOCK)
        found = next((one for one in self._table or () if one.name == "vfs"), None)
        # where it has no table, what lies in the image's place counts
        place = found or Partition("vfs", "data", "fat", piece.offset, len(piece.data))
        here = (place.offset, place.size) == (piece.offset, len(piece.data))
        before = self._chip.read(piece.offset, HEAD)
        there = self._vfs_there(place)
        own = self._own_files(there, before)
        if there and here and not there.damaged and there.files == starts | own:
            self._done.right += len(piece.data)
            self._advance(len(piece.data))
            return replace(piece, data=b"")
        try:
            data = pack(starts | own, len(piece.data), VFS_BLOCK)
        except ImageError as error:
            raise FlashError(
                Sentence("errors.stations.its_own_files_have_no", error=error)
            ) from error
        if own:
            self._keep(own, before, data[:HEAD])
        return replace(piece, data=data)

    def _vfs_there(self, place: Partition) -> Vfs | None:
        self._stage(Sentence("commands.stage.files"))
        try:
            return read_vfs(self._chip, place)
        except ImageError:
            blank = not self._chip.read(place.offset, HEAD).strip(b"\xff")
            word = "blank" if blank else "damaged"
            self._done.files.unread = Sentence(f"errors.stations.{word}")
            return None

    def _own_files(self, there: Vfs | None, before: bytes) -> dict[str, bytes]:
        """What the board has whole; what it has not, from a run that was broken off; where it has
        no configuration that can be read, the hub's.
        """
        done = self._done.files
        of_board = there.own() if there else {}
        own = self._copy.read(before) | of_board
        damaged = there.damaged if there else []
        done.damaged = sorted(name for name in damaged if name not in own)
        lost = there is None or any(name in done.damaged for name in (*_CONFIGS, "/"))
        done.source = "board" if of_board else "copy" if own else ""
        if lost and not any(name in own for name in _CONFIGS):
            self._stage(Sentence("commands.stage.hub"))
            found, done.why = hub_files(self._job.data, self._chip.found.station)
            done.source = "hub" if found else done.source
            own |= found
        done.names = sorted(own)
        return own

    def _keep(self, own: dict[str, bytes], before: bytes, after: bytes) -> None:
        try:
            self._copy.write(own, before, after)
        except DiademaError as error:
            raise FlashError(
                Sentence("errors.stations.its_own_files_cannot_kept", error=error)
            ) from error

    # -- the journal

    def _preserve_journal(self) -> None:
        place = self._job.plan.journal
        blank = self._blank(place)
        old = self._journal_there(place, blank)
        stays = old is not None and (old.offset, old.size) == (place.offset, place.size)
        if stays and not (self._job.erase_journal or self._job.fresh):
            self._done.journal = "left as it is"
            return
        if old is not None:
            self._save(old)
        if not blank:
            self._stage(Sentence("commands.stage.clear"))
            self._chip.erase(place.offset, place.size)
        self._done.journal = "new"

    def _save(self, old: Partition) -> None:
        """Nothing of it is lost, or nothing is written."""
        self._stage(Sentence("commands.stage.journal"))
        try:
            dump = self._chip.read(old.offset, old.size)
            self._done.saved = save_events(self._chip.found.station, dump, self._job.data)
        except DiademaError as error:
            if not self._job.force:
                raise FlashError(
                    Sentence("errors.stations.its_journal_would_go_cannot", error=error)
                ) from error

    def _journal_there(self, place: Partition, blank: bool) -> Partition | None:
        """By the board's own table; where it has none, what lies in the image's place counts."""
        if self._table is None:
            if blank:
                return None
            self._stage(Sentence("commands.stage.look"))
            found = walk(self._chip.read(place.offset, place.size)).sectors
            return place if found else None
        return next((one for one in self._table if one.name == "journal"), None)

    # -- pieces

    def _bring(self, piece: Piece) -> None:
        if self._holds(piece):
            self._done.right += len(piece.data)
            self._advance(len(piece.data))
            return
        for offset, data in self._wrong(piece):
            self._erase_nvs(piece)
            self._done.sent += self._chip.write(offset, data)
            self._done.written += len(data)
            self._advance(len(data))
        if not self._holds(piece):
            raise FlashError(Sentence("errors.stations.name_does_not_read_back", name=piece.name))

    def _erase_nvs(self, piece: Piece) -> None:
        """Before the first piece of another program: a cable may be pulled after it."""
        place = self._job.plan.nvs
        if piece.name in _PROGRAM and not self._nvs_erased:
            self._nvs_erased = True
            if not self._blank(place):
                self._chip.erase(place.offset, place.size)

    def _blank(self, place: Partition) -> bool:
        return self._chip.md5(place.offset, place.size) == _md5(b"\xff" * place.size)

    def _holds(self, piece: Piece) -> bool:
        return self._chip.md5(piece.offset, len(piece.data)) == _md5(piece.data)

    def _wrong(self, piece: Piece) -> Iterator[tuple[int, bytes]]:
        """Runs of blocks that are not there yet."""
        run = bytearray()
        begin = 0
        for at in range(0, len(piece.data), _BLOCK):
            block = piece.data[at : at + _BLOCK]
            right = self._chip.md5(piece.offset + at, len(block)) == _md5(block)
            if run and (right or len(run) >= _RUN):
                yield piece.offset + begin, bytes(run)
                run.clear()
            if right:
                self._done.right += len(block)
                self._advance(len(block))
                continue
            if not run:
                begin = at
            run += block
        if run:
            yield piece.offset + begin, bytes(run)

    def _advance(self, more: int) -> None:
        self._job.watch.advance(self._port, more)


def _by_hand(board: str) -> Sentence | None:
    try:
        loader = load_board(board).wiring.board.loader
    except DiademaError:  # no board of ours
        return None
    return Sentence("errors.stations.on_board", board=board, loader=loader)


def _md5(data: bytes) -> str:
    return hashlib.md5(data).hexdigest()


def chosen_ports(named: list[str], everything: bool) -> list[str]:
    """The ports to flash. Raises DiademaError when there is none, or one is named twice."""
    if everything and named:
        raise DiademaError(Sentence("errors.stations.either_port_all"))
    if named:
        return port_paths(named)
    if not everything:
        raise DiademaError(Sentence("errors.stations.name_port_with_port_dev"))
    found = sorted(one.device for one in list_ports.comports() if one.vid is not None)
    if not found:
        raise DiademaError(Sentence("errors.stations.no_board_on_any_usb"))
    return found
