"""UART and I2S of the simulated board, as asyncio polls them."""

import io

import builtin
import wire
from buses import devices


class _Stream(io.IOBase):
    """What asyncio polls: readable while `_waiting()` is true."""

    def ioctl(self, request, argument):
        if request == 3:  # MP_STREAM_POLL
            ready = argument & builtin.select.POLLOUT
            if argument & builtin.select.POLLIN and self._waiting():
                ready |= builtin.select.POLLIN
            return ready
        return 0


class UART(_Stream):
    """A port whose far end is a model with `received(bytes)`; it calls `deliver(bytes)` back."""

    INV_TX = 16
    INV_RX = 32

    def __init__(self, id, baudrate=115200, *, tx=None, rx=None, rxbuf=256, **options):
        self._buffer = b""
        self._room = rxbuf
        self._peer = devices.get(("uart", rx.net.gpio if rx else -1), {}).get(0)
        if self._peer:
            self._peer.port = self

    def init(self, *arguments, **options):
        pass

    def deliver(self, data):
        self._buffer = (self._buffer + data)[: self._room]  # an overrun loses the newest bytes

    def _waiting(self):
        return len(self._buffer)

    any = _waiting

    def read(self, nbytes=-1):
        if not self._buffer:
            return None
        count = len(self._buffer) if nbytes < 0 else min(nbytes, len(self._buffer))
        data = self._buffer[:count]
        self._buffer = self._buffer[count:]
        return data

    def readinto(self, buf, nbytes=-1):
        data = self.read(len(buf) if nbytes < 0 else nbytes)
        if data is None:
            return None
        buf[: len(data)] = data
        return len(data)

    def readline(self):
        end = self._buffer.find(b"\n")
        return self.read(end + 1 if end >= 0 else -1)

    def write(self, buf):
        if self._peer:
            self._peer.received(bytes(buf))
        return len(buf)


class I2S(_Stream):
    """One direction, paced by the clock: received samples are silence, sent ones are counted."""

    RX = 1
    TX = 2
    MONO = 0
    STEREO = 1

    def __init__(self, id, *, sck, ws, sd, mode, bits, format, rate, ibuf):
        self._mode = mode
        self._rate = rate * (bits // 8) * (2 if format == I2S.STEREO else 1)  # bytes a second
        self._ibuf = ibuf
        self._since = wire.now()
        self._moved = 0

    def _waiting(self):
        passed = (wire.now() - self._since) * self._rate // 1000 - self._moved
        if passed > self._ibuf:  # an overrun: the oldest samples are gone
            self._moved += passed - self._ibuf
            passed = self._ibuf
        return passed

    def readinto(self, buf):
        count = min(len(buf), self._waiting())
        for index in range(count):
            buf[index] = 0
        self._moved += count
        return count

    def write(self, buf):
        self._moved += len(buf)
        return len(buf)

    def deinit(self):
        pass
