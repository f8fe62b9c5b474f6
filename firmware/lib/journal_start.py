"""How a journal is found at boot: its newest sector, or why its partition may not be touched.

Works on a `Journal` before it is used.
"""

import os
import struct
from array import array
from binascii import crc32

from lib.errors import JournalError
from micropython import const

EVENT = const(0x45)
SNAPSHOT = const(0x53)
EXTRA = const(12)  # a record's header and CRC
# as in lib.journal
_ACK = const(0x41)
_SECTOR = const(4096)
_MAGIC = const(b"DIAJ")
_VERSION = const(1)
_HEADER = const("<4sBBHIIIIII")
_HEADER_SIZE = const(32)
_WORN = const(5)
_RECORD_SIZE = const(8)

_CHUNK = const(512)


def find_head(journal, visit):
    """Set the journal to its newest record; a new partition is formatted."""
    newest = _scan(journal)
    if not newest:
        code = judge(journal.partition, journal.sectors)
        if code:
            raise JournalError("partition: {}; it is left as it is".format(code), code)
        _begin_at(journal, 0)
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
        if header_of(journal, sequence):
            _replay(journal, sequence, visit)
    journal._acked_on_flash = journal.acked = min(journal.acked, journal.last)
    journal.settle()


def begin(journal):
    """Begin a new epoch on the whole partition; what it held is gone, the oldest first."""
    journal.bad.clear()
    last = journal._sequence
    for step in range(journal.sectors - 1):  # a cut leaves the newest: no number is used again
        journal.erase((last + step) % journal.sectors)
    _begin_at(journal, last)


