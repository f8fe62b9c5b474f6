"""`diadema mosquitto`: mosquitto in place of the hub's own MQTT listener."""

from typing import Annotated

import typer

from diadema.cli.run import AsJson, Data, Run
from diadema.cli.speech import say


def mosquitto(
    data: Data = None,
    port: Annotated[
        int, typer.Option(min=1, max=65535, help="Port for stations by MQTT over TLS.")
    ] = 8883,
    host: Annotated[str, typer.Option(help="Address for stations. Default: every one.")] = "",
    remove: Annotated[
        bool, typer.Option("--remove", help="Stations connect to the hub itself again.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write the configuration for mosquitto to serve the stations.

    It stands in for the hub's own listener. The hub must run, with another --mqtt-port. Stations
    are sent the new address at once; the hub keeps mosquitto's passwords as its own are.

    Example: diadema mosquitto --port 8883
    """
    run = Run(data, as_json=as_json)
    done = run.ask_hub(
        "hub.mosquitto", {"remove": True} if remove else {"port": port, "host": host}
    )
    if remove:
        run.answer(done, say("mosquitto.removed"))
    else:
        run.answer(done, say("mosquitto.run", file=done["conf"]))
