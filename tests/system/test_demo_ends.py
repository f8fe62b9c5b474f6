"""Ctrl-C at any moment of a demo, and again while it ends: no process and no folder is left. Two
demos on one folder: the second is refused before it writes.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from diadema.base.clock import SystemClock
from diadema.base.paths import DataDir
from diadema.base.processes import end_with_parent
from diadema.exchange.queue_log_import import import_queue_log
from diadema_sim import past

from tests.support.web_stage import wait_for

DIADEMA = [sys.executable, "-m", "diadema"]
LIMIT_S = 120
MOMENTS = 6 if os.environ.get("CI") else 20
UP_S = 8.0  # the moments lie within so long after the start: imports, build, hub, stations, calls
pytestmark = pytest.mark.skipif(end_with_parent() is None, reason="no /proc on this system")


def of_run(mark: str) -> dict[int, str]:
    """Every process with it in its command line or its environment, but those that are dead."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            line = (entry / "cmdline").read_bytes()
            if mark.encode() in line + (entry / "environ").read_bytes():
                found[int(entry.name)] = line.replace(b"\0", b" ").decode()
        except OSError:
            continue  # it ended meanwhile, or is another person's
    return found


@contextmanager
def started(temporary: Path, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """A demo that makes its folder in there; all of it is known by that."""
    environment = os.environ | {
        "TMPDIR": str(temporary), "XDG_CACHE_HOME": str(temporary / "cache"),
        "LANG": "es_PE.UTF-8",
    }  # fmt: skip
    for name in ("LC_ALL", "DIADEMA_LANG"):
        environment.pop(name, None)
    process = subprocess.Popen(
        [*DIADEMA, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment,
        start_new_session=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def demo(temporary: Path, *more: str) -> "contextmanager[subprocess.Popen[bytes]]":
    return started(temporary, "demo", "--stations", "2", "--no-browser", "--port", "0", *more)


def left_in(folder: Path) -> list[str]:
    return sorted(one.name for one in folder.iterdir() if one.name.startswith("diadema"))


@pytest.mark.parametrize("moment", range(MOMENTS))
def test_two_signals_leave_nothing(tmp_path: Path, moment: int) -> None:
    with demo(tmp_path) as process:
        time.sleep(UP_S * moment / MOMENTS)
        process.send_signal(signal.SIGINT)
        time.sleep(0.05 * (moment % 10))
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=LIMIT_S)
    if b"init_import_site" not in err:  # Python itself was not up, and says so with a traceback
        # killed, where it was not even begun
        assert process.returncode in (0, 130, -signal.SIGINT), err
        assert b"Traceback" not in err
    wait_for(lambda: not of_run(str(tmp_path)), "the end of all", LIMIT_S)
    assert left_in(tmp_path) == []


def test_the_first_signal_is_answered_at_once(tmp_path: Path) -> None:
    with demo(tmp_path) as process:
        assert process.stdout and b"\n" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 0
    assert (out + err).decode().count("terminando…") == 1


@pytest.mark.parametrize("seconds", ["25", None])
def test_one_with_an_exchange_leaves_nothing(tmp_path: Path, seconds: str | None) -> None:
    """By itself, with a log that says what the store says, and by Ctrl-C while its bridge is in
    calls.
    """
    ends = () if seconds is None else ("--seconds", seconds, "--json")
    data = tmp_path / "data"
    with demo(tmp_path, "--switch", "--pace", "20", "--data", str(data), *ends) as process:
        if seconds is None:
            deadline = time.monotonic() + LIMIT_S
            while (
                not (log := data / "queue_log").exists() or "|a001|CONNECT" not in log.read_text()
            ):
                assert time.monotonic() < deadline and process.poll() is None
                time.sleep(0.05)
            assert any("diadema.switch" in line for line in of_run(str(data)).values())
            process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 0, out + err
    assert b"Traceback" not in err
    wait_for(lambda: not of_run(str(tmp_path)), "the end of all", LIMIT_S)
    assert left_in(tmp_path) == [] and not (data / "switch.json").exists()
    if seconds is not None:
        summary = json.loads(out)
        assert summary["lost"] == summary["doubled"] == summary["switch_different"] == 0
        assert summary["switch_calls"] > 0
        directory = DataDir(data)
        again = import_queue_log([past.log_of(directory)], directory, SystemClock())
        assert (again.fresh, again.different) == (0, [])


MODULE = """
import os, signal
try:
    os.kill(os.getpid(), signal.SIGINT)
    for _ in range(10): pass
except BaseException:
    pass
"""


@pytest.mark.parametrize("module", ["rich.table", "diadema_sim.behaviour"])
def test_an_import_that_swallows_the_interrupt(tmp_path: Path, module: str) -> None:
    """As one that tries something and excepts whatever comes of it."""
    program = f"""
import builtins, sys
real = builtins.__import__
def importing(name, *rest):
    if name == {module!r}:
        builtins.__import__ = real
        exec({MODULE!r})
    return real(name, *rest)
builtins.__import__ = importing
sys.argv = ["diadema", "demo", "--stations", "1", "--no-browser", "--port", "0"]
from diadema.__main__ import main
main()
"""
    environment = os.environ | {"TMPDIR": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, timeout=LIMIT_S,
        check=False,
    )  # fmt: skip
    assert done.returncode == 130, done.stderr
    wait_for(lambda: not of_run(str(tmp_path)), "the end of all", LIMIT_S)
    assert left_in(tmp_path) == []


def test_a_killed_hub_takes_its_broker_along(tmp_path: Path) -> None:
    """Also where nobody is left to end it in order."""
    data = tmp_path / "data"
    with started(tmp_path, "hub", "--data", str(data), "--port", "0", "--mqtt-port", "0") as hub:
        deadline = time.monotonic() + LIMIT_S
        while not (data / "hub.json").exists() and hub.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert any("nats-server" in line for line in of_run(str(data)).values())
        hub.kill()
        hub.wait()
        while left := of_run(str(data)):
            assert time.monotonic() < deadline, left
            time.sleep(0.05)


def test_a_second_demo_on_a_folder_in_use_writes_nothing(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with demo(tmp_path, "--data", str(data)) as first:
        assert first.stdout
        lines = iter(first.stdout.readline, b"")
        assert any(b"/enter?code=" in line for line in lines)

        def content() -> dict[str, bytes]:
            names = ("site.json", "accounts.sqlite3", "secrets.json", "run.lock")
            return {name: (data / name).read_bytes() for name in names}

        before = content()
        with demo(tmp_path, "--data", str(data), "--stations", "1") as second:
            _, err = second.communicate(timeout=LIMIT_S)
        assert second.returncode == 2
        assert f"is in use (pid {first.pid})" in " ".join(err.decode().split())
        assert content() == before
        first.send_signal(signal.SIGINT)
        first.communicate(timeout=LIMIT_S)
