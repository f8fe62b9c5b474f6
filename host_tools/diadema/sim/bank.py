"""Reader of the «anonymous bank» call log: a real call a row, tab-separated, many days a file.

A row is known by its line in the file (line 1 is the header), because `call_id` repeats. The times
of a row are local times of its `date`; a service that ends before it starts crosses midnight.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path

from diadema.errors import DiademaError

COLUMNS = ("call_id", "type", "date", "vru_entry", "outcome", "ser_start", "ser_exit", "server")
OUTCOMES = ("AGENT", "HANG", "PHANTOM")  # only AGENT reached an agent
NO_SERVER = "NO_SERVER"
DAY_S = 24 * 3600
_TIME = re.compile(r"(\d{1,2}):([0-5]\d):([0-5]\d)")
_DATE = re.compile(r"\d{6}")


class BankError(DiademaError):
    """The file, or the day asked of it, cannot be used."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row as it stands in the file, with the columns that Diadema uses still as text."""

    line: int
    cells: dict[str, str]


@dataclass(frozen=True, slots=True)
class Call:
    """A served call; seconds count from the local midnight that begins the day."""

    line: int
    call_id: str
    type: str
    server: str
    start_s: int
    end_s: int

    @property
    def talk_s(self) -> int:
        return self.end_s - self.start_s


@dataclass(frozen=True, slots=True)
class Impossible:
    """A row that no agent can have served as written; it is listed, never mended."""

    line: int
    call_id: str
    why: str


@dataclass
class BankDay:
    """One day of the file: `calls` by agent, each agent's in the order in which they began."""

    day: date
    calls: dict[str, list[Call]] = field(default_factory=dict)
    impossible: list[Impossible] = field(default_factory=list)
    hang: int = 0
    phantom: int = 0

    def truth(self) -> dict[str, tuple[int, int]]:
        """(contacts, talk seconds) of each agent, straight from the file."""
        return {
            agent: (len(calls), sum(call.talk_s for call in calls))
            for agent, calls in sorted(self.calls.items())
        }


def read_rows(path: Path) -> Iterator[Row]:
    """Every row of the file. Raises BankError at the first that has not the header's shape."""
    try:
        with path.open(encoding="utf-8-sig") as file:
            header = file.readline().rstrip("\n").split("\t")
            missing = [name for name in COLUMNS if name not in header]
            if missing:
                raise BankError(
                    f"{path}, line 1: no column {missing[0]!r}. The first line must name the "
                    f"columns, separated by tabs, {', '.join(COLUMNS)} among them."
                )
            places = {name: header.index(name) for name in COLUMNS}
            for line, text in enumerate(file, start=2):
                if not text.strip():
                    continue
                cells = text.rstrip("\n").split("\t")
                if len(cells) != len(header):
                    raise BankError(
                        f"{path}, line {line}: {len(cells)} columns where the header has "
                        f"{len(header)}. Mend or remove that line; columns are separated by tabs."
                    )
                yield Row(line, {name: cells[place].strip() for name, place in places.items()})
    except OSError as error:
        raise BankError(
            f"Cannot read {path}: {error.strerror}. Give the path of the call log."
        ) from error
    except UnicodeDecodeError as error:
        raise BankError(
            f"{path} is not text in UTF-8 (byte {error.start} of what was read). "
            "Give the tab-separated call log itself, unpacked."
        ) from error


def parse_day(text: str) -> date:
    """YYMMDD as the file writes it; years 69-99 are of the twentieth century."""
    try:
        if not _DATE.fullmatch(text):
            raise ValueError
        return datetime.strptime(text, "%y%m%d").date()
    except ValueError:
        raise BankError(f"{text!r} is no day. Write it as the file does: 990201.") from None


def read_day(path: Path, day: str) -> BankDay:
    """The served calls of one day, the impossible rows apart, and what never reached an agent."""
    before = parse_day(day) - timedelta(days=1)
    seen: set[str] = set()

    def wanted(written: str) -> bool:
        seen.add(written)
        return written == day or parse_day(written) == before  # its calls may cross midnight

    read = _read(path, wanted)
    if day not in read:
        found = f"{min(seen, key=parse_day)} to {max(seen, key=parse_day)}" if seen else "none"
        raise BankError(f"{path} has no row of day {day}; its days: {found}.")
    return read[day]


