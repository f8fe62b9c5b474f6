"""PN532 badge reader on I2C (NXP UM0701-02): waits for a card by the IRQ line, never by polling.

While a card lies on the reader it is listed again every 500 ms to see it leave; the listing that
finds none stays open and waits for the next card. Broken answers are counted and told.
"""

import asyncio
from time import ticks_diff, ticks_ms

from lib.errors import PartError
from machine import Pin
from micropython import const

_HOST = const(0xD4)
_CHIP = const(0xD5)
_GET_FIRMWARE = const(0x02)  # §7.2.2
_SAM_CONFIGURATION = const(0x14)  # §7.2.10
_IN_LIST_PASSIVE_TARGET = const(0x4A)  # §7.3.5
_READY = const(0x01)
_ACK = b"\x00\x00\xff\x00\xff\x00"  # §6.2.1.3
_FRAME_LIMIT = const(64)
_ANSWER_MS = const(100)
_RELIST_MS = const(500)
_GONE_MS = const(200)
_AGAIN_MS = const(800)  # a card that comes back sooner lay at the field's edge: it never left
_BAD_LIMIT = const(5)  # broken answers in a row that make it a fault


class BadFrame(PartError):
    """An answer with a wrong shape or check."""

    def __init__(self):
        super().__init__("badge_reader", "bad_frame", "check its wiring")


def frame(body):
    """A normal information frame around `body` (TFI and data), §6.2.1.1."""
    length = len(body)
    head = bytes([0x00, 0x00, 0xFF, length, -length & 0xFF])
    return head + body + bytes([-sum(body) & 0xFF, 0x00])


def unframe(data, command):
    """The data of the answer to `command` in `data` (after the ready byte). Raises BadFrame."""
    start = data.find(b"\x00\xff") + 2
    if start < 2 or start + 2 > len(data):
        raise BadFrame
    length = data[start]
    body = data[start + 2 : start + 3 + length]  # with its checksum
    if (length + data[start + 1]) & 0xFF or len(body) <= length or sum(body) & 0xFF:
        raise BadFrame
    if length < 2 or body[0] != _CHIP or body[1] != command + 1:
        raise BadFrame
    return body[2:length]


def target_id(data):
    """Id bytes of the target in the answer to InListPassiveTarget; None when there is none."""
    if not data or not data[0]:
        return None
    identity = data[6 : 6 + data[5]] if len(data) > 5 else b""  # what follows it is the ATS
    if data[0] != 1 or len(identity) not in (4, 7, 10) or len(identity) != data[5]:
        raise BadFrame
    return identity


class PN532:
    """`async for identity in reader`: id bytes of each card laid down, None for a bad read."""

    kind = "iso14443a"

    def __init__(self, i2c, irq, address=0x24):
        self._i2c = i2c
        self._address = address
        self._irq = Pin(irq, Pin.IN)
        self._flag = asyncio.ThreadSafeFlag()
        self._irq.irq(self._edge, Pin.IRQ_FALLING)
        self._present = None  # id of the card that lies there
        # id and ticks of the card that left last
        self._left: "tuple[bytes | None, int]" = (None, 0)
        self._row = 0  # broken answers in a row
        self.firmware = None
        self.cards = 0
        self.bad_reads = 0

    def _edge(self, _pin):
        self._flag.set()

    async def start(self):
        """Wake it and set it up. Raises PartError when it does not answer."""
        version = await self._ask(_GET_FIRMWARE)
        self.firmware = "{}.{}".format(version[1], version[2])
        # normal mode, virtual card time-out 1 s (unused), the IRQ line is driven
        await self._ask(_SAM_CONFIGURATION, b"\x01\x14\x01")
        self._present = None

    def __aiter__(self):
        return self

    async def __anext__(self):
        while True:
            try:
                identity = await self._listed()
            except BadFrame:
                self.bad_reads += 1
                self._row += 1
                self._present = None
                if self._row >= _BAD_LIMIT:
                    raise
                return None
            self._row = 0
            known = identity is None or identity == self._present
            self._present = identity
            before, ticks = self._left
            if not known and (identity != before or ticks_diff(ticks_ms(), ticks) > _AGAIN_MS):
                self.cards += 1
                return identity

    async def _listed(self):
        """The id of the next card listed; while one lies there, None once it left."""
        if self._present is not None:
            await asyncio.sleep_ms(_RELIST_MS)
        await self._send(_IN_LIST_PASSIVE_TARGET, b"\x01\x00")  # one target, 106 kbit/s type A
        if self._present is not None:
            try:
                await asyncio.wait_for_ms(self._interrupt(), _GONE_MS)
            except asyncio.TimeoutError:
                # the listing stays open
                self._left = (self._present, ticks_ms())  # type: ignore[assignment]
                self._present = None
        await self._interrupt()
        return target_id(unframe(self._read(_FRAME_LIMIT), _IN_LIST_PASSIVE_TARGET))

    async def _interrupt(self):
        while self._irq.value():
            await self._flag.wait()

    async def _ask(self, command, data=b""):
        await self._send(command, data)
        await self._soon()
        return unframe(self._read(_FRAME_LIMIT), command)

    async def _send(self, command, data):
        self._bus(self._i2c.writeto, frame(bytes([_HOST, command]) + data))
        await self._soon()
        if self._read(len(_ACK)) != _ACK:
            raise BadFrame

    async def _soon(self):
        """Wait for what the chip says within milliseconds: an ACK, or a short answer."""
        try:
            await asyncio.wait_for_ms(self._interrupt(), _ANSWER_MS)
        except asyncio.TimeoutError:
            raise PartError("badge_reader", "silent", "set its switches to I2C") from None

    def _read(self, count):
        """What stands behind the ready byte, §6.2.4."""
        data = self._bus(self._i2c.readfrom, count + 1)
        if not data[0] & _READY:
            raise BadFrame
        return data[1:]

    def _bus(self, call, argument):
        try:
            return call(self._address, argument)
        except OSError:
            raise PartError("badge_reader", "no_answer", "check its cable") from None

    def dump(self):
        return {
            "firmware": self.firmware, "cards": self.cards, "bad_reads": self.bad_reads,
            "present": self._present is not None,
        }  # fmt: skip

    def selftest(self):
        """It said its version, and answers on the bus."""
        try:
            self._bus(self._i2c.readfrom, 1)
        except PartError:
            return False
        return self.firmware is not None
