"""NOR flash in memory, with its rules: programming only clears bits, erasing is by sector, and a
power cut leaves any prefix of a program, or a sector half erased. Runs on both interpreters.
"""

SECTOR = 4096


class PowerCut(Exception):
    pass


class Nor:
    """`budget`: bytes that may still be programmed (an erase counts as one); None: no cut."""

    def __init__(self, sectors=4, image=None, budget=None, erased_part=2048):
        self.image = image if image is not None else bytearray(b"\xff" * (SECTOR * sectors))
        self.budget = budget
        self.spent = 0
        self.erases = 0
        self.programs = []  # (offset, length) of each program, for who wants to look
        self._erased_part = erased_part

    def readblocks(self, block, buf, offset=0):
        at = block * SECTOR + offset
        assert at + len(buf) <= len(self.image)
        buf[:] = memoryview(self.image)[at : at + len(buf)]

    def writeblocks(self, block, buf, offset=None):
        assert offset is not None, "this form would erase"
        assert offset + len(buf) <= SECTOR, "a program may not cross its sector"
        at = block * SECTOR + offset
        data = bytes(buf)
        whole = len(data)
        if self.budget is not None and self.spent + whole > self.budget:
            whole = self.budget - self.spent
        for step in range(whole):
            old = self.image[at + step]
            assert data[step] & ~old & 0xFF == 0, "programming cannot set a bit"
            self.image[at + step] = data[step]
        self.spent += whole
        self.programs.append((at, whole))
        if whole < len(data):
            raise PowerCut

    def ioctl(self, command, argument=0):
        if command == 4:
            return len(self.image) // SECTOR
        if command == 5:
            return SECTOR
        assert command == 6
        at = argument * SECTOR
        size = SECTOR
        cut = self.budget is not None and self.spent >= self.budget
        if cut:
            size = self._erased_part
        self.image[at : at + size] = b"\xff" * size
        if cut:
            raise PowerCut
        self.spent += 1
        self.erases += 1
        return 0
