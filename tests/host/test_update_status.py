"""What `diadema update status` says of a roll-out: reasons in words, and what it waits for."""

import pytest
from diadema.cli.update import app
from diadema.wire import ask_hub
from typer.testing import CliRunner

FAILED = {"s": "DIA-060000000000", "seat": "B-00", "stage": 0, "phase": "failed", "part": 1,
          "reason": "rolled_back: codec", "up": True, "idle": True}  # fmt: skip
GONE = FAILED | {"s": "DIA-060000000001", "seat": "B-01", "phase": "gone", "reason": None}
TOLD = {
    "number": 1, "status": "stopped", "stage": 0, "why": "failures", "at": FAILED["s"],
    "seat": "B-00", "detail": "rolled_back: codec", "parts": 80, "seats": [FAILED, GONE],
    "plan": {"board": "sim", "version": "0.2.0", "what": None, "stages": ["all"]},
}  # fmt: skip


@pytest.fixture
def shown(monkeypatch, tmp_path):
    def show(**changed):
        async def answer(data, subject, body):
            return {"rollouts": [TOLD | changed]}

        monkeypatch.setattr(ask_hub, "ask_hub", answer)
        line = ["status", "--data", str(tmp_path)]
        done = CliRunner().invoke(app, line, env={"COLUMNS": "140"})
        assert done.exit_code == 0, done.output
        return done.output

    return show


def test_reasons_are_told_in_words(shown):
    told = shown()
    assert told.count("rolled back: audio codec") == 2 and "rolled_back" not in told
    assert "0 of 1 good" in told and "left out: not of the site" in told


def test_who_is_passed_over_is_named_and_did_not_fail(shown):
    passed = FAILED | {"s": "DIA-060000000002", "seat": "B-02", "phase": "passed",
                       "reason": "old_image"}  # fmt: skip
    other = passed | {"seat": "B-03", "reason": "other_build: ESP32_GENERIC-SPIRAM"}
    told = shown(seats=[GONE | {"phase": "good"}, passed, other], status="done", why=None)
    assert "1 of 1 good" in told and "passed over, which is no failure: B-02, B-03" in told
    told = " ".join(told.split())
    assert "needs another image, its own does not use the PSRAM" in told
    assert "of another image than the one it has: ESP32_GENERIC-SPIRAM" in told


@pytest.mark.parametrize(
    ("why", "waits", "stopped"),
    [
        ("away", "waits for B-00, which has no link", "B-00 has had no link for three days"),
        ("busy", "waits for B-00, where somebody works", "B-00 was not free for a week"),
        ("fault", "waits: B-00 has a new fault, audio codec", "a fault for an hour, audio codec"),
    ],
)
def test_what_holds_it_is_told(shown, why, waits, stopped):
    assert waits in shown(why=why, detail="codec", status="running")
    assert stopped in shown(why=why, detail="codec")
