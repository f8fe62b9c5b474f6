"""One flash partition with the rules of NOR: a program only clears bits, an erase is by sector."""

import os
from pathlib import Path

from diadema.journal import SECTOR


class NorFlash:
    """The partition's bytes in memory and in `path`, where the VM reads them.

    `erased` and `programmed` count what the chip had to do, in bytes.
    """

    def __init__(self, path: Path, size: int) -> None:
        if not path.exists():
            path.write_bytes(b"\xff" * size)
        self.image = bytearray(path.read_bytes())
        self.erased = 0
        self.programmed = 0
        self._file = os.open(path, os.O_RDWR)

    def program(self, offset: int, data: bytes) -> None:
        """Clear the bits that are 0 in `data`. Raises IndexError beyond the partition."""
        end = offset + len(data)
        if offset < 0 or end > len(self.image):
            raise IndexError(f"program {offset}..{end} is beyond {len(self.image)} bytes")
        old = int.from_bytes(self.image[offset:end])
        new = (old & int.from_bytes(data)).to_bytes(len(data))
        self.image[offset:end] = new
        self.programmed += len(data)
        os.pwrite(self._file, new, offset)

    def erase(self, offset: int) -> None:
        """Set the whole sector at `offset` to 0xFF."""
        if offset % SECTOR or not 0 <= offset < len(self.image):
            raise IndexError(f"erase at {offset} is not a sector of this partition")
        self.image[offset : offset + SECTOR] = b"\xff" * SECTOR
        self.erased += SECTOR
        os.pwrite(self._file, b"\xff" * SECTOR, offset)

    def close(self) -> None:
        os.close(self._file)
