"""Rules of the whole suite: system programs are named when missing, and `.ci/run` needs them all.

With DIADEMA_NO_SKIP=1 a test that skips because a program is missing fails instead.
"""

import os
import re
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from diadema.access import book
from diadema.cli import speech
from hypothesis import HealthCheck, settings

pytest.register_assert_rewrite("tests.support", "tests.parsers")

os.environ["LC_ALL"] = "C.UTF-8"
os.environ["DIADEMA_LANG"] = "en"  # whatever the site; who tests another language takes it away

# a shell's background job does not hear it, and what is started here is to
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# accounts are made in hundreds of tests, and here they need not be strong
book._hasher = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)

# no test asserts a duration: a busy machine is no counter-example
settings.register_profile("any", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any")

_PROGRAM_MISSING = re.compile(r"\b(apt install|missing|not installed)\b", re.IGNORECASE)
_FORBIDDEN = os.environ.get("DIADEMA_NO_SKIP") == "1"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Workers of `-n auto`: two a logical core, for half of a test is waiting."""
    return 2 * (os.cpu_count() or 1)


@pytest.fixture(autouse=True)
def no_site_spoken_of() -> None:
    """A command run inside the test speaks as its own site does, and not as an earlier test's."""
    speech.begin(None)


@pytest.fixture
def system_program() -> Callable[[str, str], str]:
    """Give a program's path by its name, or skip naming the Debian package that has it."""

    def find(name: str, package: str) -> str:
        path = shutil.which(name)
        if path is None:
            pytest.skip(f"the program {name} is missing (Debian: apt install {package})")
        return path

    return find


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data that stands beside the repository; without it the test skips."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("no real data beside the repository (../shared/data)")
    return folder


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Iterator[pytest.TestReport]:
    report = yield
    _forbid(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Iterator[pytest.CollectReport]:
    report = yield
    _forbid(report)
    return report


def _forbid(report: pytest.TestReport | pytest.CollectReport) -> None:
    if not (_FORBIDDEN and report.skipped) or hasattr(report, "wasxfail"):
        return
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    if _PROGRAM_MISSING.search(reason):
        report.outcome = "failed"
        report.longrepr = f"{reason}\nDIADEMA_NO_SKIP=1: install it; here no test may go without."
