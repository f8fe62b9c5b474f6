"""Whether a partition without one valid sector is new, or why it may not be touched.

Loaded only then. New is all 0xFF, but for headers of a first format that was cut, and for sectors
marked bad (a header of zeros). Everything else is somebody's data: it is reported and left alone.
"""

import struct
from binascii import crc32

_SECTOR = 4096
_CHUNK = 512
_HEADER = 32
_MAGIC = b"DIAJ"
_VERSION = 1


def judge(flash, sectors):
    """None for a new partition, else other_size, other_layout or unreadable."""
    expected = struct.pack("<4sBBH", _MAGIC, _VERSION, 0xFF, sectors)
    blank = b"\xff" * _CHUNK
    chunk = bytearray(_CHUNK)
    new = True
    bad = 0
    for index in range(sectors):
        flash.readblocks(index, chunk, 0)
        head = bytes(chunk[:_HEADER])
        if head[:4] == _MAGIC and not _begun(head, expected):
            if head[4] != _VERSION:
                return "other_layout"
            if crc32(head[:28]) == struct.unpack("<I", head[28:])[0]:
                return "other_size"
        if not any(head):
            bad += 1
            continue
        new = new and _begun(head, expected) and chunk[_HEADER:] == blank[_HEADER:]
        for offset in range(_CHUNK, _SECTOR, _CHUNK):
            if new:
                flash.readblocks(index, chunk, offset)
                new = chunk == blank
    return None if new and bad <= sectors // 4 else "unreadable"


def _begun(head, expected):
    """A header programmed from its front up to a cut; nothing of it counts as well."""
    at = 0
    while at < len(expected) and head[at] == expected[at]:
        at += 1
    if at == len(expected):
        return True
    half = head[at] & expected[at] == expected[at]  # bits are only cleared
    return half and head[at + 1 :] == b"\xff" * (_HEADER - at - 1)
