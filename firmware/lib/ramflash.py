"""A partition in memory: the journal's last resort on a board whose flash has none.

Events still reach the host, but do not outlive a power cut; the station reports it as a fault.
"""

from lib.once import forget

_SECTOR = 4096
_BLANK = b"\xff" * 128


class RamFlash:
    def __init__(self, sectors=6):
        self._bytes = bytearray(_SECTOR * sectors)
        for sector in range(sectors):
            self.ioctl(6, sector)

    def readblocks(self, block, buf, offset=0):
        at = block * _SECTOR + offset
        buf[:] = memoryview(self._bytes)[at : at + len(buf)]

    def writeblocks(self, block, buf, offset=0):
        at = block * _SECTOR + offset
        self._bytes[at : at + len(buf)] = buf

    def ioctl(self, command, argument=0):
        if command == 4:
            return len(self._bytes) // _SECTOR
        if command == 5:
            return _SECTOR
        if command == 6:
            at = argument * _SECTOR
            for step in range(at, at + _SECTOR, len(_BLANK)):
                self._bytes[step : step + len(_BLANK)] = _BLANK
        return 0


def use_memory(journal):
    """Let the journal go on in memory, as the flash cannot be used."""
    journal.use(RamFlash())
    journal.mount()
    forget("journal_start")
