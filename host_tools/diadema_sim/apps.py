"""App images for simulated chips: what a boot loader takes for one, and a version in it."""

import hashlib
import struct

_CHECKSUM_BEGINS = 0xEF
_STOCK = b"MicroPython v%s on 2026-08-29; sim\0ESP32_GENERIC-SPIRAM\0quad_psram\0"
_ROUND = 256  # bytes: what an update brings is a multiple of it


def app_image(version: str | None, noise: bytes = b"", chip: int = 0) -> bytes:
    """MicroPython of that version, of the build that uses PSRAM, or (None) something that never
    comes up; `noise` is the rest of it. Header, one segment, checksum, SHA-256: «Firmware image
    format» of the esptool documents.
    """
    payload = (_STOCK % version.encode() if version else b"nothing of ours") + noise
    payload += bytes(-len(payload) % 4)
    header = struct.pack("<BBBBI4xH9xB", 0xE9, 1, 2, 0x20, 0x40080000, chip, 1)  # with a hash
    image = header + struct.pack("<II", 0x3F400020, len(payload)) + payload
    checksum = _CHECKSUM_BEGINS
    for byte in payload:
        checksum ^= byte
    image += bytes(15 - len(image) % 16) + bytes([checksum])
    image += hashlib.sha256(image).digest()
    return image + b"\xff" * (-len(image) % _ROUND)
