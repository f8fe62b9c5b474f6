"""`diadema provision`: a station on a cable gets its seat and its configuration."""

import asyncio
from typing import Annotated

import typer

from diadema.cli.run import AsJson, Clock, Data, DoneBy, Run
from diadema.cli.speech import say


def provision(
    port: Annotated[str, typer.Option("--port", help="As /dev/ttyUSB0.")],
    seat: Annotated[str, typer.Option("--seat", help="Where it will stand.")],
    by: DoneBy = "diadema",
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
    """Give the station on this cable its seat and configuration.

    The hub that runs makes its key, its credential and its configuration (site, Wi-Fi, broker, CA,
    language), and sets its clock. It comes back when the station says that it has them. Its
    self-test is still to be done.

    Example: diadema provision --port /dev/ttyUSB0 --seat A-01
    """
    import msgspec

    from diadema.stations.provision import provision as work

    run = Run(data, clock, as_json=as_json)
    with run.status() as tell:
        done = asyncio.run(
            work(
                run.data,
                port,
                seat,
                clock=run.clock,
                by=by,
                station=station,
                replace=replace,
                say=tell,
            )
        )
    way = f"Wi-Fi {done.wifi}" if done.wifi else say("provision.cable")
    run.answer(
        msgspec.to_builtins(done) | {"state": "selftest_pending"},
        say("provision.done", way=way, **msgspec.to_builtins(done)),
        say("provision.selftest", seat=done.seat),
    )
