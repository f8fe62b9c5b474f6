"""The rows of an «anonymous bank» call log: a real call a row, tab-separated, many days a file.

A row is known by its line in the file (line 1 is the header), because `call_id` repeats. The times
of a row are local times of its `date`.
"""

import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from diadema.base.errors import DiademaError, why
from diadema.words import Sentence
from diadema.words.formatting import long_clock

OUTCOMES = ("AGENT", "HANG", "PHANTOM")  # only AGENT reached an agent
NO_SERVER = "NO_SERVER"
DAY_S = 24 * 3600
_TIME = re.compile(r"(\d{1,2}):([0-5]\d):([0-5]\d)")
_OLDEST = 1990
_DATE = re.compile(r"\d{6}")
_WHOLE = re.compile(r"-?\d{1,9}")


class BankError(DiademaError):
    """The file, or the day asked of it, cannot be used."""


class BadRow(BankError):
    """One line of it cannot be read; `why` is without the file's name and the line."""

    def __init__(self, path: Path, line: int, reason: Sentence) -> None:
        super().__init__(Sentence("errors.row.whole", path=path, line=line, why=reason))
        self.line = line
        self.why = reason


@dataclass(frozen=True, slots=True)
class Row:
    """One row as it stands in the file, with the columns that are asked for still as text."""

    path: Path
    line: int
    cells: dict[str, str]

    def bad(self, column: str, wanted: str | Sentence) -> BadRow:
        values = {"column": column, "value": self.cells[column], "wanted": wanted}
        return BadRow(self.path, self.line, Sentence("errors.row.column", **values))

    def outcome(self) -> str:
        if self.cells["outcome"] not in OUTCOMES:
            raise self.bad("outcome", " | ".join(OUTCOMES))
        return self.cells["outcome"]

    def day(self) -> date:
        try:
            return parse_day(self.cells["date"])
        except BankError:
            raise self.bad("date", Sentence("errors.row.wanted.day")) from None

    def server(self) -> str:
        if not self.cells["server"]:
            raise self.bad("server", Sentence("errors.row.wanted.server"))
        return self.cells["server"]

    def time(self, column: str) -> int:
        """Seconds since midnight of one of its time columns."""
        match = _TIME.fullmatch(self.cells[column])
        if not match or int(match[1]) > 23:
            raise self.bad(column, Sentence("errors.row.wanted.time"))
        return int(match[1]) * 3600 + int(match[2]) * 60 + int(match[3])

    def whole(self, column: str) -> int:
        if not _WHOLE.fullmatch(self.cells[column]):
            raise self.bad(column, Sentence("errors.row.wanted.seconds"))
        return int(self.cells[column])


def read_file(path: Path) -> bytes:
    """Raises BankError."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise BankError(
            Sentence("errors.exchange.cannot_read_path_reason_give", path=path, reason=why(error))
        ) from error


def scan(path: Path, data: bytes, columns: Sequence[str]) -> Iterator[Row | BadRow]:
    """Each row of the file, and in its place each line that has not the header's shape. Raises
    BankError when there is no such header, or no text."""
    try:
        file = io.StringIO(data.decode("utf-8-sig"), newline=None)
    except UnicodeDecodeError as error:
        raise BankError(
            Sentence("errors.exchange.path_not_text_utf_8", path=path, start=error.start)
        ) from error
    header = file.readline().rstrip("\n").split("\t")
    missing = [name for name in columns if name not in header]
    if missing:
        raise BankError(
            Sentence(
                "errors.exchange.path_line_1_no_column",
                path=path,
                missing=missing[0],
                columns=", ".join(columns),
            )
        )
    places = {name: header.index(name) for name in columns}
    for line, text in enumerate(file, start=2):
        if not text.strip():
            continue
        cells = text.rstrip("\n").split("\t")
        if len(cells) == len(header):
            yield Row(path, line, {name: cells[at].strip() for name, at in places.items()})
        else:
            counts = {"count": len(cells), "wanted": len(header)}
            yield BadRow(path, line, Sentence("errors.row.columns", **counts))


def parse_day(text: str) -> date:
    """YYMMDD as the file writes it; years 90-99 are of the twentieth century, 69-89 of none."""
    try:
        if not _DATE.fullmatch(text):
            raise ValueError
        found = datetime.strptime(text, "%y%m%d").date()
        if found.year < _OLDEST:
            raise ValueError
        return found
    except ValueError:
        raise BankError(Sentence("errors.exchange.text_no_day_from_1990", text=text)) from None


def clock_text(seconds: int) -> str:
    """Seconds since the day's midnight as the file writes them."""
    return long_clock(seconds % DAY_S)
