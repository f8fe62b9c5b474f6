"""MFRC522 badge reader on SPI (NXP MFRC522 rev 3.9; cards: ISO/IEC 14443-3 type A).

It has no way to wait for a card by itself, so it is asked each 150 ms. Ids of 4, 7 and 10 bytes
are read by cascade; a check that fails is a bad read, never a guess, and a collision two cards, of
which neither counts. An id is public and can be copied: it names a person, it proves nothing.
"""

import asyncio

from lib.errors import BadRead, PartError
from micropython import const

_COMMAND = const(0x01)  # §9.3.1.2
_COM_IRQ = const(0x04)  # §9.3.1.5
_ERROR = const(0x06)  # §9.3.1.7
_FIFO = const(0x09)  # §9.3.1.10
_FIFO_LEVEL = const(0x0A)  # §9.3.1.11
_BIT_FRAMING = const(0x0D)  # §9.3.1.14
_TX_CONTROL = const(0x14)  # §9.3.2.5
_VERSION = const(0x37)  # §9.3.4.8

_IDLE = const(0x00)  # commands, §10.3
_TRANSCEIVE = const(0x0C)
_SOFT_RESET = const(0x0F)
_RESET_MS = const(50)
_START_SEND = const(0x80)
_FLUSH = const(0x80)
_RECEIVED = const(0x30)  # RxIRq, IdleIRq
_TIMED_OUT = const(0x01)
_COLLISION = const(0x08)
_BROKEN = const(0x13)  # buffer overflow, parity, protocol
_ANSWER_MS = const(40)  # the chip's own timer gives up earlier

_INIT = const(
    b"\x2a\x8d"  # the timer starts with each transmission, §9.3.3.10
    b"\x2b\x3e"  # … and ticks at 13.56 MHz / (2 · 0xD3E + 1) = 2 kHz
    b"\x2c\x00\x2d\x1e"  # … 30 times: 15 ms without an answer is none
    b"\x15\x40"  # 100 % ASK, §9.3.2.6
    b"\x11\x3d"  # CRC preset 0x6363, §9.3.2.2
    b"\x14\x83"  # antenna on
)
_NOBODY = const((0x00, 0xFF))  # versions that only a line without a chip says; clones have any

_POLL_MS = const(150)
_EMPTY = const(6)  # looks that find nobody: away for 0.8 s, so it was taken away
_WAKE_UP = const(b"\x52")  # WUPA, a short frame of seven bits, ISO/IEC 14443-3 §6.4.1
_HALT = const(b"\x50\x00\x57\xcd")  # HLTA with its CRC, §6.4.3
_LEVELS = const(b"\x93\x95\x97")  # SEL of each cascade level, §6.5.3.1
_CASCADE_TAG = const(0x88)
_MORE = const(0x04)  # SAK: the id goes on, §6.5.3.4
TWO = b""  # in place of an id


def crc_a(data):
    """Two bytes that close a frame, lower first (ISO/IEC 14443-3 annex B)."""
    crc = 0x6363
    for byte in data:
        byte ^= crc & 0xFF
        byte = (byte ^ byte << 4) & 0xFF
        crc = crc >> 8 ^ byte << 8 ^ byte << 3 ^ byte >> 4
    return bytes((crc & 0xFF, crc >> 8 & 0xFF))


async def select(exchange):
    """The id of the card that woke up: `await exchange(data)` sends to it and gives its answer.

    Anticollision and selection through up to three levels, ISO/IEC 14443-3 §6.5. Raises BadRead.
    """
    identity = b""
    for level in _LEVELS:
        part = await exchange(bytes((level, 0x20)))
        if len(part) != 5 or part[0] ^ part[1] ^ part[2] ^ part[3] ^ part[4]:
            raise BadRead
        request = bytes((level, 0x70)) + part
        answer = await exchange(request + crc_a(request))
        if len(answer) != 3 or crc_a(answer[:1]) != answer[1:]:
            raise BadRead
        if not answer[0] & _MORE:
            return identity + part[:4]
        if part[0] != _CASCADE_TAG:
            raise BadRead
        identity += part[1:4]
    raise BadRead


class Collision(Exception):
    """Several cards answered at once, each with its own."""


