"""`python -m diadema.switch`: started and watched by `diadema hub` where an exchange is set up.

Ends when its standard input, a pipe from the hub, is closed.
"""

import argparse
import asyncio
import contextlib
import logging
import signal
import sys
from pathlib import Path

from diadema.base.clock import open_clock
from diadema.base.errors import DiademaError
from diadema.base.paths import DataDir, keep_private
from diadema.base.processes import begin_log, do_without, on_closed_input

_UNUSED = ("aiohttp", "click", "rich")  # of nats-py and httpx: 13 MB


def main() -> int:
    """Exit code 0 after an orderly end, 2 for what the caller can mend."""
    parser = argparse.ArgumentParser(prog="python -m diadema.switch")
    parser.add_argument("--data", type=Path, required=True, help="the hub's data directory")
    parser.add_argument("--clock", type=Path, help="clock file of a simulated run")
    arguments = parser.parse_args()
    keep_private()
    begin_log(logging.WARNING, "%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("diadema").setLevel(logging.INFO)
    try:
        return asyncio.run(_serve(arguments))
    except (DiademaError, ValueError, FileNotFoundError) as error:
        print(error, file=sys.stderr)
        return 2


async def _serve(arguments: argparse.Namespace) -> int:
    do_without(*_UNUSED)
    from diadema.switch.process import run

    running = asyncio.create_task(run(DataDir(arguments.data), open_clock(arguments.clock)))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, running.cancel)
    on_closed_input(lambda: loop.call_soon_threadsafe(running.cancel))
    with contextlib.suppress(asyncio.CancelledError):
        await running
    return 0


if __name__ == "__main__":
    sys.exit(main())
