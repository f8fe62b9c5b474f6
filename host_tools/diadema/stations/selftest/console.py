"""The steps of a bench test as the station writes them on its cable, from the log that the gateway
keeps: `selftest: keys 1` when one begins, `selftest: keys 1 ok` when it ends.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

_LINE = re.compile(r"^selftest: ([a-z_]+)(?: ([a-z0-9_]+?))??(?: (ok|failed|skipped))?$")


class Step(Struct, frozen=True):
    """`which`: of several keys or badges; `result`: ok, failed or skipped once it is over."""

    part: str
    which: str
    result: str | None


class Console:
    """What comes into the log from now on."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._at = self._size()
        self._rest = ""

    def steps(self) -> Iterator[Step]:
        """Those that came since."""
        if self._size() < self._at:  # the log was begun anew
            self._at, self._rest = 0, ""
        try:
            with self._path.open("rb") as file:
                file.seek(self._at)
                data = file.read()
        except OSError:
            return
        self._at += len(data)
        *lines, self._rest = (self._rest + data.decode("utf-8", "replace")).split("\n")
        for line in lines:
            if found := _LINE.match(line.rstrip("\r")):
                yield Step(found[1], found[2] or "", found[3])

    def _size(self) -> int:
        try:
            return self._path.stat().st_size
        except OSError:
            return 0
