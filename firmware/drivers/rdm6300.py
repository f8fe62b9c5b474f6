"""RDM6300 reader of 125 kHz EM4100 cards: 9600 baud, 8N1, one frame again and again while a card
lies there (its data sheet: 0x02, ten hex digits, two of their bytes' xor, 0x03).

The number is public and can be copied: it names a person, it proves nothing.
"""

import asyncio
from binascii import unhexlify
from time import ticks_diff, ticks_ms

from lib.errors import PartError
from micropython import const

_START = const(0x02)
_END = const(0x03)
_FRAME = const(14)
_GONE_MS = const(1_000)  # away for less it was at the field's edge: it never left
_PAUSE_MS = const(30)  # within a frame: 14 bytes take 15 ms
_LONG_MS = const(3_600_000)
_DEAF = const(20)  # broken frames in a row that make it a fault


def decode(frame):
    """The five bytes (version, number) of a 14-byte frame; None when it does not check."""
    if len(frame) != _FRAME or frame[0] != _START or frame[13] != _END:
        return None
    try:
        data = unhexlify(bytes(frame[1:13]))
    except ValueError:
        return None
    check = 0
    for byte in data:
        check ^= byte
    return None if check else data[:5]


class RDM6300:
    """`async for kind, identity, quality in reader`; identity None for a bad read.

    A card counts once for as long as it lies there. Raises PartError after many broken frames.
    """

    kind = "em4100"
    only_sends = True  # so that it works again, only a good read can tell

    def __init__(self, uart):
        self._stream = asyncio.StreamReader(uart)
        self._frame = bytearray(_FRAME)
        self._size = 0
        self._heard = 0  # ticks of the newest whole frame
        self._flag = asyncio.Event()
        self._row = 0
        self._reported = False  # of the bad read since the last good one
        self.present = None
        self.cards = 0
        self.bad_reads = 0

    async def start(self):
        self._size = 0
        self._heard = ticks_ms()  # type: ignore[assignment]

    def __aiter__(self):
        return self

    async def __anext__(self):
        while True:
            frame = await self._next()
            if frame is None:
                if self.present is not None and self._silent_ms() >= _GONE_MS:
                    self.present = None
                    self._flag.set()
                continue
            identity = decode(frame)
            if identity is None:
                self.bad_reads += 1
                self._row += 1
                if self._row >= _DEAF:
                    self._row = 0
                    raise PartError("badge_reader", "bad_frame", "check its antenna and wiring")
                if self.present is None and not self._reported:
                    self._reported = True
                    return self.kind, None, 0
                continue
            quality = 100 - 5 * self._row
            self._row = 0
            self._reported = False
            self._heard = ticks_ms()  # type: ignore[assignment]
            known = identity == self.present
            self.present = identity
            if not known:
                self.cards += 1
                self._flag.clear()
                return self.kind, identity, quality

    def _silent_ms(self):
        return ticks_diff(ticks_ms(), self._heard)

    async def _next(self):
        """A frame's 14 bytes, or what there was of one; None when it is time to look again."""
        while True:
            if self._size:
                wait_ms = _PAUSE_MS
            elif self.present is not None:
                wait_ms = max(_GONE_MS - self._silent_ms(), 1)
            else:
                wait_ms = _LONG_MS
            try:
                byte: bytes = await asyncio.wait_for_ms(self._stream.read(1), wait_ms)
            except asyncio.TimeoutError:
                byte = b""
            if not byte:
                torn = bytes(memoryview(self._frame)[: self._size])
                self._size = 0
                return torn or None
            if byte[0] == _START:  # hex digits follow, so this is always a beginning
                torn = bytes(memoryview(self._frame)[: self._size])
                self._frame[0] = _START
                self._size = 1
                if torn:
                    return torn
                continue
            if not self._size:
                continue  # noise between frames
            self._frame[self._size] = byte[0]
            self._size += 1
            if self._size == _FRAME:
                self._size = 0
                return bytes(self._frame)

    async def gone(self):
        """Wait until no card lies there; the iteration must go on meanwhile."""
        while self.present is not None:
            await self._flag.wait()

    def selftest(self):
        """It only speaks when a card lies there, so silence is all that can be checked."""
        return self._row == 0