def read_days(path: Path) -> dict[str, BankDay]:
    """Every day of the file by its name there, oldest first."""
    return _read(path, lambda _: True)


def _read(path: Path, wanted: Callable[[str], bool]) -> dict[str, BankDay]:
    read: dict[str, BankDay] = {}
    served: dict[tuple[str, str], list[Call]] = {}
    for row in read_rows(path):
        outcome = _outcome_cell(path, row)
        written = _date_cell(path, row)
        if not wanted(written):
            continue
        if written not in read:
            read[written] = BankDay(parse_day(written))
        day = read[written]
        if outcome == "HANG":
            day.hang += 1
        elif outcome == "PHANTOM":
            day.phantom += 1
        elif row.cells["server"] == NO_SERVER:
            call_id = row.cells["call_id"]
            day.impossible.append(Impossible(row.line, call_id, "served by NO_SERVER"))
        else:
            call = _served(path, row)
            served.setdefault((written, call.server), []).append(call)
    last: dict[str, tuple[date, Call]] = {}  # each agent's last kept call, oldest day first
    for (written, agent), calls in sorted(served.items(), key=lambda item: parse_day(item[0][0])):
        day = read[written]
        earlier = None
        if agent in last:
            that_day, call = last[agent]
            passed = (day.day - that_day).days * DAY_S
            earlier = replace(call, start_s=call.start_s - passed, end_s=call.end_s - passed)
        day.calls[agent] = _without_overlaps(calls, day.impossible, earlier)
        if day.calls[agent]:
            last[agent] = (day.day, day.calls[agent][-1])
    for day in read.values():
        day.impossible.sort(key=lambda row: row.line)
    return dict(sorted(read.items(), key=lambda item: item[1].day))


def time_of_day(path: Path, row: Row, column: str) -> int:
    """Seconds since midnight of one of the row's time columns."""
    match = _TIME.fullmatch(row.cells[column])
    if not match or int(match[1]) > 23:
        raise _bad_cell(path, row, column, "a time of day such as 9:05:00")
    return int(match[1]) * 3600 + int(match[2]) * 60 + int(match[3])


def clock_text(seconds: int) -> str:
    """Seconds since the day's midnight as the file writes them."""
    within = seconds % DAY_S
    return f"{within // 3600}:{within // 60 % 60:02}:{within % 60:02}"


def _served(path: Path, row: Row) -> Call:
    start = time_of_day(path, row, "ser_start")
    end = time_of_day(path, row, "ser_exit")
    if end < start:
        end += DAY_S
    server = row.cells["server"]
    if not server:
        raise _bad_cell(path, row, "server", "the agent's name or NO_SERVER")
    return Call(row.line, row.cells["call_id"], row.cells["type"], server, start, end)


def _without_overlaps(
    calls: list[Call], impossible: list[Impossible], before: Call | None = None
) -> list[Call]:
    """The calls that can be; `before` is the agent's last one of an earlier day."""
    kept: list[Call] = []
    for call in sorted(calls, key=lambda call: (call.start_s, call.line)):
        if before and call.start_s < before.end_s:
            why = (
                f"starts at {clock_text(call.start_s)}, before the same agent's call of line "
                f"{before.line} ended at {clock_text(before.end_s)}"
            )
            impossible.append(Impossible(call.line, call.call_id, why))
        else:
            kept.append(call)
            before = call
    return kept


def _outcome_cell(path: Path, row: Row) -> str:
    if row.cells["outcome"] not in OUTCOMES:
        raise _bad_cell(path, row, "outcome", " or ".join(OUTCOMES))
    return row.cells["outcome"]


def _date_cell(path: Path, row: Row) -> str:
    try:
        parse_day(row.cells["date"])
    except BankError:
        raise _bad_cell(path, row, "date", "a day such as 990201") from None
    return row.cells["date"]


def _bad_cell(path: Path, row: Row, column: str, wanted: str) -> BankError:
    return BankError(
        f"{path}, line {row.line}, column {column}: {row.cells[column]!r} is not {wanted}. "
        "Mend or remove that line."
    )
