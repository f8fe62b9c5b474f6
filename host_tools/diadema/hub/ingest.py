"""`python -m diadema.hub.ingest`: started and watched by `diadema hub`.

Ends when its standard input, a pipe from the hub, is closed, and then ends the hub's broker too.
"""

import argparse
import asyncio
import gc
import logging
import os
import signal
import sys
from pathlib import Path

from diadema.base import credentials
from diadema.base.clock import open_clock
from diadema.base.errors import DiademaError
from diadema.base.locks import locked
from diadema.base.paths import DataDir, keep_private
from diadema.base.processes import begin_log, end_broker, on_closed_input
from diadema.hub.ingest_server import IngestServer
from diadema.ingest.core import Ingest
from diadema.site.context import site_of
from diadema.site.station_keys import StationKeys
from diadema.store import open_writer
from diadema.words import Sentence

_LOCK_S = 10.0  # the ingest of a hub that was killed needs a moment to end
_SWITCH_S = 0.0005  # the thread that writes must not wait long between its statements
_GARBAGE = 50_000  # batches are many objects, and none of them is a ring


def main() -> int:
    """Exit code 0 after an orderly end, 1 if something broke, 2 for what the caller can mend."""
    parser = argparse.ArgumentParser(prog="python -m diadema.hub.ingest")
    parser.add_argument("--data", type=Path, required=True, help="the hub's data directory")
    parser.add_argument("--clock", type=Path, help="clock file of a simulated run")
    parser.add_argument("--require-proof", action="store_true", help="of whoever is on a cable")
    arguments = parser.parse_args()
    keep_private()
    sys.setswitchinterval(_SWITCH_S)
    gc.set_threshold(_GARBAGE)
    begin_log(logging.INFO, "%(asctime)s %(levelname)s %(message)s")
    try:
        import uvloop

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(_serve(arguments))
    except (DiademaError, ValueError, FileNotFoundError) as error:
        print(error, file=sys.stderr)
        return 2


async def _serve(arguments: argparse.Namespace) -> int:
    data, clock = DataDir(arguments.data), open_clock(arguments.clock)
    hub = data.read_hub()
    url = os.environ.get("DIADEMA_NATS") or (hub.nats if hub else None)
    if url is None:
        raise DiademaError(Sentence("errors.hub.no_hub_runs_on_directory"))
    secrets = credentials.load(data)
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    orphaned = False

    def hub_gone() -> None:
        nonlocal orphaned
        orphaned = True
        stop.set()

    loop.add_signal_handler(signal.SIGTERM, stop.set)
    loop.add_signal_handler(signal.SIGINT, stop.set)
    on_closed_input(lambda: loop.call_soon_threadsafe(hub_gone))
    with locked(data.ingest_lock, wait_s=_LOCK_S):
        writer = open_writer(data.store)
        described = site_of(data)
        ingest = Ingest(writer, described, clock)
        server = IngestServer(
            data, url, secrets, StationKeys(data.keys), ingest, clock,
            require_proof=arguments.require_proof,
        )  # fmt: skip
        serving = asyncio.create_task(server.run())
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        serving.cancel()
        stopping.cancel()
        (result, _) = await asyncio.gather(serving, stopping, return_exceptions=True)
        writer.close()
    if orphaned:
        end_broker(data)
    if isinstance(result, DiademaError):  # the last line of the log is what the hub tells
        logging.getLogger("diadema.ingest").error("%s", result)
        return 2
    if isinstance(result, Exception):
        logging.getLogger("diadema.ingest").error("ended", exc_info=result)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
