"""`diadema standby`: a second machine that is ready to take over a site."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from diadema.base.errors import DiademaError
from diadema.cli.hub import show
from diadema.cli.run import (
    AsJson,
    Clock,
    Data,
    Run,
    RunFirst,
    group,
    print_json,
    run_until_signal,
    writing,
)
from diadema.cli.speech import language, say
from diadema.words import Sentence
from diadema.words.formatting import local_time

if TYPE_CHECKING:
    from diadema.hub.standby import TakenOver

app = group("A second machine that is ready to take over the site.", cls=RunFirst)


@app.command()
def run(
    of: Annotated[str, typer.Option("--of", metavar="URL", help="The hub's pages, by HTTPS.")],
    credential: Annotated[
        Path, typer.Option("--credential", metavar="FILE", help="Of `diadema standby allow`.")
    ],
    here: Annotated[
        str,
        typer.Option(
            "--here",
            metavar="URL",
            help="This machine's pages once it has taken over: the hub of before asks there.",
        ),
    ],
    every: Annotated[
        int, typer.Option("--every", metavar="MINUTES", min=1, max=1440, help="Between backups.")
    ] = 15,
    data: Data = None,
    clock: Clock = None,
) -> None:
    """Copy the hub's stream and, each 15 minutes, a sealed backup, until Ctrl-C.

    `diadema standby --of URL …` is the same. The directory is to be a new one.

    Example: diadema standby --of https://diadema1:8600 --here https://diadema2:8600
    --credential reserva.json
    """
    from diadema.hub.standby import Standby, read_credential

    one = Run(data, clock)
    given = read_credential(credential)
    standby = Standby(one.data, of, here, given, one.clock, language(), every * 60)
    run_until_signal(standby.run())


@app.command()
def allow(
    name: Annotated[str, typer.Argument(help="Of the standby, as reserva.")],
    file: Annotated[Path, typer.Argument(help="The file to write, for the standby's machine.")],
    days: Annotated[int, typer.Option("--days", min=1, help="How long it is good.")] = 730,
    data: Data = None,
) -> None:
    """On the hub: write a credential by which a standby may copy everything.

    `diadema account token` lists it with the others, `diadema account token --revoke NUMBER`
    ends it.

    Example: diadema standby allow reserva reserva.json
    """
    import msgspec

    from diadema.base.certificates import PageCertificates
    from diadema.base.paths import write_whole
    from diadema.cli.account import opened
    from diadema.hub.standby import Credential

    one = Run(data)
    ca = PageCertificates(one.data.tls).ca
    if not ca.exists():
        raise DiademaError(Sentence("errors.hub.standby_no_ca", root=one.data.root))
    with opened(one) as accounts:
        token = accounts.tokens.add(one.person, name, "standby", days=days)
    with writing(file):
        write_whole(file, msgspec.json.encode(Credential(token=token, ca=ca.read_text())))
    print(say("standby.allowed", file=file, days=days))


@app.command("take-over")
def take_over(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the web pages.")] = 8600,
    host: Annotated[str, typer.Option(help="Address of the web pages.")] = "0.0.0.0",
    mqtt_port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port for stations by MQTT over TLS.")
    ] = 8883,
    mqtt_host: Annotated[str, typer.Option(help="Address for stations by MQTT.")] = "0.0.0.0",
    only_restore: Annotated[
        bool, typer.Option("--only-restore", help="Start no hub: its service is to do that.")
    ] = False,
    data: Data = None,
    as_json: AsJson = False,
    clock: Clock = None,
) -> None:
    """Serve the site from here, in the place of a hub that is gone. Stop `diadema standby` first.

    Makes the data directory of the last backup, goes on by the copy of the stream, and runs the
    hub until Ctrl-C. The hub of before does not start again, if it can ask here.

    Example: diadema standby take-over --data DIR
    """
    from diadema.hub.child import WebEndpoint
    from diadema.hub.hub import Hub
    from diadema.hub.standby import take_over as work

    begun = time.monotonic()
    one = Run(data, clock, as_json=as_json)
    with one.progress(say("progress.bytes")) as progress:
        done = work(one.data, one.clock, one.person, progress)
    if only_restore:  # nobody serves yet
        _tell(one, done, None)
        return

    async def serve() -> None:
        async with Hub(
            one.data.root,
            port=port,
            endpoint=WebEndpoint(host),
            mqtt_port=mqtt_port,
            mqtt_host=mqtt_host,
            clock=clock,
        ) as running:
            _tell(one, done, time.monotonic() - begun)
            if not as_json:
                show(running)
            await running.serve()

    run_until_signal(serve())


def _tell(run: Run, done: "TakenOver", rto_s: float | None) -> None:
    """`rto_s`: until all of the hub was up; None where it is started by others."""
    if run.as_json:
        print_json({"taken_over": done, "rto_s": None if rto_s is None else round(rto_s, 1)})
        return

    def moment(utc_ms: int) -> str:
        return local_time(utc_ms, run.zone.key)

    restored = done.restored
    is_served = "standby.taken_over" if rto_s is not None else "standby.only_restored"
    print(say(is_served, root=run.data.root, term=done.term))
    heard = moment(done.heard_ms) if done.heard_ms else "—"
    level = "standby.events_level" if done.events_rpo_s == 0 else "standby.events_behind"
    print(say(level, heard=heard, messages=done.behind))
    minutes = "—" if done.people_rpo_s is None else round(done.people_rpo_s / 60, 1)
    made = moment(restored.manifest.made_ms)
    print(say("standby.people", made=made, minutes=minutes))
    if rto_s is not None:
        print(say("standby.rto", seconds=round(rto_s, 1)))
    print(say("standby.fence"))


@app.command()
def reclaim(data: Data = None) -> None:
    """On a hub in whose place another serves: let this one serve again.

    Only once the other is stopped for good: what it took in since then is not here.

    Example: diadema standby reclaim --data DIR
    """
    from diadema.base.locks import alone
    from diadema.base.standing import reclaim as work

    one = Run(data)
    with alone(one.data, "standby reclaim"):
        print(say("standby.reclaimed", term=work(one.data).term))
