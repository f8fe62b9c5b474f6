"""Badge readers and keypads with a Wiegand output: two lines, one pulse a bit.

A pulse on D0 is 0, on D1 is 1, 20 to 100 µs long, 0.2 to 20 ms apart (SIA AC-01-1996.10 §4); 25 ms
without any ends a frame (ESPHome waits 100 ms, which would join a keypad's bursts). 26 bits as SIA
AC-01 §5, 34 and 37 (HID H10302) as their makers document them. The number is public and can be
copied: it names a person, it proves nothing.

While the chip does something else eight bits wait and the rest is lost, in an erase of flash all
but one a line; what is left of 37 can be 26 whose parities are right. A reader's bits come at even
times, so a frame is a bad read when one of its pauses is another, or a bit of it was told so late
that the frame's beginning may be what is missing.
"""

import asyncio
from time import ticks_diff, ticks_ms, ticks_us

from drivers import stalls
from drivers.contact import contact
from micropython import const

_GAP_MS = const(25)
_MOST = const(40)  # bits; a longer frame is a bad read
_STEP_MS = const(15)  # a task's step, in which bits may have been lost: an erase takes 30 at least
_NEVER = const(-1)
# length → bits under the even parity (from the first) and under the odd one (up to the last)
_PARITY = {26: (13, 13), 34: (17, 17), 37: (19, 19)}
_KEYS = const("0123456789*#")


def decode(bits):
    """(kind, number's bytes) of a frame, `bits` being 0 or 1 each; None when it does not check."""
    count = len(bits)
    if count not in _PARITY:
        return None
    even, odd = _PARITY[count]
    if sum(bits[:even]) & 1 or not sum(bits[count - odd :]) & 1:
        return None
    value = 0
    for bit in bits[1:-1]:
        value = value << 1 | bit
    return "wiegand{}".format(count), value.to_bytes((count + 5) // 8, "big")


def decode_key(bits):
    """The key of a keypad's burst: 4 bits, or 8 with the complement first; None for no key."""
    if len(bits) == 8:
        if any(a == b for a, b in zip(bits[:4], bits[4:])):  # noqa: B905
            return None
        bits = bits[4:]
    if len(bits) != 4:
        return None
    value = bits[0] << 3 | bits[1] << 2 | bits[2] << 1 | bits[3]
    return _KEYS[value] if value < len(_KEYS) else None


class Wiegand:
    """`async for kind, identity, quality in reader`; identity None for a bad read.

    `lengths`: the frames that this reader sends. `on_key(character)` takes its keypad's keys, if
    somebody sets it. The reader cannot tell when a card leaves.
    """

    kind = "wiegand"
    present = None

    def __init__(self, d0, d1, *, lengths=(26, 34, 37)):
        from machine import Pin

        self._lengths = lengths
        self._bits = bytearray(_MOST)
        self._count = 0
        self._last = 0  # ticks of the newest bit
        self._first_us = self._last_us = 0  # the same, of the first and the newest
        self._least_us = self._most_us = 0  # pauses of the frame
        self._late = False
        self._flag = asyncio.ThreadSafeFlag()
        self._pins = [contact(d0), contact(d1)]
        for bit, pin in enumerate(self._pins):
            pin.irq(self._handler(bit), Pin.IRQ_FALLING)
        self.on_key = None
        self.cards = 0
        self.bad_reads = 0

    def _handler(self, bit):
        def handler(_pin):  # allocates nothing: it may run while others collect
            now = ticks_us()
            stalls.late()  # its bits push others out of the queue
            if self._count < _MOST:
                self._bits[self._count] = bit
            if not self._count:
                self._first_us = now  # type: ignore[assignment]
                self._late = False
            else:
                pause = ticks_diff(now, self._last_us)
                if self._count == 1 or pause < self._least_us:
                    self._least_us = pause
                if self._count == 1 or pause > self._most_us:
                    self._most_us = pause
            self._count += 1
            self._last_us = now  # type: ignore[assignment]
            self._last = ticks_ms()  # type: ignore[assignment]
            if stalls.since != _NEVER and ticks_diff(self._last, stalls.since) >= _STEP_MS:
                self._late = True
            self._flag.set()

        return handler

    async def start(self):
        self._count = 0

    def __aiter__(self):
        return self

    async def __anext__(self):
        while True:
            bits = await self._frame()
            if len(bits) in (4, 8):
                key = decode_key(bits)
                if key is None:
                    self.bad_reads += 1
                elif self.on_key:
                    self.on_key(key)
                continue
            found = decode(bits) if len(bits) in self._lengths else None
            if found is None:
                self.bad_reads += 1
                return self.kind, None, 0
            self.cards += 1
            return found[0], found[1], 100

    async def _frame(self):
        """The bits of the next frame, once no more come."""
        while not self._count:
            await self._flag.wait()
        while True:
            left_ms = _GAP_MS - ticks_diff(ticks_ms(), self._last)
            if left_ms <= 0:
                break
            await asyncio.sleep_ms(left_ms)
        bits = bytes(memoryview(self._bits)[: min(self._count, _MOST)])
        whole_us = ticks_diff(self._last_us, self._first_us)
        pauses = 2 * (self._count - 1)
        if (
            self._count > _MOST
            or self._late
            or pauses * self._least_us < whole_us
            or pauses * self._most_us > 3 * whole_us
        ):
            bits = b""
        self._count = 0
        return bits

    def selftest(self):
        """Both lines rest high while nobody holds a card."""
        return all(pin.value() for pin in self._pins)
