"""UART and I2S of the simulated board, as asyncio polls them."""

import io

import builtin
import memory
import pins
from buses import devices

_DMA_MS = 16  # 256 frames of 16 kHz in each of I2S's buffers
_BYTES_A_MS = 64


class _Stream(io.IOBase):
    """What asyncio polls: readable while `_waiting()` is true, writable while `_room()` is."""

    def _room(self):
        return True

    def ioctl(self, request, argument):
        if request == 3:  # MP_STREAM_POLL
            ready = argument & builtin.select.POLLOUT if self._room() else 0
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
        self._size = rxbuf
        self._peer = devices.get(("uart", rx.net.gpio if rx else -1), {}).get(0)
        if self._peer:
            self._peer.port = self

    def init(self, *arguments, **options):
        pass

    def deliver(self, data):
        self._buffer = (self._buffer + data)[: self._size]  # an overrun loses the newest bytes

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
    """One direction, clocked by the board's sound (`parts.audio`), which hangs on ("i2s", sck).

    Until asyncio (or anyone) polled it, a read or write stands, and the VM with it, until all of
    its buffer went; afterwards it does what can be done at once (ports/esp32/machine_i2s.c).

    While nobody listens to the sound of the simulated board it stands still: nothing comes in and
    nothing is taken, but for writes that stand, which take their time.
    """

    RX = 1
    TX = 2
    MONO = 0
    STEREO = 1

    def __init__(self, id, *, sck, ws, sd, mode, bits, format, rate, ibuf):
        if id not in (0, 1) or bits not in (16, 32) or (bits, format, rate) != (16, 1, 16000):
            raise ValueError("invalid configuration")  # the model has no other sound
        self._taken = memory.dma(ibuf)
        if self._taken is None:
            raise OSError(12)  # ENOMEM
        self._polled = False
        self._audio = devices[("i2s", sck.net.gpio)][0]
        self._receives = mode == I2S.RX
        self._port = self._audio.receive(ibuf) if self._receives else self._audio.transmit(ibuf)

    def ioctl(self, request, argument):
        self._polled = self._polled or request == 3  # MP_STREAM_POLL
        return _Stream.ioctl(self, request, argument)

    def _waiting(self):
        return self._port.waiting() if self._receives else 0

    def _room(self):
        return 0 if self._receives else self._port.room()

    def _stand(self, what, size):
        while not self._polled and what() < size:
            pins.stall(_DMA_MS if self._audio.running else -(-size // _BYTES_A_MS))
            if not self._audio.running:
                break

    def readinto(self, buf):
        """What is there, it may be less than `buf` takes."""
        self._stand(self._waiting, len(buf))
        data = self._port.take(min(len(buf), self._waiting()))
        buf[: len(data)] = data
        return len(data)

    def write(self, buf):
        """Takes what there is room for."""
        self._stand(self._room, len(buf))
        if not self._polled and not self._audio.running:
            return len(buf)
        count = min(len(buf), self._room())
        self._port.put(bytes(buf[:count]))
        return count

    def deinit(self):
        if self._port:
            self._audio.end(self._port)
            self._port = None
            memory.give(self._taken)
