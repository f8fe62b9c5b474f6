"""`diadema ledger`: whether the attendance ledger is whole, and that records were restored."""

from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from diadema.cli.run import AsJson, Clock, Data, Run, group
from diadema.cli.speech import say

if TYPE_CHECKING:
    from diadema.maintenance.records_keeping import Fault

app = group("The attendance ledger as evidence: is it whole, was it restored.")
Seal = Annotated[
    str | None,
    typer.Option("--seal", metavar="COUNT:HASH", help="As a printed report has it."),
]


@app.command()
def check(seal: Seal = None, data: Data = None, as_json: AsJson = False) -> None:
    """Look whether marks, their hours and their corrections are whole; exit code 1 if not.

    Example: diadema ledger check
    """
    from diadema.maintenance.records_keeping import check_ledger

    run = Run(data, as_json=as_json)
    end_with(run, check_ledger(run.data, seal), say("ledger.whole"))


@app.command()
def restored(
    reason: Annotated[str, typer.Argument(help="Why, and from which backup.")],
    data: Data = None,
    clock: Clock = None,
) -> None:
    """Enter, in both files, that records were restored from a backup. No hub may run.

    Example: diadema ledger restored "new disk, backup of 1 November"
    """
    from diadema.base.locks import alone
    from diadema.maintenance.records_keeping import enter

    run = Run(data, clock)
    with alone(run.data, "ledger restored"):
        enter(run.data, run.clock, run.person, "restored", reason)


def end_with(run: Run, faults: "list[Fault]", whole: str) -> NoReturn:
    """Print what was found, and end with 1 if that is anything."""
    lines = [
        f"{one.ledger}: {say(f'ledger.fault.{one.what}', number=one.number)}" for one in faults
    ]
    content = {"whole": not faults, "faults": faults}
    run.answer(content, *lines, say("ledger.not_whole") if faults else whole)
    raise typer.Exit(1 if faults else 0)
