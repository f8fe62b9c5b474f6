"""One flash partition with the rules of NOR: a program only clears bits, an erase is by sector.

A cut of power that was planned leaves a prefix of a program, or a sector half erased.
"""

import os
import random
from dataclasses import dataclass
from pathlib import Path

from diadema.wire.journal import SECTOR

_BLANK = b"\xff" * SECTOR


class FlashCut(Exception):
    """The power went in the middle of an operation, as it was planned."""


@dataclass
class CutPlan:
    """Cut after so many more programmed bytes; with `at_erase` in the next erase as well."""

    programmed: int
    chance: random.Random
    at_erase: bool = True


class NorFlash:
    """The partition's bytes in memory and in `path`, where the VM reads them.

    `erased` and `programmed` count what the chip had to do, in bytes; `violations` lists what no
    driver may ask of it.
    """

    def __init__(self, path: Path, size: int) -> None:
        if not path.exists():
            path.write_bytes(b"\xff" * size)
        self.image = bytearray(path.read_bytes())
        self.erased = 0
        self.programmed = 0
        self.plan: CutPlan | None = None
        self.violations: list[str] = []
        self._half_erased: set[int] = set()
        self._file = os.open(path, os.O_RDWR)

    def program(self, offset: int, data: bytes) -> None:
        """Clear the bits that are 0 in `data`. IndexError: beyond the end. FlashCut: planned."""
        end = offset + len(data)
        if offset < 0 or end > len(self.image):
            raise IndexError(f"program {offset}..{end} is beyond {len(self.image)} bytes")
        if offset // SECTOR in self._half_erased:
            self.violations.append(f"program at {offset}: the erase of its sector was cut")
        plan, size = self.plan, len(data)
        if plan and plan.programmed < size:
            size, self.plan = plan.programmed, None
            # the byte under way has some of its bits cleared
            weak = data[size] | plan.chance.getrandbits(8)
            self._clear(offset, data[:size] + bytes([weak]))
            raise FlashCut
        if plan:
            plan.programmed -= size
        self._clear(offset, data)

    def _clear(self, offset: int, data: bytes) -> None:
        end = offset + len(data)
        old, wanted = int.from_bytes(self.image[offset:end]), int.from_bytes(data)
        if wanted & ~old:
            self.violations.append(f"program at {offset}: sets bits that are cleared")
        new = (old & wanted).to_bytes(len(data))
        self.image[offset:end] = new
        self.programmed += len(data)
        os.pwrite(self._file, new, offset)

    def erase(self, offset: int) -> None:
        """Set the whole sector at `offset` to 0xFF. Raises FlashCut."""
        if offset % SECTOR or not 0 <= offset < len(self.image):
            raise IndexError(f"erase at {offset} is not a sector of this partition")
        new, plan = _BLANK, self.plan
        if plan and plan.at_erase:
            new = half_erased(bytes(self.image[offset : offset + SECTOR]), plan.chance)
            self._half_erased.add(offset // SECTOR)
            self.plan = None
        else:
            self._half_erased.discard(offset // SECTOR)
        self.image[offset : offset + SECTOR] = new
        self.erased += SECTOR
        os.pwrite(self._file, new, offset)
        if plan and plan.at_erase:
            raise FlashCut

    def close(self) -> None:
        os.close(self._file)


def half_erased(old: bytes, chance: random.Random) -> bytes:
    """Stretches of a sector as they were, erased, or in between, where more bits are set."""
    new = bytearray()
    while len(new) < SECTOR:
        stretch = old[len(new) : len(new) + chance.choice((1, 7, 60, 500, SECTOR))]
        state = chance.choice(("old", "erased", "between"))
        if state == "erased":
            stretch = b"\xff" * len(stretch)
        elif state == "between":
            stretch = bytes(byte | chance.getrandbits(8) for byte in stretch)
        new += stretch
    return bytes(new)
