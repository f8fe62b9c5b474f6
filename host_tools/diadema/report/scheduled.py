"""Makes the scheduled reports that have fallen due. One at a time: the web's process behind it.

A run that fails says why and is tried again, later each time; one that fell due while nothing ran
is made late and says so. Neither keeps the others from being made.
"""

import logging
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from diadema.base.errors import DiademaError
from diadema.base.paths import DataDir, write_whole
from diadema.report.formats import made_as
from diadema.report.make import make
from diadema.report.period import Period, any_period
from diadema.report.schedule import Run, Schedule, due, runs, schedules, write_runs
from diadema.report.writing import file_name, hour
from diadema.site.context import language_of, site_of, zone_of
from diadema.words import text
from diadema.words.durations import clock

log = logging.getLogger(__name__)

LATE_S = 900  # made within a quarter of an hour is on time
TRIES = 12
CATCH_UP = 31  # runs of one schedule that are made after a pause; older ones are skipped
KEPT = 400  # runs, with their files, of one schedule


def pending(data: DataDir, now_ms: int) -> bool:
    """Whether anything is to be made now. Raises DiademaError."""
    ordered, made, zone = schedules(data), runs(data), zone_of(data)
    return any(_new(one, made, now_ms, zone) or _again(one, made, now_ms) for one in ordered)


def run_due(data: DataDir, now_ms: int) -> list[Run]:
    """Make what is due; gives what was made or failed now. Raises DiademaError when the lists
    themselves cannot be read or written.
    """
    done: list[Run] = []
    zone = zone_of(data)
    for one in schedules(data):
        made = runs(data)
        for run, span in [*_again(one, made, now_ms), *_new(one, made, now_ms, zone)]:
            _make(data, one, run, span, now_ms)
            if run not in made:
                made.insert(0, run)
            done.append(run)
            write_runs(data, _kept(data, made))
    return done


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
    """Failed ones whose turn it is: after 1, 2, 4 … 60 minutes."""
    return [
        (run, any_period(run.span))
        for run in reversed(made)
        if run.name == one.name
        and run.file is None
        and 0 < run.tries < TRIES
        and now_ms >= run.done_ms + 60_000 * min(60, 1 << (run.tries - 1))
    ]


def _make(data: DataDir, one: Schedule, run: Run, span: Period, now_ms: int) -> None:
    described = site_of(data)
    language = language_of(described)
    run.tries += 1
    run.done_ms = now_ms
    late_s = (now_ms - run.due_ms) // 1000
    run.late_s = late_s if late_s > LATE_S else 0
    try:
        report = make(data, one.kind, span, one.scope, now_ms)
        said = hour(run.due_ms, report.zone)
        report.notes.insert(0, text("reports.scheduled", language, schedule=one.name, due=said))
        if run.late_s:
            report.notes.insert(1, text("reports.late", language, late=clock(run.late_s)))
        moment = datetime.fromtimestamp(run.due_ms / 1000, zone_of(data))
        file = Path(one.name, f"{moment:%Y%m%d-%H%M}-{file_name(report, one.form)}")
        (data.reports / one.name).mkdir(parents=True, exist_ok=True)
        write_whole(data.reports / file, made_as(one.form, report))
    except (DiademaError, OSError) as error:
        run.reason = str(error)
    except Exception as error:  # whatever it is, the others are made and this one says so
        log.exception("the scheduled report %s failed", one.name)
        run.reason = text("reports.failed_inside", language, error=type(error).__name__)
    else:
        run.file, run.position, run.reason = str(file), report.cut.position, None


def _kept(data: DataDir, made: list[Run]) -> list[Run]:
    """The newest of each schedule; the files of older ones go with them."""
    kept: list[Run] = []
    counted: dict[str, int] = {}
    for run in sorted(made, key=lambda run: (-run.due_ms, run.name)):
        counted[run.name] = counted.get(run.name, 0) + 1
        if counted[run.name] <= KEPT:
            kept.append(run)
        elif run.file is not None:
            (data.reports / run.file).unlink(missing_ok=True)
    return kept
