"""A Wiegand reader's two lines, and its keypad: pulses each 2 ms as SIA AC-01-1996.10 has them.

The clock here counts milliseconds, so a pulse is low and high again within one of them.
"""

import wire

_BIT_MS = 2


def bits_of(value, count):
    """The `count` bits of `value`, highest first, with the parities of that frame around them."""
    half = {26: 12, 34: 16, 37: 18}[count]
    body = [value >> at & 1 for at in range(count - 3, -1, -1)]
    return [sum(body[:half]) & 1] + body + [1 - sum(body[-half:]) % 2]


class Wiegand:
    """`fault`: "bit" turns one bit over, "torn" leaves the last ones out."""

    def __init__(self, d0, d1):
        self._lines = (d0, d1)
        self.fault = None

    def hold(self, command):
        identity = bytes.fromhex(command["badge"])
        self.tap(int.from_bytes(identity, "big"), 8 * len(identity) + 2)

    def untap(self):
        """Its lines say nothing of it."""

    def tap(self, value, count=26):
        bits = bits_of(value, count)
        if self.fault == "bit":
            bits[count // 2] ^= 1
        if self.fault == "torn":
            del bits[-3:]
        self.send(bits)

    def press(self, key, whole=False):
        """A key's burst: four bits, or eight with the complement first."""
        value = "0123456789*#".index(key)
        bits = [value >> at & 1 for at in (3, 2, 1, 0)]
        self.send([1 - bit for bit in bits] + bits if whole else bits)

    def send(self, bits):
        for index, bit in enumerate(bits):
            wire.alarm(wire.now() + _BIT_MS * (index + 1), lambda bit=bit: self._pulse(bit))

    def _pulse(self, bit):
        self._lines[bit].drive(0)
        self._lines[bit].drive(1)

    def dump(self):
        return {"fault": self.fault}


def made(nets, options, attach):
    return Wiegand(*nets)
