"""`diadema provision`: a station on a cable gets its seat and its configuration."""

import asyncio
import json
import sys
from typing import Annotated

import typer

from diadema.cli.options import (
    AsJson,
    Clock,
    Data,
    data_root,
)


def provision(
    port: Annotated[str, typer.Option("--port", help="As /dev/ttyUSB0.")],
    seat: Annotated[str, typer.Option("--seat", help="Where it will stand.")],
    by: Annotated[str, typer.Option("--by", help="Who does it.")] = "diadema",
    station: Annotated[
        str | None, typer.Option("--station", help="Which one it must be, as on its label.")
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="It comes in place of the one that has the seat.")
    ] = False,
    data: Data = None,
    as_json: AsJson = False,
    clock: Clock = None,
) -> None:
    """Give the station on this cable its seat; the hub that runs makes its key, its credential and
    its configuration (site, Wi-Fi, broker, CA, language), and tells it the time.

    It comes back when the station says that it has them. Its self-test is still to be done.
    """
    from rich.console import Console

    from diadema.base.clock import open_clock
    from diadema.base.paths import DataDir
    from diadema.stations.provision import provision as run

    console = Console(stderr=True, highlight=False, soft_wrap=True)
    where = DataDir(data_root(data))
    with console.status("", spinner="line") as status:
        quiet = as_json or not sys.stderr.isatty()
        work = run(
            where, port, seat, clock=open_clock(clock), by=by, station=station, replace=replace,
            say=(lambda _: None) if quiet else status.update,
        )  # fmt: skip
        done = asyncio.run(work)
    if as_json:
        import msgspec

        print(json.dumps(msgspec.to_builtins(done) | {"state": "selftest_pending"}))
        return
    way = f"Wi-Fi {done.wifi}" if done.wifi else "cable only"
    say = Console(highlight=False, soft_wrap=True).print
    say(f"{done.station} ({done.board}, {done.firmware}) is {done.seat} of {done.site}: "
        f"configuration {done.generation}, {way}, language {done.language}.")  # fmt: skip
    say("Operativa pendiente de autoprueba: it is fit for work once its self-test is done.")
