"""The firmware's own tests. `suite/` runs on both interpreters: here under pytest, and each file
once more inside MicroPython through `test_suite_on_micropython.py`.
"""

from pathlib import Path

import pytest

import tests.support  # noqa: F401 - before anything of the firmware


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A station's files lie in the folder where it runs."""
    monkeypatch.chdir(tmp_path)
