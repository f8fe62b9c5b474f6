"""`diadema import queue-log` from the shell: what it says, and its exit codes."""

import json

import pytest
from diadema.cli import main

from tests.support.queue_logs import QueueLog


@pytest.fixture
def run(monkeypatch, capsys, tmp_path):
    def call(*arguments):
        given = ["diadema", "import", "queue-log", *arguments, "--data", tmp_path / "data"]
        monkeypatch.setattr("sys.argv", [*map(str, given)])
        with pytest.raises(SystemExit) as end:
            main.main()
        return end.value.code or 0, *capsys.readouterr()

    return call


def test_what_it_took_and_what_it_refused(run, tmp_path):
    log = QueueLog().call(0, "1.1").abandon(100, "1.2").line(200, "1", "q", "SIP/1", "RARA")
    log.line(201, "NONE", "NONE", "SIP/1", "PAUSEALL", "").complete(300, "1.9", 5, 60)
    file = log.write(tmp_path / "queue_log")
    code, said, _ = run(file, "--dry-run")
    assert (code, "Nothing was imported" in said) == (0, True)
    assert "6 of them not in the store" in said and "new in the store" not in said
    code, said, _ = run(file)
    assert code == 0
    parts = ["8 rows of PBX-central", "answered: 2", "abandoned: 1", "unknown, counted only"]
    parts += ["RARA 1", "PAUSEALL 1", "without a beginning: 1", "6 events, 6 of them new"]
    for part in parts:
        assert part in said
    told = json.loads(run(file, "--json")[1])
    assert (told["imported"], told["new"], told["source"]) == (True, 0, "PBX-central")
    log.lines.append("garbage")
    bad = log.write(tmp_path / "bad")
    code, said, _ = run(bad, "--name", "otra")
    assert (code, "line 9: 1 fields" in said, "--skip-bad" in said) == (1, True, True)
    assert run(bad, "--name", "otra", "--skip-bad", "--queue", "saldos")[0] == 0


@pytest.mark.parametrize(
    "options",
    [("--zone", "Lima"), ("--name", "la central"), ("--follow", "--dry-run"), ("--follow",)],
)
def test_what_cannot_be(run, tmp_path, options):
    file = QueueLog().call(0, "1.1").write(tmp_path / "queue_log")
    code, _, said = run(file, *options)
    assert (code, said.startswith("diadema: ")) == (2, True)
