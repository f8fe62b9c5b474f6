"""NOR flash in the VM's memory, cut at any byte: what `Journal` takes for its partition.

A program only clears bits and a cut leaves a prefix of it, the byte under way half programmed. An
erase that was cut leaves bytes old, erased or in between, and its sector may not be programmed
before a whole erase. Who breaks a rule of the chip gets a Violation.
"""

import random

SECTOR = 4096
ERASE_COST = 8  # of the budget, in programmed bytes
WORN_AFTER = 2  # erases
_STUCK_AT = 2500
_BLANK = b"\xff" * SECTOR


class PowerCut(Exception):
    pass


class Violation(Exception):
    pass


class Nor:
    """`image` is used, not copied. `watch(nor, what, at, data)` sees each operation before it."""

    def __init__(self, image, watch=None):
        self.image = image
        self.sectors = len(image) // SECTOR
        self.watch = watch
        self.budget = -1  # programmed bytes until the cut; -1: none
        self.read_budget = -1
        self.changes = 0
        self.read = self.programmed = 0  # bytes
        self.doubtful = set()  # sectors whose erase was cut
        self.worn = ()  # sectors that wear out: later erases leave a byte as it is
        self.stuck = ()  # sectors of which one byte is not programmed, from the first
        self.erases = [0] * self.sectors

    def readblocks(self, block, buf, offset=0):
        if self.read_budget >= 0:
            if self.read_budget == 0:
                raise PowerCut
            self.read_budget -= 1
        at = block * SECTOR + offset
        self.read += len(buf)
        if at + len(buf) > len(self.image):
            raise Violation("read beyond the partition")
        buf[:] = memoryview(self.image)[at : at + len(buf)]

    def writeblocks(self, block, buf, offset=None):
        if offset is None:
            raise Violation("this form of writeblocks erases")
        if offset + len(buf) > SECTOR:
            raise Violation("a program crosses its sector")
        if block in self.doubtful:
            raise Violation("sector %d is programmed though its erase was cut" % block)
        at = block * SECTOR + offset
        if self.watch:
            self.watch(self, "program", at, buf)
        self.changes += 1
        size = len(buf)
        self.programmed += size
        if 0 <= self.budget < size:
            size = self.budget
            self.program(at, buf, size)
            weak_byte(self.image, at + size, buf[size])
            self.budget = 0
            raise PowerCut
        if self.budget > 0:
            self.budget -= size
        self.program(at, buf, size)

    def program(self, at, buf, size):
        """The first `size` bytes of `buf`."""
        image = self.image
        if image[at : at + size] != _BLANK[:size]:
            for step in range(size):
                if buf[step] & ~image[at + step]:
                    raise Violation("a program sets a bit at %d" % (at + step))
        image[at : at + size] = memoryview(buf)[:size]
        block = at // SECTOR
        weak = block * SECTOR + _STUCK_AT
        if block in self.stuck and at <= weak < at + size:
            image[weak] = 0xFF

    def ioctl(self, command, argument=0):
        if command == 4:
            return self.sectors
        if command == 5:
            return SECTOR
        if command == 6:
            self._erase(argument)
        return 0

    def _erase(self, block):
        at = block * SECTOR
        if self.watch:
            self.watch(self, "erase", at, None)
        self.changes += 1
        if 0 <= self.budget < ERASE_COST:
            self.budget = 0
            half_erase(self.image, at, random.getrandbits(8))
            self.doubtful.add(block)
            raise PowerCut
        if self.budget > 0:
            self.budget -= ERASE_COST
        self.image[at : at + SECTOR] = _BLANK
        self.erases[block] += 1
        if block in self.worn and self.erases[block] >= WORN_AFTER:
            self.image[at + 1000] = 0
        self.doubtful.discard(block)


def weak_byte(image, at, wanted):
    """The byte that was under way: some of the bits that it should clear are."""
    image[at] &= wanted | random.getrandbits(8)


def half_erase(image, at, how):
    """A sector in the middle of its erase, in one of several ways drawn with `how`."""
    kind = how % 6
    if kind == 0:  # the front is erased
        size = random.randrange(SECTOR)
        image[at : at + size] = _BLANK[:size]
    elif kind == 1:  # the end is
        size = random.randrange(SECTOR)
        image[at + size : at + SECTOR] = _BLANK[size:]
    elif kind == 2:  # a few bits everywhere
        for step in range(at, at + SECTOR, 1 + random.getrandbits(6)):
            image[step] |= random.getrandbits(8)
    elif kind == 3:  # nearly done, a few bits are left
        left = [(random.randrange(SECTOR), random.getrandbits(8)) for _ in range(3)]
        old = [image[at + step] for step, _ in left]
        image[at : at + SECTOR] = _BLANK
        for (step, bits), value in zip(left, old):  # noqa: B905
            image[at + step] = value | bits
    else:  # stretches old, erased or in between
        step = 0
        while step < SECTOR:
            size = min(1 + random.getrandbits(9), SECTOR - step)
            state = random.getrandbits(2)
            if state == 1:
                image[at + step : at + step + size] = _BLANK[:size]
            elif state == 2:
                for byte in range(at + step, at + step + size):
                    image[byte] |= random.getrandbits(8)
            step += size
