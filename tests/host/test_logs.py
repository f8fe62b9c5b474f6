"""Logs stay small: the same line once a second at most, and a file is emptied as it is written."""

import asyncio
import logging
import os
import subprocess
import sys

import pytest
from diadema.base import processes
from diadema.hub import child
from diadema.hub.child import Child

from tests.support.broker_fixtures import until


@pytest.fixture
def log(monkeypatch):
    """`log.lines` of a logger with the filter; `log.now` is a second that the test moves."""

    class Kept(logging.Handler):
        now = 100.0

        def emit(self, record):
            self.lines.append(record.getMessage())

    kept = Kept()
    kept.lines = []
    kept.addFilter(processes.OnceASecond())
    kept.logger = logging.getLogger("test of logs")
    kept.logger.propagate = False
    kept.logger.addHandler(kept)
    monkeypatch.setattr(processes.time, "monotonic", lambda: kept.now)
    yield kept
    kept.logger.removeHandler(kept)


def test_the_same_line_comes_once_a_second_and_says_how_many_there_were(log):
    for n in range(20_000):
        log.logger.error("event %d of %s cannot be read", n, "DIA-020000000001")
    assert log.lines == ["event 0 of DIA-020000000001 cannot be read"]
    log.logger.error("another line")
    log.now += 1
    log.logger.error("event %d of %s cannot be read", 7, "DIA-020000000001")
    assert log.lines[1:] == [
        "another line",
        "event 7 of DIA-020000000001 cannot be read (and 19999 like it)",
    ]
    log.now += 1
    log.logger.error("event %d of %s cannot be read", 8, "DIA-020000000001")
    assert log.lines[-1] == "event 8 of DIA-020000000001 cannot be read"


def test_other_lines_have_a_bound_too_and_are_not_remembered_for_ever(log):
    for n in range(5_000):
        log.logger.error("%s", "".join(chr(97 + int(digit)) for digit in str(n)))
    assert len(log.lines) == processes._KNOWN_LINES
    log.now += 1
    log.logger.error("still here")
    assert log.lines[-1] == "still here"


def test_a_traceback_is_told_apart_by_what_was_wrong(log):
    for error in (ValueError("a"), ValueError("a"), ValueError("b")):
        try:
            raise error
        except ValueError:
            log.logger.exception("it failed")
    assert log.lines == ["it failed", "it failed"]


async def test_a_childs_log_is_emptied_while_it_writes(tmp_path, stack, monkeypatch):
    monkeypatch.setattr(child, "_LOG_LIMIT", 10_000)
    monkeypatch.setattr(child, "_TRIM_S", 0.05)
    said = "import sys, time\nwhile True: print('x' * 99, file=sys.stderr, flush=True); "
    command = [sys.executable, "-c", said + "time.sleep(0.001)"]
    file = tmp_path / "a.log"
    running = Child("a", lambda: command, lambda: asyncio.sleep(0), file)
    stack.push_async_callback(running.stop)
    await running.start()
    kept = tmp_path / "a.log.1"
    await until(kept.exists)
    first = kept.stat().st_mtime_ns
    await until(lambda: kept.stat().st_mtime_ns != first and file.stat().st_size < 10_000)
    assert set(file.read_text()) <= {"x", "\n"}  # no hole
    kept.unlink()
    monkeypatch.setattr(child.shutil, "copyfile", _no_room)
    for _ in range(2):
        await until(lambda: file.stat().st_size > 5_000)
        await until(lambda: file.stat().st_size < 5_000)
    assert not kept.exists()


def _no_room(*_):
    raise OSError(28, "No space left on device")


SAYS = """
import logging
import os
import subprocess
from diadema.base.processes import begin_log
begin_log(logging.INFO, "%(asctime)s %(message)s")
logging.info("up")
logging.warning("of two\\nlines")
logging.error("wrong")
logging.getLogger("httpx").info("HTTP Request: GET https://hub/ 200 OK")
"""


def said_by(stream, journal):
    """What a program writes there, which is told that `journal` is systemd's."""
    found = os.fstat(journal)
    told = os.environ | {"JOURNAL_STREAM": f"{found.st_dev}:{found.st_ino}"}
    subprocess.run([sys.executable, "-c", SAYS], stderr=stream, env=told, check=True)


def test_the_journal_gets_levels_and_no_times(tmp_path):
    with (tmp_path / "journal").open("w+") as journal, (tmp_path / "file").open("w+") as file:
        said_by(journal, journal.fileno())
        said_by(file, journal.fileno())
        lines = journal.seek(0) or journal.read().splitlines()
        assert lines == ["<6>up", "<4>of two", "<4>lines", "<3>wrong"]
        first = file.seek(0) or file.readline()
        assert first.startswith("20") and first.endswith(" up\n")
