"""A minimal but valid ESP32 image, made by the test itself: a boot loader, a partition table and
an app with MicroPython's banner in it, as a stock image has them.
"""

import hashlib
import struct

LOADER = {"esp32": 0x1000, "esp32s3": 0x0}
CHIP_ID = {"esp32": 0, "esp32s3": 9}
_ADDRESS = {"esp32": 0x3F400020, "esp32s3": 0x3C000020}  # of data mapped from flash
_SEED = 0xEF


def esp_image(chip: str, payload: bytes) -> bytes:
    """Header, one segment, checksum, SHA-256: «Firmware image format» of the esptool documents."""
    payload += bytes(-len(payload) % 4)
    header = struct.pack(
        "<BBBBIB3sHBHHBBBBB", 0xE9, 1, 2, 0x20, 0x40080000, 0xEE, bytes(3), CHIP_ID[chip], 0, 0,
        0xFFFF, 0, 0, 0, 0, 1,
    )  # fmt: skip
    image = header + struct.pack("<II", _ADDRESS[chip], len(payload)) + payload
    checksum = _SEED
    for byte in payload:
        checksum ^= byte
    image += bytes(15 - len(image) % 16) + bytes([checksum])
    return image + hashlib.sha256(image).digest()


def stock_table(app_at: int = 0x10000) -> bytes:
    """A table with one app, as 32-byte entries and their MD5."""
    entry = struct.pack("<2sBBII16sI", b"\xaa\x50", 0, 0x10, app_at, 0x180000, b"ota_0", 0)
    whole = entry + b"\xeb\xeb" + b"\xff" * 14 + hashlib.md5(entry).digest()
    return whole.ljust(0xC00, b"\xff")


def stock_image(chip: str = "esp32", version: str = "1.28.0", extra: bytes = b"") -> bytes:
    """What one downloads: from the chip's first flash offset on."""
    start = LOADER[chip]
    app = esp_image(chip, f"MicroPython v{version} on 2026-04-06; {chip}".encode() + extra)
    data = bytearray(b"\xff" * (0x10000 - start))
    loader = esp_image(chip, b"boot loader of the test")
    data[: len(loader)] = loader
    data[0x8000 - start : 0x8000 - start + 0xC00] = stock_table()
    return bytes(data) + app
