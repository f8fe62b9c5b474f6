"""Made-up ESP32 images: a boot loader, a partition table and an app that says what it is as stock
images do. What is known of eight real ones stands in `stock_images.csv`.
"""

import csv
import hashlib
import struct
from functools import cache, reduce
from operator import xor
from pathlib import Path

REAL = {
    row["image"]: row
    for row in csv.DictReader(Path(__file__).with_name("stock_images.csv").open())
}
RIGHT = {"esp32": "ESP32_GENERIC-SPIRAM", "esp32s3": "ESP32_GENERIC_S3-SPIRAM_OCT"}
LOADER = {"esp32": 0x1000, "esp32s3": 0x0}
CHIP_ID = {"esp32": 0, "esp32s3": 9}
_ADDRESS = {"esp32": 0x3F400020, "esp32s3": 0x3C000020}  # of data mapped from flash
_SEED = 0xEF
_HEAD = 32  # bytes of an app before its first segment
_MARK = {"none": b"", "quad": b"quad_psram", "octal": b"octal_psram"}
_BEFORE_BANNER = b"3.4.0; MicroPython "


def esp_image(chip: str, payload: bytes) -> bytes:
    """Header, one segment, checksum, SHA-256: «Firmware image format» of the esptool documents."""
    payload += bytes(-len(payload) % 4)
    header = struct.pack(
        "<BBBBIB3sHBHHBBBBB", 0xE9, 1, 2, 0x20, 0x40080000, 0xEE, bytes(3), CHIP_ID[chip], 0, 0,
        0xFFFF, 0, 0, 0, 0, 1,
    )  # fmt: skip
    image = header + struct.pack("<II", _ADDRESS[chip], len(payload)) + payload
    image += bytes(15 - len(image) % 16) + bytes([reduce(xor, payload, _SEED)])
    return image + hashlib.sha256(image).digest()


def stock_table(app_at: int = 0x10000) -> bytes:
    """A table with one app, as 32-byte entries and their MD5."""
    entry = struct.pack("<2sBBII16sI", b"\xaa\x50", 0, 0x10, app_at, 0x180000, b"ota_0", 0)
    whole = entry + b"\xeb\xeb" + b"\xff" * 14 + hashlib.md5(entry).digest()
    return whole.ljust(0xC00, b"\xff")


def stock_image(
    chip: str = "esp32", version: str = "1.28.0", extra: bytes = b"", build: str | None = None,
    psram: str | None = None,
) -> bytes:  # fmt: skip
    """What one downloads, but small: from the chip's first flash offset on. The build that the
    chip's boards take, unless another is named; the driver that this build has.
    """
    build = RIGHT[chip] if build is None else build
    if psram is None:
        psram = next((row["psram"] for row in REAL.values() if row["build"] == build), "none")
    told = b"\0".join(
        (b"", build.encode(), _BEFORE_BANNER + _banner(version), _MARK[psram], chip.encode())
    )
    return _download(chip, esp_image(chip, told + extra))


@cache
def as_large_as(name: str) -> bytes:
    """What one downloads, as large as that real one and with each mark where it has it."""
    real = REAL[name]
    size = int(real["app_bytes"])
    app = bytearray(size)
    for at in _offsets(real["banner_offsets"]):
        _put(app, at, _banner(real["version"]))
    _put(app, at - len(_BEFORE_BANNER), _BEFORE_BANNER)
    for at in _offsets(real["psram_mark_offsets"]):
        _put(app, at, _MARK[real["psram"]])
    (at,) = _offsets(real["build_name_offsets"])
    _put(app, at, real["build"].encode())
    made = esp_image(real["chip"], bytes(app[_HEAD : size - 36]))  # checksum and SHA-256
    assert len(made) == size
    whole = _download(real["chip"], made)
    assert len(whole) == int(real["file_bytes"])
    return whole


def _offsets(text: str) -> list[int]:
    return [int(at, 0) for at in text.split(";") if at]


def _put(app: bytearray, at: int, text: bytes) -> None:
    app[at : at + len(text)] = text


def _banner(version: str) -> bytes:
    return f"v{version} on 2026-04-06".encode()


def _download(chip: str, app: bytes) -> bytes:
    start = LOADER[chip]
    data = bytearray(b"\xff" * (0x10000 - start))
    loader = esp_image(chip, b"boot loader of the test")
    data[: len(loader)] = loader
    data[0x8000 - start : 0x8000 - start + 0xC00] = stock_table()
    return bytes(data) + app
