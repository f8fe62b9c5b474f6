"""Every file of `suite/` again, inside the real MicroPython; and those of `drivers/`, which need
a `machine` and so run only there.
"""

import re
import subprocess
from pathlib import Path

import pytest
from diadema_sim.build import FIRMWARE_HEAP, interpreter

HERE = Path(__file__).resolve().parent
FIRMWARE = HERE.parents[1] / "firmware"
FILES = sorted([*(HERE / "suite").glob("test_*.py"), *(HERE / "drivers").glob("check_*.py")])


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_passes_on_micropython(path: Path, tmp_path: Path) -> None:
    heap = FIRMWARE_HEAP * 16  # the suite itself, as source, is compiled and held there too
    done = subprocess.run(
        [*interpreter(), "-X", f"heapsize={heap}", str(HERE / "run_on_micropython.py"),
         str(FIRMWARE), str(path)],
        capture_output=True, text=True, check=False, timeout=600, cwd=tmp_path,
    )  # fmt: skip
    wanted = len(re.findall(r"^def test_", path.read_text(), re.MULTILINE))
    last = done.stdout.strip().rsplit("\n", 1)[-1]
    assert last == f"passed {wanted} failed 0", done.stdout + done.stderr
    assert wanted
