"""`diadema demo` and `diadema sim` as somebody starts them, and how they end."""

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

DIADEMA = [sys.executable, "-m", "diadema"]
LIMIT_S = 600

type Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*DIADEMA, *arguments], capture_output=True, text=True, timeout=LIMIT_S, check=False
    )


def of_run(folder: Path) -> list[int]:
    """Every process that has this test's folder in its command line."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = entry.read_bytes()
        except OSError:
            continue  # it ended meanwhile
        if str(folder).encode() in line:
            found.append(int(entry.parent.name))
    return found


def ended(processes: list[int]) -> bool:
    """Whether each of them ends."""
    ends = [end for pid in processes if (end := end_of(pid)) is not None]
    try:
        return all(select.select([end], [], [], LIMIT_S)[0] for end in ends)
    finally:
        for end in ends:
            os.close(end)


def end_of(pid: int) -> int | None:
    """A descriptor that becomes readable when the process ends; None if it has."""
    try:
        return os.pidfd_open(pid)
    except ProcessLookupError:
        return None


@contextmanager
def demo(data: Path) -> Iterator[subprocess.Popen[str]]:
    """A demo whose hub is up."""
    command = [*DIADEMA, "demo", "--stations", "2", "--no-browser", "--port", "0"]
    process = subprocess.Popen(
        [*command, "--data", str(data)], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        assert process.stdout
        lines = iter(process.stdout.readline, "")
        assert any(line.startswith("http://127.0.0.1:") for line in lines)  # the link
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdout
        process.stdout.close()


def test_a_short_demo_prints_one_object_and_loses_nothing() -> None:
    done = run(
        "demo", "--stations", "2", "--seconds", "60", "--pace", "60", "--no-browser", "--json"
    )
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert list(summary) == [
        "stations", "events_journaled", "events_stored", "lost", "doubled", "contacts", "typified"
    ]  # fmt: skip
    assert summary["stations"] == 2
    assert summary["events_journaled"] == summary["events_stored"] > 0
    assert (summary["lost"], summary["doubled"]) == (0, 0)
    assert summary["contacts"] >= summary["typified"] > 0


def test_a_simulated_half_hour_as_fast_as_the_work_allows() -> None:
    done = run(
        "sim", "--stations", "2", "--seconds", "1800", "--speed", "fast", "--seed", "3", "--json"
    )
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert (summary["lost"], summary["doubled"]) == (0, 0)
    assert 2 < summary["contacts"] < 30


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="no /proc on this system")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_demo_that_is_told_to_end_leaves_no_process(tmp_path: Path, number: int) -> None:
    with demo(tmp_path / "run") as process:
        assert len([pid for pid in of_run(tmp_path) if pid != process.pid]) > 4
        os.kill(process.pid, number)
        code = process.wait(timeout=LIMIT_S)
    assert code == (-signal.SIGKILL if number == signal.SIGKILL else 0)
    while left := of_run(tmp_path):  # after a kill each of them notices by itself
        assert number == signal.SIGKILL
        assert ended(left)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["sim", "--speed", "fast"], "add --seconds N"),
        (["sim", "--speed", "soon"], "--speed soon: write real, fast, or a number"),
        (["sim", "--fit", "absent.tsv"], "Cannot read absent.tsv"),
        (["replay", "absent.tsv", "--day", "990201"], "Cannot read absent.tsv"),
        (["replay", "x", "--day", "990201", "--format", "csv"], "no format 'csv'"),
        (
            ["replay", "x", "--day", "990201", "--switch", "--switch-links", "1"],
            "`--switch` and `--switch-links` do not go together",
        ),
        (["replay", "x", "--day", "990201", "--zone", "Lima"], "'Lima' is no time zone"),
    ],
)
def test_what_cannot_be_run_says_why(run_here: Run, arguments: list[str], said: str) -> None:
    done = run_here(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in " ".join(done.stderr.split())


def test_an_exchange_is_loaded_only_where_one_is_asked_for() -> None:
    program = "import sys, diadema_sim.cli; print([one for one in sys.modules if 'sim.ex' in one])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout.strip() == b"[]"


def test_the_directory_of_a_real_site_is_left_alone(run_here: Run, tmp_path: Path) -> None:
    site = {
        "site": "Agencia", "zone": "America/Lima", "stations": [], "agents": [], "reasons": [],
        "tree": {"version": 1, "nodes": [["1", "A", [["11", "B", [["111", "C"]]]]]]},
    }  # fmt: skip
    (tmp_path / "site.json").write_text(json.dumps(site))
    done = run_here("demo", "--seconds", "5", "--no-browser", "--data", str(tmp_path))
    assert done.returncode == 2
    assert "holds the site 'Agencia'" in " ".join(done.stderr.split())
    assert json.loads((tmp_path / "site.json").read_text()) == site


def test_a_folder_of_other_things_is_left_alone(run_here: Run, tmp_path: Path) -> None:
    (tmp_path / "tesis.odt").touch()
    done = run_here("demo", "--seconds", "5", "--no-browser", "--data", str(tmp_path))
    assert done.returncode == 2 and "none of a hub" in " ".join(done.stderr.split())
    assert [path.name for path in tmp_path.iterdir()] == ["tesis.odt"]


@pytest.mark.parametrize("command", ["demo", "sim"])
def test_a_port_that_is_taken_is_one_sentence_that_says_what_to_do(
    run_here: Run, command: str
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = run_here(command, "--stations", "1", "--seconds", "1", "--port", str(port))
    assert done.returncode == 2
    (said,) = done.stderr.splitlines()
    assert said.startswith(f"diadema: port {port} at 127.0.0.1 is taken")
    assert "--port" in said
