"""A report as data: what every format of it is written from, so that all say the same.

Values are plain: whole seconds, percents with one decimal, UTC milliseconds, text. A cell holds
nothing (None) where there is nothing to say, never 0 in its place.
"""

from collections.abc import Sequence
from operator import itemgetter
from typing import Any, Literal

from msgspec import Struct, field

from diadema.figures.rows import Cutoff
from diadema.metrics.rounding import mean, percent

type Kind = Literal[
    "text",
    "count",
    "seconds",
    "percent",
    "score",
    "coefficient",
    "day",
    "moment",
    "hour",
    "minute",
    "figure",
]  # `figure`: each cell says what it is
_CODE = 64  # characters of a scope

type Cell = str | int | float | Figure | None


class Interval(Struct):
    """Between what a figure lies, of `n` cases or, where those were drawn, of `n` out of `of`.
    Without bounds where too few were.
    """

    low: float | None
    high: float | None
    n: int
    of: int | None = None


class Figure(Struct):
    """A cell that says its own kind: of a table with another figure in each row. `within`: what
    its value may be, of one that was seen in few cases.
    """

    kind: Kind
    value: str | int | float | None
    missed: bool = False  # it stays behind its target
    within: Interval | None = None


class Ratio(Struct):
    """How the total of a mean or a share comes about: the sum of some columns' totals over that of
    others. A name that begins with `-` is taken away.
    """

    over: list[str]
    by: list[str]


class Target(Struct):
    """What is aimed at, in the column's own unit: at least so much or, `at_most`, no more; a band
    where there is a `ceiling`.
    """

    value: float
    at_most: bool = False
    ceiling: float | None = None

    def missed(self, value: float) -> bool:
        if self.ceiling is not None and value > self.ceiling:
            return True
        return value > self.value if self.at_most else value < self.value


class Column(Struct, kw_only=True):
    """`key` is for scripts, `word` for people. `total` says how its total is made: by adding up,
    by a Ratio, or otherwise (`given`); None: it has none. `goal`: the key of the column with the
    target of each row, where they differ; it is a ceiling where `at_most`. `interval`: its cells
    have one; `sampled`: of some cases out of all.
    """

    key: str
    word: str
    kind: Kind = "count"
    total: Literal["sum", "given"] | Ratio | None = None
    target: Target | None = None
    goal: str = ""
    at_most: bool = False
    interval: bool = False
    sampled: bool = False


class Chart(Struct, kw_only=True):
    """A picture of a section's rows, of their own cells. `x`: the column along which they stand.
    `bars` stand on each other; `lines` have an axis of their own where their unit is another.
    `unit`: what bars or lines of counts count. `n`: of how many it is. `most`: rows that it shows,
    the first ones; 0: all. `names`: columns of which the last with a word names the row, where
    there is room. What is aimed at is the columns'.
    """

    title: str
    x: str
    bars: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    unit: str = ""
    n: int | None = None
    most: int = 0
    names: list[str] = field(default_factory=list)


class Section(Struct, kw_only=True):
    """One table. `label` stands in the first cell of the total. `charts`: what it looks like,
    before it. `heat`: its figures are shaded by their size.
    """

    key: str
    title: str
    columns: list[Column]
    rows: list[list[Cell]]
    total: list[Cell] | None = None
    label: str = ""
    notes: list[str] = field(default_factory=list)
    charts: list[Chart] = field(default_factory=list)
    heat: bool = False

    def at(self, key: str) -> int:
        """Where that column stands. Raises KeyError."""
        for place, column in enumerate(self.columns):
            if column.key == key:
                return place
        raise KeyError(key)

    def column(self, key: str) -> Column:
        """Raises KeyError."""
        return self.columns[self.at(key)]

    def values(self, key: str, most: int = 0) -> list[str | int | float | None]:
        """A column's cells, of the first so many rows or of all."""
        place = self.at(key)
        return [plain(row[place]) for row in self.rows[: most or None]]

    def names(self, chart: Chart) -> list[str | int | float | None]:
        """Of the rows that it shows."""
        columns = [self.values(key, chart.most) for key in (chart.x, *chart.names)]
        return [
            next((word for word in reversed(words) if word), None)
            for words in zip(*columns, strict=True)
        ]

    def drawn(self) -> list[Chart]:
        """The charts of which something is known."""
        return [
            one
            for one in self.charts
            if any(v is not None for key in (*one.bars, *one.lines) for v in self.values(key))
        ]

    @property
    def largest(self) -> float:
        """Of a map's figures; what a cell is of it is how dark it is."""
        if not self.heat:
            return 0
        cells = [plain(cell) for row in self.rows for cell in row]
        return max((one for one in cells if isinstance(one, int | float)), default=0)

    def target(self, row: list[Cell], place: int) -> Target | None:
        """What that cell of the row is held to."""
        column = self.columns[place]
        if not column.goal:
            return column.target
        aim = plain(row[self.at(column.goal)])
        return Target(aim, column.at_most) if isinstance(aim, int | float) else None