def _begin_at(journal, last):
    """Announce the format, write the first sector, and take the announcement back.

    While it stands no sector beside it holds an event, whatever a cut or worn flash has left
    there; so who finds it, and no header, may begin again.
    """
    newest = (last - 1) % journal.sectors
    place = journal.sectors
    announced = False
    while not announced:
        place -= 1
        if place < 0:
            raise JournalError("partition: no sector is good", "unreadable")
        if place != newest and place not in journal.bad:
            announced = journal._program(place, _announcement(journal.sectors), 0)
    journal.erase(newest)
    # where old bytes cannot be erased, the new sequence is the higher one
    sequence = -(-last // journal.sectors) * journal.sectors if journal.bad else 0
    journal.epoch = struct.unpack("<I", os.urandom(4))[0] or 1
    journal.last = journal.acked = journal.torn = journal._acked_on_flash = 0
    journal._sequence = sequence
    journal._oldest = journal._needed = sequence + 1
    journal._cursor = (0, 0, 0)
    journal._ahead = False
    journal.open()
    journal.erase(place)


def _announcement(sectors):
    """A header of which only the first eight bytes are written."""
    return struct.pack("<4sBBH", _MAGIC, _VERSION, 0xFF, sectors) + b"\xff" * 24


def _scan(journal):
    """Read every header, once; returns the newest sequence, 0 when there is none."""
    newest = first = 0
    sequences = array("I", bytes(4 * journal.sectors))  # by sector; 0: not of this journal
    announced = []
    for index in range(journal.sectors):
        header = _read_header(journal, index)
        if header is None:
            if journal._buffer[:_HEADER_SIZE] == _announcement(journal.sectors):
                announced.append(index)
            continue
        if header[1] > newest:
            if header[0] != journal.epoch:  # what was found is an older journal's
                sequences = array("I", bytes(4 * journal.sectors))
            journal.epoch, newest, _, journal.acked = header
        if header[0] == journal.epoch:
            sequences[index] = header[1]
            journal._firsts[index] = header[2]
    for sequence in range(newest, max(newest - journal.sectors, 0), -1):
        index = (sequence - 1) % journal.sectors
        if sequences[index] == sequence:
            first = journal._firsts[index]
            journal._oldest = journal._needed = sequence
        journal._firsts[index] = first  # an unreadable sector counts as empty
    for index in announced if newest else ():
        journal.erase(index)  # it is no longer true
    return newest


def header_of(journal, sequence):
    """The sector's header, None when another or none stands in its place."""
    header = _read_header(journal, (sequence - 1) % journal.sectors)
    return header if header and header[:2] == (journal.epoch, sequence) else None


def _read_header(journal, index):
    """(epoch, sequence, first, acked) of a sector, None when its header does not check."""
    raw = memoryview(journal._buffer)[:_HEADER_SIZE]
    journal.partition.readblocks(index, raw, 0)
    fields = struct.unpack(_HEADER, raw)
    raw[_WORN] = 0xFF
    right = fields[:2] == (_MAGIC, _VERSION) and fields[3] == journal.sectors and fields[6]
    if right and crc32(raw[:28]) == fields[9] and (fields[5] - 1) % journal.sectors == index:
        if fields[2] != 0xFF:
            journal.bad[index] = fields[5]
        return fields[4:8]
    if fields[:4] == (bytes(4), 0, 0, 0):
        journal.bad[index] = 0
    return None


def _begins_well(journal, sequence):
    record = journal.record((sequence - 1) % journal.sectors, _HEADER_SIZE)
    whole = record is not None and record[0] == SNAPSHOT and record[3]
    return whole and header_of(journal, sequence)


def _replay(journal, sequence, visit):
    index = (sequence - 1) % journal.sectors
    offset = _HEADER_SIZE
    while True:
        record = journal.record(index, offset)
        if record is None:
            break
        kind, n, length, whole = record
        if not whole:
            journal.torn += 1
        elif kind == _ACK:
            journal.acked = n
        else:
            if kind == EVENT:
                journal.last = n
            if visit:
                visit(kind, n, bytes(memoryview(journal._buffer)[8 : 8 + length]))
        offset += length + EXTRA
    goes_on = _free_at(journal, index, offset) and index not in journal.bad
    journal._offset = offset if goes_on else _SECTOR


def _free_at(journal, index, offset):
    """Whether records may go on here; anything but erased bytes closes the sector."""
    if offset + EXTRA > _SECTOR:
        return False
    raw = memoryview(journal._buffer)[:_RECORD_SIZE]
    journal.partition.readblocks(index, raw, offset)
    if raw == b"\xff" * _RECORD_SIZE:
        return True
    journal.torn += 1
    return False


def judge(flash, sectors):
    """None for a partition that may be formatted, else other_size, other_layout or unreadable.

    That is one that is all 0xFF, but for the piece of an announcement and for sectors marked bad
    (a header of zeros); or one with a whole announcement, since then nothing else there is an
    event. Everything else is somebody's data, as far as can be told: also a chip whose very first
    announcement does not read back as written when the power is cut before the second try.
    """
    announcement = _announcement(sectors)
    blank = b"\xff" * _CHUNK
    chunk = bytearray(_CHUNK)
    new = True
    announced = False
    bad = 0
    for index in range(sectors):
        flash.readblocks(index, chunk, 0)
        head = bytes(chunk[:_HEADER_SIZE])
        begun = _begun(head, announcement)
        if head[:4] == _MAGIC and not begun:
            if head[4] != _VERSION:
                return "other_layout"
            whole = head[:_WORN] + b"\xff" + head[_WORN + 1 : 28]
            if crc32(whole) == struct.unpack("<I", head[28:])[0]:
                return "other_size"
        if not any(head):
            bad += 1
            continue
        begun = begun and chunk[_HEADER_SIZE:] == blank[_HEADER_SIZE:]
        for offset in range(_CHUNK, _SECTOR, _CHUNK):
            if begun:
                flash.readblocks(index, chunk, offset)
                begun = chunk == blank
        announced = announced or (begun and head == announcement)
        new = new and begun
    return None if announced or (new and bad <= sectors // 4) else "unreadable"


def _begun(head, announcement):
    """An announcement programmed from its front up to a cut; nothing of it counts as well."""
    at = 0
    while at < _HEADER_SIZE and head[at] == announcement[at]:
        at += 1
    if at == _HEADER_SIZE:
        return True
    half = head[at] & announcement[at] == announcement[at]  # bits are only cleared
    return half and head[at + 1 :] == b"\xff" * (_HEADER_SIZE - at - 1)
