"""The few names of MicroPython that the firmware's hardware-free room uses and CPython lacks.

`tests.support` imports it before anything of `lib`; inside MicroPython it changes nothing.
"""

import asyncio
import builtins
import gc
import sys
import time

WRAP = 1 << 30  # of the tick counter, as on the ESP32
slept_ms = 0  # by `time.sleep_ms`, in no time: the clock of the chips' models


def _sleep_ms(duration_ms):
    return asyncio.sleep(duration_ms / 1000)


def _stand(duration_ms):
    global slept_ms
    slept_ms += duration_ms


def _wait_for_ms(awaitable, wait_ms):
    return asyncio.wait_for(awaitable, None if wait_ms is None else wait_ms / 1000)


def _raise(error):
    raise error  # what a station would print and survive, a test shall see


def _pointer(code):
    return lambda buffer: memoryview(buffer).cast("B").cast(code)


def _viper(function):
    """The same lines with Python's own integers; a buffer becomes what its pointer type reads."""
    kinds = list(function.__annotations__.values())

    def called(*arguments):
        given = [
            kind(argument) if kind is not int else argument
            for kind, argument in zip(kinds, arguments, strict=True)
        ]
        return function(*given)

    return called


class _Aes:
    """`cryptolib.aes`: modes 1 (ECB) and 2 (CBC, which goes on from call to call)."""

    def __init__(self, key, mode, start=None):
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

        cipher = Cipher(algorithms.AES(key), modes.CBC(start) if mode == 2 else modes.ECB())
        self.encrypt = cipher.encryptor().update
        self.decrypt = cipher.decryptor().update


class _FrameBuffer:
    """`framebuf.FrameBuffer` of MONO_VLSB: a byte is eight rows of a column, bit 0 on top."""

    def __init__(self, buffer, width, height, format):
        self._buffer, self._width, self._height = buffer, width, height

    def pixel(self, x, y, lit=None):
        if not (0 <= x < self._width and 0 <= y < self._height):
            return None
        at, bit = (y >> 3) * self._width + x, 1 << (y & 7)
        if lit is None:
            return int(bool(self._buffer[at] & bit))
        self._buffer[at] = self._buffer[at] | bit if lit else self._buffer[at] & ~bit
        return None

    def fill_rect(self, x, y, width, height, lit):
        for row in range(y, y + height):
            for column in range(x, x + width):
                self.pixel(column, row, lit)

    def blit(self, other, x, y, key=-1):
        for row in range(other._height):
            for column in range(other._width):
                lit = other.pixel(column, row)
                if lit != key:
                    self.pixel(x + column, y + row, lit)


if sys.implementation.name != "micropython":
    sys.path.append(__file__.rsplit("/", 3)[0] + "/firmware")
    names = type(sys)("micropython")
    names.const = lambda value: value
    names.viper = _viper
    builtins.ptr8, builtins.ptr16, builtins.ptr32 = (_pointer(code) for code in "BHi")
    sys.modules["micropython"] = names
    frames = type(sys)("framebuf")
    frames.FrameBuffer, frames.MONO_VLSB = _FrameBuffer, 0
    sys.modules["framebuf"] = frames
    cipher = type(sys)("cryptolib")
    cipher.aes = _Aes
    sys.modules["cryptolib"] = cipher
    asyncio.sleep_ms = _sleep_ms
    asyncio.wait_for_ms = _wait_for_ms
    gc.mem_free = gc.mem_alloc = lambda: 0
    sys.print_exception = _raise
    time.sleep_ms = _stand
    time.ticks_ms = lambda: time.monotonic_ns() // 1_000_000 % WRAP
    time.ticks_us = lambda: time.monotonic_ns() // 1_000 % WRAP
    time.ticks_diff = lambda later, before: (later - before + WRAP // 2) % WRAP - WRAP // 2
