"""The USB cable of a simulated station: a pseudo-terminal whose path stays, pulled or not."""

import asyncio
import os
import tty
from collections.abc import Callable
from pathlib import Path

_UNREAD_LIMIT = 256 * 1024  # bytes kept while nobody reads; a real UART would keep fewer


class Cable:
    """`path` is what a gateway opens; `received` gets what it writes."""

    def __init__(self, path: Path, received: Callable[[bytes], None]) -> None:
        self.path = path
        self.lost = 0  # bytes towards the host that nobody took
        self._received = received
        self._ends: tuple[int, int] | None = None
        self._unsent = bytearray()

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
        if not self._ends or len(self._unsent) > _UNREAD_LIMIT:
            self.lost += len(data)
            return
        self._unsent += data
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
        if data:
            self._received(data)
