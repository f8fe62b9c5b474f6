"""Reports that are made by themselves: what was ordered, and when each falls due.

`schedules.json` says what was ordered, `runs.json` what came of it; both stand beside the files.

Schedules and their runs, for a terminal and for a script.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta, Struct, field
from rich.console import Console
from rich.table import Table
from rich.text import Text

from diadema.base.errors import DiademaError
from diadema.base.locks import locked
from diadema.base.paths import DataDir, cannot_write, write_whole
from diadema.base.sanitize import visible
from diadema.report.kinds import KINDS
from diadema.report.model import Scope
from diadema.report.period import Grain, Period, around
from diadema.report.writing import hour
from diadema.site.context import zone_of
from diadema.words import text
from diadema.words.durations import clock

SCHEDULES = 50
_LOCK_S = 10.0

type Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,32}\Z")]
type Hour = Annotated[str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d\Z")]


class Schedule(Struct, kw_only=True, frozen=True):
    """Made at `at` of the site's clock each day, Monday or first of a month: of the span that is
    over by then, or (`running`) of the one that goes on. `since_ms`: when it was ordered.
    """

    name: Name
    kind: str
    every: Grain
    at: Hour
    form: Literal["json", "csv", "xlsx", "pdf"]
    scope: Scope = field(default_factory=Scope)
    running: bool = False
    by: str = ""
    since_ms: int

    def span(self, day: date) -> Period:
        """Of the run that falls due on that day."""
        now = around(self.every, day)
        return now if self.running else now.before

    def due_on(self, day: date, zone: ZoneInfo) -> int | None:
        """UTC milliseconds of that day's run; an hour that the clocks leave out comes with the
        first one after it.
        """
        if (self.every == "week" and day.weekday()) or (self.every == "month" and day.day != 1):
            return None
        hour = datetime.combine(day, time.fromisoformat(self.at), zone)
        return round(hour.timestamp() * 1000)


class Run(Struct, kw_only=True):
    """One run: `due_ms` is when it fell due, `done_ms` when it was made (its cut-off) or tried
    last. `file`: under the folder of reports; `reason`: why it failed. `skipped`: so many before
    it fell due too long ago to be made.
    """

    name: str
    due_ms: int
    span: str
    kind: str
    scope: Scope
    done_ms: int = 0
    late_s: int = 0
    tries: int = 0
    file: str | None = None
    position: int | None = None
    reason: str | None = None
    skipped: int = 0

    @property
    def state(self) -> Literal["done", "late", "failed"]:
        if self.file is None:
            return "failed"
        return "late" if self.late_s else "done"


def schedules(data: DataDir) -> list[Schedule]:
    """Raises DiademaError when the file cannot be read."""
    return _load(_file(data, "schedules"), list[Schedule])


def runs(data: DataDir) -> list[Run]:
    """The newest first."""
    return _load(_file(data, "runs"), list[Run])


def add(data: DataDir, one: Schedule, language: str) -> None:
    """Raises DiademaError for a name that is taken, or for what is no schedule."""
    if one.kind not in KINDS:
        known = ", ".join(KINDS)
        raise DiademaError(text("reports.no_kind", language, given=one.kind, known=known))
    try:
        one = msgspec.convert(msgspec.to_builtins(one), Schedule)
    except msgspec.ValidationError as error:
        raise DiademaError(text("reports.no_schedule", language, reason=error)) from None
    with _changing(data) as known_ones:
        if any(other.name == one.name for other in known_ones):
            raise DiademaError(text("reports.schedule_taken", language, given=one.name))
        if len(known_ones) >= SCHEDULES:
            raise DiademaError(text("reports.schedules_full", language, most=SCHEDULES))
        known_ones.append(one)


def remove(data: DataDir, name: str, language: str) -> None:
    """Its files stay. Raises DiademaError where there is none of that name."""
    with _changing(data) as known:
        kept = [one for one in known if one.name != name]
        if len(kept) == len(known):
            names = ", ".join(one.name for one in known) or "—"
            raise DiademaError(text("reports.no_such_schedule", language, given=name, known=names))
        known[:] = kept


def write_runs(data: DataDir, found: list[Run]) -> None:
    write_whole(_file(data, "runs"), msgspec.json.format(msgspec.json.encode(found)))


def due(one: Schedule, after_ms: int, now_ms: int, zone: ZoneInfo) -> list[tuple[int, Period]]:
    """Runs of it in (after_ms, now_ms], in order."""
    first = _local(max(after_ms, one.since_ms - 1), zone)
    found, day = [], first
    while day <= _local(now_ms, zone):
        at = one.due_on(day, zone)
        if at is not None and max(after_ms, one.since_ms - 1) < at <= now_ms:
            found.append((at, one.span(day)))
        day += timedelta(days=1)
    return found


def next_due(one: Schedule, now_ms: int, zone: ZoneInfo) -> int:
    """When it falls due for the next time."""
    day = _local(now_ms, zone)
    while True:
        at = one.due_on(day, zone)
        if at is not None and at > now_ms:
            return at
        day += timedelta(days=1)


def _local(utc_ms: int, zone: ZoneInfo) -> date:
    return datetime.fromtimestamp(utc_ms / 1000, UTC).astimezone(zone).date()


def _file(data: DataDir, name: str) -> Path:
    return data.reports / f"{name}.json"


def _load[T](path: Path, kind: type[list[T]]) -> list[T]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except FileNotFoundError:
        return []
    except (OSError, msgspec.DecodeError) as error:
        raise DiademaError(text("reports.unreadable", path=path, reason=error)) from None


@contextmanager
def _changing(data: DataDir) -> Iterator[list[Schedule]]:
    """The schedules, to be changed by one at a time."""
    try:
        data.reports.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(data.reports, error) from error
    with locked(data.reports / "lock", wait_s=_LOCK_S):
        known = schedules(data)
        yield known
        write_whole(_file(data, "schedules"), msgspec.json.format(msgspec.json.encode(known)))


_SHOWN = 20  # runs of a terminal


def as_fields(data: DataDir, now_ms: int) -> dict[str, Any]:
    zone = zone_of(data)
    return {
        "schedules": [
            {
                **msgspec.to_builtins(one),
                "next_ms": next_due(one, now_ms, zone),
                "next": hour(next_due(one, now_ms, zone), zone.key),
            }
            for one in schedules(data)
        ],
        "runs": [
            {**msgspec.to_builtins(run), "state": run.state, "due": hour(run.due_ms, zone.key)}
            for run in runs(data)
        ],
    }


def show(console: Console, data: DataDir, now_ms: int, language: str) -> None:
    def say(name: str, **values: object) -> str:
        return text(f"reports.{name}", language, **values)

    zone, ordered = zone_of(data), schedules(data)
    if not ordered:
        console.print(say("no_schedules"))
    table = _table(say("schedules"), [say(f"schedule.{name}") for name in _HEADS])
    for one in ordered:
        when = hour(next_due(one, now_ms, zone), zone.key)
        table.add_row(*map(Text, (one.name, *told(one, language), when)))
    if ordered:
        console.print(table)
    made = runs(data)[:_SHOWN]
    if made:
        table = _table(say("runs"), [say(f"run.{name}") for name in _RUN_HEADS])
        for run in made:
            style = "red" if run.state == "failed" else ""
            cells = (run.name, run.span, hour(run.due_ms, zone.key), said(run, language))
            table.add_row(*map(Text, (*cells, visible(run.file or ""))), style=style)
        console.print(table)


_HEADS = ("name", "kind", "every", "scope", "format", "next")
_RUN_HEADS = ("name", "span", "due", "state", "file")


def told(one: Schedule, language: str) -> tuple[str, str, str, str]:
    """Kind, when, whose and format in words."""
    when = text(f"reports.every.{one.every}", language, at=one.at)
    if one.running:
        when += f" · {text('reports.schedule.running', language)}"
    scope = one.scope
    word = "scope.floor" if scope.of == "floor" else f"scope_of.{scope.of}"
    whose = text(f"reports.{word}", language, whose=visible(scope.code))
    return text(f"reports.kind.{one.kind}", language), when, whose, one.form.upper()


def said(run: Run, language: str) -> str:
    """How it went: made, made late, or failed and why."""
    values: dict[str, object] = {
        "late": clock(run.late_s), "reason": visible(run.reason or ""), "tries": run.tries
    }  # fmt: skip
    line = text(f"reports.state.{run.state}", language, **values)
    if run.skipped:
        line += f" · {text('reports.skipped', language, n=run.skipped)}"
    return line


def _table(title: str, heads: list[str]) -> Table:
    table = Table(title=Text(title), title_justify="left", header_style="bold")
    for head in heads:
        table.add_column(head)
    return table
