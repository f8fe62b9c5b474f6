"""The command `diadema`: a thin skin over what programs can call too.

Imports are made where they are used, so that `diadema --help` is there at once. Exit code 0: done;
1: it ran and something is wrong; 2: it could not begin, and the message says what to do.
"""

import asyncio
import importlib
import importlib.util
import json
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any

import typer

from diadema.base.errors import DiademaError
from diadema.cli.account import app as account_app
from diadema.cli.boards import app as board_app
from diadema.cli.export import app as export_app
from diadema.cli.flash import flash
from diadema.cli.fleet import app as fleet_app
from diadema.cli.image import app as image_app
from diadema.cli.imports import app as import_app
from diadema.cli.label import label
from diadema.cli.ledger import app as ledger_app
from diadema.cli.options import (
    AsJson,
    Clock,
    Data,
    data_root,
)
from diadema.cli.people import app as people_app
from diadema.cli.pin import pin
from diadema.cli.privacy import app as privacy_app
from diadema.cli.prove import app as prove_app
from diadema.cli.provision import provision
from diadema.cli.report import app as report_app
from diadema.cli.selftest import app as selftest_app
from diadema.cli.update import app as update_app
from diadema.cli.update import keys_app

app = typer.Typer(
    name="diadema",
    help="An open desk station for call-centre agents, and the host tools behind it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(account_app, name="account")
app.add_typer(board_app, name="board")
app.add_typer(export_app, name="export")
app.add_typer(fleet_app, name="fleet")
app.add_typer(image_app, name="image")
app.add_typer(import_app, name="import")
app.add_typer(keys_app, name="keys")
app.add_typer(ledger_app, name="ledger")
app.add_typer(people_app, name="people")
app.add_typer(prove_app, name="prove")
app.add_typer(privacy_app, name="privacy")
app.add_typer(report_app, name="report")
app.add_typer(selftest_app, name="selftest")
app.add_typer(update_app, name="update")
app.command()(flash)
app.command()(label)
app.command()(pin)
app.command()(provision)


def main() -> None:
    """The entry point. Ctrl-C ends it with 130, as a shell expects."""
    from diadema.base.paths import keep_private

    keep_private()
    try:
        _main()
    except KeyboardInterrupt:
        sys.exit(130)


def _main() -> None:
    own = {command.callback.__name__ for command in _OWN if command.callback}
    if not (own | {group.name for group in _OWN_GROUPS}) & {*sys.argv[1:2]}:
        _join()
    try:
        app()
    except DiademaError as error:
        fail(error)


def _join() -> None:
    """Commands of other rooms come in where their room is there; only when they may be meant."""
    if importlib.util.find_spec("diadema_sim") and importlib.util.find_spec("diadema_sim.cli"):
        more = importlib.import_module("diadema_sim.cli").app
        app.registered_commands = [*_OWN, *more.registered_commands]
        app.registered_groups = [*_OWN_GROUPS, *more.registered_groups]


def fail(error: Exception) -> None:
    """Say what is wrong and end with code 2."""
    print(f"diadema: {error}", file=sys.stderr)
    sys.exit(2)


def run_until_signal(work: Coroutine[Any, Any, None]) -> None:
    """Run `work`; Ctrl-C and SIGTERM end it in order, and so does the end of whoever started it
    with a pipe as its standard input. Raises what it raises.
    """
    from diadema.base.processes import on_closed_input

    async def runner() -> None:
        task = asyncio.ensure_future(work)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, task.cancel)
        on_closed_input(lambda: loop.call_soon_threadsafe(task.cancel))
        try:
            await task
        except asyncio.CancelledError:
            if not task.cancelled():
                raise

    asyncio.run(runner())


@app.command()
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
    """Run the broker, the ingest and the web until Ctrl-C."""
    import logging

    from diadema.base.logs import begin_log
    from diadema.hub.child import PageDoor
    from diadema.hub.hub import Hub

    begin_log(logging.INFO, "%(asctime)s %(message)s")

    async def serve() -> None:
        async with Hub(
            data_root(data),
            port=port,
            door=PageDoor(host, tls_cert, tls_key, tuple(proxy or ())),
            mqtt_port=mqtt_port,
            mqtt_host=mqtt_host,
            clock=clock,
            require_proof=require_proof,
        ) as running:
            if as_json:
                print(running.data.hub.read_text(), flush=True)
            else:
                _say(f"Diadema is up: [bold]{running.url}[/bold]")
                if running.set_up_code is not None:
                    _say("There is no account yet. Make the first administrator at")
                    _say(f"{running.url}/setup with the code [bold]{running.set_up_code}[/bold]")
                if running.accounts_lost:
                    _say("[bold red]There were accounts, and there are none.[/bold red]")
                    _say("Restore accounts.sqlite3 from a backup, and enter that:")
                    _say("diadema ledger restored REASON")
                if running.pages_ca is not None:
                    _say(f"Browsers are to trust {running.pages_ca}")
                if running.pages_ca_is_new:
                    _say("[bold]It is new: install it in each browser[/bold], and take out any")
                    _say("older «Diadema CA»: whoever had its key could be any site to them.")
                _say("Stations by MQTT: {}:{}".format(*running.mqtt))
                _say(f"Data: {running.data.root}")
                if not running.data.site.exists():
                    _say("No site is in force, so no station gets a configuration:")
                    _say("diadema site example > site.json, change it, diadema site site.json")
                _say("Ctrl-C ends it.")
            await asyncio.Event().wait()

    run_until_signal(serve())


