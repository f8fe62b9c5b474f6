"""The firmware's own tests. `suite/` runs on both interpreters: here under pytest, and each file
once more inside MicroPython through `test_suite_on_micropython.py`.
"""

import gc
from pathlib import Path

import pytest

import tests.support  # noqa: F401 - before anything of the firmware


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A station's files lie in the folder where it runs."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture(autouse=True)
def uncollected(monkeypatch: pytest.MonkeyPatch) -> None:
    """A station's heap is small; here a collection would look through everything pytest holds."""
    monkeypatch.setattr(gc, "collect", lambda: 0)
