"""PN532 protocol, whatever the bus (NXP UM0701-02): frames, and the reader that is made of them.

While no card lies there the chip itself looks for one, its listing open, and is asked again each
ten seconds; a card that lies there is listed again each 500 ms to see it leave. Before each
listing the field goes off: a card that is still active from the one before answers some chips
never, some each second time (Adafruit-PN532 #52, NXP community 481864), and has forgotten it then.
Used by the drivers of each bus.
"""

import asyncio
from time import ticks_diff, ticks_ms

from drivers import stalls
from lib.errors import BadRead, PartError
from micropython import const

_ACK = const(b"\x00\x00\xff\x00\xff\x00")  # §6.2.1.3; from the host it ends what runs
_NACK = const(b"\x00\x00\xff\xff\x00\x00")  # §6.2.1.4: say it again
_REFUSED = const(b"\x7f\x81")  # §6.2.1.5
FRAME_LIMIT = const(96)  # two cards with their ATS
TWO = b""  # in place of an id: two cards at once, so neither counts

_HOST = const(0xD4)
_CHIP = const(0xD5)
_GET_FIRMWARE = const(0x02)  # §7.2.2
_SAM_CONFIGURATION = const(0x14)  # §7.2.10
_RF_CONFIGURATION = const(0x32)  # §7.3.1
_IN_DATA_EXCHANGE = const(0x40)  # §7.3.8
_IN_LIST_PASSIVE_TARGET = const(0x4A)  # §7.3.5
_STATUS = const(0x3F)  # error code in the status byte, §7.1
_ISO14443_4 = const(0x20)  # in the SAK, ISO/IEC 14443-3 §6.5.3.4

_ANSWER_MS = const(100)
_CARD_MS = const(1_000)  # the chip itself gives up on a card sooner
_LOOK_MS = const(400)  # for a listing that ends
_RELIST_MS = const(500)
_OFF_MS = const(10)  # a card forgets all within 5.1, NFC Forum, Activity
_LOOKS = const(2)  # of a listing after its first, each within 30 ms
_FOR_EVER = const(0xFF)
_ALIVE_MS = const(10_000)
_AGAIN_MS = const(800)  # a card that comes back sooner lay at the field's edge: it never left
_PAUSE_MS = const(150)  # after a broken answer
_TRIES = const(3)  # of a transfer, libnfc drivers/pn532_i2c.c
_BAD_LIMIT = const(5)  # broken answers in a row that make it a fault
_RETRIES = const(2)  # of a card that was not read to the end and still lies there


def frame(body):
    """A normal information frame around `body` (TFI and data), §6.2.1.1."""
    length = len(body)
    head = bytes([0x00, 0x00, 0xFF, length, -length & 0xFF])
    return head + body + bytes([-sum(body) & 0xFF, 0x00])


def unframe(data, command):
    """The data of the answer to `command` in `data`. Raises BadRead, and PartError when the chip
    refuses what it is told: it has lost its set-up.
    """
    start = data.find(b"\x00\xff") + 2
    if start < 2 or start + 2 > len(data):
        raise BadRead
    length = data[start]
    body = data[start + 2 : start + 3 + length]  # with its checksum
    if body == _REFUSED:
        raise PartError("badge_reader")
    if (
        (length + data[start + 1]) & 0xFF
        or not 2 <= length < len(body)
        or sum(body) & 0xFF
        or body[0] != _CHIP
        or body[1] != command + 1
    ):
        raise BadRead
    return body[2:length]


def target(data):
    """(id bytes, SAK) in the answer to InListPassiveTarget; None when nobody is there, and `TWO`
    with any SAK.
    """
    if not data:
        raise BadRead
    if not data[0]:
        return None
    if data[0] == 2:
        return TWO, 0
    identity = data[6 : 6 + data[5]] if len(data) > 5 else b""  # what follows it is the ATS
    if data[0] != 1 or len(identity) not in (4, 7, 10) or len(identity) != data[5]:
        raise BadRead
    return identity, data[4]


