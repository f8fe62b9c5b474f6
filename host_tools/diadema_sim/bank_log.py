"""Reader of the «anonymous bank» call log: a real call a row, tab-separated, many days a file.

A row is known by its line in the file (line 1 is the header), because `call_id` repeats. The times
of a row are local times of its `date`; a service that ends before it starts crosses midnight.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path

from diadema.exchange.bank_rows import (
    DAY_S,
    NO_SERVER,
    BadRow,
    BankError,
    Row,
    clock_text,
    parse_day,
    read_file,
    scan,
)
from diadema.words import Sentence

COLUMNS = ("call_id", "type", "date", "vru_entry", "outcome", "ser_start", "ser_exit", "server")


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


def read_rows(path: Path) -> Iterator[Row]:
    """Every row of the file. Raises BankError at the first that has not the header's shape."""
    for found in scan(path, read_file(path), COLUMNS):
        if isinstance(found, BadRow):
            raise found
        yield found


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
        raise BankError(
            Sentence("errors.sim.path_has_no_row_day", path=path, day=day, found=found)
        )
    return read[day]


def read_days(path: Path) -> dict[str, BankDay]:
    """Every day of the file by its name there, oldest first."""
    return _read(path, lambda _: True)


def _read(path: Path, wanted: Callable[[str], bool]) -> dict[str, BankDay]:
    read: dict[str, BankDay] = {}
    served: dict[tuple[str, str], list[Call]] = {}
    for row in read_rows(path):
        outcome = row.outcome()
        row.day()
        written = row.cells["date"]
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
            call = _served(row)
            served.setdefault((written, call.server), []).append(call)
    last: dict[str, tuple[date, Call]] = {}  # each agent's last possible call, oldest day first
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


def _served(row: Row) -> Call:
    start = row.time("ser_start")
    end = row.time("ser_exit")
    if end < start:
        end += DAY_S
    return Call(row.line, row.cells["call_id"], row.cells["type"], row.server(), start, end)


def _without_overlaps(
    calls: list[Call], impossible: list[Impossible], before: Call | None = None
) -> list[Call]:
    """The calls that can be; `before` is the agent's last one of an earlier day."""
    possible: list[Call] = []
    for call in sorted(calls, key=lambda call: (call.start_s, call.line)):
        if before and call.start_s < before.end_s:
            why = (
                f"starts at {clock_text(call.start_s)}, before the same agent's call of line "
                f"{before.line} ended at {clock_text(before.end_s)}"
            )
            impossible.append(Impossible(call.line, call.call_id, why))
        else:
            possible.append(call)
            before = call
    return possible
