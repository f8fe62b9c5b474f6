"""The program's files in one file of the slot, where each of the many small ones would take whole
blocks. Importing this makes them the first that are looked for. On a developer's board they lie in
the vfs as they are, and nothing is done.

`diadema.image.packed` writes that file and says how it is made.
"""

import sys
from io import BytesIO

import slots
import vfs
from deflate import RAW, DeflateIO
from micropython import const

_FOLDER = "/program"
_WINDOW = const(10)  # bits
_DIRECTORY = const(0x4000)  # of a file's mode


class Packed:
    """A file system that is only read."""

    def __init__(self, file):
        self._file = file
        self._found: "dict[str, tuple[int, int, int] | None]" = {}
        at = int.from_bytes(file.read(2), "little")
        for line in file.read(at - 2).decode().split("\n"):
            path, whole, here = line.split()
            self._found[path] = at, int(here), int(whole)
            self._found[path[: path.rindex("/")]] = None
            at += int(here)

    def mount(self, readonly, mkfs):
        pass

    def stat(self, path):
        if path not in self._found:
            raise OSError(2)  # ENOENT
        place = self._found[path]
        return (0 if place else _DIRECTORY, 0, 0, 0, 0, 0, place[2] if place else 0, 0, 0, 0)

    def open(self, path, mode):
        """As bytes, whatever the mode."""
        place = self._found.get(path)
        if not place:
            raise OSError(2)
        at, here, whole = place
        self._file.seek(at)
        data = BytesIO(self._file.read(here))
        return data if here == whole else DeflateIO(data, RAW, _WINDOW)


try:
    file = open(slots.APP + "/program", "rb")  # noqa: SIM115 - as long as the program runs
except OSError:
    pass
else:
    vfs.mount(Packed(file), _FOLDER)  # type: ignore
    sys.path.insert(0, _FOLDER)
    slots.APP = _FOLDER