class MFRC522:
    """`async for kind, identity, quality in reader`; identity None for a bad read, `TWO` for two
    cards at once.

    `cs`: GPIO of its select line. A card counts once for as long as it lies there; `present` may
    be set before the start, to who lay there when another driver of this chip failed.
    """

    kind = "iso14443a"

    def __init__(self, spi, cs):
        from machine import Pin

        self._spi = spi
        self._cs = Pin(cs, Pin.OUT, value=1)
        self._pair = bytearray(2)
        self._answer = bytearray(2)
        self._flag = asyncio.Event()
        self._bad = 0  # bad reads since the last good one
        self._empty = 0  # looks in a row that found nobody
        self._quick = True  # the first look does not wait
        self.version = 0
        self.present = None
        self.cards = 0
        self.bad_reads = 0

    async def start(self):
        """Reset it, set it up and look once. Raises PartError when it does not answer, or ends no
        exchange.
        """
        self._write(_COMMAND, _SOFT_RESET)
        await asyncio.sleep_ms(_RESET_MS)
        self._check()
        for at in range(0, len(_INIT), 2):
            self._write(_INIT[at], _INIT[at + 1])
        self._bad = self._empty = 0
        try:
            await self._look()
        except (BadRead, Collision):
            pass  # the next look tells

    def _check(self):
        self.version = self._read(_VERSION)
        if self.version in _NOBODY:
            raise PartError("badge_reader")

    def __aiter__(self):
        return self

    async def __anext__(self):
        while True:
            if not self._quick:
                await asyncio.sleep_ms(_POLL_MS)
            self._quick = False
            try:
                identity = await self._look()
            except Collision:
                identity = TWO
            except BadRead:
                self._check()  # of a chip that is gone every answer is broken
                self.bad_reads += 1
                self._bad += 1
                self._empty = 0
                if self._bad == 1 and self.present is None:
                    return self.kind, None, 0
                continue
            if identity is None:
                self._empty += 1
                if self._empty == _EMPTY:
                    self._bad = 0
                    self.present = None
                    self._flag.set()
                continue
            quality = max(100 - 20 * self._bad, 20)
            self._bad = self._empty = 0
            if identity != self.present != TWO:  # one of two is still both
                self.present = identity
                self.cards += identity != TWO
                self._flag.clear()
                return self.kind, identity, quality

    async def _look(self):
        """The id of the card that lies there now; None when there is none."""
        if self.present is not None:
            await self._exchange(_HALT)  # nobody answers to it
        if not await self._exchange(_WAKE_UP, 7):
            return None
        return await select(self._exchange)

    async def _exchange(self, data, last_bits=0):
        """Send a frame; the card's answer, b"" when none came. Raises BadRead, Collision,
        PartError.
        """
        self._write(_COMMAND, _IDLE)
        self._write(_COM_IRQ, 0x7F)
        self._write(_FIFO_LEVEL, _FLUSH)
        self._write(_FIFO, data)
        self._write(_COMMAND, _TRANSCEIVE)
        self._write(_BIT_FRAMING, _START_SEND | last_bits)
        for _ in range(_ANSWER_MS):
            events = self._read(_COM_IRQ)
            if events & _RECEIVED:
                break
            if events & _TIMED_OUT:
                return b""
            await asyncio.sleep_ms(1)
        else:
            raise PartError("badge_reader", "silent")
        errors = self._read(_ERROR)
        if errors & _COLLISION and self._read(_VERSION) not in _NOBODY:
            raise Collision
        if errors & _BROKEN:
            raise BadRead
        size = self._read(_FIFO_LEVEL)
        return bytes(self._read(_FIFO) for _ in range(size))

    async def gone(self):
        """Wait until no card lies there; the iteration must go on meanwhile."""
        while self.present is not None:
            await self._flag.wait()

    def _write(self, register, value):
        """A register's byte, or many into the FIFO; address byte as in §8.1.2.3."""
        data = value if isinstance(value, bytes) else bytes((value,))
        self._cs.value(0)
        self._spi.write(bytes((register << 1,)) + data)
        self._cs.value(1)

    def _read(self, register):
        self._pair[0] = register << 1 | 0x80
        self._cs.value(0)
        self._spi.write_readinto(self._pair, self._answer)
        self._cs.value(1)
        return self._answer[1]

    def selftest(self):
        """It says its version, and its antenna is on."""
        return self._read(_VERSION) not in _NOBODY and self._read(_TX_CONTROL) & 3 == 3
