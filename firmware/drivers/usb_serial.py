"""The USB serial line, shared with the console: frames out whole, whatever comes in.

Before the host speaks in frames, a technician can stop the station by Ctrl-C. Where the program
runs from a slot, MicroPython itself lets that byte through from the start (`boot.py`), and only
what a person types stops it. One task reads; what tasks write does not mix.
"""

import asyncio
import select
import sys

import micropython
from micropython import const

_CHUNK = const(256)
_SLICE = const(128)  # 11 ms at 115200 baud: others get their turn in between
_LATE = const(16)


class UsbSerial:
    def __init__(self):
        self._in = sys.stdin.buffer
        self._out = sys.stdout.buffer
        self._reader = asyncio.StreamReader(self._in)
        self._poll = select.poll()
        self._poll.register(self._in, select.POLLIN)
        self._buffer = bytearray(_CHUNK)
        self._one = bytearray(1)
        self._guarded = self._busy = False
        self._late = []  # lines that would tear the frame that goes out
        self.received = 0
        self.written = 0

    async def read(self):
        """Some bytes, as soon as there are any; b"" when the line has ended for good."""
        # stdin blocks until it has filled what it is given, so one by one while more wait; and
        # into the same byte again, for what is read would be 80 bytes of memory each
        one = self._one
        if not await self._reader.readinto(one):
            return b""
        size = 0
        while True:
            self._buffer[size] = one[0]
            size += 1
            if size == _CHUNK:
                break
            for _ in self._poll.ipoll(0):
                self._in.readinto(one)
                break
            else:
                break
        self.received += size
        return bytes(memoryview(self._buffer)[:size])

    def guard(self):
        """Frames flow: Ctrl-C no longer stops the program."""
        if not self._guarded:
            self._guarded = True
            micropython.kbd_intr(-1)

    def stops(self, data):
        """Whether a person or mpremote sent Ctrl-C, and no host has spoken yet."""
        return not self._guarded and b"\x03" in data and max(data) < 32

    async def write(self, data):
        while self._busy:
            await asyncio.sleep_ms(0)
        self._busy = True
        try:
            view = memoryview(data)
            for at in range(0, len(data), _SLICE):
                if at:
                    await asyncio.sleep_ms(0)
                self._out.write(view[at : at + _SLICE])
        finally:
            self._busy = False
            while self._late:
                print(self._late.pop(0))
        self.written += len(data)

    def log(self, text):
        """A line for the host's log of this station."""
        if self._busy and len(self._late) < _LATE:
            self._late.append(text)
        else:
            print(text)
