"""`diadema update`: new programs for stations: bundles, roll-outs by a running hub, and cables."""

import asyncio
import sys
import time
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from diadema.cli.keys import load_private
from diadema.cli.run import AsJson, Data, Run, console, group, print_json, read_file, writing
from diadema.words import Sentence
from diadema.words.formatting import local_time

if TYPE_CHECKING:
    from diadema.stations.update.bundle import Bundle

app = group("New programs for stations.")
_MINUTE_MS = 60_000
_STOP_AFTER = typer.Option("--stop-after", min=1, help="Failed stations that end it.")


@app.command()
def start(
    bundle: Annotated[Path, typer.Argument(help="As `diadema update bundle` made it.")],
    first: Annotated[
        str, typer.Option("--first", help="The first stage: a number of stations, or 25%, or all.")
    ] = "2",
    then: Annotated[
        list[str] | None,
        typer.Option("--then", help="A further stage, how many have it in all after it. "
                     "Default: 25%, then all."),
    ] = None,
    stop_after: Annotated[int, _STOP_AFTER] = 1,
    quiet: Annotated[
        float, typer.Option("--quiet", min=0, help="Minutes without a new fault between stages.")
    ] = 5.0,
    only: Annotated[
        list[str] | None, typer.Option("--only", help="This seat or station, and no others.")
    ] = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Begin to bring a program to all stations of its board, stage by stage.

    A station takes it while nobody is logged in there, tries itself, and goes back to the program
    it had when that fails.

    Example: diadema update start app.bundle --first 2 --then 25% --then all
    """
    run = Run(data, as_json=as_json)
    added = _ask(run, do="add", path=str(bundle.absolute()))
    stages = [first, *(["25%", "all"] if then is None else then)]
    plan: dict[str, Any] = {"sha256": added["sha256"], "stages": stages, "stop_after": stop_after}
    plan |= {"quiet_ms": round(quiet * _MINUTE_MS), "only": only or []}
    number = _ask(run, do="start", plan=plan)["number"]
    manifest = added["manifest"]
    run.answer(
        {"number": number, **added},
        f"Roll-out {number}: {manifest['board']} {_named(manifest)}, {added['parts']} parts; "
        f"stages {', then '.join(stages)}.",
        "`diadema update status` shows how it goes.",
    )


@app.command()
def status(
    number: Annotated[int | None, typer.Argument(help="Only this one.")] = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Show the roll-outs, the newest with its stations.

    Example: diadema update status
    """
    known = _ask(Run(data), do="status")["rollouts"]
    shown = [one for one in known if number in (None, one["number"])]
    if number is not None and not shown:
        _refuse(number, known)
    if as_json:
        print_json(shown)
    else:
        _show(shown)


@app.command()
def stop(
    number: Annotated[int, typer.Argument(help="As `diadema update status` shows it.")],
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Begin at no more stations. Who has all of the program goes on by itself.

    Example: diadema update stop 1
    """
    run = Run(data, as_json=as_json)
    _after(run, _ask(run, do="stop", number=number), number)


@app.command()
def resume(
    number: Annotated[int, typer.Argument(help="As `diadema update status` shows it.")],
    stop_after: Annotated[int | None, _STOP_AFTER] = None,
    retry: Annotated[bool, typer.Option("--retry", help="Also where it failed.")] = False,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Go on with one that stopped.

    Example: diadema update resume 1 --retry
    """
    run = Run(data, as_json=as_json)
    done = _ask(run, do="resume", number=number, stop_after=stop_after, retry=retry)
    _after(run, done, number)


def _ask(run: Run, **body: Any) -> dict[str, Any]:
    return run.ask_hub("hub.update", body)


def _refuse(number: int, known: list[dict[str, Any]]) -> NoReturn:
    """Raises UpdateError."""
    from diadema.base.errors import UpdateError

    what = "there was none yet, `diadema update start` begins one"
    if known:
        first, last = known[0]["number"], known[-1]["number"]
        what = f"`diadema update status` shows {first} to {last}"
    raise UpdateError(Sentence("errors.cli.no_roll_out_number_what", number=number, what=what))


def _after(run: Run, done: dict[str, Any], number: int) -> None:
    (one,) = (each for each in done["rollouts"] if each["number"] == number)
    run.answer(one, f"Roll-out {number}: {one['status']}.")


_WHY = {
    "failures": "too many failed, the last at {seat}: {detail}",
    "asked": "by your word",
    "no_bundle": "its bundle is not there any more: start it again with the file",
    "away": "waits for {seat}, which has no link",
    "busy": "waits for {seat}, where somebody works",
    "sending": "is on its way to {seat}",
    "trial": "{seat} tries it",
    "fault": "waits: {seat} has a new fault, {detail}",
    "quiet": "waits whether faults come",
    "stopped away": "{seat} has had no link for three days: see to it; `diadema update resume` "
    "goes on, and leaves it for the last stage",
    "stopped busy": "{seat} was not free for a week: see to it; `diadema update resume` "
    "goes on, and leaves it for the last stage",
    "stopped fault": "{seat} has had a fault for an hour, {detail}: see to it; `diadema update "
    "resume` goes on all the same",
}


def _show(rollouts: list[dict[str, Any]]) -> None:
    from rich.table import Table

    from diadema.stations.trouble import reason

    screen = console(soft_wrap=True)
    if not rollouts:
        screen.print("There was no roll-out yet: `diadema update start` begins one.")
    for one in rollouts:
        plan = one["plan"]
        seats = one["seats"]
        there = sum(seat["phase"] not in ("gone", "passed") for seat in seats)
        good = sum(seat["phase"] == "good" for seat in seats)
        stage = plan["stages"][max(one["stage"], 0)]
        why = _WHY.get(f"{one['status']} {one['why']}") or _WHY.get(one["why"] or "", "")
        why = why.format(seat=one["seat"], detail=reason(one["detail"] or "", "en"))
        progress = f"{one['status']}, stage {stage}: {good} of {there} good"
        screen.print(f"Roll-out {one['number']}: {plan['board']} {_named(plan)}, {progress}")
        if why:
            screen.print(f"  {why}")
        if passed := [seat["seat"] for seat in seats if seat["phase"] == "passed"]:
            screen.print(f"  passed over, which is no failure: {', '.join(passed)}; "
                          "`diadema fleet list` says what they need")  # fmt: skip
    if rollouts and rollouts[-1]["seats"]:
        table = Table("seat", "station", "stage", "phase", "why")
        for seat in rollouts[-1]["seats"]:
            stage = rollouts[-1]["plan"]["stages"][seat["stage"]]
            table.add_row(seat["seat"], seat["s"], stage, _phase(seat, rollouts[-1]),
                          reason(seat["reason"] or "", "en"))  # fmt: skip
        screen.print(table)


def _named(manifest: dict[str, Any]) -> str:
    version = str(manifest["version"])
    return f"MicroPython {version}" if manifest.get("what") else version


def _phase(seat: dict[str, Any], rollout: dict[str, Any]) -> str:
    if seat["phase"] == "waiting":
        return "waiting" if seat["idle"] else "somebody works" if seat["up"] else "away"
    if seat["phase"] == "sending" and rollout["parts"]:
        return f"{100 * (seat['part'] - 1) // rollout['parts']} %"
    if seat["phase"] == "gone":
        return "left out: not of the site, or revoked"
    if seat["phase"] == "passed":
        return "passed over"
    return str(seat["phase"])


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
    """Compile the program for a board and sign it; or sign a MicroPython for it.

    Example: diadema update bundle --board lyrat_v4_3 --key KEY -o app.bundle
    """
    from diadema.stations.boards.table import load_board
    from diadema.stations.image.stock import read_stock
    from diadema.stations.update import bundle as bundles

    private, about, left = load_private(key), load_board(board), ""
    when = int(time.time()) if made is None else made
    if micropython is None:
        data = bundles.make(about, private, when)
    else:
        stock = read_stock(read_file(micropython), about)
        data = bundles.make_micropython(about, stock, private, when, mpy)
        left = f": {bundles.space_left(about, stock) // 1000} KB are left of its slot"
        if stock.about.untried:
            print(f"diadema: {stock.about.untried}", file=sys.stderr)
    read = bundles.read(data)
    manifest = read.manifest
    file = out or Path(f"{manifest.what or 'app'}-{manifest.board}-{manifest.version}.bundle")
    with writing(file):
        file.write_bytes(read.data)
    Run(as_json=as_json).answer(
        _as_json(read) | {"file": str(file)},
        f"{file}: {manifest.board} {manifest.named}{left}, {len(read.data)} bytes in {read.parts}"
        f" parts, signed by {private.public.fingerprint}",
    )


@app.command()
def inspect(
    file: Annotated[Path, typer.Argument(help="A bundle.")],
    key: Annotated[
        Path | None, typer.Option("--key", help="Also look whether this public key signed it.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say what a bundle holds. Exit code 1 when another key than --key signed it.

    Example: diadema update inspect app.bundle --key KEY.pub
    """
    from diadema.stations.update import bundle as bundles
    from diadema.stations.update import keys

    read = bundles.read(read_file(file))
    signed = None if key is None else read.by(keys.load_public(key))
    if signed is False:
        print("another key signed it, or nobody", file=sys.stderr)
        sys.exit(1)
    manifest = read.manifest
    files = {} if manifest.what else bundles.files_of(read)
    made = local_time(manifest.made * 1000, UTC)
    holds = f"{manifest.psram} PSRAM, loads .mpy {manifest.mpy}, {manifest.length} bytes"
    if not manifest.what:
        holds = f"{len(files)} files, {sum(files.values())} bytes"
    Run(as_json=as_json).answer(
        _as_json(read) | {"signed": signed, "files": files},
        f"{manifest.board} {manifest.named}, made {made} UTC, for MicroPython "
        f"{manifest.micropython} or newer",
        f"{holds}; {len(read.data)} bytes to send in {read.parts} parts",
        f"SHA-256 {read.sha256}",
        *(["signed by that key"] if signed else []),
    )


@app.command()
def cable(
    file: Annotated[Path, typer.Argument(help="A bundle for the station's board.")],
    port: Annotated[str, typer.Option("--port", help="As /dev/ttyUSB0.")],
    as_json: AsJson = False,
) -> None:
    """Bring a program, or a MicroPython, to a station in safe mode over its cable.

    No gateway may have the cable. It comes back when the station runs it. After a pulled
    cable, repeat the command.

    Example: diadema update cable app.bundle --port /dev/ttyUSB0
    """
    from diadema.stations.update import bundle as bundles
    from diadema.stations.update.cable import bring

    read = bundles.read(read_file(file))
    run = Run(as_json=as_json)
    with run.status() as say:
        hello = asyncio.run(bring(read, port, say))
    run.answer(
        {"station": hello.station, "firmware": hello.firmware, "micropython": hello.micropython},
        f"{hello.station} runs {hello.firmware} on MicroPython {hello.micropython}; "
        "`diadema fleet show` tells whether it stays so.",
    )


@app.command()
def again(port: Annotated[str, typer.Option("--port", help="As /dev/ttyUSB0.")]) -> None:
    """Let a station in safe mode start its program again, over its cable.

    Example: diadema update again --port /dev/ttyUSB0
    """
    from diadema.stations.update.cable import restart

    hello = asyncio.run(restart(port))
    print(
        f"{hello.station} runs {hello.firmware}; `diadema fleet show` tells whether it stays so."
    )


def _as_json(read: "Bundle") -> dict[str, object]:
    import msgspec

    manifest: dict[str, object] = msgspec.to_builtins(read.manifest)
    return manifest | {"bytes": len(read.data), "parts": read.parts, "bundle_sha256": read.sha256}
