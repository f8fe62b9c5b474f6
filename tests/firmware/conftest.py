"""The firmware's own tests. `suite/` runs on both interpreters: here under pytest, and each file
once more inside MicroPython through `test_suite_on_micropython.py`.
"""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
for folder in (HERE, HERE.parents[1] / "firmware"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

import micropython_names  # noqa: E402, F401 - before anything of the firmware
import pytest  # noqa: E402


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A station's files lie in the folder where it runs."""
    monkeypatch.chdir(tmp_path)
