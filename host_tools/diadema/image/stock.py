"""A stock MicroPython image as it is downloaded: a boot loader, a partition table and the app in
one file, which belongs at the chip's flash offset. Read with esptool, checked, and taken apart.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from esptool.bin_image import LoadFirmwareImage
from esptool.util import FatalError

from diadema.image import table
from diadema.image.errors import ImageError

OLDEST = (1, 23)
LOADER = {"esp32": 0x1000, "esp32s3": 0x0}  # where the chip's ROM looks for the boot loader
_CHIP_IDS: Mapping[int, str] = {0: "esp32", 2: "esp32s2", 5: "esp32c3", 9: "esp32s3"}
_MAGIC = 0xE9
_CHIP_ID_AT = 12  # of the image's header: «Firmware image format» of the esptool documents
_BANNER = re.compile(rb"v(\d+)\.(\d+)\.(\d+)([-.\w]*) on \d{4}-\d\d-\d\d")  # of its REPL


@dataclass(frozen=True)
class Stock:
    """`version` as (1, 28, 0); `loader` and `app` are whole images of their own."""

    chip: str
    version: tuple[int, int, int]
    loader: bytes
    app: bytes

    @property
    def version_text(self) -> str:
        return ".".join(map(str, self.version))


def read_stock(data: bytes, chip: str) -> Stock:
    """Take a stock image for `chip` apart. Raises ImageError for any other."""
    found = chip_of(data)
    if found != chip:
        raise ImageError(
            f"the MicroPython image is for {found}, the board has an {chip}: download the one "
            "that the README names for this board"
        )
    start = table.OFFSET - LOADER[chip]
    partitions = table.unpack(data[start : start + table.SIZE])
    apps = [one for one in partitions if one.type == "app"]
    if not apps:
        raise ImageError("the MicroPython image has no app in its partition table")
    first = min(apps, key=lambda one: one.offset)
    app = _whole(data[first.offset - LOADER[chip] :], chip, "app")
    loader = _whole(data[:start], chip, "boot loader")
    version = _version(app)
    if version[:2] < OLDEST:
        raise ImageError(
            "the image is MicroPython {}, a station needs {}.{} or newer: download a newer "
            "one".format(".".join(map(str, version)), *OLDEST)
        )
    return Stock(chip, version, loader, app)


def chip_of(image: bytes) -> str:
    """Of an app or boot loader. Raises ImageError when it is no ESP image."""
    if len(image) < 24 or image[0] != _MAGIC:
        raise ImageError(
            "this is no ESP image (it does not begin with E9): take the .bin file that is written "
            "to the chip's first flash offset, not the .app-bin, .elf or .zip"
        )
    number = chip_number(image)
    return _CHIP_IDS.get(number, f"chip {number}")


def chip_number(image: bytes) -> int:
    """As the header of an image has it, and the station reads it there."""
    return int.from_bytes(image[_CHIP_ID_AT : _CHIP_ID_AT + 2], "little")


def _whole(data: bytes, chip: str, what: str) -> bytes:
    """The image at the beginning of `data`, whole: its checksum and its hash are right."""
    if chip_of(data) != chip:
        raise ImageError(f"the {what} in the MicroPython image is for another chip")
    try:
        image = LoadFirmwareImage(chip, data)
    except (FatalError, IndexError, ValueError) as error:
        raise ImageError(f"the {what} in the MicroPython image is cut short: {error}") from error
    if image.checksum != image.calculate_checksum():
        raise ImageError(f"the {what} in the MicroPython image is damaged: download it again")
    length = int(image.data_length)
    if image.append_digest:
        if image.stored_digest != image.calc_digest:
            raise ImageError(f"the {what} in the MicroPython image is damaged: download it again")
        length += len(image.stored_digest)
    return data[:length]


def app_of(data: bytes, chip: str) -> bytes:
    """The app at the beginning of a partition. Raises ImageError when it is not whole."""
    return _whole(data, chip, "app")


def version_of(app: bytes) -> str:
    """As «1.28.0»."""
    return ".".join(map(str, _version(app)))


def _version(app: bytes) -> tuple[int, int, int]:
    found = _BANNER.search(app)
    if found is None:
        raise ImageError("this is no MicroPython image: its version is nowhere in it")
    major, minor, patch = found.groups()[:3]
    return int(major), int(minor), int(patch)
