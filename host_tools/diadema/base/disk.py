"""How much room is left on the disk of the data directory. Below a reserve nothing is taken in any
more, before the disk is full: a broker whose write has failed takes nothing until it is started
again, and people need room to log in and to tidy up.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from diadema.base.errors import DiademaError

_SHARE = 0.05  # of the disk
_MOST = 5 << 30  # bytes: five weeks of the stream of 300 stations at work, however large the disk
_AGAIN = 1.2  # times the reserve, so that it does not go on and off by each file


@dataclass(frozen=True)
class Room:
    """In bytes. `low`: nothing is taken in now."""

    free: int
    reserve: int
    low: bool

    @property
    def said(self) -> str:
        return f"{self.free / 1e6:,.0f} MB are left, {self.reserve / 1e6:,.0f} MB are kept free"


class Disk:
    """Of one folder: low from below the reserve on, until there is a fifth more than it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._low = False

    def look(self) -> Room:
        """Raises DiademaError when the folder is gone."""
        try:
            found = os.statvfs(self._folder)
        except OSError as error:
            raise DiademaError(f"cannot look at {self._folder}: {error.strerror}") from error
        free = found.f_bavail * found.f_frsize
        reserve = min(int(found.f_blocks * found.f_frsize * _SHARE), _MOST)
        self._low = free < reserve * (_AGAIN if self._low else 1)
        return Room(free, reserve, self._low)
