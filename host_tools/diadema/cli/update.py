"""`diadema keys` and the part of `diadema update` that needs no hub: bundles, and safe mode."""

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from diadema.cli.options import AsJson, Data, data_root
from diadema.cli.update_hub import app

if TYPE_CHECKING:
    from diadema.stations.update.bundle import Bundle
    from diadema.stations.update.keys import PrivateKey

__all__ = ["app", "keys_app"]

keys_app = typer.Typer(
    help="The key that signs updates, and that of the broker.",
    no_args_is_help=True,
    add_completion=False,
)


@keys_app.command("make")
def make_key(
    file: Annotated[Path, typer.Argument(help="Where it is to lie, on the machine that signs.")],
    passphrase: Annotated[
        bool, typer.Option("--passphrase", help="Ask for one, without which it is of no use.")
    ] = False,
) -> None:
    """Make a key. FILE never leaves this machine; FILE.pub is for the hub."""
    from diadema.stations.update import keys

    secret = None
    if passphrase:
        secret = typer.prompt("Passphrase", hide_input=True, confirmation_prompt=True, err=True)
    public = keys.make(file, secret)
    print(f"{file}: keep it here, and a copy where nobody else can get at it.")
    print(f"{keys.public_path(file)}: `diadema keys install` gives it to the hub.")
    print(f"Fingerprint {public.fingerprint}")


@keys_app.command()
def show(
    file: Annotated[Path, typer.Argument(help="A private key, or the .pub of one.")],
    as_json: AsJson = False,
) -> None:
    """Print the public part: the fingerprint, and what stations are told."""
    from diadema.stations.update import keys

    public = keys.load_public(file) if file.suffix == ".pub" else _load(file).public
    if as_json:
        print(json.dumps({"fingerprint": public.fingerprint, "update_key": public.text}))
    else:
        print(f"Fingerprint {public.fingerprint}")
        print(public.text)


