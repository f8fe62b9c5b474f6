"""How a journal is found at boot: its newest sector, or why its partition may not be touched.

Works on a `Journal` before it is used, and may be dropped from memory afterwards.
"""

import os
import struct
from binascii import crc32

from lib.errors import JournalError
from lib.journal import (
    ACK,
    EVENT,
    EXTRA,
    HEADER,
    HEADER_SIZE,
    MAGIC,
    RECORD_SIZE,
    SECTOR,
    SNAPSHOT,
    VERSION,
)

_CHUNK = 512


def find_head(journal, visit):
    """Set the journal to its newest record; a new partition is formatted."""
    newest = _scan(journal)
    if not newest:
        code = judge(journal.partition, journal.sectors)
        if code:
            raise JournalError("partition: {}; it is left as it is".format(code), code)
        begin(journal)
        return
    journal._sequence = newest
    # a sector whose snapshot cannot be read (worn flash): start from the one before
    start = newest
    while start > journal._oldest and not _begins_well(journal, start):
        start -= 1
    journal.last = journal._firsts[(start - 1) % journal.sectors] - 1
    acked = journal.acked
    for sequence in range(start, newest + 1):
        journal.acked = acked  # of the newest header; only its own sector knows better
        if _header_of(journal, sequence):
            _replay(journal, sequence, visit)
    journal._acked_on_flash = journal.acked = min(journal.acked, journal.last)
    journal.settle()


def begin(journal):
    """Begin a new epoch on the whole partition; what it held is gone, the oldest first."""
    journal.bad.clear()
    last = journal._sequence
    for step in range(journal.sectors):  # a cut leaves the newest: no number is used again
        journal.erase((last + step) % journal.sectors)
    # where old bytes cannot be erased, the new sequence is the higher one
    sequence = -(-last // journal.sectors) * journal.sectors if journal.bad else 0
    journal.epoch = struct.unpack("<I", os.urandom(4))[0] or 1
    journal.last = journal.acked = journal.torn = 0
    journal._sequence = sequence
    journal._oldest = journal._needed = sequence + 1
    journal._cursor = (0, 0, 0)
    journal._ahead = True
    journal.open(True)


def _scan(journal):
    """Read every header; returns the newest sequence, 0 when there is none."""
    newest = first = 0
    for index in range(journal.sectors):
        header = _read_header(journal, index)
        if header and header[1] > newest:
            journal.epoch, newest, _, journal.acked = header
    for sequence in range(newest, max(newest - journal.sectors, 0), -1):
        header = _header_of(journal, sequence)
        if header:
            first = header[2]
            journal._oldest = journal._needed = sequence
        # an unreadable sector counts as empty
        journal._firsts[(sequence - 1) % journal.sectors] = first
    return newest


def _header_of(journal, sequence):
    """The sector's header, None when another or none stands in its place."""
    header = _read_header(journal, (sequence - 1) % journal.sectors)
    return header if header and header[:2] == (journal.epoch, sequence) else None


def _read_header(journal, index):
    """(epoch, sequence, first, acked) of a sector, None when its header does not check."""
    raw = memoryview(journal._buffer)[:HEADER_SIZE]
    journal.partition.readblocks(index, raw, 0)
    fields = struct.unpack(HEADER, raw)
    right = fields[:2] == (MAGIC, VERSION) and fields[3] == journal.sectors
    if right and crc32(raw[:28]) == fields[9] and (fields[5] - 1) % journal.sectors == index:
        return fields[4:8]
    if not any(raw):
        journal.bad.add(index)
    return None


def _begins_well(journal, sequence):
    record = journal.record((sequence - 1) % journal.sectors, HEADER_SIZE)
    whole = record is not None and record[0] == SNAPSHOT and record[3]
    return whole and _header_of(journal, sequence)


def _replay(journal, sequence, visit):
    index = (sequence - 1) % journal.sectors
    offset = HEADER_SIZE
    while True:
        record = journal.record(index, offset)
        if record is None:
            break
        kind, n, length, whole = record
        if not whole:
            journal.torn += 1
        elif kind == ACK:
            journal.acked = n
        else:
            if kind == EVENT:
                journal.last = n
            if visit:
                visit(kind, n, bytes(memoryview(journal._buffer)[8 : 8 + length]))
        offset += length + EXTRA
    journal._offset = offset if _free_at(journal, index, offset) else SECTOR


def _free_at(journal, index, offset):
    """Whether records may go on here; anything but erased bytes closes the sector."""
    if offset + EXTRA > SECTOR:
        return False
    raw = memoryview(journal._buffer)[:RECORD_SIZE]
    journal.partition.readblocks(index, raw, offset)
    if raw == b"\xff" * RECORD_SIZE:
        return True
    journal.torn += 1
    return False


def judge(flash, sectors):
    """None for a new partition, else other_size, other_layout or unreadable.

    New is all 0xFF, but for headers of a first format that was cut, and for sectors marked bad (a
    header of zeros). Everything else is somebody's data.
    """
    expected = struct.pack("<4sBBH", MAGIC, VERSION, 0xFF, sectors)
    blank = b"\xff" * _CHUNK
    chunk = bytearray(_CHUNK)
    new = True
    bad = 0
    for index in range(sectors):
        flash.readblocks(index, chunk, 0)
        head = bytes(chunk[:HEADER_SIZE])
        if head[:4] == MAGIC and not _begun(head, expected):
            if head[4] != VERSION:
                return "other_layout"
            if crc32(head[:28]) == struct.unpack("<I", head[28:])[0]:
                return "other_size"
        if not any(head):
            bad += 1
            continue
        new = new and _begun(head, expected) and chunk[HEADER_SIZE:] == blank[HEADER_SIZE:]
        for offset in range(_CHUNK, SECTOR, _CHUNK):
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
    return half and head[at + 1 :] == b"\xff" * (HEADER_SIZE - at - 1)
