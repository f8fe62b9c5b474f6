"""`diadema webhook`: to which programs outside alerts are sent."""

import asyncio
from datetime import UTC
from pathlib import Path
from typing import Annotated

import typer

from diadema.cli.account import opened
from diadema.cli.run import AsJson, Data, Run, group, read_ca
from diadema.cli.speech import say
from diadema.words.formatting import local_time

app = group("Programs that are sent each alert, without names.")
Name = Annotated[str, typer.Argument(help="Of its own: letters, digits, - and _.")]


@app.command()
def add(
    name: Name,
    url: Annotated[str, typer.Argument(help="Of HTTPS, on the internet.")],
    networks: Annotated[
        list[str] | None,
        typer.Option("--network", help="Inside the house, where it may be; as often as needed."),
    ] = None,
    ca: Annotated[
        Path | None, typer.Option("--ca", help="PEM file of its CA. Default: the system's.")
    ] = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Send alerts there; prints the secret by which the receiver checks the signature, once.

    Example: diadema webhook add avisos https://avisos.centro.pe/diadema
    """
    from diadema.base import webhooks

    run = Run(data, as_json=as_json)
    hook = webhooks.Hook(name=name, url=url, networks=networks or [], ca=read_ca(ca))
    with opened(run) as accounts:
        secret = webhooks.add(run.data, hook)
        accounts.audit.record(run.person, "webhook.add", webhook=name, url=url)
    run.answer({"name": name, "secret": secret}, secret)


@app.command("list")
def list_(data: Data = None, as_json: AsJson = False) -> None:
    """Where alerts are sent, and what does not work.

    Example: diadema webhook list
    """
    from diadema.base import webhooks

    run = Run(data, as_json=as_json)
    found = webhooks.hooks(run.data)
    lines = []
    for one in found:
        lines.append(f"{one.name}  {one.url}  {' '.join(one.networks)}".rstrip())
        if one.failing_ms:
            since = local_time(one.off_ms or one.failing_ms, UTC)
            word = "webhook.off" if one.off_ms else "webhook.failing"
            lines.append(say(word, name=one.name, since=since, reason=one.reason))
    run.answer(found, *(lines or [say("webhook.none")]), *run.held)


@app.command()
def on(name: Name, data: Data = None) -> None:
    """Send there again, after it was turned off for a day of failures.

    Example: diadema webhook on avisos
    """
    from diadema.base import webhooks

    run = Run(data)
    with opened(run) as accounts:
        webhooks.turn_on(run.data, name)
        accounts.audit.record(run.person, "webhook.on", webhook=name)


@app.command()
def remove(name: Name, data: Data = None) -> None:
    """Send nothing there any more.

    Example: diadema webhook remove avisos
    """
    from diadema.base import webhooks

    run = Run(data)
    with opened(run) as accounts:
        webhooks.remove(run.data, name)
        accounts.audit.record(run.person, "webhook.remove", webhook=name)


@app.command()
def test(name: Name, data: Data = None, as_json: AsJson = False) -> None:
    """Send a test there, so that you see whether it comes; also to one that is off.

    Example: diadema webhook test avisos
    """
    from diadema.base import webhooks

    run = Run(data, as_json=as_json)
    asyncio.run(webhooks.try_out(run.data, name))
    run.answer({"sent": name}, say("webhook.sent", name=name))
