"""The command `diadema desk`: a thin skin."""

import json
from pathlib import Path
from typing import Annotated

import typer
from diadema.base.errors import DiademaError
from diadema.cli.run import Run
from diadema.cli.speech import say as speak
from diadema.cli.speech import use_site
from diadema.words import Sentence
from rich.console import Console

from diadema_sim.build import SIM, choose_boards
from diadema_sim.centre import VISITOR
from diadema_sim.ending import until_interrupted


def desk(
    seat: Annotated[
        str | None,
        typer.Option("--seat", help="Of the site in --data. Default there: one that is free."),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            "--data",
            metavar="DIR",
            help="Seat the station in this site, whose hub runs. Default with --seat: the user's "
            "data folder.",
        ),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            "--port", min=0, max=65535, help="Port of the page; 8610, or a free one if taken."
        ),
    ] = None,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Only print the address.")] = (
        False
    ),
    board: Annotated[
        str, typer.Option("--board", metavar="NAME", help="The station's board.")
    ] = "sim",
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object once it is up, for scripts.")
    ] = False,
) -> None:
    """Open one station in the browser, for training or at a seat.

    The real firmware is behind it, until Ctrl-C. By itself it has a centre of its own, which goes
    with it. With --seat or --data it is a simulated station of the site: provisioned like a board,
    and its events are counted like any other's.

    Example: diadema desk --seat A-01
    """
    from diadema_sim.desk.server import DeskOptions, OpenDesk, run_desk

    site = Run(data).data if seat is not None or data is not None else None
    if site is not None:
        use_site(site.site)
    boards = choose_boards(board)
    if len(boards) != 1:
        raise DiademaError(Sentence("errors.sim.one_board", board=board))
    if site is not None and boards != [SIM]:
        raise DiademaError(Sentence("errors.sim.seat_board", board=board, sim=SIM.name))
    console = Console(stderr=as_json, highlight=False, soft_wrap=True, emoji=False)
    console.print(speak("desk.seating", root=site.root) if site else speak("desk.starting"))

    def say(desk: OpenDesk) -> None:
        if as_json:
            print(json.dumps(desk.about), flush=True)
            return
        for name in ("desk", "floor", "wall"):
            label = speak(f"desk.{name}")
            console.print(f"{label:<6} {desk.about[name]}")
        if desk.centre is not None:
            console.print(speak("desk.user", user=VISITOR, password=desk.centre.password))
        else:
            console.print(speak("desk.seated", **desk.about))
        console.print(speak("ends"))

    options = DeskOptions(port, not no_browser, boards[0], site, seat)
    until_interrupted(lambda: run_desk(options, say), lambda: console.print(speak("sim.ending")))
    console.print(speak("sim.ended"))
