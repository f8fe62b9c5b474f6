"""The web's worker processes end with it, also when it is killed."""

import subprocess
import sys
from pathlib import Path

from web_stage import wait_for

_WEB = """
import asyncio, os, signal
from diadema.web.worker import Worker

async def main():
    print(await Worker().ask(os.getpid), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)

if __name__ == "__main__":
    asyncio.run(main())
"""


def test_a_killed_web_leaves_no_worker_behind(tmp_path: Path) -> None:
    program = tmp_path / "web.py"
    program.write_text(_WEB)
    killed = subprocess.Popen([sys.executable, program], stdout=subprocess.PIPE)
    assert killed.stdout is not None
    worker = int(killed.stdout.readline())
    assert killed.wait(10) < 0

    def gone() -> bool:
        try:
            return Path(f"/proc/{worker}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
        except FileNotFoundError:
            return True

    wait_for(gone, "the worker's end")
    killed.stdout.close()
