"""Scheduled reports: what was ordered, when each falls due, and making those that are due.

`schedules.json` says what was ordered, `runs.json` what came of it; both stand beside the files.
One run is made at a time, by the web's process. A run that fails says why and is tried again,
later each time; one that fell due while nothing ran is made late and says so. Neither keeps the
others from being made.
"""

import logging
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

from diadema.base.errors import DiademaError, why
from diadema.base.locks import changing
from diadema.base.paths import DataDir, cannot_write, write_whole
from diadema.base.sanitize import visible
from diadema.report.context import check_team
from diadema.report.formats import made_as
from diadema.report.kinds import KINDS
from diadema.report.make import make
from diadema.report.model import Scope
from diadema.report.period import Grain, Period, any_period, around
from diadema.report.writing import file_name
from diadema.site.context import language_of, site_of, zone_of
from diadema.site.directory.people_of import people
from diadema.words import said, text
from diadema.words.formatting import NOTHING, clock, local_time

SCHEDULES = 50
LATE_S = 900  # made within a quarter of an hour is on time
TRIES = 12
CATCH_UP = 31  # runs of one schedule that are made after a pause; older ones are skipped
RETAINED = 400  # runs, with their files, of one schedule
_SHOWN = 20  # runs of a terminal
_HEADS = ("name", "kind", "every", "scope", "format", "to", "next")
_RUN_HEADS = ("name", "span", "due", "state", "file")

type Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,32}\Z")]
type Why = Literal["disabled", "right"]
type TimeOfDay = Annotated[str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d\Z")]


class Schedule(Struct, kw_only=True, frozen=True):
    """Made at `at` of the site's clock each day, Monday or first of a month: of the span that is
    over by then, or (`running`) of the one that goes on. `since_ms`: when it was ordered, `to`:
    by mail. `stopped`: no more is made, for what has become of its author.
    """

    name: Name
    kind: str
    every: Grain
    at: TimeOfDay
    form: Literal["json", "csv", "xlsx", "pdf"]
    scope: Scope = field(default_factory=Scope)
    running: bool = False
    to: list[str] = []
    by: str = ""
    since_ms: int
    stopped: Why | None = None

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
        due = datetime.combine(day, time.fromisoformat(self.at), zone)
        return round(due.timestamp() * 1000)


class Run(Struct, kw_only=True):
    """One run: `due_ms` is when it fell due, `done_ms` when it was made (its cut-off) or tried
    last. `file`: under the folder of reports; `reason`: why it failed. `skipped`: so many before
    it fell due too long ago to be made.

    `sent_ms`: when it was sent by mail, to `sent_to` addresses; `sendings`: how often that was
    tried, `sending_ms` the last time; `unsent`: why it was not, or to whom; without a try it never
    is.
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
    sent_ms: int = 0
    sent_to: int = 0
    sendings: int = 0
    sending_ms: int = 0
    unsent: str = ""

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
    """Raises DiademaError for a name that is taken, for what is no schedule, and for a team or an
    agent that there is not.
    """
    if one.kind not in KINDS:
        known = ", ".join(KINDS)
        raise DiademaError(text("reports.no_kind", language, given=one.kind, known=known))
    try:
        one = msgspec.convert(msgspec.to_builtins(one), Schedule)
    except msgspec.ValidationError as error:
        raise DiademaError(text("reports.no_schedule", language, reason=error)) from None
    _check_scope(data, one.scope, language)
    with _changing(data) as known_ones:
        if any(other.name == one.name for other in known_ones):
            raise DiademaError(text("reports.schedule_taken", language, given=one.name))
        if len(known_ones) >= SCHEDULES:
            raise DiademaError(text("reports.schedules_full", language, most=SCHEDULES))
        known_ones.append(one)


def _check_scope(data: DataDir, scope: Scope, language: str) -> None:
    """A queue may be known to the switch alone."""
    known = people(data)
    if scope.of == "team":
        check_team(known, scope.code, language)
    elif scope.of == "agent" and scope.code not in known.workers:
        raise DiademaError(text("reports.no_agent_now", language, given=scope.code))


def remove(data: DataDir, name: str, language: str) -> None:
    """Its files stay. Raises DiademaError where there is none of that name."""
    with _changing(data) as known:
        others = [one for one in known if one.name != name]
        if len(others) == len(known):
            names = ", ".join(one.name for one in known) or "—"
            raise DiademaError(text("reports.no_such_schedule", language, given=name, known=names))
        known[:] = others


def stop(data: DataDir, name: str, why: Why) -> None:
    """No more is made of it, until somebody orders it anew."""
    with _changing(data) as known:
        known[:] = [
            msgspec.structs.replace(one, stopped=why) if one.name == name else one for one in known
        ]


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
    with changing(_file(data, "schedules"), lambda: schedules(data)) as known:
        yield known


def last_runs(data: DataDir) -> list[tuple[Schedule, Run]]:
    """Of each schedule that goes on and was made or tried, its last run. Raises DiademaError."""
    last = {run.name: run for run in reversed(runs(data))}
    return [
        (one, last[one.name])
        for one in _going_on(data)
        if one.name in last and last[one.name].due_ms >= one.since_ms
    ]


def as_fields(data: DataDir, now_ms: int) -> dict[str, Any]:
    zone = zone_of(data)
    return {
        "schedules": [
            {
                **msgspec.to_builtins(one),
                "next_ms": next_due(one, now_ms, zone),
                "next": local_time(next_due(one, now_ms, zone), zone.key),
            }
            for one in schedules(data)
        ],
        "runs": [
            {
                **msgspec.to_builtins(run),
                "state": run.state,
                "due": local_time(run.due_ms, zone.key),
            }
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
        when = local_time(next_due(one, now_ms, zone), zone.key)
        if one.stopped:
            when = stopped_words(one, language)
        table.add_row(*map(Text, (one.name, *schedule_words(one, language), when)))
    if ordered:
        console.print(table)
    made = runs(data)[:_SHOWN]
    if made:
        table = _table(say("runs"), [say(f"run.{name}") for name in _RUN_HEADS])
        for run in made:
            style = "red" if run.state == "failed" else ""
            cells = (
                run.name,
                run.span,
                local_time(run.due_ms, zone.key),
                run_words(run, language),
            )
            table.add_row(*map(Text, (*cells, visible(run.file or ""))), style=style)
        console.print(table)


def stopped_words(one: Schedule, language: str) -> str:
    return text(f"reports.stopped.{one.stopped}", language, by=visible(one.by))


def schedule_words(one: Schedule, language: str) -> tuple[str, str, str, str, str]:
    """Kind, when, whose, format and to whom in words."""
    when = text(f"reports.every.{one.every}", language, at=one.at)
    if one.running:
        when += f" · {text('reports.schedule.running', language)}"
    scope = one.scope
    word = "scope.floor" if scope.of == "floor" else f"scope_of.{scope.of}"
    whose = text(f"reports.{word}", language, whose=visible(scope.code))
    kind, to = text(f"reports.kind.{one.kind}", language), visible(", ".join(one.to)) or NOTHING
    return kind, when, whose, one.form.upper(), to


def run_words(run: Run, language: str) -> str:
    """How it went: made, made late, or failed and why."""
    values: dict[str, object] = {
        "late": clock(run.late_s), "reason": visible(run.reason or ""), "tries": run.tries
    }  # fmt: skip
    line = text(f"reports.state.{run.state}", language, **values)
    if run.skipped:
        line += f" · {text('reports.skipped', language, n=run.skipped)}"
    if run.sent_ms:
        line += f" · {text('reports.sent', language, n=run.sent_to)}"
    if run.unsent:
        unsent = visible(run.unsent)
        word = "reports.unsent" if run.sendings else "reports.not_sent"
        line += f" · {text(word, language, reason=unsent, tries=run.sendings)}"
    return line


def _table(title: str, heads: list[str]) -> Table:
    table = Table(title=Text(title), title_justify="left", header_style="bold")
    for head in heads:
        table.add_column(head)
    return table


log = logging.getLogger(__name__)


def pending(data: DataDir, now_ms: int) -> bool:
    """Whether anything is to be made now. Raises DiademaError."""
    ordered, made, zone = _going_on(data), runs(data), zone_of(data)
    return any(_new(one, made, now_ms, zone) or _again(one, made, now_ms) for one in ordered)


def run_due(data: DataDir, now_ms: int) -> list[Run]:
    """Make what is due; gives what was made or failed now. Raises DiademaError when the lists
    themselves cannot be read or written.
    """
    done: list[Run] = []
    zone = zone_of(data)
    for one in _going_on(data):
        made = runs(data)
        for run, span in [*_again(one, made, now_ms), *_new(one, made, now_ms, zone)]:
            _make(data, one, run, span, now_ms)
            if run not in made:
                made.insert(0, run)
            done.append(run)
            write_runs(data, _retained(data, made))
    return done


def _going_on(data: DataDir) -> list[Schedule]:
    return [one for one in schedules(data) if not one.stopped]


def _new(one: Schedule, made: list[Run], now_ms: int, zone: ZoneInfo) -> list[tuple[Run, Period]]:
    last = max((run.due_ms for run in made if run.name == one.name), default=0)
    fallen = due(one, last, now_ms, zone)
    skipped, fallen = max(0, len(fallen) - CATCH_UP), fallen[-CATCH_UP:]
    found = []
    for at, span in fallen:
        run = Run(
            name=one.name, due_ms=at, span=span.word, kind=one.kind, scope=one.scope,
            skipped=skipped,
        )  # fmt: skip
        found.append((run, span))
        skipped = 0
    return found


def _again(one: Schedule, made: list[Run], now_ms: int) -> list[tuple[Run, Period]]:
    """Failed ones whose turn it is."""
    return [
        (run, any_period(run.span))
        for run in reversed(made)
        if run.name == one.name
        and run.file is None
        and is_time_again(run.tries, run.done_ms, now_ms)
    ]


def is_time_again(tries: int, last_ms: int, now_ms: int) -> bool:
    """For what has failed so often: after 1, 2, 4 … 60 minutes."""
    return 0 < tries < TRIES and now_ms >= last_ms + 60_000 * min(60, 1 << (tries - 1))


def _make(data: DataDir, one: Schedule, run: Run, span: Period, now_ms: int) -> None:
    described = site_of(data)
    language = language_of(described)
    run.tries += 1
    run.done_ms = now_ms
    late_s = (now_ms - run.due_ms) // 1000
    run.late_s = late_s if late_s > LATE_S else 0
    try:
        report = make(data, one.kind, span, one.scope, now_ms)
        due_at = local_time(run.due_ms, report.zone)
        report.notes.insert(0, text("reports.scheduled", language, schedule=one.name, due=due_at))
        if run.late_s:
            report.notes.insert(1, text("reports.late", language, late=clock(run.late_s)))
        moment = datetime.fromtimestamp(run.due_ms / 1000, zone_of(data))
        file = Path(one.name, f"{moment:%Y%m%d-%H%M}-{file_name(report, one.form)}")
        (data.reports / one.name).mkdir(parents=True, exist_ok=True)
        write_whole(data.reports / file, made_as(one.form, report))
    except (DiademaError, OSError) as error:
        wrong = error if isinstance(error, DiademaError) else why(error)
        run.reason = str(said(wrong, language))
    except Exception as error:  # whatever it is, the others are made and this one says so
        log.exception("the scheduled report %s failed", one.name)
        run.reason = text("reports.failed_inside", language, error=type(error).__name__)
    else:
        run.file, run.position, run.reason = str(file), report.cut.position, None


def _retained(data: DataDir, made: list[Run]) -> list[Run]:
    """The newest of each schedule; the files of older ones go with them."""
    retained: list[Run] = []
    counted: dict[str, int] = {}
    for run in sorted(made, key=lambda run: (-run.due_ms, run.name)):
        counted[run.name] = counted.get(run.name, 0) + 1
        if counted[run.name] <= RETAINED:
            retained.append(run)
        elif run.file is not None:
            (data.reports / run.file).unlink(missing_ok=True)
    return retained
