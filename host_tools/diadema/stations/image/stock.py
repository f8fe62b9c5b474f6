"""A stock MicroPython image as it is downloaded: a boot loader, a partition table and the app in
one file, which belongs at the chip's flash offset. Read with esptool, checked, and taken apart.

What an app is, it says itself: the build and the version that the station's `sys.implementation`
has, and by the name that its driver of PSRAM logs under, which PSRAM it uses.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from esptool.bin_image import LoadFirmwareImage
from esptool.util import FatalError

from diadema.base.errors import ImageError
from diadema.stations.boards.partitions import TABLE_OFFSET, TABLE_SIZE, unpack_table
from diadema.stations.boards.table import DOWNLOADS, OLDEST, Board, file_for, is_tried, untried
from diadema.words import Sentence

LOADER = {"esp32": 0x1000, "esp32s3": 0x0}  # where the chip's ROM looks for the boot loader
_CHIP_IDS: Mapping[int, str] = {0: "esp32", 2: "esp32s2", 5: "esp32c3", 9: "esp32s3"}
_MAGIC = 0xE9
_HEAD_BYTES = 24
_CHIP_ID_AT = 12  # of the image's header: «Firmware image format» of the esptool documents
_BANNER = re.compile(rb"v(\d+)\.(\d+)\.(\d+)([-.\w]*) on \d{4}-\d\d-\d\d")  # of its REPL
_BUILD = re.compile(rb"(?<![\w-])(ESP32_GENERIC(?:_[A-Z0-9]+)?(?:-[A-Z0-9_]+)?)\0")
_DRIVERS = {b"octal_psram": "octal", b"quad_psram": "quad"}
_SHORT = "errors.stations.cut_short"
_DAMAGED = "errors.stations.image_damaged"
_TABLE, _LOADER = (Sentence(f"errors.stations.part.{name}") for name in ("table", "loader"))


@dataclass(frozen=True)
class App:
    """What an app says that it is: `version` as (1, 28, 0), `psram` quad, octal or none."""

    build: str
    version: tuple[int, int, int]
    preview: str
    psram: str

    @property
    def version_text(self) -> str:
        """The version as a station compares it."""
        return ".".join(map(str, self.version))

    @property
    def untried(self) -> Sentence | None:
        """The warning for a version that was not tried; None for one that was."""
        text = self.version_text + self.preview
        return None if is_tried(text) else untried(text)

    def __str__(self) -> str:
        return f"{self.build or 'MicroPython'} {self.version_text}{self.preview}"


@dataclass(frozen=True)
class Stock:
    """`loader` and `app` are whole images of their own."""

    chip: str
    about: App
    loader: bytes
    app: bytes


def read_stock(data: bytes, board: Board) -> Stock:
    """Take a stock image apart. Raises ImageError for one that is not for that board, and says
    which is; whether it fits, `left_of` says.
    """
    try:
        return _read(data, board)
    except ImageError as error:
        raise ImageError(
            Sentence(
                "errors.stations.error_take_file_for_from_downloads",
                error=error,
                file_for=file_for(board),
                downloads=DOWNLOADS,
            )
        ) from error


def left_of(room: int, stock: Stock, board: Board, what: str) -> int:
    """The bytes of `room` that the app leaves free. Raises ImageError when it does not fit."""
    if len(stock.app) > room:
        flash = board.wiring.board.flash_mb
        raise ImageError(
            Sentence(
                "errors.stations.about_has_count_bytes_what",
                about=stock.about,
                count=len(stock.app),
                what=what,
                name=board.name,
                room=room,
                file_for=file_for(board),
                downloads=DOWNLOADS,
                flash=flash,
            )
        )
    return room - len(stock.app)


def _read(data: bytes, board: Board) -> Stock:
    chip = board.wiring.board.chip
    found = chip_of(data)
    if found != chip:
        raise ImageError(
            Sentence(
                "errors.stations.found_name_has_chip", found=found, name=board.name, chip=chip
            )
        )
    start = TABLE_OFFSET - LOADER[chip]
    loader = _whole(data[:start], chip, "boot loader")
    if len(data) < start + TABLE_SIZE:
        raise ImageError(Sentence(_SHORT, what=_TABLE))
    partitions = unpack_table(data[start : start + TABLE_SIZE])
    apps = [one for one in partitions if one.type == "app"]
    if not apps:
        raise ImageError(Sentence("errors.stations.micropython_image_has_no_app"))
    first = min(apps, key=lambda one: one.offset)
    app = _whole(data[first.offset - LOADER[chip] :], chip, "app")
    about = about_app(app)
    if about.version[:2] < OLDEST:
        needed = ".".join(map(str, OLDEST))
        raise ImageError(
            Sentence(
                "errors.stations.value_micropython_version_text_station_needs",
                value=about.build or "it",
                version_text=about.version_text,
                needed=needed,
            )
        )
    if not about.build:
        raise ImageError(Sentence("errors.stations.no_build_micropython_s_own"))
    psram = board.wiring.board.psram
    if about.psram != psram:
        used = "no" if about.psram == "none" else about.psram
        raise ImageError(
            Sentence(
                "errors.stations.about_uses_used_psram_name",
                about=about,
                used=used,
                name=board.name,
                psram=psram,
            )
        )
    return Stock(chip, about, loader, app)


def chip_of(image: bytes) -> str:
    """The chip that an app or boot loader is for. Raises ImageError when it is no ESP image."""
    if image[:1] != bytes([_MAGIC]):
        raise ImageError(Sentence("errors.stations.no_esp_image_does_not"))
    if len(image) < _HEAD_BYTES:
        raise ImageError(Sentence(_SHORT, what=_LOADER))
    number = chip_number(image)
    return _CHIP_IDS.get(number, f"chip {number}")


def chip_number(image: bytes) -> int:
    """The chip's number in the header of an image, as the station reads it."""
    return int.from_bytes(image[_CHIP_ID_AT : _CHIP_ID_AT + 2], "little")


def _whole(data: bytes, chip: str, what: str) -> bytes:
    """The image at the beginning of `data`, whole: its checksum and its hash are right."""
    if len(data) < _HEAD_BYTES:
        raise ImageError(Sentence(_SHORT, what=what))
    if chip_of(data) != chip:
        raise ImageError(
            Sentence("errors.stations.what_micropython_image_another_chip", what=what)
        )
    try:
        image = LoadFirmwareImage(chip, data)
    except (FatalError, IndexError, ValueError) as error:
        raise ImageError(Sentence(_SHORT, what=what)) from error
    if image.checksum != image.calculate_checksum():
        raise ImageError(Sentence(_DAMAGED, what=what))
    length = int(image.data_length)
    if image.append_digest:
        if image.stored_digest != image.calc_digest:
            raise ImageError(Sentence(_DAMAGED, what=what))
        length += len(image.stored_digest)
    return data[:length]


def app_of(data: bytes, chip: str) -> bytes:
    """The app at the beginning of a partition. Raises ImageError when it is not whole."""
    return _whole(data, chip, "app")


def about_app(app: bytes) -> App:
    """What an app says that it is. Raises ImageError when it is no MicroPython; `build` is empty
    where it is none for modules as our boards have them.
    """
    version, build = _BANNER.search(app), _BUILD.search(app)
    if version is None:
        raise ImageError(Sentence("errors.stations.no_micropython_image_its_version"))
    major, minor, patch, preview = version.groups()
    psram = next((kind for name, kind in _DRIVERS.items() if name in app), "none")
    numbers = int(major), int(minor), int(patch)
    return App(build[1].decode() if build else "", numbers, preview.decode(), psram)
