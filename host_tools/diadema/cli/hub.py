"""`diadema hub`: broker, ingest and web on this machine."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from diadema.cli.run import AsJson, Clock, Data, Run, console, run_until_signal
from diadema.cli.speech import say

if TYPE_CHECKING:
    from diadema.base.paths import DataDir
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
                show(running)
            await running.serve()

    run_until_signal(serve())


def show(running: "Hub") -> None:
    """Where it is, and what is still to do."""
    tell = console(soft_wrap=True).print
    tell(say("hub.up", url=f"[bold]{running.url}[/bold]"))
    for line in Run(running.data.root).held:
        tell(f"[bold red]{line}[/bold red]")
    if running.set_up_code is not None:
        code = f"[bold]{running.set_up_code}[/bold]"
        tell(say("hub.set_up", url=running.url, code=code))
    if running.accounts_lost:
        tell(f"[bold red]{say('hub.accounts_lost')}[/bold red]")
        tell(say("hub.restore_accounts"))
    if running.pages_ca is not None:
        tell(say("hub.pages_ca", file=running.pages_ca))
    if running.pages_ca_is_new:
        tell(say("hub.new_pages_ca"))
    host, port = running.mqtt
    tell(say("hub.stations", host=host, port=port))
    tell(say("hub.data", folder=running.data.root))
    if not running.data.site.exists():
        tell(say("hub.not_published" if _has_entries(running.data) else "hub.no_site"))
    tell(say("ends"))


def _has_entries(data: "DataDir") -> bool:
    """Whether the directory has anything that could be published."""
    from diadema.site.directory.book import Directory

    if not data.directory.exists():
        return False
    with Directory(data.directory) as book:
        return book.last_change() > 0
