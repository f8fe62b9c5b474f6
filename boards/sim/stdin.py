"""What comes over the cable, as the chip has it: bytes at the line's rate into the UART, by its
interrupt into a ring, and out of that by whoever reads `sys.stdin.buffer`. The interrupt comes
when the UART is nearly full or the line rests; it lies in IRAM, so that it also comes while flash
is erased. What the ring has no room for is lost.
"""

import io

import manners
import wire

_READABLE = 1  # MP_STREAM_POLL_RD

_ring = bytearray(1024)
_first = 0  # of those that wait
_count = 0
_lumps = []  # [ms of the run at which the interrupt comes, bytes], in their order
_rests = 0.0  # ms of the run from which on the line is free
_alarm = None
received = 0
lost = 0
most = 0  # bytes that were ever waiting


def _arrive(data):
    """The host's end sends these now."""
    global _rests
    now = wire.now()
    byte_ms = 100 / manners.stdin_bytes_ms
    if _rests < now or not _lumps:
        _rests = now
        _lumps.append([now, b""])
    while data:
        lump = _lumps[-1]
        room = manners.fifo_bytes - len(lump[1])
        part, data = data[:room], data[room:]
        _rests += len(part) * byte_ms
        lump[0] = int(_rests) + 1
        lump[1] += part
        if data:
            _lumps.append([0, b""])
    _wait()


def _wait():
    global _alarm
    if _alarm:
        wire.cancel(_alarm)
    _alarm = wire.alarm(_lumps[0][0], _interrupt) if _lumps else None


def _interrupt():
    global _count, received, lost, most
    _, data = _lumps.pop(0)
    stopped = False
    for byte in data:
        if byte == 3 and wire.interrupting:
            stopped = True
            continue
        received += 1
        if _count < manners.stdin_bytes:
            _ring[(_first + _count) % len(_ring)] = byte
            _count += 1
        else:
            lost += 1
    most = max(most, _count)
    _wait()
    if stopped:
        raise KeyboardInterrupt


class _Buffer(io.IOBase):
    """Blocks until it has filled what it is given; there is no `any()`."""

    def ioctl(self, request, argument):
        if request == 3:  # MP_STREAM_POLL
            return argument & _READABLE if _count else 0
        return 0

    def read(self, size):
        data = bytearray(size)
        self.readinto(data)
        return bytes(data)

    def readinto(self, buffer, size=-1):
        global _first, _count
        size = len(buffer) if size < 0 else min(size, len(buffer))
        for at in range(size):
            if not _count:
                wire.wait(None, _Waiting)
            buffer[at] = _ring[_first]
            _first = (_first + 1) % len(_ring)
            _count -= 1
        return size


class _Waiting:
    """Who waits for the next byte, and runs nothing else."""

    @staticmethod
    def ready():
        return _count > 0

    @staticmethod
    def has_sockets():
        return False


class Stdin:
    buffer = _Buffer()


def dump():
    return {"received": received, "lost": lost, "most": most, "waiting": _count}


wire.typed = _arrive
wire.coming = lambda: bool(_lumps)
