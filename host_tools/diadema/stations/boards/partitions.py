"""The partition tables in `boards/partitions-*.csv`, in ESP-IDF's own format."""

from dataclasses import dataclass

from diadema.base.errors import DiademaError

_FIELDS = 5


class PartitionError(DiademaError):
    """A line that is no partition."""


@dataclass(frozen=True)
class Partition:
    name: str
    type: str
    subtype: str
    offset: int
    size: int

    @property
    def end(self) -> int:
        return self.offset + self.size


def read_partitions(text: str) -> list[Partition]:
    """In the order of the file. Raises PartitionError for a line with anything left to guess."""
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
                f"line {number} of the partition table: name, type, subtype, offset and size, "
                "the last two as 0x10000"
            ) from None
    return found
