"""One image of a board's whole flash: MicroPython's boot loader and app as downloaded, our
partition table, the station's program in the first slot, and what starts it in the vfs.
"""

import hashlib
from dataclasses import dataclass

import esptool
from esptool.logger import log

from diadema.base.errors import ImageError
from diadema.stations.boards.partitions import TABLE_OFFSET, TABLE_SIZE, Partition, pack_table
from diadema.stations.boards.table import Board
from diadema.stations.image.files import (
    SECTOR,
    VFS_BLOCK,
    free_bytes,
    pack,
    pack_slot,
    program_files,
    start_files,
)
from diadema.stations.image.slots import Trailer
from diadema.stations.image.stock import (
    LOADER,
    Stock,
    left_of,
    read_stock,
)
from diadema.words import Sentence

_MEGABYTE = 0x100000
_OTADATA = b"\xff"  # blank: the boot loader starts ota_0


@dataclass(frozen=True)
class Piece:
    """One part of an image, written at `offset`; `free` bytes are left of its `room`."""

    name: str
    offset: int
    data: bytes
    room: int
    free: int

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()


@dataclass(frozen=True)
class Image:
    """`pieces` never cover the journal: it is the station's alone. `build` is MicroPython's;
    `untried`: what is to be said where its version was not tried.
    """

    board: str
    chip: str
    micropython: str
    build: str
    untried: Sentence | None
    version: str
    flash_bytes: int
    pieces: list[Piece]

    def whole(self) -> bytes:
        """From the chip's first offset to the end of the last piece, FF between them."""
        start = LOADER[self.chip]
        end = max(piece.offset + len(piece.data) for piece in self.pieces)
        data = bytearray(b"\xff" * (end - start))
        for piece in self.pieces:
            data[piece.offset - start : piece.offset - start + len(piece.data)] = piece.data
        return bytes(data)


def build(
    board: Board,
    stock: bytes,
    version: str,
    *,
    flash_bytes: int | None = None,
    sha256: str | None = None,
) -> Image:
    """Builds the image of a board's flash from a stock MicroPython image. Raises ImageError for a
    stock image that is not for the board or not the one of `sha256`,
    and for a flash that is too small.
    """
    found = hashlib.sha256(stock).hexdigest()
    if sha256 is not None and sha256.lower() != found:
        raise ImageError(
            Sentence(
                "errors.stations.micropython_image_has_sha_256", found=found, sha256=sha256.lower()
            )
        )
    about = board.wiring.board
    taken = read_stock(stock, board)
    size = flash_bytes or about.flash_mb * _MEGABYTE
    last = max(one.end for one in board.partitions)
    if size < last:
        raise ImageError(
            Sentence(
                "errors.stations.partition_table_name_needs_last",
                name=board.name,
                last=last // 1024,
                size=size // 1024,
            )
        )
    places = {one.name: one for one in board.partitions}
    body = pack_slot(program_files(board), places["slot_a"].size)
    slot = program_slot(board, body, places["slot_a"].size, version)
    files = start_files()
    vfs = pack(files, places["vfs"].size, VFS_BLOCK)
    loader = _for_flash(taken, size)
    pieces = [
        Piece(
            "boot loader",
            LOADER[taken.chip],
            loader,
            TABLE_OFFSET - LOADER[taken.chip],
            TABLE_OFFSET - LOADER[taken.chip] - len(loader),
        ),
        Piece("partition table", TABLE_OFFSET, pack_table(board.partitions), TABLE_SIZE, 0),
        _filled(places["otadata"], _OTADATA * places["otadata"].size, 0),
        Piece(
            "ota_0",
            places["ota_0"].offset,
            taken.app,
            places["ota_0"].size,
            left_of(places["ota_0"].size, taken, board, "a slot"),
        ),
        _filled(places["slot_a"], slot, len(slot) - SECTOR - len(body)),
        _filled(places["slot_b"], b"\xff" * places["slot_b"].size, places["slot_b"].size),
        _filled(places["vfs"], vfs, free_bytes(vfs, VFS_BLOCK)),
    ]
    return Image(
        board=board.name,
        chip=taken.chip,
        micropython=taken.about.version_text,
        build=taken.about.build,
        untried=taken.about.untried,
        version=version,
        flash_bytes=size,
        pieces=pieces,
    )


def program_slot(board: Board, body: bytes, size: int, version: str, sequence: int = 1) -> bytes:
    """A whole slot: the program's files, and the trailer by which a station knows them."""
    trailer = Trailer(
        sequence=sequence,
        length=len(body),
        sha256=hashlib.sha256(body).digest(),
        board=board.name,
        version=version,
    )
    return body.ljust(size - SECTOR, b"\xff") + trailer.pack(good=True).ljust(SECTOR, b"\xff")


def _filled(place: Partition, data: bytes, free: int) -> Piece:
    return Piece(place.name, place.offset, data, place.size, free)


def _for_flash(taken: Stock, size: int) -> bytes:
    """The boot loader with the flash's size in its header, and its hash made again."""
    offset = LOADER[taken.chip]
    log.set_verbosity("silent")  # what it says is of how it joins pieces
    merged: bytes | None = esptool.merge_bin(
        [(offset, taken.loader)],
        chip=taken.chip,
        flash_size=f"{size // _MEGABYTE}MB",
        target_offset=offset,
    )
    assert merged is not None
    return merged[: len(taken.loader)]
