"""The program's files, joined behind the slot's file system, in which each would take whole blocks
and many reads. Importing this makes them the first that are looked for. On a developer's board
they lie in the vfs as they are, and nothing is done.

`diadema.stations.image` joins them and says how.
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
    """A file system that is only read: what stands in `flash` from `begin` on."""

    def __init__(self, flash, begin):
        self._flash = flash
        self._begin = begin
        self._found: "dict[str, tuple[int, int, int] | None]" = {}
        at = int.from_bytes(self._read(0, 2), "little")
        for line in self._read(2, at - 2).decode().split("\n"):
            path, whole, here = line.split()
            self._found[path] = at, int(here), int(whole)
            self._found[path[: path.rindex("/")]] = None
            at += int(here)

    def _read(self, at, size):
        data = bytearray(size)
        at += self._begin
        self._flash.readblocks(at // slots.SECTOR, data, at % slots.SECTOR)
        return data

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
        data = BytesIO(self._read(at, here))
        return data if here == whole else DeflateIO(data, RAW, _WINDOW)


try:
    with open(slots.APP + "/program") as file:
        begin = int(file.read())
except OSError:
    pass
else:
    mounted = getattr(slots, "mounted", None) or slots.chosen  # of older start files
    vfs.mount(Packed(mounted.flash, begin), _FOLDER)  # type: ignore
    sys.path.insert(0, _FOLDER)
    slots.APP = _FOLDER
