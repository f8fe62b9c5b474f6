"""What an image asks of a board: the pieces to write in their order, and where its journal is;
also as the manifest and files that ESP Web Tools write from a browser.
"""

import json
from dataclasses import dataclass

from diadema.base.errors import FlashError, ImageError
from diadema.stations.boards.partitions import TABLE_OFFSET, TABLE_SIZE, Partition, unpack_table
from diadema.stations.image.read import read_image
from diadema.stations.image.slots import unpack_trailer
from diadema.stations.image.stock import LOADER
from diadema.words import Sentence

SECTOR = 4096
_WRITTEN = ("otadata", "ota_0", "slot_a", "slot_b", "vfs")  # never the journal
_APPS = ("ota_0", "ota_1")
_MEGABYTE = 0x100000
_NONE = Sentence("errors.stations.no_station_image")
MANIFEST = "manifest.json"
_FAMILY = {"esp32": "ESP32", "esp32s3": "ESP32-S3"}


@dataclass(frozen=True)
class Piece:
    """A piece of an image, in whole sectors."""

    name: str
    offset: int
    data: bytes


@dataclass(frozen=True)
class FlashPlan:
    """`pieces` end with the partition table: until it is there, the board's old one tells where
    its journal is. `nvs`: what an old program left there, as how often it crashed, is not for a
    new one.
    """

    chip: str
    board: str
    version: str
    flash_bytes: int
    pieces: list[Piece]
    journal: Partition
    nvs: Partition

    @property
    def size(self) -> int:
        return sum(len(piece.data) for piece in self.pieces)


def read_plan(image: bytes) -> FlashPlan:
    """The plan of an image. Raises FlashError where `diadema image build` did not make it."""
    try:
        seen = read_image(image)
    except ImageError as error:
        raise FlashError(_NONE) from error
    if seen.wrong:
        raise FlashError(
            Sentence("errors.stations.image_damaged_build_again_wrong", wrong=seen.wrong[0])
        )
    start = LOADER[seen.chip]
    if image[0] != 0xE9:
        raise FlashError(Sentence("errors.stations.dump_one_flash_which_holds"))

    def at(offset: int, size: int) -> bytes:
        found = image[offset - start : offset - start + size]
        return found.ljust(-(-size // SECTOR) * SECTOR, b"\xff")

    places = {one.name: one for one in unpack_table(at(TABLE_OFFSET, TABLE_SIZE))}
    trailer = (
        unpack_trailer(at(places["slot_a"].offset, places["slot_a"].size)[-SECTOR:])
        if "slot_a" in places
        else None
    )
    if trailer is None or not {*_WRITTEN, *_APPS, "journal", "nvs"} <= places.keys():
        raise FlashError(_NONE)
    pieces = [
        Piece(name, places[name].offset, at(places[name].offset, places[name].size))
        for name in _WRITTEN
    ]
    pieces = [_cut(piece) if piece.name == "ota_0" else piece for piece in pieces]
    pieces[1:1] = [_no_trailer(places[name]) for name in _APPS]
    loader = at(start, TABLE_OFFSET - start)
    pieces.append(_cut(Piece("boot loader", start, loader)))
    pieces.append(Piece("partition table", TABLE_OFFSET, at(TABLE_OFFSET, TABLE_SIZE)))
    last = max(one.end for one in places.values())
    return FlashPlan(
        chip=seen.chip,
        board=trailer[0].board,
        version=trailer[0].version,
        flash_bytes=-(-last // _MEGABYTE) * _MEGABYTE,
        pieces=pieces,
        journal=places["journal"],
        nvs=places["nvs"],
    )


def _no_trailer(app: Partition) -> Piece:
    """What an update that came before said of it, which the new MicroPython would be judged by."""
    return Piece(f"trailer of {app.name}", app.end - SECTOR, b"\xff" * SECTOR)


def _cut(piece: Piece) -> Piece:
    """Without the blank sectors at its end, which nobody reads."""
    length = -(-len(piece.data.rstrip(b"\xff")) // SECTOR) * SECTOR
    return Piece(piece.name, piece.offset, piece.data[:length])


def web_files(plan: FlashPlan, prefix: str = "") -> dict[str, bytes]:
    """The files for a browser by their names, the manifest first; pieces carry the prefix. They
    leave the journal alone: one whole image in one part would be written over it.
    """
    files = {f"{prefix}{piece.name.replace(' ', '_')}.bin": piece for piece in plan.pieces}
    manifest = {
        "name": f"Diadema {plan.board}",
        "version": plan.version,
        "new_install_prompt_erase": True,  # else it erases all, the journal too
        "new_install_improv_wait_time": 10,
        "builds": [
            {
                "chipFamily": _FAMILY[plan.chip],
                "parts": [{"path": file, "offset": one.offset} for file, one in files.items()],
            }
        ],
    }
    content = json.dumps(manifest, indent=2).encode() + b"\n"
    return {MANIFEST: content, **{file: one.data for file, one in files.items()}}
