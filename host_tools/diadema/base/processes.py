"""What the hub's processes share: noticing that the hub is gone, ending what it left behind, the
number of open files, what is not loaded, what systemd is told, and logs.

A log has the same line once a second at most, so that whoever can bring a line about cannot fill
the disk with it.
"""

import contextlib
import ctypes
import logging
import os
import re
import resource
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from diadema.base.paths import DataDir

log = logging.getLogger("diadema.hub")

_LOOK_S = 0.02
_SET_PDEATHSIG = 1  # prctl(2)
_PATIENCE_S = 2.0  # between asking a process to end and ending it
_OPEN_FILES = 65_536
_LOG_EVERY_S = 1.0
_KNOWN_LINES = 1000  # of which is known when they were said
_KNOWN_CHARS = 300  # characters of a line by which it is known
_NUMBER = re.compile(r"\d+")
_SYSLOG = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6))


def on_closed_input(call: Callable[[], object]) -> None:
    """Call once when standard input ends, if it is a pipe (from the hub); else never."""
    mode = os.fstat(0).st_mode
    if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)):
        return

    def wait() -> None:
        while os.read(0, 4096):
            pass
        call()

    threading.Thread(target=wait, name="stdin", daemon=True).start()


def do_without(*packages: str) -> None:
    """Before anything else is imported: for its memory, packages that those which we need import
    where they are there, for something that we do not use, are as if they were not.
    """
    sys.modules.update(dict.fromkeys(packages))  # type: ignore[arg-type]  # None: an import fails


def end_with_parent() -> Callable[[], None] | None:
    """For `preexec_fn`: SIGTERM when the thread that started it is gone, even if by SIGKILL. None
    where the system cannot do that.
    """
    if not sys.platform.startswith("linux"):
        return None
    prctl, parent = ctypes.CDLL(None).prctl, os.getpid()

    def ask() -> None:
        prctl(_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it was gone before
            os._exit(1)

    return ask


def command_line(pid: int) -> str:
    """The command of a running process, empty when there is none."""
    proc = Path(f"/proc/{pid}/cmdline")
    if Path("/proc/self").exists():
        try:
            return proc.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            return ""
    found = subprocess.run(
        ["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return found.stdout.strip()


def end_process(pid: int, marks: Iterable[str]) -> bool:
    """End `pid` if its command has all of `marks` in it, and wait; False if it is another's."""
    marks = list(marks)

    def ours() -> bool:
        line = command_line(pid)
        return bool(line) and all(mark in line for mark in marks)

    if not ours():
        return False
    for how in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, how)
        until = time.monotonic() + _PATIENCE_S
        while time.monotonic() < until:
            if not ours():
                return True
            time.sleep(_LOOK_S)
    return True


def end_broker(data: DataDir) -> bool:
    """End a NATS server that runs on this directory's configuration."""
    pid = _broker_pid(data)
    return pid is not None and end_process(pid, ("nats-server", str(data.nats)))


def reload_broker(data: DataDir) -> None:
    """Have it read its files again: its connections by MQTT end, and come back."""
    pid = _broker_pid(data)
    if pid is not None and "nats-server" in command_line(pid):
        os.kill(pid, signal.SIGHUP)


def _broker_pid(data: DataDir) -> int | None:
    try:
        return int((data.nats / "nats.pid").read_text())
    except (OSError, ValueError):
        return None


def end_leftovers(data: DataDir) -> bool:
    """End what a hub that was killed left running here. The directory's lock must be ours."""
    left = data.read_hub()
    ended = False
    for name, pid in (left.children if left else {}).items():
        if name != "nats":
            ended |= end_process(pid, (f"diadema.{name}", str(data.root)))
    ended |= end_broker(data)
    data.hub.unlink(missing_ok=True)
    return ended


def raise_open_files() -> int:
    """As many open files as the system lets us have; gives the number."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, _OPEN_FILES)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        soft = most
    return soft if soft != resource.RLIM_INFINITY else sys.maxsize


def say_ready() -> None:
    """To a systemd that started us and waits for it, as sd_notify(3) does."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.sendto(b"READY=1", "\0" + address[1:] if address[0] == "@" else address)
    except OSError as error:
        log.warning("systemd cannot be told that all is up: %s", error)


def begin_log(level: int, form: str) -> None:
    """To standard error, as `logging.basicConfig` does it; to systemd's journal, which has times
    of its own, without ours and with how grave each line is.
    """
    handler = logging.StreamHandler()
    handler.addFilter(OnceASecond())
    logging.basicConfig(level=level, format=form, handlers=[handler])
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it has a line for each request
    if _is_journal(2):
        handler.setFormatter(ForJournal(form.removeprefix("%(asctime)s ")))


def _is_journal(descriptor: int) -> bool:
    """systemd.exec(5): JOURNAL_STREAM is device and inode of what it has connected to it."""
    found = os.fstat(descriptor)
    return os.environ.get("JOURNAL_STREAM") == f"{found.st_dev}:{found.st_ino}"


class ForJournal(logging.Formatter):
    """Each line begins with its level as sd-daemon(3) has it: the journal takes each by itself."""

    def format(self, record: logging.LogRecord) -> str:
        level = next((number for least, number in _SYSLOG if record.levelno >= least), 7)
        return "\n".join(f"<{level}>{line}" for line in super().format(record).splitlines())


class OnceASecond(logging.Filter):
    """Lets a line through once a second; lines that differ by numbers alone are the same. The
    next one says how many were left out.
    """

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[str, tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        line = record.getMessage()
        if record.exc_info:
            line = f"{line} {record.exc_info[1]!r}"
        key = _NUMBER.sub("0", line[:_KNOWN_CHARS])
        now = time.monotonic()
        at, left_out = self._said.get(key, (now - _LOG_EVERY_S, 0))
        if now - at < _LOG_EVERY_S:
            self._said[key] = (at, left_out + 1)
            return False
        if len(self._said) >= _KNOWN_LINES:
            self._said = {k: one for k, one in self._said.items() if now - one[0] < _LOG_EVERY_S}
        if len(self._said) >= _KNOWN_LINES:  # enough for this second
            return False
        self._said[key] = (now, 0)
        if left_out:
            record.msg, record.args = f"{record.getMessage()} (and {left_out} like it)", ()
        return True
