"""The web's worker processes end with it, also when it is killed."""

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from diadema.web.worker import TooLong, Worker

from tests.support.web_stage import wait_for

_WEB = """
import asyncio, os, signal
from diadema.web.worker import Worker

async def main():
    print(await Worker().ask(os.getpid), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)

if __name__ == "__main__":
    asyncio.run(main())
"""


def ended(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_a_killed_web_leaves_no_worker_behind(tmp_path: Path) -> None:
    program = tmp_path / "web.py"
    program.write_text(_WEB)
    killed = subprocess.Popen([sys.executable, program], stdout=subprocess.PIPE)
    assert killed.stdout is not None
    worker = int(killed.stdout.readline())
    assert killed.wait(60) < 0

    wait_for(lambda: ended(worker), "the worker's end")
    killed.stdout.close()


async def test_work_that_does_not_end_is_ended_and_others_go_on() -> None:
    limits = {"ask": 60.0, "file": 3.0, "behind": 60.0}
    worker = Worker(limits)
    try:
        endless = asyncio.ensure_future(worker.file(time.sleep, 3600))
        await asyncio.sleep(0.2)  # it waits by its own limit
        limits["file"] = 300.0  # and whose process only begins, by one of a busy machine
        waiting = asyncio.ensure_future(worker.file(os.getpid))
        with pytest.raises(TooLong, match="file"):
            await endless
        assert await waiting > 0  # who waited behind it gets a process of his own
        assert await worker.ask(os.getpid) > 0
    finally:
        worker.close()


async def test_work_that_nobody_waits_for_any_more_is_ended() -> None:
    worker = Worker()
    try:
        first = await worker.file(os.getpid)
        endless = asyncio.ensure_future(worker.file(time.sleep, 3600))
        while not endless.done() and not worker._turns["file"].locked():
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        endless.cancel()
        await asyncio.gather(endless, return_exceptions=True)
        assert await worker.file(os.getpid) != first
        await asyncio.to_thread(wait_for, lambda: ended(first), "the worker's end")
    finally:
        worker.close()


async def test_a_fault_of_the_work_itself_is_its_own() -> None:
    worker = Worker()
    try:
        first = await worker.file(os.getpid)
        with pytest.raises(ValueError):
            await worker.file(int, "x")
        assert await worker.file(os.getpid) == first
    finally:
        worker.close()
