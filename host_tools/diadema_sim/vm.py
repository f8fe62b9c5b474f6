"""The process of a station that has power: its line (lines of text, and the bytes that a program
operation carries), and what it prints. It begins when this is made, and ends with `stop`.
"""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

from diadema_sim.build import SimBoard, vm_command


class Vm:
    """`on_line(text, data)`, `on_console(data)`; `on_end()` when it ended by itself."""

    def __init__(
        self,
        board: SimBoard,
        folder: Path,
        identity: str,
        cause: str,
        build: str,
        psram: bool,
        *,
        on_line: Callable[[bytes, bytes], None],
        on_console: Callable[[bytes], None],
        on_end: Callable[[], None],
    ) -> None:
        self.sent = 0  # lines that the VM counts
        self._heard = b""
        self._printed = b""  # and not told yet
        self._open = True
        self._on_line, self._on_console, self._on_end = on_line, on_console, on_end
        self._line, theirs = socket.socketpair()
        self._process = subprocess.Popen(
            vm_command(
                board, str(theirs.fileno()), str(folder), identity, cause, build, str(int(psram))
            ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=[theirs.fileno()],
            start_new_session=True,
        )
        theirs.close()
        assert self._process.stdout
        self._out = self._process.stdout
        os.set_blocking(self._out.fileno(), False)
        loop = asyncio.get_running_loop()
        loop.add_reader(self._line, self._line_readable)
        loop.add_reader(self._out, self._console_readable)

    @property
    def pid(self) -> int:
        return self._process.pid

    def stop(self) -> None:
        """At once, whatever it was doing."""
        self._open = False
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._line)
        loop.remove_reader(self._out)
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        for end in (self._out, self._line):
            end.close()

    def write(self, text: str, *, counted: bool = True) -> None:
        """A line to it; all but the answers to flash operations are counted on both sides."""
        if self._open:
            self.sent += counted
            try:
                self._line.sendall(text.encode() + b"\n")
            except OSError:
                return  # it just died; its end of the line says so next

    def _console_readable(self) -> None:
        try:
            data = os.read(self._out.fileno(), 65536)
        except BlockingIOError:
            return
        if not data:
            asyncio.get_running_loop().remove_reader(self._out)
            return
        self._printed += data
        there = self._take_lines()  # it has said first of when these bytes are
        if self._open and there:
            self._tell()
        elif self._open:
            self._last_words()

    def _line_readable(self) -> None:
        if not self._take_lines():
            self._last_words()

    def _last_words(self) -> None:
        self._hear()
        self._on_end()

    def _hear(self) -> None:
        """Tell all that it has printed until now."""
        with contextlib.suppress(BlockingIOError):
            while data := os.read(self._out.fileno(), 65536):
                self._printed += data
        self._tell()

    def _tell(self) -> None:
        data, self._printed = self._printed, b""
        if data:
            self._on_console(data)

    def _take_lines(self) -> bool:
        """False when it is gone."""
        try:
            data = self._line.recv(65536, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return True
        except ConnectionError:
            data = b""
        if not data:
            return False
        self._heard += data
        while self._open:
            text, end, rest = self._heard.partition(b"\n")
            if not end:
                break
            length = int(text.rsplit(b" ", 1)[1]) if text[:1] == b"W" else 0
            if len(rest) < length:
                break
            self._heard = rest[length:]
            if text[:1] in b"IZ":
                self._hear()  # what it said before it began to wait
            self._on_line(text, rest[:length])
        return True
