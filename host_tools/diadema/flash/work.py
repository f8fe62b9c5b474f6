"""One board from its cable to «verified»: looked at, its journal minded, written, read back.

What is right already stays: so the same command after a pulled cable goes on where it was.
"""

import hashlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from diadema.boards.partitions import Partition
from diadema.errors import DiademaError
from diadema.flash.chip import BAUD, Chip, Found, connected
from diadema.flash.errors import FlashError
from diadema.flash.kept import Kept, keep
from diadema.flash.plan import Piece, Plan
from diadema.image import table
from diadema.image.errors import ImageError
from diadema.journal import walk
from diadema.paths import DataDir

_BLOCK = 0x10000
_RUN = 0x40000  # of one write: so much is to be sent again at most
_MEGABYTE = 0x100000


@dataclass
class Outcome:
    """Bytes of flash `written`, `sent` over the line, `right` already; no `error`: verified."""

    port: str
    found: Found | None = None
    written: int = 0
    sent: int = 0
    right: int = 0
    journal: str = ""
    kept: Kept | None = None
    error: str = ""


@dataclass
class Watch:
    """Told how far a port is: what it does, and bytes of the plan that are right now."""

    stage: Callable[[str, str], None] = lambda port, text: None
    advance: Callable[[str, int], None] = lambda port, more: None


@dataclass
class Job:
    """The same for all boards of a run."""

    plan: Plan
    data: DataDir
    force: bool = False
    erase_journal: bool = False
    baud: int = BAUD
    attempts: int = 5
    watch: Watch = field(default_factory=Watch)
    _ports: dict[str, str] = field(default_factory=dict)  # by station
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self, port: str) -> Outcome:
        """Never raises what one board can do; a thread a port."""
        done = Outcome(port)
        try:
            self.watch.stage(port, "looks for the chip")
            with connected(port, self.baud, self.attempts) as chip:
                done.found = chip.found
                self._accept(chip.found)
                _Board(self, chip, done).write()
        except DiademaError as error:
            done.error = str(error)
        self.watch.stage(port, "failed" if done.error else "verified")
        return done

    def _accept(self, found: Found) -> None:
        plan = self.plan
        if found.chip != plan.chip:
            raise FlashError(
                f"it is an {found.chip}, the image is for {plan.board}, an {plan.chip}: build one "
                "for this board"
            )
        if found.flash_bytes < plan.flash_bytes:
            raise FlashError(
                f"its flash has {found.flash_bytes // _MEGABYTE} MB, {plan.board} needs "
                f"{plan.flash_bytes // _MEGABYTE} MB: take another board"
            )
        with self._lock:
            other = self._ports.setdefault(found.station, found.port)
        if other != found.port:
            raise FlashError(
                f"it has the same id as the board at {other}, {found.station}: one of the two has "
                "a wrong MAC address and cannot be told apart. Use only one of them"
            )


class _Board:
    def __init__(self, job: Job, chip: Chip, done: Outcome) -> None:
        self._job, self._chip, self._done = job, chip, done
        self._port = chip.found.port

    def write(self) -> None:
        self._mind_journal()
        for piece in self._job.plan.pieces:
            self._stage(piece.name)
            self._bring(piece)
        self._chip.start()

    def _stage(self, text: str) -> None:
        self._job.watch.stage(self._port, text)

    # -- the journal

    def _mind_journal(self) -> None:
        place = self._job.plan.journal
        blank = self._blank(place)
        old = self._journal_there(place, blank)
        stays = old is not None and (old.offset, old.size) == (place.offset, place.size)
        if stays and not self._job.erase_journal:
            self._done.journal = "left as it is"
            return
        if old is not None:
            self._save(old)
        if not blank:
            self._stage("clears the journal's place")
            self._chip.erase(place.offset, place.size)
        self._done.journal = "new"

    def _save(self, old: Partition) -> None:
        """Nothing of it is lost, or nothing is written."""
        self._stage("reads its journal")
        try:
            dump = self._chip.read(old.offset, old.size)
            self._done.kept = keep(self._chip.found.station, dump, self._job.data)
        except DiademaError as error:
            if not self._job.force:
                raise FlashError(
                    f"its journal would go and cannot be kept ({error}). Nothing was written; "
                    "--force gives its events up"
                ) from error

    def _journal_there(self, place: Partition, blank: bool) -> Partition | None:
        """By the board's own table; where it has none, what lies in the image's place counts."""
        try:
            places = table.unpack(self._chip.read(table.OFFSET, table.SIZE))
        except ImageError:
            if blank:
                return None
            self._stage("looks for a journal")
            found = walk(self._chip.read(place.offset, place.size)).sectors
            return place if found else None
        return next((one for one in places if one.name == "journal"), None)

    # -- pieces

    def _bring(self, piece: Piece) -> None:
        if self._holds(piece):
            self._done.right += len(piece.data)
            self._advance(len(piece.data))
            return
        for offset, data in self._wrong(piece):
            self._forget_crashes()
            self._done.sent += self._chip.write(offset, data)
            self._done.written += len(data)
            self._advance(len(data))
        if not self._holds(piece):
            raise FlashError(
                f"{piece.name} does not read back as it was written: repeat the command; if it "
                "says so again, the flash is worn"
            )

    def _forget_crashes(self) -> None:
        """Before the first piece of another program: a cable may be pulled after it."""
        place = self._job.plan.nvs
        if not self._done.written and not self._blank(place):
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


def _md5(data: bytes) -> str:
    return hashlib.md5(data).hexdigest()
