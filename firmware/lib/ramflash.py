"""A partition in memory: the journal's last resort on a board whose flash has none.

Events still reach the host, but do not outlive a power cut; the station reports it as a fault.
"""

from micropython import const

_SECTOR = const(4096)
_BLANK = b"\xff" * 128


class RamFlash:
    """A piece of memory a sector: there may be no room for all of them in one."""

    def __init__(self, sectors=6):
        self._sectors = [bytearray(_SECTOR) for _ in range(sectors)]
        for sector in range(sectors):
            self.ioctl(6, sector)

    def readblocks(self, block, buf, offset=0):
        buf[:] = memoryview(self._sectors[block])[offset : offset + len(buf)]

    def writeblocks(self, block, buf, offset=0):
        self._sectors[block][offset : offset + len(buf)] = buf

    def ioctl(self, command, argument=0):
        if command == 4:
            return len(self._sectors)
        if command == 5:
            return _SECTOR
        if command == 6:
            sector = self._sectors[argument]
            for at in range(0, _SECTOR, len(_BLANK)):
                sector[at : at + len(_BLANK)] = _BLANK
        return 0


def use_memory(journal):
    """Let the journal go on in memory, as the flash cannot be used."""
    journal.use(RamFlash())
    journal.mount()
