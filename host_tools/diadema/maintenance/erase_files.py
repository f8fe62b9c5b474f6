"""What tells of people outside the store: the broker's stream, logs, files of scheduled reports,
and journals read from boards.
"""

import re
import shutil
from collections.abc import Collection, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

from diadema.base.paths import DataDir, write_whole
from diadema.report.model import Scope
from diadema.report.period import any_period
from diadema.report.schedule import runs, write_runs

GONE = "erased"
_OWN = ("schedules.json", "runs.json")  # of the reports: what was ordered, and what came of it
_STREAM = "$MQTT_msgs"


def clear_files(data: DataDir, before_ms: int, names: Collection[str]) -> int:
    """How many went. `names`: of whom something was erased. The broker must not run."""
    gone = _clear_reports(data, before_ms)
    for folder in (data.reports, data.journals, data.logs):
        for path in _old(folder, before_ms):
            path.unlink()
            gone += 1
    _scrub_logs(data, names)
    _clear_stream(data)
    return gone


def _old(folder: Path, before_ms: int) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
        own = path.parent == folder and path.name in _OWN
        if path.is_file() and not own and path.stat().st_mtime * 1000 < before_ms:
            yield path


def _clear_reports(data: DataDir, before_ms: int) -> int:
    """Those of spans that are erased: they can be had again, without names. A file that was
    copied is as old as its span all the same.
    """
    limit, gone = datetime.fromtimestamp(before_ms / 1000, UTC).date(), 0
    made = runs(data)
    for run in made:
        if run.file is None or not _is_over(run.span, limit):
            continue
        if (data.reports / run.file).exists():
            (data.reports / run.file).unlink()
            gone += 1
        if run.scope.of == "agent":
            run.scope = Scope(of="agent", code=GONE)
    if made:
        write_runs(data, made)
    return gone


def _is_over(span: str, limit: date) -> bool:
    return any_period(span).last < limit


def _scrub_logs(data: DataDir, names: Collection[str]) -> None:
    """Nobody's id stays in what is newer."""
    if not names or not data.logs.is_dir():
        return
    any_name = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    whole = re.compile(rf"(?<![\w-])(?:{any_name})(?![\w-])".encode())
    for path in sorted(data.logs.iterdir()):
        if path.is_file():
            said = path.read_bytes()
            if (left := whole.sub(GONE.encode(), said)) != said:
                write_whole(path, left)


def _clear_stream(data: DataDir) -> None:
    """The broker makes it anew. What it held and the store had not is in the stations' journals:
    those free only what the store has acknowledged.
    """
    for folder in data.nats.rglob(f"streams/{_STREAM}") if data.nats.is_dir() else ():
        shutil.rmtree(folder)