class Reader:
    """`async for kind, identity, quality in reader`; identity None for a bad read, `TWO` for two
    cards at once.

    A bus gives `_put(bytes)`, `async _ready()` that may be cancelled, `_read(count)` from the
    frame's start on, the `rest_ms` that it wants between two, and, where it needs it, `async
    _wake()`. `irq`: GPIO of the line that is low while the chip has something to say. `present`
    may be set before the start, to who lay there when another driver of this chip failed.
    """

    kind = "iso14443a"
    rest_ms = 0

    def __init__(self, irq=None):
        if irq is not None:
            from machine import Pin

            self._flag = stalls.flags["badge_reader"] = asyncio.ThreadSafeFlag()
            self._irq = Pin(irq, Pin.IN)
            self._irq.irq(self._edge, Pin.IRQ_FALLING)
        self.present = None  # id of the card that lies there, or `TWO`
        self._sak = 0
        self._retries = None  # as the chip has them
        self._moved = 0  # ticks of the last transfer
        self._left: "bytes | None" = None  # who left a moment ago
        self._away = asyncio.Event()
        self._row = 0  # broken answers in a row
        self._owed = False  # the card was told, and not read to the end
        self._again = 0  # times that it may still be told while it lies there
        self.firmware = None
        self.cards = 0
        self.bad_reads = 0
        self.repeats = 0  # answers asked for again

    def _edge(self, _pin):
        stalls.late()
        self._flag.set()

    async def _ready(self):
        while self._irq.value():
            await self._flag.wait()

    async def _wake(self):
        pass

    def _put(self, data):
        pass

    def _read(self, count):
        pass

    async def start(self):
        """Wake it and set it up. Raises PartError when it does not answer."""
        await self._wake()
        await self._move(self._put, _ACK)  # of a listing that may be open from before
        # normal mode, virtual card time-out 1 s (unused), the IRQ line is driven; the first
        # command after power is this one, AN10609 §«Low battery»
        await self._ask(_SAM_CONFIGURATION, b"\x01\x14\x01")
        version = await self._ask(_GET_FIRMWARE)
        if len(version) < 3:
            raise BadRead
        self.firmware = "%d.%d" % (version[1], version[2])
        self._left = self._retries = None
        self._owed = False
        self._row = 0

    def __aiter__(self):
        return self

    async def __anext__(self):
        while True:
            try:
                found = await self._listed()
            except BadRead:
                self.bad_reads += 1
                self._row += 1
                if self._row >= _BAD_LIMIT:
                    raise
                if self._row == 1 and self.present is None:
                    return self.kind, None, 0
                await asyncio.sleep_ms(_PAUSE_MS)
                continue
            quality = max(100 - 20 * self._row, 20)
            self._row = 0
            if found is None:
                continue
            identity, self._sak = found
            left, self._left = self._left, None
            if left == TWO or self.present == TWO:  # one of them is still both
                identity = TWO
            if identity == self.present:
                if not (self._owed and self._again):
                    continue
                self._again -= 1
            else:
                self._again = _RETRIES
                self.present = identity
                self._away.clear()
                if identity == left:
                    continue
            self._owed = False
            self.cards += identity != TWO
            return self.kind, identity, quality

    async def _listed(self):
        """Who is listed next; None when nobody is, which while one lay there is noted."""
        present = self.present
        if present is not None:
            await asyncio.sleep_ms(_RELIST_MS)
        await self._ask(_RF_CONFIGURATION, b"\x01\x00")  # the listing switches it on again
        await asyncio.sleep_ms(_OFF_MS)
        retries = _FOR_EVER if present is None else _LOOKS
        if retries != self._retries:
            await self._ask(_RF_CONFIGURATION, bytes((5, 0xFF, 1, retries)))
            self._retries = retries
        await self._send(_IN_LIST_PASSIVE_TARGET, b"\x02\x00")  # two targets, 106 kbit/s type A
        if present is not None:
            await self._soon(_LOOK_MS)
            found = target(await self._answer(_IN_LIST_PASSIVE_TARGET))
            if found is None:  # one that was not read to the end may be back at once
                self._left = None if self._owed else present
                self._leave()
            return found
        if self._left is not None and not await self._speaks_within(_AGAIN_MS):
            self._left = None
        if not await self._speaks_within(_ALIVE_MS):
            # one that hangs, or has no cable, says no more than one that waits
            await self._move(self._put, _ACK)
            return None
        return target(await self._answer(_IN_LIST_PASSIVE_TARGET))

    async def _speaks_within(self, wait_ms):
        try:
            await asyncio.wait_for_ms(self._ready(), wait_ms)
        except asyncio.TimeoutError:
            return False
        return True

    def _leave(self):
        self.present = None
        self._owed = False
        self._away.set()

    async def gone(self):
        """Wait until no card lies there; the iteration must go on meanwhile."""
        while self.present is not None:
            self._away.clear()
            await self._away.wait()

    @property
    def speaks(self):
        """Whether the card told last takes commands (ISO/IEC 14443-4)."""
        return bool(self._sak & _ISO14443_4)

    async def exchange(self, data):
        """What the card told last answers to `data`. Raises BadRead when it left meanwhile."""
        try:
            answer = await self._ask(_IN_DATA_EXCHANGE, b"\x01" + data, _CARD_MS)
            if not answer or answer[0] & _STATUS:
                raise BadRead("card_lost")
        except BadRead:
            self.bad_reads += 1
            self._owed = True
            raise
        return answer[1:]

    # ------------------------------------------------------------------ commands

    async def _move(self, call, argument):
        """One transfer, when the bus has rested; one that nobody answers is tried again."""
        for left in range(_TRIES - 1, -1, -1):
            rest = self.rest_ms - ticks_diff(ticks_ms(), self._moved)
            if 0 < rest <= self.rest_ms:
                await asyncio.sleep_ms(rest)
            try:
                return call(argument)
            except BadRead:
                raise
            except PartError:
                if not left:
                    raise
            finally:
                self._moved = ticks_ms()  # type: ignore[assignment]

    async def _ask(self, command, data=b"", limit_ms=_ANSWER_MS):
        await self._send(command, data)
        await self._soon(limit_ms)
        return await self._answer(command)

    async def _send(self, command, data):
        await self._move(self._put, frame(bytes([_HOST, command]) + data))
        await self._soon()
        if await self._move(self._read, 6) != _ACK:
            raise BadRead

    async def _answer(self, command):
        """What stands there to be read; it is asked for once more when it does not check."""
        try:
            return unframe(await self._move(self._read, FRAME_LIMIT), command)
        except BadRead:
            self.repeats += 1
            await self._move(self._put, _NACK)
            await self._soon()
            return unframe(await self._move(self._read, FRAME_LIMIT), command)

    async def _soon(self, limit_ms=_ANSWER_MS):
        """Wait for what the chip says within milliseconds."""
        try:
            await asyncio.wait_for_ms(self._ready(), limit_ms)
        except asyncio.TimeoutError:
            raise PartError("badge_reader", "silent") from None

    # ------------------------------------------------------------------ for technicians

    def selftest(self):
        """It said its version; a bus may know more."""
        return self.firmware is not None
