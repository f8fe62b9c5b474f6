"""`diadema hub`: broker, ingest and web on this machine."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from diadema.cli.run import AsJson, Clock, Data, Run, console, run_until_signal

if TYPE_CHECKING:
    from diadema.hub.hub import Hub


def hub(
    data: Data = None,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of the web pages; 0 takes a free one.")
    ] = 8600,
    host: Annotated[
        str, typer.Option(help="Address of the web pages; another than this one means HTTPS.")
    ] = "127.0.0.1",
    tls_cert: Annotated[
        Path | None, typer.Option(help="Certificate of the pages. Default: one of the hub's CA.")
    ] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Its key.")] = None,
    proxy: Annotated[
        list[str] | None,
        typer.Option(help="Address of a proxy before the pages, whose X-Forwarded-… is believed."),
    ] = None,
    mqtt_port: Annotated[
        int,
        typer.Option(
            min=0, max=65535, help="Port for stations by MQTT over TLS; 0 takes a free one."
        ),
    ] = 8883,
    mqtt_host: Annotated[
        str, typer.Option(help="Address for stations by MQTT; 0.0.0.0 is every one.")
    ] = "127.0.0.1",
    require_proof: Annotated[
        bool,
        typer.Option(
            "--require-proof",
            help="Hear a cable only when its station proves its key; once all have this program.",
        ),
    ] = False,
    as_json: AsJson = False,
    clock: Clock = None,
) -> None:
    """Run the broker, the ingest and the web until Ctrl-C.

    Example: diadema hub --port 8600
    """
    from diadema.hub.child import WebEndpoint
    from diadema.hub.hub import Hub

    run = Run(data)

    async def serve() -> None:
        async with Hub(
            run.data.root,
            port=port,
            endpoint=WebEndpoint(host, tls_cert, tls_key, tuple(proxy or ())),
            mqtt_port=mqtt_port,
            mqtt_host=mqtt_host,
            clock=clock,
            require_proof=require_proof,
        ) as running:
            if as_json:
                print(running.data.hub.read_text(), flush=True)
            else:
                _show(running)
            await asyncio.Event().wait()

    run_until_signal(serve())


def _show(running: "Hub") -> None:
    say = console(soft_wrap=True).print
    say(f"Diadema is up: [bold]{running.url}[/bold]")
    if running.set_up_code is not None:
        say("There is no account yet. Make the first administrator at")
        say(f"{running.url}/setup with the code [bold]{running.set_up_code}[/bold]")
    if running.accounts_lost:
        say("[bold red]There were accounts, and there are none.[/bold red]")
        say("Restore accounts.sqlite3 from a backup, and enter that:")
        say("diadema ledger restored REASON")
    if running.pages_ca is not None:
        say(f"Browsers are to trust {running.pages_ca}")
    if running.pages_ca_is_new:
        say("[bold]It is new: install it in each browser[/bold], and take out any")
        say("older «Diadema CA»: whoever had its key could be any site to them.")
    say("Stations by MQTT: {}:{}".format(*running.mqtt))
    say(f"Data: {running.data.root}")
    if not running.data.site.exists():
        say("No site is in force, so no station gets a configuration:")
        say("diadema site example > site.json, change it, diadema site site.json")
    say("Ctrl-C ends it.")