@app.command()
def gateway(
    ports: Annotated[list[str], typer.Argument(metavar="PORT...", help="As /dev/ttyUSB0.")],
    data: Data = None,
    name: Annotated[str, typer.Option(help="One of its own for each gateway here.")] = "gw",
    access: Annotated[
        Path | None,
        typer.Option(help="Of a hub elsewhere: what `diadema enrol gateway NAME --json` says."),
    ] = None,
) -> None:
    """Carry the stations on these serial ports to the hub until Ctrl-C."""
    import logging

    from diadema.base.logs import begin_log
    from diadema.base.paths import DataDir
    from diadema.gateway import access as gateway_access
    from diadema.gateway.bridge import Gateway

    elsewhere = gateway_access.load(access) if access else None
    if elsewhere is not None:
        name = elsewhere.user.removeprefix("gw-")

    begin_log(logging.INFO, "%(asctime)s %(message)s")
    run_until_signal(Gateway(DataDir(data_root(data)), ports, name, elsewhere).run())


@app.command()
def schema(
    asyncapi: Annotated[
        bool, typer.Option("--asyncapi", help="The whole wire as an AsyncAPI document.")
    ] = False,
) -> None:
    """Print the JSON Schema of the events."""
    from diadema.wire import schema as published

    document = published.asyncapi() if asyncapi else published.event_schema()
    print(json.dumps(document, indent=2, ensure_ascii=False))


@app.command()
def site(
    file: Annotated[
        Path, typer.Argument(help="The site's description; `example` prints one to start from.")
    ],
    data: Data = None,
    check: Annotated[bool, typer.Option("--check", help="Only look whether it is right.")] = False,
    as_json: AsJson = False,
) -> None:
    """Check a site's description, put it in force, and tell the hub if it runs."""
    from diadema.base.paths import DataDir
    from diadema.cli.site import example, install_site

    if file == Path("example") and not file.exists():
        print(example())
        return
    done = install_site(file, None if check else data_root(data))
    if as_json:
        print(json.dumps(done))
        return
    _say(f"{done['stations']} stations, {done['agents']} agents: the description is right.")
    if done["generation"] is not None:
        _say(f"In force as generation {done['generation']}; stations get it now.")
    elif not check:
        _say("Stored; the hub takes it at its next start.")
    if not check and DataDir(data_root(data)).directory.exists():
        _say("People and places are kept here too: `diadema people take-in --by NAME` takes this")
        _say("in; without it the next `diadema people publish` would undo it.")


@app.command()
def enrol(
    station: Annotated[
        str, typer.Argument(help="As DIA-0123456789ab; site.json names it. Or: gateway.")
    ],
    name: Annotated[str | None, typer.Argument(help="Of the gateway.", show_default=False)] = None,
    data: Data = None,
    renew: Annotated[
        bool, typer.Option("--renew", help="New key and password; `provision` brings them.")
    ] = False,
    revoke: Annotated[bool, typer.Option("--revoke", help="Let it in no more.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show, renew or revoke the credential by which a station, or a gateway, gets in by MQTT."""
    from diadema.base.paths import DataDir
    from diadema.hub.enrol import enrol as ask

    if renew and revoke:
        raise DiademaError("either --renew or --revoke")
    if (station == "gateway") != (name is not None):
        raise DiademaError("a gateway has a name: diadema enrol gateway NAME")
    whom = station if name is None else f"gw-{name}"
    done = ask(DataDir(data_root(data)), whom, renew=renew, revoke=revoke)
    if as_json:
        print(json.dumps(done))
    elif done["password"] is None:
        _say(f"{whom} may not connect.")
    else:
        _say(f"{done['host']}:{done['port']}, user {done['user']}, password {done['password']}")


@app.command()
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
    """Make the configuration by which mosquitto stands in for the stations' door.

    The hub must run, with another --mqtt-port. Stations are told the new door at once; the hub
    keeps mosquitto's passwords as its own are.
    """
    from diadema.base.paths import DataDir
    from diadema.wire.ask_hub import ask_hub

    body = {"remove": True} if remove else {"port": port, "host": host}
    done = asyncio.run(ask_hub(DataDir(data_root(data)), "hub.mosquitto", body))
    if as_json:
        print(json.dumps(done))
    elif remove:
        _say("Stations are told the hub's own door; mosquitto can be stopped.")
    else:
        _say(f"Run it as the user of the hub: mosquitto -c {done['conf']}")


@app.command()
def rebuild(
    data: Data = None,
    apply: Annotated[
        bool, typer.Option("--apply", help="Put what was rebuilt in the place of what differs.")
    ] = False,
    as_json: AsJson = False,
    clock: Clock = None,
) -> None:
    """Work contacts, sessions and figures out again from the raw events, and compare."""
    from diadema.cli.rebuild import run

    sys.exit(run(data_root(data), clock, apply=apply, as_json=as_json))


_OWN = list(app.registered_commands)
_OWN_GROUPS = list(app.registered_groups)


def _say(text: str) -> None:
    from rich.console import Console

    Console(highlight=False, soft_wrap=True).print(text)


if __name__ == "__main__":
    main()
