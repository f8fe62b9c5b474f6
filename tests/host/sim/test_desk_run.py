"""`diadema desk` as somebody starts it, and how it ends."""

import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

DIADEMA = [sys.executable, "-m", "diadema", "desk"]

type Run = Callable[..., subprocess.CompletedProcess[str]]


@contextmanager
def desk(scratch: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A desk that is up, its directory under `scratch`, and the first line it printed."""
    process = subprocess.Popen(
        [*DIADEMA, "--port", "0", "--no-browser", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env=os.environ | {"TMPDIR": str(scratch)},
    )
    assert process.stdout and process.stderr
    try:
        yield process, process.stdout.readline()
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()


def of_run(scratch: Path) -> list[int]:
    """Every process that has the run's directory in its command line."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = entry.read_bytes()
        except OSError:
            continue  # it ended meanwhile
        if str(scratch).encode() in line:
            found.append(int(entry.parent.name))
    return found


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="no /proc on this system")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_says_where_it_is_and_leaves_nothing_behind(tmp_path: Path, number: int) -> None:
    with desk(tmp_path, "--json") as (process, line):
        about = json.loads(line)
        assert about["desk"].startswith("http://127.0.0.1:")
        assert about["desk"].endswith("/desk")
        assert (about["station"], about["board"]) == ("DIA-02d1ade00001", "sim")
        others = of_run(tmp_path)
        assert len(others) >= 4  # the station, hub, gateway and the hub's own
        ends = [os.pidfd_open(pid) for pid in others]
        os.kill(process.pid, number)
        assert process.wait(timeout=120) == 0
    for end in ends:
        assert select.select([end], [], [], 30)[0]
        os.close(end)
    assert of_run(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_a_port_that_is_taken_is_one_sentence_that_says_what_to_do(run_here: Run) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = run_here("desk", "--no-browser", "--port", str(port))
    assert (done.returncode, done.stdout) == (2, "starting a station and its hub\n")
    (said,) = done.stderr.splitlines()
    assert said.startswith(f"diadema: port {port} is taken")
    assert "--port" in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--board", "teapot"], "no board 'teapot'"),
        (["--board", "sim,lyrat_v4_3"], "a desk has one station; name one board"),
    ],
)
def test_what_cannot_be_run_says_why(run_here: Run, arguments: list[str], said: str) -> None:
    done = run_here("desk", "--no-browser", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in " ".join(done.stderr.split())
