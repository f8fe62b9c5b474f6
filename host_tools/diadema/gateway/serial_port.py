"""A serial port as the gateway needs it: opened without resetting the board, never blocking, and
opened again for as long as it takes when the cable is pulled.
"""

import asyncio
import contextlib
import errno
import logging
import os
import termios
from collections import deque
from collections.abc import Callable
from pathlib import Path

import serial

from diadema.base.clock import backoff_s
from diadema.base.errors import DiademaError
from diadema.words import Sentence

BAUD = 115200
_RETRY_S = (0.2, 0.5, 1.0)
_READ = 65536
_BUSY = (errno.EAGAIN, errno.EWOULDBLOCK, errno.EBUSY)
_OUT_LIMIT = 256 * 1024  # bytes waiting to be written; a station that does not read loses frames

log = logging.getLogger("diadema.gateway")


class SerialPort:
    """`opened`, `data` and `closed` are called from the loop. `run` ends only by cancellation."""

    def __init__(
        self,
        path: str,
        opened: Callable[[], None],
        data: Callable[[bytes], None],
        closed: Callable[[], None],
        *,
        quiet: bool = False,
    ) -> None:
        """`quiet`: who opens it tells why it does not open."""
        self.path = path
        self._quiet = quiet
        self.dropped = 0  # frames not written
        self.error = ""  # why it is not open
        self.hint: str | Sentence = ""  # what to do about that
        self.busy = False  # by another program
        self._opened, self._data, self._closed = opened, data, closed
        self._port: serial.Serial | None = None
        self._out: deque[bytes] = deque()
        self._waiting = 0
        self._gone = asyncio.Event()

    @property
    def is_open(self) -> bool:
        return self._port is not None

    async def run(self) -> None:
        attempt = 0
        try:
            while True:
                try:
                    self._open()
                except (serial.SerialException, OSError) as error:
                    reason = why(error)
                    if reason != self.error and not self._quiet:  # once, not at each look
                        log.warning(
                            "cannot open %s: %s; trying on%s", self.path, reason, hint(error)
                        )
                    self.error, self.hint = reason, hint(error)
                    self.busy = error.errno in _BUSY
                    await asyncio.sleep(backoff_s(attempt, _RETRY_S))
                    attempt += 1
                    continue
                attempt = 0
                self._opened()
                await self._gone.wait()
                self._closed()
                await asyncio.sleep(_RETRY_S[0])
        finally:
            self.close()

    def write(self, frame: bytes) -> None:
        """Send a frame, whole or not at all."""
        if self._port is None or self._waiting + len(frame) > _OUT_LIMIT:
            self.dropped += 1
            return
        self._out.append(frame)
        self._waiting += len(frame)
        if len(self._out) == 1:
            self._writable()

    def close(self) -> None:
        port, self._port = self._port, None
        if port is not None:
            loop = asyncio.get_running_loop()
            with contextlib.suppress(OSError, ValueError):
                loop.remove_reader(port.fd)
                loop.remove_writer(port.fd)
            with contextlib.suppress(OSError, serial.SerialException):
                port.close()
        self._out.clear()
        self._waiting = 0
        self._gone.set()

    def _open(self) -> None:
        port = serial.Serial()
        port.port, port.baudrate = self.path, BAUD
        port.timeout, port.exclusive = 0, True
        # DTR and RTS reset an ESP32 or hold it in its loader, unless both are on, as the system
        # leaves them at an opening, or both off. Between the two RTS might be on alone, which
        # resets: so they stay on, and after us too.
        port.dtr = port.rts = True
        port.open()
        _keep_lines(port.fd)
        os.set_blocking(port.fd, False)
        self._port, self.error = port, ""
        self._gone.clear()
        asyncio.get_running_loop().add_reader(port.fd, self._readable)

    def _readable(self) -> None:
        assert self._port is not None
        try:
            data = os.read(self._port.fd, _READ)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self.error, data = error.strerror or "gone", b""
        if data:
            self._data(data)
        else:
            self.close()

    def _writable(self) -> None:
        if self._port is None:
            return
        loop = asyncio.get_running_loop()
        while self._out:
            try:
                written = os.write(self._port.fd, self._out[0])
            except (BlockingIOError, InterruptedError):
                written = 0
            except OSError as error:
                self.error = error.strerror or "gone"
                self.close()
                return
            self._waiting -= written
            if written < len(self._out[0]):
                self._out[0] = self._out[0][written:]
                loop.add_writer(self._port.fd, self._writable)
                return
            self._out.popleft()
        loop.remove_writer(self._port.fd)


def _keep_lines(fd: int) -> None:
    """When the port is closed, no line changes."""
    attributes = termios.tcgetattr(fd)
    attributes[2] &= ~termios.HUPCL
    termios.tcsetattr(fd, termios.TCSANOW, attributes)


def why(error: OSError) -> str:
    """The system's message alone: pyserial adds the number twice and the port again."""
    return os.strerror(error.errno) if error.errno else str(error)


def hint(error: OSError) -> str | Sentence:
    if error.errno == errno.EACCES:
        return Sentence("errors.gateway.not_yours")
    if error.errno in _BUSY:
        return Sentence("errors.gateway.port_busy")
    return ""


def port_paths(ports: list[str]) -> list[str]:
    """The ports once each. Raises DiademaError when one is named twice or can never be one.

    One that is not there may be plugged in later.
    """
    for port in ports:
        there = Path(port)
        if there.exists() and not there.is_char_device():
            raise DiademaError(Sentence("errors.gateway.port_no_serial_port_name", port=port))
    real = [os.path.realpath(port) for port in ports]
    for port, path in zip(ports, real, strict=True):
        if real.count(path) > 1:
            raise DiademaError(Sentence("errors.gateway.port_port_named_twice", port=port))
    return ports
