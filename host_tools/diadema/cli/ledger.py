"""`diadema ledger`: whether the attendance ledger is whole, and that records were restored."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from diadema.cli.options import (
    AsJson,
    Clock,
    Data,
    data_root,
)

if TYPE_CHECKING:
    from diadema.maintenance.records_keeping import Fault

app = typer.Typer(
    help="The attendance ledger as evidence: is it whole, was it restored.",
    no_args_is_help=True,
    add_completion=False,
)
Seal = Annotated[
    str | None,
    typer.Option("--seal", metavar="COUNT:HASH", help="As a printed report has it."),
]
_SAID = {
    "changed": "row {number} was changed, or one before it was taken out",
    "cut": "it had {number} rows, and has them no more",
    "other": "row {number} is another than it was",
    "unsealed": "what the other file keeps of it was not written by this hub",
    "unkept": "the other file keeps nothing of its {number} rows; a hub that runs writes it",
    "again": "what the other file keeps of it was taken away and begun again",
}


@app.command()
def check(seal: Seal = None, data: Data = None, as_json: AsJson = False) -> None:
    """Look whether marks, their hours and their corrections are whole; exit code 1 if not."""
    from diadema.base.paths import DataDir
    from diadema.maintenance.records_keeping import check_ledger

    tell(check_ledger(DataDir(data_root(data)), seal), "The ledger is whole.", as_json)


@app.command()
def restored(
    reason: Annotated[str, typer.Argument(help="Why, and from which backup.")],
    data: Data = None,
    clock: Clock = None,
) -> None:
    """Enter, in both files, that records were restored from a backup. No hub may run."""
    from diadema.base.clock import open_clock
    from diadema.base.locks import alone
    from diadema.base.paths import DataDir
    from diadema.cli.account import shell_person
    from diadema.maintenance.records_keeping import enter

    directory = DataDir(data_root(data))
    with alone(directory, "ledger restored"):
        enter(directory, open_clock(clock), shell_person(), "restored", reason)


def tell(faults: "list[Fault]", whole: str, as_json: bool) -> None:
    """Says what was found, and ends with 1 if that is anything."""
    from msgspec.structs import asdict

    if as_json:
        print(json.dumps({"whole": not faults, "faults": [asdict(one) for one in faults]}))
    else:
        for one in faults:
            print(f"{one.ledger}: {_SAID[one.what].format(number=one.number)}.")
        print("It is not whole." if faults else whole)
    raise typer.Exit(1 if faults else 0)
