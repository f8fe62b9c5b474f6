"""A VM says when it is over one channel and what it prints over another: what was printed is told
in its order, and before the VM's word that it waits.
"""

import fcntl
import os
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from diadema_sim import vm
from diadema_sim.build import SIM

MUCH = bytes(range(256)) * 300  # more than is read at once
_PIPE = 1 << 20


class Process:
    """In place of the VM: the test has its ends in its own hand."""

    pid = 0
    newest: "Process"

    def __init__(self, command: list[str], **options: Any) -> None:
        self.line = socket.socket(fileno=os.dup(options["pass_fds"][0]))
        reading, self.console = os.pipe2(os.O_NONBLOCK)
        self.stdout = os.fdopen(reading, "rb", buffering=0)
        Process.newest = self

    def poll(self) -> int:
        return 0

    wait = poll

    def print(self, data: bytes) -> None:
        assert os.write(self.console, data) == len(data)


class Heard:
    """What a station is told by its VM, in its order; `at` does something at a line."""

    def __init__(self) -> None:
        self.all: list[bytes] = []
        self.at: dict[bytes, Any] = {}

    def line(self, text: bytes, data: bytes) -> None:
        self.all.append(b"<" + text + b">")
        self.at.get(text, lambda: None)()

    def end(self) -> None:
        self.all.append(b"<end>")


@pytest.fixture
async def told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[tuple[Any, ...]]:
    monkeypatch.setattr(vm, "vm_command", lambda *_: [])
    monkeypatch.setattr(vm.subprocess, "Popen", Process)
    heard = Heard()
    made = vm.Vm(
        SIM, tmp_path, "a1", "power_on", "", True,
        on_line=heard.line, on_console=heard.all.append, on_end=heard.end,
    )  # fmt: skip
    yield made, Process.newest, heard
    if made._open:
        made.stop()
    os.close(Process.newest.console)
    Process.newest.line.close()


async def test_what_was_read_first_is_told_first(told: tuple[Any, ...]) -> None:
    """Also where the VM prints more while its lines are read, and then says that it waits."""
    made, process, heard = told
    process.print(b"badge_reader ")
    process.line.sendall(b"N 5\nI -1 1 5\n")
    heard.at[b"N 5"] = lambda: process.print(b"PartError|")
    made._console_readable()
    process.print(b"more")
    made._console_readable()
    assert b"".join(heard.all) == b"<N 5>badge_reader PartError|<I -1 1 5>more"


async def test_the_time_is_told_before_what_was_printed_then(told: tuple[Any, ...]) -> None:
    made, process, heard = told
    process.line.sendall(b"N 7\n")
    process.print(b"at seven")
    made._console_readable()
    assert b"".join(heard.all) == b"<N 7>at seven"


@pytest.mark.parametrize("first", ["console", "line"])
async def test_all_that_was_printed_is_told_before_the_wait(
    told: tuple[Any, ...], first: str
) -> None:
    made, process, heard = told
    fcntl.fcntl(process.console, fcntl.F_SETPIPE_SZ, _PIPE)
    process.print(MUCH)
    process.line.sendall(b"Z 9 1 9\n")
    (made._console_readable if first == "console" else made._line_readable)()
    assert b"".join(heard.all) == MUCH + b"<Z 9 1 9>"


@pytest.mark.parametrize("first", ["console", "line"])
async def test_the_last_words_are_told_whole(told: tuple[Any, ...], first: str) -> None:
    made, process, heard = told
    fcntl.fcntl(process.console, fcntl.F_SETPIPE_SZ, _PIPE)
    process.print(MUCH)
    process.line.shutdown(socket.SHUT_RDWR)
    (made._console_readable if first == "console" else made._line_readable)()
    assert b"".join(heard.all) == MUCH + b"<end>"


async def test_nothing_is_told_after_the_power_went(told: tuple[Any, ...]) -> None:
    made, process, heard = told
    process.print(b"lost")
    process.line.sendall(b"N 3\nI -1 1 5\n")
    heard.at[b"N 3"] = made.stop
    made._console_readable()
    assert heard.all == [b"<N 3>"]
