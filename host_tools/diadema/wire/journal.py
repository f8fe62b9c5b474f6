"""The host's own reader of the journal that a station keeps on its flash, layout version 1.

For whoever holds an image of the partition (a dump, the simulator's flash model). It shares no
code with the firmware: two readings of one layout check each other.

The partition is a ring of 4096-byte sectors, little endian. A sector header is 32 bytes: magic
`DIAJ`, u8 version, u8 wear (0xFF, and taken as 0xFF by the CRC; cleared when a record in it did
not read back: what the sector holds counts, but it is not opened again), u16 sectors, u32
epoch, u32 sector sequence (sector index = (sequence - 1) mod sectors), u32 first event number, u32
acknowledged, u32 boot counter, u32 CRC-32 of the 28 bytes before. A header of zeros marks a sector
of which nothing counts; one that ends after its first eight bytes announces a format. Records
follow: u16 payload length, u8 type (E event, S snapshot,
A acknowledgement), u8 check (xor of the other seven header bytes, xor 0x5A), u32 n, payload, u32
CRC-32 of header and payload. Eight bytes of 0xFF where a header would be: free from here.
"""

import struct
from binascii import crc32
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import reduce
from operator import xor

SECTOR = 4096
EVENT, SNAPSHOT, ACKNOWLEDGED = 0x45, 0x53, 0x41
_VERSION = 1
_SECTOR_HEADER = struct.Struct("<4sBBHIIIIII")
_RECORD_HEADER = struct.Struct("<HBBI")
_CHECK = struct.Struct("<I")
_WEAR = 5
_FREE = b"\xff" * _RECORD_HEADER.size
_CHECK_SEED = 0x5A
_PAYLOAD_LIMIT = 512

type Bytes = bytes | bytearray | memoryview


@dataclass(frozen=True)
class SectorHeader:
    sectors: int
    epoch: int
    sequence: int
    first: int
    acked: int
    boot: int


@dataclass(frozen=True)
class Record:
    """One whole record; `offset` is its place in the sector."""

    offset: int
    kind: int
    sequence: int
    payload: bytes


@dataclass(frozen=True)
class JournalEvent:
    """One event as it stands on flash: `payload` is its JSON without `s`, `e`, `n`."""

    epoch: int
    sequence: int
    payload: bytes


@dataclass
class SectorContent:
    header: SectorHeader
    records: list[Record] = field(default_factory=list)


@dataclass
class JournalContent:
    """A partition read whole; sectors in the order in which they were opened."""

    sectors: list[SectorContent] = field(default_factory=list)
    unreadable: int = 0  # sectors that are neither blank nor whole

    def events(self) -> Iterator[JournalEvent]:
        for sector in self.sectors:
            for record in sector.records:
                if record.kind == EVENT:
                    yield JournalEvent(sector.header.epoch, record.sequence, record.payload)


def read_header(sector: Bytes) -> SectorHeader | None:
    """The header of a sector, or None when it is blank, half-written or of another version."""
    magic, version, _, sectors, epoch, sequence, first, acked, boot, check = (
        _SECTOR_HEADER.unpack_from(sector)
    )
    if magic != b"DIAJ" or version != _VERSION:
        return None
    covered = bytearray(memoryview(sector)[: _SECTOR_HEADER.size - _CHECK.size])
    covered[_WEAR] = 0xFF
    if check != crc32(covered):
        return None
    return SectorHeader(sectors, epoch, sequence, first, acked, boot)


def walk_sector(sector: Bytes) -> SectorContent | None:
    """Every whole record of one sector; None when its header cannot be trusted."""
    header = read_header(sector)
    if header is None:
        return None
    content = SectorContent(header)
    for _, record in _records(sector, _SECTOR_HEADER.size):
        if record is not None:
            content.records.append(record)
    return content


def walk(image: Bytes) -> JournalContent:
    """A whole partition image. Sectors out of their place in the ring count as unreadable."""
    content = JournalContent()
    count = len(image) // SECTOR
    for index in range(count):
        sector = memoryview(image)[index * SECTOR : (index + 1) * SECTOR]
        read = walk_sector(sector)
        if read and read.header.sectors == count and (read.header.sequence - 1) % count == index:
            content.sectors.append(read)
        elif sector != b"\xff" * SECTOR:
            content.unreadable += 1
    content.sectors.sort(key=lambda read: read.header.sequence)
    return content


class SectorWalker:
    """Follows one sector as it is programmed: call `programmed` after each program operation.

    It yields an event the moment the last byte of its record is there, once, in whatever pieces
    the bytes came. After an erase that a power cut left half done the same event may be yielded
    again, so a witness keys what it gets by (epoch, n).
    """

    _header: SectorHeader | None
    _from: int  # every record before this is whole
    _seen: set[int]  # whole records behind one that is torn, or not yet whole

    def __init__(self) -> None:
        self.erased()

    def erased(self) -> None:
        """The sector was erased, or an erase of it was begun."""
        self._header, self._from, self._seen = None, _SECTOR_HEADER.size, set()

    def programmed(self, sector: Bytes) -> list[JournalEvent]:
        """The events that became whole since the last call; `sector` is all of its 4096 bytes."""
        if self._header is None:
            self._header = read_header(sector)
            if self._header is None:
                return []
        events: list[JournalEvent] = []
        gap = False
        for end, record in _records(sector, self._from):
            if record is None:
                gap = True
                continue
            if not gap:
                self._from = end
            if record.offset in self._seen:
                continue
            if gap:
                self._seen.add(record.offset)
            if record.kind == EVENT:
                events.append(JournalEvent(self._header.epoch, record.sequence, record.payload))
        return events


class JournalWalker:
    """The same for a whole partition, for a flash model that keeps it in one buffer."""

    def __init__(self, image: Bytes) -> None:
        self._image = memoryview(image)
        self._sectors = [SectorWalker() for _ in range(len(image) // SECTOR)]

    def programmed(self, offset: int, length: int) -> list[JournalEvent]:
        """Bytes [offset, offset + length) of the image were programmed."""
        events: list[JournalEvent] = []
        for index in range(offset // SECTOR, (offset + max(length, 1) - 1) // SECTOR + 1):
            sector = self._image[index * SECTOR : (index + 1) * SECTOR]
            events += self._sectors[index].programmed(sector)
        return events

    def erased(self, sector: int) -> None:
        self._sectors[sector].erased()


def _records(sector: Bytes, offset: int) -> Iterator[tuple[int, Record | None]]:
    """(end, record) from `offset` on; None in place of a torn one. Ends at the free space.

    A header whose check or length is wrong makes the rest unusable: the end is then the sector's.
    """
    view = memoryview(sector)
    while offset + _RECORD_HEADER.size + _CHECK.size <= SECTOR:
        head = view[offset : offset + _RECORD_HEADER.size]
        if head == _FREE:
            return
        length, kind, _, n = _RECORD_HEADER.unpack(head)
        body_end = offset + _RECORD_HEADER.size + length
        end = body_end + _CHECK.size
        if reduce(xor, head) != _CHECK_SEED or length > _PAYLOAD_LIMIT or end > SECTOR:
            yield SECTOR, None
            return
        if _CHECK.unpack_from(view, body_end)[0] == crc32(view[offset:body_end]):
            payload = bytes(view[offset + _RECORD_HEADER.size : body_end])
            yield end, Record(offset, kind, n, payload)
        else:
            yield end, None
        offset = end
