"""The lines of the bench's table, and how it is printed."""

from dataclasses import dataclass

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Figure:
    """`ratio` is value / against; `named` says what it is measured against: a budget, or a
    baseline of the same run.
    """

    what: str
    value: float
    unit: str
    against: float | None = None
    named: str = ""


@dataclass(frozen=True)
class NotRun:
    """A part of the bench that could not be run, in place of its figures."""

    part: str
    why: str


def print_figures(console: Console, figures: list[Figure | NotRun]) -> None:
    table = Table("what", "value", "unit", "against", "ratio", "which is")
    for column in (1, 3, 4):
        table.columns[column].justify = "right"
    for figure in figures:
        if isinstance(figure, NotRun):
            table.add_row(f"{figure.part}: not run", "", "", "", "", figure.why, style="red")
            continue
        against = f"{figure.against:,.0f}" if figure.against else ""
        ratio = f"{figure.value / figure.against:.2f}" if figure.against else ""
        value = f"{figure.value:,.0f}" if figure.value >= 100 else f"{figure.value:,.3g}"
        table.add_row(figure.what, value, figure.unit, against, ratio, figure.named)
    console.print(table)
