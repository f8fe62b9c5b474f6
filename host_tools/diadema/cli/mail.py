"""`diadema mail`: which server sends scheduled reports, and to whom they may be sent at all."""

import asyncio
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from diadema.cli.account import opened
from diadema.cli.run import AsJson, Data, Run, group, read_ca, read_file
from diadema.cli.speech import say

app = group("Server and addresses of scheduled reports by mail.")
Address = Annotated[str, typer.Argument(help="As rrhh@centro.pe.")]


@app.command("set")
def set_(
    server: Annotated[str, typer.Option("--server", help="Its name, as its certificate has it.")],
    sender: Annotated[str, typer.Option("--from", help="The address that mail comes from.")],
    port: Annotated[int, typer.Option("--port", help="587; with tls as a rule 465.")] = 587,
    security: Annotated[
        str, typer.Option("--security", help="starttls, or tls from the first byte.")
    ] = "starttls",
    user: Annotated[str, typer.Option("--user", help="Default: no login.")] = "",
    password_file: Annotated[
        Path | None, typer.Option("--password-file", help="Its first line is the password.")
    ] = None,
    ca: Annotated[
        Path | None, typer.Option("--ca", help="PEM file of its CA. Default: the system's.")
    ] = None,
    data: Data = None,
) -> None:
    """Set the server that takes the mail; always over TLS, its certificate checked.

    Example: diadema mail set --server smtp.centro.pe --from reportes@centro.pe
    """
    from diadema.base import mail

    run = Run(data)
    password = ""
    if password_file is not None:
        password = read_file(password_file).decode(errors="replace").partition("\n")[0].strip()
    given = mail.Server(
        host=server,
        port=port,
        security=cast(Any, security),
        sender=sender,
        user=user,
        ca=read_ca(ca),
    )
    with opened(run) as accounts:
        mail.set_server(run.data, given, password)
        accounts.audit.record(run.person, "mail.set", server=server)


@app.command()
def show(data: Data = None, as_json: AsJson = False) -> None:
    """The server and the addresses; never the password.

    Example: diadema mail show
    """
    from diadema.base import mail

    run = Run(data, as_json=as_json)
    known = mail.load(run.data)
    server = known.server
    lines = [
        say("mail.server", host=server.host, port=server.port, security=server.security,
            sender=server.sender, user=server.user or "—",
            ca=say("mail.own_ca") if server.ca else "—")
        if server
        else say("mail.none")
    ]  # fmt: skip
    for address, is_hr in sorted(known.addresses.items()):
        lines.append(f"{address}  {say('mail.hr') if is_hr else ''}".rstrip())
    run.answer(known, *lines)


@app.command()
def allow(
    address: Address,
    hr: Annotated[
        bool, typer.Option("--hr", help="Human resources': attendance may be sent to it.")
    ] = False,
    data: Data = None,
) -> None:
    """Let reports be sent to this address, by whoever may have them.

    Example: diadema mail allow rrhh@centro.pe --hr
    """
    from diadema.base import mail

    run = Run(data)
    with opened(run) as accounts:
        mail.allow(run.data, address, hr)
        accounts.audit.record(run.person, "mail.allow", address=address, hr=hr)


@app.command()
def deny(address: Address, data: Data = None) -> None:
    """Let nothing more be sent to this address.

    Example: diadema mail deny rrhh@centro.pe
    """
    from diadema.base import mail

    run = Run(data)
    with opened(run) as accounts:
        mail.deny(run.data, address)
        accounts.audit.record(run.person, "mail.deny", address=address)


@app.command()
def test(address: Address, data: Data = None, as_json: AsJson = False) -> None:
    """Send a short message there, so that you see whether it comes.

    Example: diadema mail test rrhh@centro.pe
    """
    from diadema.base import mail

    run = Run(data, as_json=as_json)
    server = mail.server_of(mail.load(run.data))
    to = [mail.listed(run.data, address)]
    letter = mail.message(server, to, say("mail.test.subject"), say("mail.test.body"))
    asyncio.run(mail.send(run.data, server, to, letter.as_bytes()))
    run.answer({"sent": to}, say("mail.sent", address=address))
