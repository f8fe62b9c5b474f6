"""Partition tables: as `boards/partitions-*.csv` have them, in ESP-IDF's own format, and as they
stand in a flash at 0x8000.

There an entry has 32 bytes: magic AA 50, type, subtype, offset, size, label (16), flags; then come
EB EB, 14 of FF and the MD5 of the entries; FF to 0xC00. ESP-IDF programming guide, «Partition
Tables».
"""

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from diadema.base.errors import DiademaError, ImageError
from diadema.words import Sentence

TABLE_OFFSET = 0x8000
TABLE_SIZE = 0xC00
_ENTRY = struct.Struct("<2sBBII16sI")
_MAGIC, _MD5 = b"\xaa\x50", b"\xeb\xeb" + b"\xff" * 14
_TYPES = {"app": 0x00, "data": 0x01}
_SUBTYPES = {
    "app": {"factory": 0x00, **{f"ota_{slot}": 0x10 + slot for slot in range(16)}},
    "data": {"ota": 0x00, "phy": 0x01, "nvs": 0x02, "fat": 0x81, "littlefs": 0x83},
}
_FIELDS = 5  # of a line of the CSV


class PartitionError(DiademaError):
    """A line of a CSV is no partition."""


@dataclass(frozen=True)
class Partition:
    """One row of a partition table; offset and size in bytes of the flash."""

    name: str
    type: str
    subtype: str
    offset: int
    size: int

    @property
    def end(self) -> int:
        return self.offset + self.size


def read_partitions(text: str) -> list[Partition]:
    """The partitions of a CSV, in its order. Raises PartitionError for a line that leaves anything
    to guess.
    """
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if not (content := line.split("#")[0].strip()):
            continue
        cells = [cell.strip() for cell in content.split(",")]
        try:
            name, kind, subtype, offset, size = cells[:_FIELDS]
            found.append(Partition(name, kind, subtype, int(offset, 0), int(size, 0)))
        except ValueError:
            raise PartitionError(
                Sentence("errors.stations.line_number_partition_table_name", number=number)
            ) from None
    return found


def pack_table(partitions: Sequence[Partition]) -> bytes:
    """The TABLE_SIZE bytes of the table in flash."""
    entries = b"".join(
        _ENTRY.pack(
            _MAGIC, _TYPES[one.type], _subtype(one), one.offset, one.size, one.name.encode(), 0
        )
        for one in partitions
    )
    return (entries + _MD5 + hashlib.md5(entries).digest()).ljust(TABLE_SIZE, b"\xff")


def unpack_table(data: bytes) -> list[Partition]:
    """The partitions of a table in flash. Raises ImageError where its magic or MD5 is wrong."""
    found: list[Partition] = []
    for at in range(0, min(len(data), TABLE_SIZE), _ENTRY.size):
        entry = data[at : at + _ENTRY.size]
        if entry[:16] == _MD5:
            if hashlib.md5(data[:at]).digest() != entry[16:]:
                raise ImageError(Sentence("errors.stations.partition_table_damaged_its_md5"))
            return found
        if len(entry) < _ENTRY.size or entry[:2] != _MAGIC:
            break
        _, kind, subtype, offset, size, label, _ = _ENTRY.unpack(entry)
        name = label.rstrip(b"\0").decode("ascii", "replace")
        type_name = _name_of(_TYPES, kind)
        subtypes = _SUBTYPES.get(type_name, {})
        found.append(Partition(name, type_name, _name_of(subtypes, subtype), offset, size))
    if not found:
        raise ImageError(
            Sentence("errors.stations.there_no_partition_table_0x", table_offset=TABLE_OFFSET)
        )
    raise ImageError(Sentence("errors.stations.partition_table_damaged_ends_without"))


def _subtype(one: Partition) -> int:
    known = _SUBTYPES[one.type].get(one.subtype)
    return int(one.subtype, 0) if known is None else known


def _name_of(names: dict[str, int], number: int) -> str:
    return next((name for name, known in names.items() if known == number), f"0x{number:02x}")
