"""Options that many commands have, and what they stand for."""

from pathlib import Path
from typing import Annotated

import typer


def _directory(given: str) -> Path:
    if not given:  # as from an unset variable in a script
        raise typer.BadParameter("it is empty: give a directory, or leave --data out")
    return Path(given)


Data = Annotated[
    Path | None,
    typer.Option(
        "--data",
        help="Directory that keeps everything. Default: the user's data folder.",
        parser=_directory,
        metavar="DIR",
    ),
]
Clock = Annotated[
    Path | None, typer.Option("--clock", help="Clock file of a simulated run.", hidden=True)
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for a script.")]


def data_root(given: Path | None) -> Path:
    from diadema.base.paths import default_root

    return (given or default_root()).absolute()
