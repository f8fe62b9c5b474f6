"""`diadema board`: prove the tables of the boards, list them, draw their wiring."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from diadema.cli.run import AsJson, Run, group, print_json
from diadema.cli.speech import language, say
from diadema.words import Sentence, said

app = group("The boards that a station can be built on.")

Boards = Annotated[
    Path | None,
    typer.Option("--boards", help="Directory of the boards' tables. Default: this repository's."),
]
Name = Annotated[str | None, typer.Argument(metavar="NAME", help="As `board list` prints it.")]
Every = Annotated[bool, typer.Option("--all", help="Every board.")]


def _chosen(name: str | None, every: bool, boards: Path) -> list[str]:
    from diadema.stations.boards.table import BoardError, board_names

    if (name is None) != every:
        raise BoardError(Sentence("errors.cli.name_one_board_say_all"))
    names = board_names(boards) if name is None else [name]
    if not names:
        raise BoardError(Sentence("errors.cli.no_boards_boards_give_their", boards=boards))
    return names


def _boards(given: Path | None) -> Path:
    from diadema.stations.boards.table import BOARDS

    return (given or BOARDS).absolute()


@app.command()
def check(
    name: Name = None, every: Every = False, boards: Boards = None, as_json: AsJson = False
) -> None:
    """Prove that a board's table can work: pins, buses, drivers, flash, output limit.

    Exit code 1 when a rule does not hold; a warning leaves it 0.

    Example: diadema board check --all
    """
    from diadema.stations.boards.check import RULES, check_board, warn_of
    from diadema.stations.boards.sound import level_sentences, loudness
    from diadema.stations.boards.table import load_board

    root = _boards(boards)
    loaded = {each: load_board(each, root) for each in _chosen(name, every, root)}
    found = {each: check_board(board) for each, board in loaded.items()}
    warned = {each: warn_of(board) for each, board in loaded.items()}
    sound = {
        each: [level for level in loudness(board) if level.head] for each, board in loaded.items()
    }
    if as_json:
        print_json(
            {
                "rules": len(RULES),
                "boards": list(found),
                "findings": [finding for each in found.values() for finding in each],
                "warnings": [finding for each in warned.values() for finding in each],
                "sound": sound,
            }
        )
    else:
        for each, findings in found.items():
            wrong = f"board.{'checked' if findings else 'right'}"
            print(say(wrong, board=each, rules=len(RULES), wrong=len(findings)))
            for finding in findings:
                print(f"  {finding.problem}\n    {finding.rule}: {finding.why}")
            for level in sound[each]:
                print("  " + "".join(one.say(language()) for one in level_sentences(level)))
            for finding in warned[each]:
                print(f"  {say('board.warning', problem=finding.problem)}")
                print(f"    {finding.rule}: {said(finding.why, language())}")
    sys.exit(1 if any(found.values()) else 0)


@app.command(name="list")
def list_boards(boards: Boards = None, as_json: AsJson = False) -> None:
    """The boards, and what each is made of.

    Example: diadema board list
    """
    from diadema.stations.boards.table import board_names, load_board

    root = _boards(boards)
    rows = []
    for name in board_names(root):
        board = load_board(name, root)
        about = board.wiring.board
        rows.append(
            {
                "name": name,
                "title": about.title,
                "chip": about.chip,
                "flash_mb": about.flash_mb,
                "parts": {role: part[0] for role, part in board.parts.items()},
            }
        )
    Run(as_json=as_json).answer(
        rows,
        *(
            f"{row['name']:20} {row['title']} ({row['chip']}, {row['flash_mb']} MB)"
            for row in rows
        ),
    )


@app.command()
def sockets(
    name: Annotated[str, typer.Argument(metavar="NAME", help="As `board list` prints it.")],
    boards: Boards = None,
) -> None:
    """Draw in letters where each contact of a board's plugs and sockets goes.

    Example: diadema board sockets devkitc_wm8960
    """
    from diadema.stations.boards.drawing import sockets as drawn
    from diadema.stations.boards.table import load_board

    print(drawn(load_board(name, _boards(boards))), end="")


@app.command()
def draw(
    name: Name = None,
    every: Every = False,
    out: Annotated[Path, typer.Option("--out", help="Where the drawings go.")] = Path(
        "hardware/build"
    ),
    boards: Boards = None,
) -> None:
    """Draw a board's wiring from its table, as SVG and PNG, and list its nets.

    Example: diadema board draw lyrat_v4_3 --out drawings
    """
    from diadema.stations.boards.drawing import draw as draw_board
    from diadema.stations.boards.table import load_board

    root = _boards(boards)
    for each in _chosen(name, every, root):
        for path in draw_board(load_board(each, root), out):
            print(path)