@keys_app.command()
def install(
    file: Annotated[Path, typer.Argument(help="The .pub of the key that signs from now on.")],
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Give the hub the public key; stations get it with their configuration, and then take what
    it signed.
    """
    from diadema.base.paths import DataDir, write_whole
    from diadema.stations.update import keys
    from diadema.wire.ask_hub import ask_hub

    public = keys.load_public(file)
    where = DataDir(data_root(data))
    where.make()
    write_whole(where.update_key, public.text.encode() + b"\n")
    generation = None
    if where.read_hub() is not None and where.site.exists():
        generation = asyncio.run(ask_hub(where, "hub.site", {}))["generation"]
    if as_json:
        print(json.dumps({"fingerprint": public.fingerprint, "generation": generation}))
        return
    print(f"The hub knows the key {public.fingerprint}.")
    if generation is None:
        print("Stations get it when the hub runs.")
    else:
        print(f"In force as generation {generation}; stations get it now.")


@keys_app.command("renew-ca")
def renew_ca(data: Data = None, as_json: AsJson = False) -> None:
    """Give the broker another CA, as when the key of the old one may be stolen.

    The hub must run. Stations are told the new one beside the old one, which goes by itself once
    each of them holds both.
    """
    from diadema.base.paths import DataDir
    from diadema.wire.ask_hub import ask_hub

    generation = asyncio.run(ask_hub(DataDir(data_root(data)), "hub.ca", {}))["generation"]
    if as_json:
        print(json.dumps({"generation": generation}))
        return
    print(f"In force as generation {generation}; stations get it now, beside the old one, which")
    print("goes when each holds both: `diadema fleet list` names those that do not.")
    print("Gateways on other machines need their file anew: diadema enrol gateway NAME --json")


@app.command()
def bundle(
    board: Annotated[str, typer.Option("--board", help="As `diadema board list` prints it.")],
    key: Annotated[Path, typer.Option("--key", help="The private key that signs it.")],
    micropython: Annotated[
        Path | None,
        typer.Option("--micropython", help="MicroPython itself, of this stock image, instead."),
    ] = None,
    mpy: Annotated[
        str | None,
        typer.Option("--mpy", help="Which .mpy files that one loads, as 6.3, if we do not know."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", help="Default: app-BOARD-VERSION.bundle, or micropython-…"),
    ] = None,
    made: Annotated[
        int | None, typer.Option("--made", help="UTC seconds, to make the same bytes again.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compile the program for a board and sign it; or sign a MicroPython for it."""
    from diadema.base.errors import UpdateError
    from diadema.stations.boards.table import load_board
    from diadema.stations.image.stock import read_stock
    from diadema.stations.update import bundle as bundles
    from diadema.stations.update import micropython as interpreters

    private, about, left = _load(key), load_board(board), ""
    when = int(time.time()) if made is None else made
    if micropython is None:
        data = bundles.make(about, private, when)
    else:
        stock = read_stock(read_file(micropython), about)
        data = interpreters.make(about, stock, private, when, mpy)
        left = f": {interpreters.left(about, stock) // 1000} KB are left of its slot"
        if stock.about.untried:
            print(f"diadema: {stock.about.untried}", file=sys.stderr)
    read = bundles.read(data)
    told = read.manifest
    file = out or Path(f"{told.what or 'app'}-{told.board}-{told.version}.bundle")
    try:
        file.write_bytes(read.data)
    except OSError as error:
        raise UpdateError(f"cannot write {file}: {error.strerror}") from error
    if as_json:
        print(json.dumps(_as_json(read) | {"file": str(file)}))
    else:
        print(f"{file}: {told.board} {told.named}{left}, {len(read.data)} bytes in {read.parts}"
              f" parts, signed by {private.public.fingerprint}")  # fmt: skip


@app.command()
def inspect(
    file: Annotated[Path, typer.Argument(help="A bundle.")],
    key: Annotated[
        Path | None, typer.Option("--key", help="Also look whether this public key signed it.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say what a bundle holds. Exit code 1 when another key than --key signed it."""
    from diadema.stations.update import bundle as bundles
    from diadema.stations.update import keys

    read = bundles.read(read_file(file))
    signed = None if key is None else read.by(keys.load_public(key))
    if signed is False:
        print("another key signed it, or nobody", file=sys.stderr)
        sys.exit(1)
    told = read.manifest
    files = {} if told.what else bundles.files_of(read)
    if as_json:
        print(json.dumps(_as_json(read) | {"signed": signed, "files": files}))
    else:
        print(f"{told.board} {told.named}, made {time.strftime('%F %T', time.gmtime(told.made))}"
              f" UTC, for MicroPython {told.micropython} or newer")  # fmt: skip
        held = f"{told.psram} PSRAM, loads .mpy {told.mpy}, {told.length} bytes"
        if not told.what:
            held = f"{len(files)} files, {sum(files.values())} bytes"
        print(f"{held}; {len(read.data)} bytes to send in {read.parts} parts")
        print(f"SHA-256 {read.sha256}")
        if signed:
            print("signed by that key")


@app.command()
def cable(
    file: Annotated[Path, typer.Argument(help="A bundle for the station's board.")],
    port: Annotated[str, typer.Option("--port", help="As /dev/ttyUSB0.")],
    as_json: AsJson = False,
) -> None:
    """Bring a program, or a MicroPython, to a station in safe mode over its cable; no gateway may
    have it.

    It comes back when the station runs it. After a pulled cable, repeat the command.
    """
    from rich.console import Console

    from diadema.stations.update import bundle as bundles
    from diadema.stations.update.cable import bring

    read = bundles.read(read_file(file))
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    with console.status("", spinner="line") as status:
        quiet = as_json or not sys.stderr.isatty()
        hello = asyncio.run(bring(read, port, (lambda _: None) if quiet else status.update))
    if as_json:
        told = {"firmware": hello.firmware, "micropython": hello.micropython}
        print(json.dumps({"station": hello.station} | told))
    else:
        print(f"{hello.station} runs {hello.firmware} on MicroPython {hello.micropython}; "
              "`diadema fleet show` tells whether it stays so.")  # fmt: skip


@app.command()
def again(port: Annotated[str, typer.Option("--port", help="As /dev/ttyUSB0.")]) -> None:
    """Let a station in safe mode start its program again, over its cable."""
    from diadema.stations.update.cable import restart

    hello = asyncio.run(restart(port))
    print(
        f"{hello.station} runs {hello.firmware}; `diadema fleet show` tells whether it stays so."
    )


def read_file(file: Path) -> bytes:
    """Raises UpdateError."""
    from diadema.base.errors import UpdateError

    try:
        return file.read_bytes()
    except OSError as error:
        raise UpdateError(f"cannot read {file}: {error.strerror}") from error


def _load(file: Path) -> "PrivateKey":
    """Asks for the passphrase if it has one. Raises UpdateError."""
    from diadema.stations.update import keys

    try:
        return keys.load(file)
    except keys.NeedsPassphrase:
        return keys.load(file, typer.prompt(f"Passphrase of {file}", hide_input=True, err=True))


def _as_json(read: "Bundle") -> dict[str, object]:
    import msgspec

    told: dict[str, object] = msgspec.to_builtins(read.manifest)
    return told | {"bytes": len(read.data), "parts": read.parts, "bundle_sha256": read.sha256}
