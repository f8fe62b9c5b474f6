"""The part of `diadema update` that a running hub does: roll-outs."""

import asyncio
import json
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from diadema.cli.options import AsJson, Data, data_root

app = typer.Typer(help="New programs for stations.", no_args_is_help=True, add_completion=False)
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
    """
    added = _ask(data, do="add", path=str(bundle.absolute()))
    stages = [first, *(["25%", "all"] if then is None else then)]
    plan: dict[str, Any] = {"sha256": added["sha256"], "stages": stages, "stop_after": stop_after}
    plan |= {"quiet_ms": round(quiet * _MINUTE_MS), "only": only or []}
    number = _ask(data, do="start", plan=plan)["number"]
    if as_json:
        print(json.dumps({"number": number, **added}))
        return
    told = added["manifest"]
    print(f"Roll-out {number}: {told['board']} {_named(told)}, {added['parts']} parts; "
          f"stages {', then '.join(stages)}.")  # fmt: skip
    print("`diadema update status` shows how it goes.")


@app.command()
def status(
    number: Annotated[int | None, typer.Argument(help="Only this one.")] = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Show the roll-outs, the newest with its stations."""
    told = _ask(data, do="status")["rollouts"]
    shown = [one for one in told if number in (None, one["number"])]
    if number is not None and not shown:
        _refuse(number, told)
    if as_json:
        print(json.dumps(shown))
    else:
        _show(shown)


@app.command()
def stop(
    number: Annotated[int, typer.Argument(help="As `diadema update status` shows it.")],
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Begin at no more stations. Who has all of the program goes on by itself."""
    _after(_ask(data, do="stop", number=number), number, as_json)


@app.command()
def resume(
    number: Annotated[int, typer.Argument(help="As `diadema update status` shows it.")],
    stop_after: Annotated[int | None, _STOP_AFTER] = None,
    retry: Annotated[bool, typer.Option("--retry", help="Also where it failed.")] = False,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Go on with one that stopped."""
    done = _ask(data, do="resume", number=number, stop_after=stop_after, retry=retry)
    _after(done, number, as_json)


def _ask(data: Path | None, **body: Any) -> dict[str, Any]:
    from diadema.base.paths import DataDir
    from diadema.wire.ask_hub import ask_hub

    return asyncio.run(ask_hub(DataDir(data_root(data)), "hub.update", body))


def _refuse(number: int, told: list[dict[str, Any]]) -> NoReturn:
    """Raises UpdateError."""
    from diadema.base.errors import UpdateError

    what = "there was none yet, `diadema update start` begins one"
    if told:
        first, last = told[0]["number"], told[-1]["number"]
        what = f"`diadema update status` shows {first} to {last}"
    raise UpdateError(f"no roll-out {number}: {what}")


def _after(done: dict[str, Any], number: int, as_json: bool) -> None:
    (one,) = (each for each in done["rollouts"] if each["number"] == number)
    print(json.dumps(one) if as_json else f"Roll-out {number}: {one['status']}.")


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


def _show(told: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    from diadema.stations.trouble import reason

    console = Console(highlight=False, soft_wrap=True)
    if not told:
        console.print("There was no roll-out yet: `diadema update start` begins one.")
    for one in told:
        plan = one["plan"]
        seats = one["seats"]
        there = sum(seat["phase"] not in ("gone", "passed") for seat in seats)
        good = sum(seat["phase"] == "good" for seat in seats)
        stage = plan["stages"][max(one["stage"], 0)]
        why = _WHY.get(f"{one['status']} {one['why']}") or _WHY.get(one["why"] or "", "")
        why = why.format(seat=one["seat"], detail=reason(one["detail"] or "", "en"))
        said = f"{one['status']}, stage {stage}: {good} of {there} good"
        console.print(f"Roll-out {one['number']}: {plan['board']} {_named(plan)}, {said}")
        if why:
            console.print(f"  {why}")
        if passed := [seat["seat"] for seat in seats if seat["phase"] == "passed"]:
            console.print(f"  passed over, which is no failure: {', '.join(passed)}; "
                          "`diadema fleet list` says what they need")  # fmt: skip
    if told and told[-1]["seats"]:
        table = Table("seat", "station", "stage", "phase", "why")
        for seat in told[-1]["seats"]:
            stage = told[-1]["plan"]["stages"][seat["stage"]]
            table.add_row(seat["seat"], seat["s"], stage, _phase(seat, told[-1]),
                          reason(seat["reason"] or "", "en"))  # fmt: skip
        console.print(table)


def _named(told: dict[str, Any]) -> str:
    return f"MicroPython {told['version']}" if told.get("what") else str(told["version"])


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
