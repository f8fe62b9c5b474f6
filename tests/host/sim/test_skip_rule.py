"""With DIADEMA_NO_SKIP=1 a missing program is a failure; any other skip stays a skip."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).parents[2] / "conftest.py"
TESTS = """
import pytest
def test_program(system_program):
    system_program("no-such-program-anywhere", "its-package")
def test_other():
    pytest.skip("no real data beside the repository")
"""
MODULE = 'import pytest\npytest.skip("nodejs is missing", allow_module_level=True)\n'


def run(folder: Path, no_skip: str, target: str = ".") -> subprocess.CompletedProcess[str]:
    shutil.copy(CONFTEST, folder / "conftest.py")
    (folder / "test_inner.py").write_text(TESTS)
    (folder / "test_module.py").write_text(MODULE)
    (folder / "pytest.ini").write_text("[pytest]\n")
    command = [sys.executable, "-m", "pytest", "-q", "-ra", "-p", "no:cacheprovider", target]
    environment = {
        **os.environ,
        "DIADEMA_NO_SKIP": no_skip,
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # they would be most of its time
    }
    environment.pop("PYTEST_ADDOPTS", None)
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300
    )


@pytest.mark.parametrize("no_skip", ["", "0"])
def test_without_the_variable_they_skip_and_name_the_package(tmp_path: Path, no_skip: str) -> None:
    done = run(tmp_path, no_skip)
    assert done.returncode == 0, done.stdout
    assert "3 skipped" in done.stdout and "apt install its-package" in done.stdout


def test_with_the_variable_a_module_without_its_program_is_an_error(tmp_path: Path) -> None:
    done = run(tmp_path, "1", "test_module.py")
    assert done.returncode != 0
    assert "nodejs is missing" in done.stdout and "1 error" in done.stdout


def test_with_the_variable_only_the_missing_program_fails(tmp_path: Path) -> None:
    done = run(tmp_path, "1", "test_inner.py")
    assert done.returncode == 1, done.stdout
    assert "1 failed, 1 skipped" in done.stdout and "apt install its-package" in done.stdout
