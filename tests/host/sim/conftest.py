"""The command line in the test's own process, where the process itself is not what is tested."""

import signal
import sys
from collections.abc import Callable
from subprocess import CompletedProcess

import pytest
from diadema.cli import main


@pytest.fixture
def run_here(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., CompletedProcess[str]]:
    """A command of `diadema`: its exit code and what it printed, as of a process."""

    def run(*arguments: str) -> CompletedProcess[str]:
        monkeypatch.setattr(sys, "argv", ["diadema", *arguments])
        numbers = signal.SIGINT, signal.SIGTERM, signal.SIGHUP
        before = [signal.getsignal(number) for number in numbers]
        try:
            with pytest.raises(SystemExit) as ended:
                main.main()
        finally:  # a run leaves them ignored, for its process ends
            for number, handler in zip(numbers, before, strict=True):
                signal.signal(number, handler)
        assert isinstance(ended.value.code, int)
        return CompletedProcess(arguments, ended.value.code, *capsys.readouterr())

    return run
