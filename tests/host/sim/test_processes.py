"""A process of a simulated run ends, however it ends."""

import asyncio
import os
import sys

import pytest
from diadema_sim import processes
from diadema_sim.processes import Process


@pytest.mark.parametrize("gone", [False, True])
async def test_one_that_ends_as_it_is_killed_is_no_error(tmp_path, monkeypatch, gone):
    """Section C: a replay lost its result to a ProcessLookupError at its very end."""
    killpg, asked = os.killpg, []

    def kill(group, number):
        asked.append(number)
        killpg(group, number)
        if gone:
            raise ProcessLookupError

    monkeypatch.setattr(processes, "_STOP_LIMIT_S", 0.1)
    monkeypatch.setattr(os, "killpg", kill)
    deaf = (
        "import signal as s, time; s.signal(2, s.SIG_IGN); print(1, flush=True); time.sleep(600)"
    )
    one = Process("deaf", [], tmp_path / "log", tmp_path / "ready")
    one._process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", deaf, stdout=asyncio.subprocess.PIPE, start_new_session=True
    )
    assert await one._process.stdout.readline() == b"1\n"
    await one.stop()
    assert asked == [9] and one._process.returncode == -9
