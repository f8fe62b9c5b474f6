"""Writes the journal layout for the tests of its reader: plain struct calls, no shared code."""

import struct
from binascii import crc32

SECTOR = 4096


def header(sequence, *, sectors=4, epoch=7, first=1, acked=0, boot=1):
    numbers = (epoch, sequence, first, acked, boot)
    body = struct.pack("<4sBBHIIIII", b"DIAJ", 1, 0xFF, sectors, *numbers)
    return body + struct.pack("<I", crc32(body))


def record(kind, n, payload=b""):
    length = struct.pack("<H", len(payload))
    number = struct.pack("<I", n)
    check = 0x5A ^ ord(kind)
    for byte in length + number:
        check ^= byte
    head = length + kind.encode() + bytes([check]) + number
    return head + payload + struct.pack("<I", crc32(head + payload))


def sector(*parts):
    whole = b"".join(parts)
    assert len(whole) <= SECTOR
    return whole + b"\xff" * (SECTOR - len(whole))
