"""The USB cable of a simulated station: a pseudo-terminal whose path stays, pulled or not.

With a `Noise` on it, what it carries arrives damaged, twice, late or in another order.
"""

import asyncio
import fcntl
import os
import random
import select
import termios
import tty
from collections import Counter
from collections.abc import Callable
from pathlib import Path

_UNREAD_LIMIT = 256 * 1024  # bytes kept while nobody reads; a real UART would keep fewer


class Noise:
    """What a bad line does to the lines of text that pass it, each way for itself.

    Of any hundred lines about two are lost, six damaged, four doubled, four late and four
    overtaken by the next one.
    """

    LATE_S = 1.5
    _HELD_LIMIT = 4096  # bytes without a line's end; more pass as they are

    def __init__(self, chance: random.Random) -> None:
        self.counts: Counter[str] = Counter()
        self._chance = chance
        self._part: dict[str, bytes] = {"up": b"", "down": b""}
        self._overtaken: dict[str, bytes] = {"up": b"", "down": b""}

    def carry(self, way: str, data: bytes, deliver: Callable[[bytes], None]) -> None:
        """`deliver` gets what arrives, now or later. `way` is up or down."""
        *lines, rest = (self._part[way] + data).split(b"\n")
        if len(rest) > self._HELD_LIMIT:
            lines, rest = [*lines, rest], b""
        self._part[way] = rest
        for line in lines:
            self._one(way, line + b"\n", deliver)

    def _one(self, way: str, line: bytes, deliver: Callable[[bytes], None]) -> None:
        held, self._overtaken[way] = self._overtaken[way], b""
        drawn = self._chance.randrange(100)
        if drawn < 2:
            self.counts["lost_frames"] += 1
        elif drawn < 8:
            self.counts["damaged_frames"] += 1
            # a byte 3 would stop a board whose program lies in no slot, before it hears a host
            deliver(self._damaged(line).replace(b"\x03", b"\x02"))
        elif drawn < 12:
            self.counts["doubled_frames"] += 1
            deliver(line + line)
        elif drawn < 16:
            self.counts["late_frames"] += 1
            late_s = self._chance.uniform(0, self.LATE_S)
            asyncio.get_running_loop().call_later(late_s, deliver, line)
        elif drawn < 20:
            self.counts["reordered_frames"] += 1
            self._overtaken[way] = line
        else:
            deliver(line)
        if held:
            deliver(held)

    def _damaged(self, line: bytes) -> bytes:
        kind, at = self._chance.randrange(4), self._chance.randrange(len(line))
        if kind == 0:
            return line[:at]  # its end is lost, and it runs into the next one
        if kind == 1:
            return line[:at] + self._chance.randbytes(self._chance.randrange(1, 5)) + line[at:]
        damaged = bytearray(line)
        for _ in range(self._chance.randrange(1, 4)):
            damaged[self._chance.randrange(len(line))] ^= 1 << self._chance.randrange(8)
        return bytes(damaged)


class Cable:
    """`path` is what a gateway opens; `received` gets what it writes, `taken` what it may read."""

    def __init__(
        self, path: Path, received: Callable[[bytes], None], taken: Callable[[bytes], None]
    ) -> None:
        self.path = path
        self.noise: Noise | None = None
        self.spy: Callable[[bytes], None] | None = None  # hears what the gateway writes
        self.lost = 0  # bytes towards the host that nobody took
        self._received = received
        self._taken = taken
        self._ends: tuple[int, int] | None = None
        self._unsent = bytearray()

    @property
    def plugged(self) -> bool:
        return self._ends is not None

    def passing(self) -> bool:
        """Whether one end has bytes for the other, which did not take them yet."""
        if not self._ends:
            return False
        waiting = select.poll()
        waiting.register(self._ends[0], select.POLLIN)
        unread = fcntl.ioctl(self._ends[1], termios.FIONREAD, b"\0" * 4)
        return bool(self._unsent or any(unread) or waiting.poll(0))

    def plug(self) -> None:
        if self._ends:
            return
        master, slave = os.openpty()
        tty.setraw(slave)
        os.set_blocking(master, False)
        self._ends = (master, slave)
        fresh = self.path.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(os.ttyname(slave))
        fresh.rename(self.path)
        asyncio.get_running_loop().add_reader(master, self._readable)

    def pull(self) -> None:
        if not self._ends:
            return
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._ends[0])
        loop.remove_writer(self._ends[0])
        for end in self._ends:
            os.close(end)
        self._ends = None
        self._unsent.clear()
        self.path.unlink(missing_ok=True)

    def send(self, data: bytes) -> None:
        """From the station; bytes that nobody takes are lost, as on a UART."""
        if self.noise:
            self.noise.carry("up", data, self._send)
        else:
            self._send(data)

    def _send(self, data: bytes) -> None:
        if not self._ends or len(self._unsent) > _UNREAD_LIMIT:
            self.lost += len(data)
            return
        self._unsent += data
        self._taken(data)
        self._writable()

    def _writable(self) -> None:
        if not self._ends:
            return
        master = self._ends[0]
        try:
            sent = os.write(master, self._unsent)
        except BlockingIOError:
            sent = 0
        del self._unsent[:sent]
        loop = asyncio.get_running_loop()
        if self._unsent:
            loop.add_writer(master, self._writable)
        else:
            loop.remove_writer(master)

    def _readable(self) -> None:
        assert self._ends
        try:
            data = os.read(self._ends[0], 65536)
        except OSError:
            return
        if data and self.spy:
            self.spy(data)
        if data and self.noise:
            self.noise.carry("down", data, self._received)
        elif data:
            self._received(data)
