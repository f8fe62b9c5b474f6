"""Watches the broker's log for clients that publish where they may not: the broker acknowledges
such a message and drops it, so nobody else would notice.
"""

import re
from pathlib import Path

_VIOLATION = re.compile(rb'(?:"[^"]*" - )?Publish Violation.*')  # whose, and of what
_PIECE = 1_000_000  # bytes looked at in one go


class ViolationWatch:
    """From the end of the log on, over its rotations. `count` is of all looks."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file, self._at = self._where()
        self._rest = b""
        self.count = 0

    def look(self) -> list[str]:
        """What is new since the last look."""
        file, size = self._where()
        if file != self._file or size < self._at:
            self._file, self._at, self._rest = file, 0, b""
        if size == self._at:
            return []
        try:
            with self._path.open("rb") as log:
                log.seek(self._at)
                data = log.read(_PIECE)
        except OSError:  # rotated just now
            return []
        self._at += len(data)
        *lines, rest = (self._rest + data).split(b"\n")
        self._rest = rest[-_PIECE:]
        matches = [match[0] for line in lines if (match := _VIOLATION.search(line))]
        self.count += len(matches)
        return [match.decode(errors="replace") for match in matches]

    def _where(self) -> tuple[int, int]:
        try:
            found = self._path.stat()
        except OSError:
            return 0, 0
        return found.st_ino, found.st_size
