"""PN532 badge reader on a UART, 115200 baud, 8N1 (NXP UM0701-02 §6.2.3, «HSU»).

Frames come by themselves, so no IRQ line is needed. The reader itself is `drivers.pn532_core`.
"""

import asyncio

from drivers.pn532_core import FRAME_LIMIT, Reader
from micropython import const

_WAKE = b"\x55\x55" + bytes(14)  # its UART wakes by the first edges, and then needs 2 ms, AN10609
_PAUSE_MS = const(20)  # within a frame: a byte takes 0.09 ms
_LONG_MS = const(3_600_000)


def cut(data):
    """(the first whole frame in a stream's bytes or None, the rest); noise before it is lost."""
    while True:
        start = data.find(b"\x00\xff")
        if start < 0:
            return None, data[-1:] if data[-1:] == b"\x00" else b""
        data = data[start:]
        if len(data) < 4:
            return None, data
        length = data[2]
        if data[2:4] in (b"\x00\xff", b"\xff\x00"):
            size = 4  # ACK, NACK
        elif (length + data[3]) & 0xFF:
            data = data[1:]  # no frame begins here
            continue
        else:
            size = 5 + length
        if len(data) < size:
            return None, data
        return b"\x00" + data[:size] + b"\x00", data[size:]


class PN532Hsu(Reader):
    """A reader as `drivers.pn532_core` says."""

    def __init__(self, uart):
        super().__init__()
        self._uart = uart
        self._stream = asyncio.StreamReader(uart)
        self._buffer = b""
        self._frame = None

    async def _wake(self):
        self._uart.write(_WAKE)
        await asyncio.sleep_ms(2)

    def _put(self, data):
        self._uart.read()  # what is left of an older answer
        self._buffer = b""
        self._frame = None
        self._uart.write(data)

    async def _ready(self):
        while self._frame is None:
            self._frame, self._buffer = cut(self._buffer)
            if self._frame is not None:
                return
            begun = len(self._buffer) > 1
            wait_ms = _PAUSE_MS if begun else _LONG_MS
            try:
                more: bytes = await asyncio.wait_for_ms(self._stream.read(FRAME_LIMIT), wait_ms)
                self._buffer += more
            except asyncio.TimeoutError:
                if begun:
                    self._frame, self._buffer = self._buffer, b""  # torn: its check will tell

    def _read(self, count):
        data, self._frame = self._frame, None
        return data
