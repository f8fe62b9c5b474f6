"""A run's temporary directory: kept while the run lives; once killed, the next run removes it."""

import subprocess
import sys
import tempfile

import pytest
from diadema.base.locks import locked
from diadema_sim.centre import remove_abandoned, temporary_run_folder

RUN = """
import sys, tempfile
tempfile.tempdir = sys.argv[1]
from diadema_sim.centre import temporary_run_folder
with temporary_run_folder() as root:
    (root / "store").mkdir()
    print(root, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_a_killed_runs_directory_goes_with_the_next_run(temporary):
    run = subprocess.Popen(
        [sys.executable, "-c", RUN, temporary], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    left = temporary / run.stdout.readline().decode().strip()
    try:
        with temporary_run_folder() as mine:
            assert left.is_dir() and mine != left
            assert remove_abandoned() == []
    finally:
        run.kill()
        run.communicate()
    assert left.is_dir()
    with locked(left / "lock"):  # its hub still ends
        assert remove_abandoned() == []
    with temporary_run_folder() as mine:
        assert list(temporary.iterdir()) == [mine]
    assert list(temporary.iterdir()) == []


def test_a_directory_of_somebody_else_is_left_alone(temporary):
    (temporary / "diadema-run-x").mkdir()
    (temporary / "diadema-other").mkdir()
    assert remove_abandoned() == []
    assert len(list(temporary.iterdir())) == 2