class Scope(Struct, kw_only=True, frozen=True):
    """Whose figures: of all (`floor`), or of one agent, team, queue or ticket by its code."""

    of: Literal["floor", "agent", "team", "queue", "ticket"] = "floor"
    code: str = ""

    @property
    def word(self) -> str:
        """As an address has it: `floor`, `team:Mañana`."""
        return self.of if self.of == "floor" else f"{self.of}:{self.code}"


def scope_of(word: str) -> Scope:
    """Raises ValueError for what names none."""
    of, _, code = word.partition(":")
    match of:
        case "floor" if not code:
            return Scope()
        case "agent" | "team" | "queue" | "ticket" if 0 < len(code) <= _CODE:
            return Scope(of=of, code=code)
    raise ValueError(word)


class Report(Struct, kw_only=True):
    """`first` and `last` are its days. `threshold_s`: T of the service level; `thresholds`: of
    the queues that have another one.
    """

    kind: str
    title: str
    language: str
    site: str
    grain: str
    span: str
    first: str
    last: str
    zone: str
    scope: Scope
    scope_name: str
    cut: Cutoff
    threshold_s: int
    short_s: int
    thresholds: dict[str, int] = field(default_factory=dict)
    sections: list[Section]
    notes: list[str] = field(default_factory=list)

    def section(self, key: str) -> Section:
        """Raises KeyError."""
        for one in self.sections:
            if one.key == key:
                return one
        raise KeyError(key)


def plain(cell: Cell) -> str | int | float | None:
    return cell.value if isinstance(cell, Figure) else cell


def kind_of(column: Column, cell: Cell) -> Kind:
    return cell.kind if isinstance(cell, Figure) else column.kind


def totalled(
    columns: Sequence[Column], rows: Sequence[Sequence[Cell]], given: dict[str, Cell] | None = None
) -> list[Cell]:
    """The total row, as the columns say; `given` has those that cannot be worked out here."""
    places = {column.key: place for place, column in enumerate(columns)}
    sums = {
        column.key: sum(map(_number, map(itemgetter(places[column.key]), rows)))
        for column in columns
        if column.total == "sum"
    }
    total: list[Cell] = []
    for column in columns:
        match column.total:
            case "sum":
                unknown = is_unknown(rows, places[column.key])
                total.append(None if unknown else sums[column.key])
            case Ratio() as ratio:
                total.append(ratio_of(column.kind, ratio, sums))
            case "given":
                total.append((given or {}).get(column.key))
            case _:
                total.append(None)
    return total


def is_unknown(rows: Sequence[Sequence[Cell]], place: int) -> bool:
    """There are rows, and none of them knows anything of that column."""
    return bool(rows) and all(plain(row[place]) is None for row in rows)


def ratio_of(kind: Kind, ratio: Ratio, sums: dict[str, int]) -> int | float | None:
    """Rounded once, half up; None when there is nothing to divide by."""
    over, by = added(ratio.over, sums), added(ratio.by, sums)
    return percent(over, by) if kind == "percent" else mean(over, by)


def added(names: Sequence[str], values: dict[str, Any]) -> int:
    return sum(
        -int(values[name[1:]]) if name.startswith("-") else int(values[name]) for name in names
    )


def _number(cell: Cell) -> int:
    if type(cell) is int:  # as most are
        return cell
    value = plain(cell)
    return value if isinstance(value, int) else 0
