"""The files of a station whose vfs is a folder of the world: they take what they would in littlefs
on the chip's flash.

Writing was measured with MicroPython's own littlefs on 28 blocks, reading on an emulated ESP32.
"""

import esp32
import manners
import pins
import vfs

_LOOK, _OPEN = 3, 100  # `readblocks`: a name that is not there, the file of an import but its data
_REPLACE = 400  # for a file that takes another one's place; more where the folder is scattered
_READ, _PAGE, _BLOCK = 128, 256, 4096  # bytes
_AS_IT_IS = ("umount", "ilistdir", "mkdir", "rmdir", "remove", "chdir", "getcwd", "statvfs")
_INLINE = 128  # a file of so many bytes lies in its folder's own block


class Files:
    def __init__(self, folder):
        self._folder = vfs.VfsPosix(folder)
        for name in _AS_IT_IS:
            setattr(self, name, getattr(self._folder, name))

    def mount(self, readonly, mkfs):
        self._folder.mount(readonly, mkfs)

    def stat(self, path):
        esp32.take(_LOOK * manners.read_us)
        return self._folder.stat(path)

    def open(self, path, mode):
        reads = _OPEN
        if "r" in mode:
            reads += self._folder.stat(path)[6] // _READ
        esp32.take(reads * manners.read_us)
        return self._folder.open(path, mode)

    def rename(self, old, new):
        size = self._folder.stat(old)[6]
        if size > _INLINE:
            for _ in range(-(-size // _BLOCK)):
                pins.stall(manners.erase_ms, erase=True)
        esp32.take(_REPLACE * manners.read_us + -(-size // _PAGE) * manners.program_us)
        # from the root's own folder: two names in one call are mixed up else
        self._folder.rename(old.lstrip("/"), new.lstrip("/"))
