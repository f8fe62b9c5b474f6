"""Reads an image, or a dump of a live flash: what it is, what stands in it, and what is wrong."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field

from diadema.base.errors import DiademaError, ImageError
from diadema.stations.boards.partitions import TABLE_OFFSET, TABLE_SIZE, Partition, unpack_table
from diadema.stations.image import stock
from diadema.stations.image.files import (
    SECTOR,
    VFS_BLOCK,
    unpack,
    unpack_slot,
)
from diadema.stations.image.slots import selected_app, unpack_trailer
from diadema.words import Sentence


@dataclass
class PartitionContents:
    """One partition: `about` in words, `files` by path → bytes, `wrong` what does not hold."""

    name: str
    offset: int
    size: int
    sha256: str
    about: str = ""
    files: dict[str, int] = field(default_factory=dict)
    wrong: str = ""


@dataclass
class ImageContents:
    chip: str
    bytes: int
    sha256: str
    partitions: list[PartitionContents]

    @property
    def wrong(self) -> list[str]:
        return [f"{one.name}: {one.wrong}" for one in self.partitions if one.wrong]

    def as_json(self) -> dict[str, object]:
        return asdict(self) | {"wrong": self.wrong}


def read_image(data: bytes) -> ImageContents:
    """`data` begins at the chip's first flash offset, or at 0 (a dump). Raises ImageError."""
    dump = data[:1] == b"\xff" and data[stock.LOADER["esp32"] :][:1] == b"\xe9"
    chip = stock.chip_of(data[stock.LOADER["esp32"] :] if dump else data)
    if chip not in stock.LOADER:
        raise ImageError(Sentence("errors.stations.chip_which_no_board_ours", chip=chip))
    start = 0 if dump else stock.LOADER[chip]

    def at(offset: int, size: int) -> bytes:
        return data[offset - start : offset - start + size]

    partitions = unpack_table(at(TABLE_OFFSET, TABLE_SIZE))
    apps = sum(one.type == "app" for one in partitions)
    seen = [_contents(one, at(one.offset, one.size), chip, apps) for one in partitions]
    return ImageContents(chip, len(data), hashlib.sha256(data).hexdigest(), seen)


def _contents(one: Partition, data: bytes, chip: str, apps: int) -> PartitionContents:
    found = PartitionContents(one.name, one.offset, one.size, hashlib.sha256(data).hexdigest())
    if not data.strip(b"\xff"):
        found.about = "blank"
        if one.subtype == "ota":
            found.about = "blank: ota_0 starts"
        return found
    try:
        for about, files in _read(one, data, chip, apps):
            found.about = about
            found.files = files
    except DiademaError as error:
        found.wrong = str(error)
    return found


def _read(
    one: Partition, data: bytes, chip: str, apps: int
) -> Iterator[tuple[str, dict[str, int]]]:
    if one.type == "app":
        whole = stock.app_of(data, chip)
        found = stock.about_app(whole)
        if found.psram == "none":
            raise ImageError(Sentence("errors.stations.found_uses_no_psram_without", found=found))
        version = found.version_text + found.preview
        about = f"MicroPython {version}, {found.build}, {found.psram} PSRAM, {len(whole)} bytes"
        at_end = unpack_trailer(data[-SECTOR:])
        yield about if at_end is None else f"{about}, by an update: {_of_app(at_end[1])}", {}
    elif one.name.startswith("slot_"):
        at_end = unpack_trailer(data[-SECTOR:])
        if at_end is None:
            raise ImageError(Sentence("errors.stations.has_no_trailer_update_never"))
        trailer, state = at_end
        body = data[: trailer.length]
        if hashlib.sha256(body).digest() != trailer.sha256:
            raise ImageError(Sentence("errors.stations.its_sha_256_another_program"))
        files = {name: len(content) for name, content in unpack_slot(body).items()}
        said = f"{trailer.board} {trailer.version}, number {trailer.sequence}"
        yield f"{said}: {_states(state)}", files
    elif one.name == "vfs":
        files = {name: len(content) for name, content in unpack(data, VFS_BLOCK).items()}
        yield f"{len(files)} files", files
    elif one.subtype == "ota":
        chosen = selected_app(data, apps)
        if chosen is None:
            raise ImageError(Sentence("errors.stations.neither_entry_counts_first_app"))
        yield "ota_{} starts: {}".format(*chosen), {}
    elif one.name == "journal":
        yield "events of the station", {}


def _of_app(state: Mapping[str, bool]) -> str:
    """The station's marks of what runs are in its NVS (`firmware/interpreter.py`)."""
    ended = state["good"] or state["bad"]
    unknown = "" if ended else "; whether it proved itself, the trailer does not say while it runs"
    return _states(state) + unknown


def _states(state: Mapping[str, bool]) -> str:
    return ", ".join(name for name, true in state.items() if true)
