"""How a port is opened and closed: by what is asked of its modem lines, as the usual circuit of a
board sees them. A pseudo-terminal has none, so the calls themselves are looked at.
"""

import asyncio
import contextlib
import fcntl
import os
import struct
import termios
import tty

import pytest
from diadema.gateway.serial_port import SerialPort

_LINES = termios.TIOCM_DTR | termios.TIOCM_RTS


class Modem:
    """The lines of every port: on when it is opened, as the kernel does it, and off again when it
    is closed, where nobody asked for anything else. `resets`: times that EN went low, which it is
    while RTS is on and DTR off.
    """

    def __init__(self, monkeypatch):
        self.asked = []
        self.resets = 0
        self.lines = 0
        self.hangs_up = True
        self._own = (os.open, os.close, fcntl.ioctl, termios.tcsetattr)
        self._fds = set()
        monkeypatch.setattr(os, "open", self.open)
        monkeypatch.setattr(os, "close", self.close)
        monkeypatch.setattr(fcntl, "ioctl", self.ioctl)
        monkeypatch.setattr(termios, "tcsetattr", self.tcsetattr)

    def _set(self, lines):
        low = termios.TIOCM_RTS
        self.resets += self.lines & _LINES != low and lines & _LINES == low
        self.lines = lines

    def open(self, path, *arguments, **more):
        fd = self._own[0](path, *arguments, **more)
        if os.isatty(fd):
            self._fds.add(fd)
            self._set(_LINES)
        return fd

    def close(self, fd):
        if fd in self._fds:
            self._fds.discard(fd)
            if self.hangs_up and not self._fds:
                self._set(0)
        self._own[1](fd)

    def ioctl(self, fd, request, argument=0, *more):
        if fd in self._fds and request in (termios.TIOCMBIS, termios.TIOCMBIC, termios.TIOCMSET):
            (bits,) = struct.unpack("I", argument)
            self.asked.append((request, bits))
            if request == termios.TIOCMSET:
                self._set(bits)
            else:
                on = request == termios.TIOCMBIS
                self._set(self.lines | bits if on else self.lines & ~bits)
            return argument
        return self._own[2](fd, request, argument, *more)

    def tcsetattr(self, fd, when, attributes):
        if fd in self._fds:
            self.hangs_up = bool(attributes[2] & termios.HUPCL)
        self._own[3](fd, when, attributes)


@pytest.fixture
def modem(monkeypatch):
    return Modem(monkeypatch)


@pytest.fixture
def path():
    master, slave = os.openpty()
    tty.setraw(slave)
    yield os.ttyname(slave)
    os.close(slave)
    os.close(master)


async def _opened_and_closed(path):
    opened = asyncio.Event()
    port = SerialPort(path, opened.set, lambda _: None, lambda: None)
    running = asyncio.create_task(port.run())
    await opened.wait()
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running


async def test_an_opening_and_a_closing_never_pull_en(modem, path):
    for _ in range(3):
        await _opened_and_closed(path)
    assert modem.asked, "nothing was recorded"
    assert modem.resets == 0, [(hex(request), hex(bits)) for request, bits in modem.asked]
    assert not modem.hangs_up
    assert modem.lines == _LINES


async def test_another_program_that_has_it_open_is_not_disturbed(modem, path):
    port = SerialPort(path, lambda: None, lambda _: None, lambda: None, quiet=True)
    other = os.open(path, os.O_RDWR | os.O_NOCTTY)
    fcntl.flock(other, fcntl.LOCK_EX)
    running = asyncio.create_task(port.run())
    while not port.busy:
        await asyncio.sleep(0)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert modem.resets == 0
    assert modem.lines == _LINES
    os.close(other)
