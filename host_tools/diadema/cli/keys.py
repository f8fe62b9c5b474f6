"""`diadema keys`: the key that signs updates, and the broker's CA."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from diadema.cli.run import AsJson, Data, Run, group
from diadema.cli.speech import say

if TYPE_CHECKING:
    from diadema.stations.update.keys import PrivateKey

app = group("The key that signs updates, and that of the broker.")


@app.command("make")
def make_key(
    file: Annotated[Path, typer.Argument(help="Where it is to lie, on the machine that signs.")],
    passphrase: Annotated[
        bool, typer.Option("--passphrase", help="Ask for one, without which it is of no use.")
    ] = False,
) -> None:
    """Make a key. FILE never leaves this machine; FILE.pub is for the hub.

    Example: diadema keys make KEY
    """
    from diadema.stations.update import keys

    secret = None
    if passphrase:
        secret = typer.prompt(
            say("keys.passphrase"), hide_input=True, confirmation_prompt=True, err=True
        )
    public = keys.make(file, secret)
    print(say("keys.private", file=file))
    print(say("keys.public", file=keys.public_path(file)))
    print(say("keys.fingerprint", fingerprint=public.fingerprint))


@app.command()
def show(
    file: Annotated[Path, typer.Argument(help="A private key, or the .pub of one.")],
    as_json: AsJson = False,
) -> None:
    """Print the public part: the fingerprint, and what stations get.

    Example: diadema keys show KEY.pub
    """
    from diadema.stations.update import keys

    public = keys.load_public(file) if file.suffix == ".pub" else load_private(file).public
    Run(as_json=as_json).answer(
        {"fingerprint": public.fingerprint, "update_key": public.text},
        say("keys.fingerprint", fingerprint=public.fingerprint),
        public.text,
    )


@app.command()
def install(
    file: Annotated[Path, typer.Argument(help="The .pub of the key that signs from now on.")],
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Give the hub the public key; stations get it with their configuration, and then take what
    it signed.

    Example: diadema keys install KEY.pub
    """
    from diadema.base.paths import write_whole
    from diadema.stations.update import keys

    public = keys.load_public(file)
    run = Run(data, as_json=as_json)
    run.data.make()
    write_whole(run.data.update_key, public.text.encode() + b"\n")
    generation, when = None, say("keys.later")
    if run.data.read_hub() is not None and run.data.site.exists():
        generation = run.ask_hub("hub.site", {})["generation"]
        when = say("in_force", generation=generation)
    run.answer(
        {"fingerprint": public.fingerprint, "generation": generation},
        say("keys.known", fingerprint=public.fingerprint),
        when,
    )


@app.command("renew-ca")
def renew_ca(data: Data = None, as_json: AsJson = False) -> None:
    """Give the broker another CA, as when the key of the old one may be stolen.

    The hub must run. Stations get the new one beside the old one, which goes by itself once
    each of them holds both.

    Example: diadema keys renew-ca
    """
    run = Run(data, as_json=as_json)
    generation = run.ask_hub("hub.ca", {})["generation"]
    run.answer(
        {"generation": generation},
        say("keys.next_ca", generation=generation),
        say("keys.gateways"),
    )


def load_private(file: Path) -> "PrivateKey":
    """Asks for the passphrase if it has one. Raises UpdateError."""
    from diadema.stations.update import keys

    try:
        return keys.load(file)
    except keys.NeedsPassphrase:
        return keys.load(
            file, typer.prompt(say("keys.passphrase_of", file=file), hide_input=True, err=True)
        )
