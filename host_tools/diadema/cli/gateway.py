"""`diadema gateway`: cables of stations, carried to the hub."""

from pathlib import Path
from typing import Annotated

import typer

from diadema.cli.run import Data, Run, run_until_signal


def gateway(
    ports: Annotated[list[str], typer.Argument(metavar="PORT...", help="As /dev/ttyUSB0.")],
    data: Data = None,
    name: Annotated[str, typer.Option(help="One of its own for each gateway here.")] = "gw",
    access: Annotated[
        Path | None,
        typer.Option(help="Of a hub elsewhere: what `diadema enrol gateway NAME --json` says."),
    ] = None,
) -> None:
    """Carry the stations on these serial ports to the hub.

    Runs until Ctrl-C.

    Example: diadema gateway /dev/ttyUSB0 /dev/ttyUSB1
    """
    from diadema.gateway.access import load
    from diadema.gateway.bridge import Gateway

    elsewhere = load(access) if access else None
    if elsewhere is not None:
        name = elsewhere.user.removeprefix("gw-")
    run_until_signal(Gateway(Run(data).data, ports, name, elsewhere).run())
