"""PN532 badge reader on SPI mode 0, up to 5 MHz (NXP UM0701-02 §6.2.5): a byte says what follows.

The chip sends and takes the lowest bit first; the bytes are turned here, so that the bus stays as
it is and others can be on it. The reader itself is `drivers.pn532_core`.
"""

import asyncio

from drivers.pn532_core import Reader
from lib.errors import BadRead, PartError
from micropython import const

_WRITE = const(b"\x01")
_STATUS = const(b"\x02")
_READ = const(b"\x03")
_READY = const(0x01)
_NOBODY = const(0xFF)  # nobody drives the line
_WAKE_MS = const(2)  # selected for that long it wakes, AN10609
_TURNED = const(b"\x00\x08\x04\x0c\x02\x0a\x06\x0e\x01\x09\x05\x0d\x03\x0b\x07\x0f")


def turned(data):
    """Each byte with its bits in the other order."""
    return bytes(_TURNED[byte & 15] << 4 | _TURNED[byte >> 4] for byte in data)


class PN532Spi(Reader):
    """A reader as `drivers.pn532_core` says."""

    rest_ms = 1  # Adafruit_PN532.cpp

    def __init__(self, spi, cs, irq):
        from machine import Pin

        super().__init__(irq)
        self._spi = spi
        self._cs = Pin(cs, Pin.OUT, value=1)

    async def _wake(self):
        self._cs.value(0)
        await asyncio.sleep_ms(_WAKE_MS)
        self._cs.value(1)

    def _put(self, data):
        if self._status() == _NOBODY:
            raise PartError("badge_reader", advice="check its switches and SPI wires")
        self._transfer(_WRITE, data)

    def _read(self, count):
        if not self._status() & _READY:
            raise BadRead
        return self._transfer(_READ, bytes(count))

    def _status(self):
        return self._transfer(_STATUS, b"\0")[0]

    def _transfer(self, what, data):
        out = turned(what + data)
        answer = bytearray(len(out))
        self._cs.value(0)
        self._spi.write_readinto(out, answer)
        self._cs.value(1)
        return turned(memoryview(answer)[1:])

    def selftest(self):
        """It said its version, and drives the line."""
        return super().selftest() and self._status() != _NOBODY
