"""The command `diadema desk`: a thin skin."""

import json
from typing import Annotated

import typer
from diadema.base.errors import DiademaError
from diadema.cli.speech import say as speak
from diadema.words import Sentence
from rich.console import Console

from diadema_sim.build import choose_boards
from diadema_sim.centre import VISITOR
from diadema_sim.ending import until_interrupted


def desk(
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
    """Open one station in the browser, for training.

    The real firmware is behind it, until Ctrl-C.

    Example: diadema desk --board s3_korvo2
    """
    from diadema_sim.desk.server import DeskOptions, OpenDesk, run_desk

    boards = choose_boards(board)
    if len(boards) != 1:
        raise DiademaError(Sentence("errors.sim.one_board", board=board))
    console = Console(stderr=as_json, highlight=False, soft_wrap=True)
    console.print(speak("desk.starting"))

    def say(desk: OpenDesk) -> None:
        if as_json:
            print(json.dumps(desk.about), flush=True)
            return
        for name in ("desk", "floor", "wall"):
            label = speak(f"desk.{name}")
            console.print(f"{label:<6} {desk.about[name]}")
        console.print(speak("desk.user", user=VISITOR, password=desk.centre.password))
        console.print(speak("ends"))

    options = DeskOptions(port, browser=not no_browser, board=boards[0])
    until_interrupted(lambda: run_desk(options, say), lambda: console.print(speak("sim.ending")))
    console.print(speak("sim.ended"))
