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
from diadema.cli.speech import language, say
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
        say(
            "update.begun",
            number=number,
            board=manifest["board"],
            version=_named(manifest),
            parts=added["parts"],
            stages=f", {say('update.then')} ".join(stages),
        ),
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

    what = Sentence("commands.update.none")
    if known:
        first, last = known[0]["number"], known[-1]["number"]
        what = Sentence("commands.update.known", first=first, last=last)
    raise UpdateError(Sentence("errors.cli.no_roll_out_number_what", number=number, what=what))


def _after(run: Run, done: dict[str, Any], number: int) -> None:
    (one,) = (each for each in done["rollouts"] if each["number"] == number)
    run.answer(one, say("update.of", number=number, status=say(f"update.status.{one['status']}")))


_WHY = {
    "failures", "asked", "no_bundle", "away", "busy", "sending", "trial", "fault", "quiet",
}  # fmt: skip
_STOPPED = {("stopped", why) for why in ("away", "busy", "fault")}


def _show(rollouts: list[dict[str, Any]]) -> None:
    from rich.table import Table

    from diadema.stations.trouble import reason

    screen = console(soft_wrap=True)
    if not rollouts:
        screen.print(say("update.none_yet"))
    for one in rollouts:
        plan = one["plan"]
        seats = one["seats"]
        there = sum(seat["phase"] not in ("gone", "passed") for seat in seats)
        good = sum(seat["phase"] == "good" for seat in seats)
        stage = plan["stages"][max(one["stage"], 0)]
        values = {"number": one["number"], "board": plan["board"], "version": _named(plan)}
        values |= {"status": say(f"update.status.{one['status']}"), "stage": stage}
        screen.print(say("update.progress", **values, good=good, there=there))
        if one["why"] in _WHY:
            key = f"{'stopped.' if (one['status'], one['why']) in _STOPPED else ''}{one['why']}"
            detail = reason(one["detail"] or "", language())
            screen.print(f"  {say(f'update.why.{key}', seat=one['seat'], detail=detail)}")
        if passed := [seat["seat"] for seat in seats if seat["phase"] == "passed"]:
            screen.print(f"  {say('update.passed', names=', '.join(passed))}")
    if rollouts and rollouts[-1]["seats"]:
        table = Table(*say("update.columns").split(", "))
        for seat in rollouts[-1]["seats"]:
            stage = rollouts[-1]["plan"]["stages"][seat["stage"]]
            table.add_row(seat["seat"], seat["s"], stage, _phase(seat, rollouts[-1]),
                          reason(seat["reason"] or "", language()))  # fmt: skip
        screen.print(table)


def _named(manifest: dict[str, Any]) -> str:
    version = str(manifest["version"])
    return f"MicroPython {version}" if manifest.get("what") else version


def _phase(seat: dict[str, Any], rollout: dict[str, Any]) -> str:
    if seat["phase"] == "waiting":
        word = "waiting" if seat["idle"] else "works" if seat["up"] else "away"
        return say(f"update.phase.{word}")
    if seat["phase"] == "sending" and rollout["parts"]:
        return f"{100 * (seat['part'] - 1) // rollout['parts']} %"
    return say(f"update.phase.{seat['phase']}")


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
        kilobytes = bundles.space_left(about, stock) // 1000
        left = f": {say('image.left', kilobytes=kilobytes)}"
        if stock.about.untried:
            print(f"diadema: {stock.about.untried.say(language())}", file=sys.stderr)
    read = bundles.read(data)
    manifest = read.manifest
    file = out or Path(f"{manifest.what or 'app'}-{manifest.board}-{manifest.version}.bundle")
    with writing(file):
        file.write_bytes(read.data)
    Run(as_json=as_json).answer(
        _as_json(read) | {"file": str(file)},
        f"{file}: {manifest.board} {manifest.named}{left}",
        say(
            "update.signed",
            count=len(read.data),
            parts=read.parts,
            fingerprint=private.public.fingerprint,
        ),
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
        print(say("update.another_key"), file=sys.stderr)
        sys.exit(1)
    manifest = read.manifest
    files = {} if manifest.what else bundles.files_of(read)
    made = local_time(manifest.made * 1000, UTC)
    holds = say("update.micropython", psram=manifest.psram, mpy=manifest.mpy,
                count=manifest.length)  # fmt: skip
    if not manifest.what:
        holds = say("update.files", files=len(files), count=sum(files.values()))
    Run(as_json=as_json).answer(
        _as_json(read) | {"signed": signed, "files": files},
        say(
            "update.holds",
            board=manifest.board,
            version=manifest.named,
            made=made,
            micropython=manifest.micropython,
        ),
        f"{holds}; {say('update.size', count=len(read.data), parts=read.parts)}",
        f"SHA-256 {read.sha256}",
        *([say("update.that_key")] if signed else []),
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
    with run.status() as tell:
        hello = asyncio.run(bring(read, port, tell))
    run.answer(
        {"station": hello.station, "firmware": hello.firmware, "micropython": hello.micropython},
        say(
            "update.runs_on",
            station=hello.station,
            firmware=hello.firmware,
            micropython=hello.micropython,
        ),
    )


@app.command()
def again(port: Annotated[str, typer.Option("--port", help="As /dev/ttyUSB0.")]) -> None:
    """Let a station in safe mode start its program again, over its cable.

    Example: diadema update again --port /dev/ttyUSB0
    """
    from diadema.stations.update.cable import restart

    hello = asyncio.run(restart(port))
    print(say("update.runs", station=hello.station, firmware=hello.firmware))


def _as_json(read: "Bundle") -> dict[str, object]:
    import msgspec

    manifest: dict[str, object] = msgspec.to_builtins(read.manifest)
    return manifest | {"bytes": len(read.data), "parts": read.parts, "bundle_sha256": read.sha256}
